"""What a recipe gives to one that it holds: pruned and validated as a visitor's request would be."""

from __future__ import annotations

from typing import Any

from bff.errors import Failure
from bff.expressions import Evaluation
from bff.plan.model import PlannedGiven
from bff.problems import of_failure, problem
from bff.validation import prune


def taken(planned: PlannedGiven, value: Any, evaluation: Evaluation) -> Any:
    """The value as the part's input takes it, null as absent; raises PageError where it does not take it.

    It is paid for first: what is shared in it is copied and validated each time that it is met. What the visitor sent
    is then not valid (400); what came from a backend is not what the page expects (502).
    """
    if value is None:
        value = planned.schema.get("default")
        if value is None and not planned.required:
            return None
    evaluation.walk(value)
    value = prune(planned.schema, value)
    mistakes = planned.validator.mistakes(value)
    if not mistakes:
        return value
    what = ".".join([planned.key, *map(str, mistakes[0].path)])
    detail = f"'{planned.part}' does not take this {what} ({mistakes[0].rule or mistakes[0].detail})."
    if planned.from_input:
        raise problem("invalid-input", detail, step=planned.part)
    raise of_failure(Failure(planned.part, "bad-reply", 502, detail, path=what, reason="form"))
