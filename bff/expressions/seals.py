"""Cursors of a page's own: what it seals, the browser brings back, and nobody else can make. A room of the library."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bff import jsontext
from bff.errors import BoundError
from bff.expressions.evaluation import Evaluation
from bff.expressions.library import Function, library
from bff.expressions.values import MAX_DEPTH

if TYPE_CHECKING:
    from bff.identity.seals import VisitorsSeals

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

_WORK, _BYTES = 60, 8_192


@_declare("seal(x)", 1, 1, "string of boolean | number | string | list | object")
def seal(evaluation: Evaluation, seals: VisitorsSeals, value: Any) -> str | None:
    """A value as a text that this page alone opens, for this visitor; up to 2 kB; null gives null."""
    if value is None:
        return None
    from bff.identity.seals import MAX_PLAIN

    evaluation.charge(_WORK)
    evaluation.take(_BYTES)
    try:
        raw = jsontext.encode_sorted_within(value, MAX_PLAIN, MAX_PLAIN, MAX_DEPTH)
    except jsontext.TooLarge:
        raw = b""
    if not 0 < len(raw) <= MAX_PLAIN:
        raise BoundError("what seal(…) is given (2 kB, once it is sealed)")
    return seals.seal(raw)


@_declare("unseal(text)", 1, 1, "what was sealed")
def unseal(evaluation: Evaluation, seals: VisitorsSeals, text: Any) -> Any:
    """What this page has sealed for this visitor; null gives null, and so does what anybody else has made."""
    if text.__class__ is not str:
        return None
    evaluation.charge(_WORK)
    evaluation.take(_BYTES)
    raw = seals.open(text)
    return None if raw is None else jsontext.decode(raw)
