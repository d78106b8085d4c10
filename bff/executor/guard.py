"""A guard that does not hold, as the problem that ends its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.errors import PageError
from bff.executor.results import RunContext
from bff.expressions import Evaluation
from bff.plan.model import PlannedGuard
from bff.problems import PROBLEMS, problem

_KINDS = ((str, "a text"), (int | float, "a number"), (list, "a list"), (object, "an object"))


def refusal(
    step: PlannedGuard,
    required: Any,
    scope: Mapping[str, Any],
    evaluation: Evaluation,
    context: RunContext,
) -> PageError:
    """The problem that the guard's `fail` says; what was `required` is not true."""
    fail = step.fail

    def text(compute: Any, default: str) -> str:
        value = None if compute is None else compute(scope, evaluation)
        return value if isinstance(value, str) and value else default

    status = fail.status if isinstance(fail.status, int) else fail.status(scope, evaluation)
    if type(status) is not int or not 400 <= status <= 599:
        log = f"guard {step.name}: its status is not a number from 400 to 599"
        return problem("internal", "This page could not be made.", step=step.name, log=log)
    errors = None if fail.errors is None else fail.errors(scope, evaluation)
    detail = text(fail.detail, f"'{step.name}' does not hold.")
    title = text(fail.title, PROBLEMS["requirement-failed"].title)
    context.encode(
        [title, detail, errors]
    )  # a problem is bounded as an answer is: shared lists may be very many
    found = problem(
        "requirement-failed",
        detail,
        status=status,
        step=step.name,
        errors=errors if isinstance(errors, list) else None,
        log=_why(step, required),
    )
    found.title = title
    return found


def _why(step: PlannedGuard, required: Any) -> str | None:
    """What the log says where something is there, but is not exactly true: its author meant another test."""
    if not required:
        return None
    kind = next(word for kind, word in _KINDS if isinstance(required, kind))
    return f"guard {step.name}: 'require' gives {kind}, and nothing but true holds: write … is not None, or compare it"
