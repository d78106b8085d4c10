"""What turns one JSON value into another, as a JSON Patch (RFC 6902): `add`, `remove` and `replace` only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from bff import jsontext

JSON = Any
Operation = dict[str, Any]
Charge = Callable[[int], None]

_OF_OPERATION = 32
"""Bytes that an operation takes beside its path and value, about."""
_MUCH = 4
"""Operations that are so many times longer than the value that they make are given up for it; before that they are
worth more to who shows a page: what they do not name stays as it is."""
_BYTES_PER_NODE = 16
"""What encoding costs in place of a visit."""


def changes(before: JSON, after: JSON, charge: Charge = lambda work: None) -> list[Operation]:
    """The operations that turn `before` into `after`, a small set of them; [] where they are the same JSON.

    Numbers of another kind differ (1, 1.0, true); the order of members does not count. `charge` is told of the
    work, in values looked at, and may raise.
    """
    return _Comparison(charge).between(before, after, "")


def replacement(after: JSON) -> list[Operation]:
    """The operation that puts a value in place of a whole document."""
    return [{"op": "replace", "path": "", "value": after}]


def _under(pointer: str, key: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a member or element."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


class _Comparison:
    """One comparison of two documents."""

    def __init__(self, charge: Charge) -> None:
        self._charge = charge

    def between(self, before: JSON, after: JSON, at: str) -> list[Operation]:
        if before is after:
            return []
        whole: Operation = {"op": "replace", "path": at, "value": after}
        if type(before) is not type(after):
            return [whole]
        if type(after) is dict:
            found = list(self._of_members(before, after, at))
        elif type(after) is list:
            found = list(self._of_elements(before, after, at))
        else:
            return [] if before == after else [whole]
        return [whole] if self._is_much_longer(found, after) else found

    def _visit(self, values: int, at: str) -> None:
        """Pay for so many values below a place, each with the text of its own place."""
        self._charge(values * (1 + len(at) // _BYTES_PER_NODE))

    def _of_members(self, before: dict[str, JSON], after: dict[str, JSON], at: str) -> Iterator[Operation]:
        self._visit(len(before) + len(after), at)
        self._charge(sum(map(len, chain(before, after))) // _BYTES_PER_NODE)
        for key in before:
            if key not in after:
                yield {"op": "remove", "path": _under(at, key)}
        for key, value in after.items():
            if key in before:
                yield from self.between(before[key], value, _under(at, key))
            else:
                yield {"op": "add", "path": _under(at, key), "value": value}

    def _of_elements(self, before: list[JSON], after: list[JSON], at: str) -> Iterator[Operation]:
        self._visit(len(before) + len(after), at)
        if len(before) == len(after):
            for place, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from self.between(old, new, _under(at, place))
            return
        head, tail = self._common(before, after)
        gone, come = len(before) - head - tail, after[head : len(after) - tail]
        if gone and come:
            yield {"op": "replace", "path": at, "value": after}
        for _ in range(0 if come else gone):
            yield {"op": "remove", "path": _under(at, head)}
        for place, value in enumerate(() if gone else come, head):
            yield {"op": "add", "path": _under(at, place), "value": value}

    def _common(self, before: list[JSON], after: list[JSON]) -> tuple[int, int]:
        """How many elements two lists of different length share at their beginning, and at their end."""
        old, new = [list(map(self._encoded, elements)) for elements in (before, after)]
        most = min(len(old), len(new))
        head = next((place for place in range(most) if old[place] != new[place]), most)
        rest = range(1, most - head + 1)
        tail = next((place - 1 for place in rest if old[-place] != new[-place]), most - head)
        return head, tail

    def _is_much_longer(self, found: list[Operation], after: JSON) -> bool:
        """Whether several operations are much longer than the value that they make."""
        if len(found) < 2:
            return False
        own = sum(_OF_OPERATION + len(one["path"]) for one in found)
        own += sum(len(self._encoded(one["value"])) for one in found if "value" in one)
        return own > _MUCH * len(self._encoded(after))

    def _encoded(self, value: JSON) -> bytes:
        text = jsontext.encode(value)
        self._charge(1 + len(text) // _BYTES_PER_NODE)
        return text
