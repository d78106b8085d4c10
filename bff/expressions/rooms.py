"""The rooms of the library: modules of functions that few pages call, each loaded for the first page that does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import CodeType

from bff.expressions.library import Call, Function

LIBRARY = "_f_"
"""What the names of the library's functions begin with in generated code."""


def _days() -> Mapping[str, Function]:
    from bff.expressions.days import FUNCTIONS

    return FUNCTIONS


def _texts() -> Mapping[str, Function]:
    from bff.expressions.texts import FUNCTIONS

    return FUNCTIONS


def _instants() -> Mapping[str, Function]:
    from bff.expressions.instants import FUNCTIONS

    return FUNCTIONS


def _languages() -> Mapping[str, Function]:
    from bff.expressions.languages import FUNCTIONS

    return FUNCTIONS


def _seals() -> Mapping[str, Function]:
    from bff.expressions.seals import FUNCTIONS

    return FUNCTIONS


SEALING = frozenset({"seal", "unseal"})
"""The functions that want the keys of the app, and know the page and its visitor: `SEALS` of the scope."""

SEALS = "_seals"
"""What seals for the visitor, in the scope of pages that do; no author can write the name."""

PATTERNED = frozenset({"matches", "find", "sub"})
"""The functions whose second argument is a pattern: a constant that is compiled with the expression."""

_OF_TEXTS = ("base64", "parse_json", "to_json", "unbase64", "url", "url_encode", *PATTERNED)
ROOMS: Mapping[str, Callable[[], Mapping[str, Function]]] = {
    "days": _days,
    **dict.fromkeys(_OF_TEXTS, _texts),
    **dict.fromkeys(("date", "epoch", "instant", "local", "shift", "start_of"), _instants),
    "language": _languages,
    **dict.fromkeys(SEALING, _seals),
}
"""The functions that stand in rooms, each with what opens its room."""

_NAMES = {LIBRARY + name: name for name in ROOMS}


def called_in(code: CodeType) -> dict[str, Call]:
    """The functions of rooms that generated code calls, by the names that they have there."""
    found = set(_names_in(code)) & _NAMES.keys()
    return {name: ROOMS[_NAMES[name]]()[_NAMES[name]].call for name in found}


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if constant.__class__ is CodeType:
            yield from _names_in(constant)
