"""What a recipe gives to one that it holds: pruned and validated as a visitor's request would be."""

from __future__ import annotations

from typing import Any

from bff.errors import Failure
from bff.plan import PlannedGiven
from bff.problems import of_failure, problem
from bff.validation import prune


def taken(planned: PlannedGiven, value: Any) -> Any:
    """The value as the part's input takes it, null as absent; raises PageError where it does not take it.

    What the visitor sent is then not valid (400); what came from a backend is not what the page expects (502).
    """
    given = planned.given
    if value is None:
        value = given.schema.get("default")
        if value is None and not given.required:
            return None
    value = prune(given.schema, value, given.schema)
    wrong = next(iter(planned.validator.iter_errors(value)), None)
    if wrong is None:
        return value
    # The validator's own message holds the value.
    what = ".".join([given.key, *map(str, wrong.instance_path)])
    detail = f"'{given.part}' does not take this {what} ({wrong.kind.name})."
    if planned.from_input:
        raise problem("invalid-input", detail, step=given.part)
    raise of_failure(Failure(given.part, "bad-reply", 502, detail, path=what, reason="form"))
