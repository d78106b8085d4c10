"""What the plan of a step holds its replies to: what the page needs of them, and what their backend promises."""

from __future__ import annotations

from typing import Any

from bff.expressions.paths import Path
from bff.plan.holding import Form, Held, UnmetNeed, hold, hold_types
from bff.plan.model import PlannedRequest
from bff.types.model import Scalar, Type, holds

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
        need = self._by_path.get(path, _NOTHING)
        return need.nullable if value is None else is_of(need.form, value)

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
