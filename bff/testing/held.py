"""What the plan of a step holds its replies to: what the page needs of them, and what their backend promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bff.expressions.paths import ANY, Path
from bff.plan.holding import Form, Held, UnmetNeed, hold, hold_types
from bff.plan.model import PlannedRequest
from bff.types.model import (
    Array,
    Literal,
    Member,
    Record,
    Scalar,
    Type,
    Unknown,
    Unverified,
    holds,
    options,
    scalar_of,
)

_NOTHING = Held((), required=False)


class HeldReply:
    """What must hold below the body of a step's replies, by path; `types` are those of what is held whole."""

    def __init__(self, step: PlannedRequest) -> None:
        self._needs: tuple[Held, ...] = getattr(step.decode, "needs", ()) if step.reads else ()
        self._types = getattr(step.decode, "types", ()) if step.reads else ()
        self._by_path = {need.path: need for need in self._needs}
        self.types: dict[Path, Type] = {one.path: one.type for one in self._types}

    def form(self, path: Path) -> Form:
        """Of which form what is at a path is."""
        return self._by_path.get(path, _NOTHING).form

    def requires(self, path: Path) -> bool:
        """Whether the last key of a path must be there."""
        return self._by_path.get(path, _NOTHING).required

    def fits(self, path: Path, value: Any) -> bool:
        """Whether a value that is neither list nor mapping may stand at a path."""
        if path not in self._by_path and (around := self._around(path)) is not None:
            return any(holds(one, value) for one in _below(self.types[around], path[len(around) :]))
        need = self._by_path.get(path, _NOTHING)
        return need.nullable if value is None else is_of(need.form, value)

    def _around(self, path: Path) -> Path | None:
        """The path of the type that a path leads into."""
        return next((around for around in self.types if path[: len(around)] == around), None)

    def refuses(self, body: Any) -> bool:
        """Whether a body is not what the step is held to."""
        try:
            hold(body, self._needs)
            hold_types(body, self._types)
        except UnmetNeed:
            return True
        return False


def is_of(form: Form, value: Any) -> bool:
    """Whether a value that is neither list nor mapping is of a form."""
    return form == "any" or (form not in ("list", "object") and holds(Scalar(form), value))


def _below(one: Type, path: Path) -> Iterator[Type]:
    """The types of what is at a path below values of a type; of literals all of their kind."""
    for part in options(one):
        match part:
            case Literal(value=value):
                part = scalar_of(value)
            case Unknown() | Unverified():
                yield Unknown()
                continue
        if not path:
            yield part
        elif isinstance(part, Array) and path[0] is ANY:
            yield from _below(part.element, path[1:])
        elif isinstance(part, Record):
            member = part.other if path[0] is ANY else _type_of(part.member(str(path[0])))
            yield from () if member is None else _below(member, path[1:])


def _type_of(member: Member | None) -> Type:
    return Unknown() if member is None else member.type
