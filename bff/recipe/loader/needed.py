"""The paths of `needs`: `id`, `items[*].title`, `owner?.name`, `['x-rate']`."""

from __future__ import annotations

import re
from typing import NamedTuple

from bff.expressions.paths import ANY, Any_
from bff.recipe.model import NeededPath

_KEY = re.compile(r"""\[\*\]|\[(?P<quote>['"])(?P<text>.+?)(?P=quote)\]|(?P<dot>\.?)(?P<name>[^\W\d]\w*)""")


class Malformed(NamedTuple):
    """Where a path stops being one, how many characters of it are left, and what to write."""

    offset: int
    length: int
    hint: str


def needed_path(text: str) -> NeededPath | Malformed:
    """What a path of `needs` says; a key with `?` behind it may be null."""
    keys: list[str | Any_] = []
    nullable: set[int] = set()
    at = 0
    while at < len(text):
        found = _KEY.match(text, at)
        is_first = at == 0
        if found is None or (found["name"] is not None and bool(found["dot"]) is is_first):
            return Malformed(at, len(text) - at, _hint(text[at:]))
        keys.append(found["text"] or found["name"] or ANY)
        at = found.end()
        if text.startswith("?", at):
            nullable.add(len(keys))
            at += 1
    return NeededPath(tuple(keys), frozenset(nullable)) if keys else Malformed(0, 1, NEEDED_FORM)


NEEDED_FORM = "a path below the value such as id, items[*].title or owner.name?"


def _hint(rest: str) -> str:
    if re.match(r"\[-?\d+\]", rest):
        return "[*] stands for every element"
    if rest.startswith("-"):
        return "what is no plain name stands in brackets: ['x-y']"
    return NEEDED_FORM
