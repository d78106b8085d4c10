"""What a page can be made of while some of its parts are still to come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.errors import PageError
from bff.executor import outcomes
from bff.executor.results import Results
from bff.executor.sub_input import taken
from bff.expressions import Evaluation
from bff.plan.model import Plan, PlannedValue


def draft_scope(plan: Plan, results: Results, evaluation: Evaluation) -> Mapping[str, Any]:
    """The names of the page with null for each part that is to come; a value that reads one is made of that null.

    So one part of a value does not hold up the others. Raises PageError where a function or a bound does.
    """
    scope = dict(results.scope)
    missing = [step for step in plan.steps if step.name not in scope]
    scope |= {step.name: None for step in missing if not isinstance(step, PlannedValue)}
    values = [step for step in missing if isinstance(step, PlannedValue)]
    while values:
        step = next(step for step in values if plan.waits_for[step.name] <= scope.keys())
        values.remove(step)
        scope[step.name] = _value(step, scope, evaluation)
    return scope


def _value(step: PlannedValue, scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
    """The value of a step as it is now; null where it is not yet what the recipe needs it to be."""
    if step.when is not None and not step.when(scope, evaluation):
        return None
    value = step.value(scope, evaluation)
    if step.given is not None:
        try:
            value = taken(step.given, value, evaluation)
        except PageError:
            return None
    return value if outcomes.first_not_list(value, (step.name,), step.lists) is None else None
