"""What a recipe gives to one that it holds: pruned and validated as a visitor's request would be."""

from __future__ import annotations

import sys
from typing import Any

from bff import jsontext
from bff.errors import BoundError, Failure
from bff.expressions import Evaluation
from bff.plan import PlannedGiven
from bff.problems import of_failure, problem
from bff.validation import prune

_WORK_FOR_EACH = 10
"""What one node of a value costs of a page's work, in which it is pruned and validated."""


def taken(planned: PlannedGiven, value: Any, evaluation: Evaluation) -> Any:
    """The value as the part's input takes it, null as absent; raises PageError where it does not take it.

    What the visitor sent is then not valid (400); what came from a backend is not what the page expects (502).
    """
    given = planned.given
    if value is None:
        value = given.schema.get("default")
        if value is None and not given.required:
            return None
    if isinstance(value, dict | list):
        _measure(value, evaluation)
        value = prune(given.schema, value)
    mistakes = planned.validator.mistakes(value)
    if not mistakes:
        return value
    what = ".".join([given.key, *map(str, mistakes[0].path)])
    detail = f"'{given.part}' does not take this {what} ({mistakes[0].rule})."
    if planned.from_input:
        raise problem("invalid-input", detail, step=given.part)
    raise of_failure(Failure(given.part, "bad-reply", 502, detail, path=what))


def _measure(value: Any, evaluation: Evaluation) -> None:
    """Raises BoundError for a value that is too large to be gone through: its shared lists may be very many."""
    try:
        jsontext.measure(value, evaluation.work // _WORK_FOR_EACH, evaluation.memory, sys.maxsize)
    except jsontext.TooLarge as exc:
        raise BoundError(f"what a part is given: {exc}") from exc
