"""A reply of a good backend, made of what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bff.expressions.inspect import ANY, Path
from bff.testing.demands import Demand

_ROWS = 2
_LATER = 4_102_444_800
"""A time to come, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes a value of a demand: lists of two, texts that tell where they stand, and what was chosen for a path."""

    source: str
    chosen: Mapping[Path, Any]
    numbers: frozenset[str]
    times: frozenset[str]
    rows: tuple[Path, ...] = ()
    keys: tuple[Path, ...] = ()
    ids: list[Any] | None = None

    def build(self, demand: Demand, path: Path = (), number: int = 1) -> Any:
        """The value at a path; `number` counts the elements of the list around it."""
        if path in self.chosen and path:
            return self.chosen[path]
        members = demand.members
        if demand.is_list or set(members) == {ANY}:
            inner = members.get(ANY, Demand())
            count = len(self.ids) if self.ids is not None and (*path, ANY) in self.rows else _ROWS
            return [self.build(inner, (*path, ANY), at) for at in range(1, count + 1)]
        named = {str(key): inner for key, inner in members.items() if key is not ANY}
        if named:
            return {key: self.build(inner, (*path, key), number) for key, inner in named.items()}
        if path in self.keys and self.ids is not None and number <= len(self.ids):
            return self.ids[number - 1]
        return self._leaf(path, number)

    def _leaf(self, path: Path, number: int) -> Any:
        names = [part for part in path if isinstance(part, str)]
        if not path:
            return {"id": "id-1", "name": f"{self.source}-name-1"}
        if names and names[-1] == "id":
            return f"id-{number}"  # the same everywhere, so that rows of different backends meet
        if names and names[-1] in self.times:
            return _LATER
        if names and names[-1] in self.numbers:
            return number + 1
        return f"{self.source}-{'-'.join(names[-1:]) or 'text'}-{number}"
