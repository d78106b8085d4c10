"""A page that came in lines, put together again: what any client that knows JSON Patch does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Assembled:
    """What lines amount to: the page as far as it came, the steps that make it partial or old, what ended it.

    Without its last line (`complete`) a page was cut on the way.
    """

    page: Any
    partial: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    problem: Mapping[str, Any] | None = None
    complete: bool = False


def assembled(text: str) -> Assembled:
    """The page that the lines of an answer make."""
    lines = [json.loads(line) for line in text.splitlines()]
    page = lines[0].get("page")
    for line in lines:
        page = patched(page, line.get("patch", ()))
    last = lines[-1]
    partial, stale = (tuple(last.get(name, ())) for name in ("partial", "stale"))
    return Assembled(page, partial, stale, last.get("problem"), last.get("complete") is True)


def patched(document: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """The document after the operations of a JSON Patch; raises LookupError for one that does not fit it."""
    found = {"": deepcopy(document)}
    for one in operations:
        *path, last = [_plain(part) for part in one["path"].split("/")]
        place: Any = found
        for part in path:
            place = place[_place_in(place, part)]
        _apply(one, place, last)
    return found[""]


def _plain(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _place_in(container: Any, part: str) -> Any:
    return int(part) if isinstance(container, list) else part


def _apply(one: Mapping[str, Any], container: Any, part: str) -> None:
    place = _place_in(container, part)
    value = deepcopy(one.get("value"))
    if one["op"] == "remove":
        del container[place]
    elif one["op"] == "add" and isinstance(container, list):
        container.insert(place, value)
    elif one["op"] == "add":
        container[place] = value
    elif one["op"] == "replace":
        container[place]  # there must be something in its place
        container[place] = value
    else:
        raise LookupError(f"{one['op']}: not an operation of these lines")
