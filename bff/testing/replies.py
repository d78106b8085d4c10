"""A reply of a good backend, made of what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bff.expressions.inspect import ANY, Path
from bff.expressions.values import to_text
from bff.plan.holding import Form
from bff.testing.demands import Demand
from bff.testing.held import HeldReply, is_of
from bff.types.model import NULL, Array, Literal, Record, Scalar, Type, options

_ROWS = 2
_LATER = 4_102_444_800
"""A time to come, in seconds since 1970."""
_DEEPEST = 8
"""No longer path is followed into a type that holds itself."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes a value of a demand: lists of two, texts that tell where they stand, and what was chosen for a path.

    What the step is `held` to has the form, or type, that is promised.
    """

    source: str
    chosen: Mapping[Path, Any]
    numbers: frozenset[str]
    times: frozenset[str]
    held: HeldReply | None = None
    rows: tuple[Path, ...] = ()
    keys: tuple[Path, ...] = ()
    ids: list[Any] | None = None

    def build(self, demand: Demand, path: Path = (), number: int = 1) -> Any:
        """The value at a path; `number` counts the elements of the list around it."""
        if path in self.chosen:
            return self.chosen[path]
        if self.held is not None and path in self.held.types:
            return self._of_type(self.held.types[path], path, number)
        members, form = demand.members, self._form(path)
        inner = members.get(ANY, Demand())
        if form != "object" and (demand.is_list or set(members) == {ANY} or form == "list"):
            count = len(self.ids) if self.ids is not None and (*path, ANY) in self.rows else _ROWS
            return [self.build(inner, (*path, ANY), at) for at in range(1, count + 1)]
        named = {str(key): inner for key, inner in members.items() if key is not ANY}
        if named:
            return {key: self.build(inner, (*path, key), number) for key, inner in named.items()}
        if ANY in members:
            return {f"id-{at}": self.build(inner, (*path, ANY), at) for at in range(1, _ROWS + 1)}
        return self._leaf(path, number, form)

    def _of_type(self, one: Type, path: Path, number: int) -> Any:
        """A value of the first type of several, with every member; null where nothing else is of it."""
        if path in self.chosen:
            return self.chosen[path]
        parts = [part for part in options(one) if part != NULL]
        is_deep = len(path) >= _DEEPEST
        match parts:
            case [Record() as record, *_]:
                found = {
                    name: self._of_type(member.type, (*path, name), number)
                    for name, member in record.members
                    if member.required or not is_deep
                }
                if record.members or record.other is None or is_deep:
                    return found
                return {
                    f"id-{at}": self._of_type(record.other, (*path, ANY), at) for at in range(1, _ROWS + 1)
                }
            case [Array(element=element), *_]:
                count = 0 if is_deep else _ROWS
                return [self._of_type(element, (*path, ANY), at) for at in range(1, count + 1)]
            case [Literal(value=value), *_]:
                return value
            case [Scalar(name=name), *_]:
                return self._leaf(path, number, name)  # type: ignore[arg-type]
        return self._leaf(path, number, "any") if parts else None

    def _form(self, path: Path) -> Form:
        return "any" if self.held is None else self.held.form(path)

    def _leaf(self, path: Path, number: int, form: Form) -> Any:
        value = self._guessed(path, number, form)
        if form in ("any", "object") or is_of(form, value):
            return value
        return to_text(value) if form == "string" else number > 0 if form == "boolean" else number

    def _guessed(self, path: Path, number: int, form: Form) -> Any:
        if path in self.keys and self.ids is not None and number <= len(self.ids):
            return self.ids[number - 1]
        names = [part for part in path if isinstance(part, str)]
        if form == "object" or (not path and form == "any"):
            return {"id": "id-1", "name": f"{self.source}-name-1"}
        if names and names[-1] == "id":
            return f"id-{number}"  # the same everywhere, so that rows of different backends meet
        if names and names[-1] in self.times:
            return _LATER
        if names and names[-1] in self.numbers:
            return number + 1
        return f"{self.source}-{'-'.join(names[-1:]) or 'text'}-{number}"
