"""The problems that a page ends with where one of its steps fails, asked of the code that makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bff.errors import Failure, PageError
from bff.executor import outcomes
from bff.explaining.amounts import requests_of
from bff.explaining.subject import Subject
from bff.explaining.words import duration
from bff.expressions.functions import FUNCTIONS
from bff.http import Broken, Reply
from bff.plan.model import PlannedPages, PlannedRequest, PlannedUntil, PlannedValue
from bff.problems import of_failure, problem
from bff.recipe.graph import inspect_part, parts
from bff.recipe.keys import QUOTES

_STATUSES = (400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 429, 500)
_OTHER = "500"
"""Answers of this status end a page as those do of which nothing else is said."""


Causes = dict[str, dict[str, list[str]]]
"""The steps by problem, as `504 backend-timeout`, and by what leads to it."""


def required_steps(subject: Subject) -> tuple[PlannedRequest, ...]:
    """The requests whose failure ends the page, in the order written."""
    return tuple(step for step in subject.plan.requests if step.fallback is None)


def causes_of(subject: Subject) -> Causes:
    """The problems that a page ends with where a step fails, and what leads to each of them."""
    found: Causes = {}
    for step in subject.plan.requests:
        for cause, failure in _failures(subject, step) if step.fallback is None else _in_vain(subject, step):
            error = of_failure(failure)
            found.setdefault(f"{error.status} {error.kind}", {}).setdefault(cause, []).append(step.name)
    return found


def _failures(subject: Subject, step: PlannedRequest) -> Iterator[tuple[str, Failure]]:
    name = step.name
    yield "no whole reply in time", outcomes.of_broken(name, Broken("timeout"), None)
    yield "spared after failures, or full", outcomes.of_broken(name, Broken("breaker"), None)
    yield "no connection", outcomes.of_broken(name, Broken("refused"), None)
    if step.reads or subject.recipe.passes:
        yield "a body of another form than is read", outcomes.bad_reply(name, name)
    if step.failed is not None:
        yield "items that were not done", outcomes.of_items(step, Reply(207), [None], 1)
    operation = None if subject.recipe.passes else subject.written(step).graphql
    if operation is not None and operation.judged:
        yield "errors in its reply", _of_status(subject, step, 200)
    for status in _STATUSES:
        if status not in step.on_status:
            yield str(status), _of_status(subject, step, status)
    if step.holes is not None:
        what = "a value cannot stand in its path"
        by_visitor = step.path_from_input
        yield what, outcomes.unsent(name, what, by_visitor=by_visitor, item=None)
    yield from _of_repeats(step)
    yield from _limits(subject, step)
    yield from _of_functions(subject, step)


def _in_vain(subject: Subject, step: PlannedRequest) -> Iterator[tuple[str, Failure]]:
    """What fails a step though it has a fallback."""
    yield from _limits(subject, step)
    yield from _of_functions(subject, step, ("each", "fallback"))


def _of_functions(
    subject: Subject, step: PlannedRequest, keys: Sequence[str] = ()
) -> Iterator[tuple[str, Failure]]:
    """The functions of the project that a step calls, in these of its keys or in any."""
    called = {
        use.name: None
        for key, part in parts(subject.written(step))
        if (key in keys if keys else not key.startswith("undo."))
        for use in inspect_part(part).functions
        if use.name not in FUNCTIONS and use.name not in QUOTES
    }
    if called:
        yield f"{' or '.join(called)} raises", Failure(step.name, "function", 500, "")


def _of_repeats(step: PlannedRequest) -> Iterator[tuple[str, Failure]]:
    """What fails a step that is asked again, though each of its replies is as it should be."""
    match step.repeats:
        case PlannedPages(most=most, stops=stops):
            yield "a page that was there before", Failure(step.name, "bad-reply", 502, "")
            if not stops:
                yield f"more than {most} pages", Failure(step.name, "limit", 500, "")
        case PlannedUntil(within=within):
            yield f"not done within {duration(within)}", Failure(step.name, "timeout", 504, "")


def _limits(subject: Subject, step: PlannedRequest) -> Iterator[tuple[str, Failure]]:
    """What fails an `each` as a whole: a fallback is for one of its items."""
    if step.each and requests_of(subject, step).may_exceed:
        status = 422 if step.items_from_input else 500
        yield f"more than {subject.settings.max_each} items", Failure(step.name, "limit", status, "")


def _of_status(subject: Subject, step: PlannedRequest, status: int) -> Failure:
    if subject.recipe.passes:
        return outcomes.of_passing(step, Reply(status))
    return outcomes.of_stale(step, status, None)  # what its new reply would have been


def ending_of_given(step: PlannedValue) -> PageError:
    """The problem of a part that is given what it does not take."""
    assert step.given is not None, "it goes into a part"
    if step.given.from_input:
        return problem("invalid-input", "")
    return of_failure(outcomes.bad_reply(step.given.part, step.given.key))


def ending_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """Each problem with what leads to it; those that have the backend's own status stand together."""
    every = [step.name for step in required_steps(subject)]
    passed_on: dict[str, list[str]] = {}
    for name, causes in sorted(causes_of(subject).items(), key=_rank):
        status = name.partition(" ")[0]
        told = {cause: _of(steps, every) for cause, steps in causes.items() if cause != status}
        if status in causes:
            passed_on.setdefault(_of(causes[status], every), []).append(name)
        if told:
            yield name, "; ".join(_told(told))
    answers = [f"{', '.join(names)}{steps}" for steps, names in sorted(passed_on.items())]
    if answers:
        yield "its own status", f"the backend answers {'; '.join(answers)}"


def _rank(named: tuple[str, object]) -> int:
    """Problems are told in the order of their status."""
    return int(named[0].partition(" ")[0])


def _told(causes: Mapping[str, str]) -> Iterator[str]:
    """What leads to one problem, the statuses of a backend behind the rest."""
    yield from (f"{cause}{steps}" for cause, steps in causes.items() if not cause.isdigit())
    if _OTHER in causes:
        yield f"the backend answers with any other status{causes[_OTHER]}"
        return
    statuses = [f"{cause}{steps}" for cause, steps in causes.items() if cause.isdigit()]
    if statuses:
        yield f"the backend answers {', '.join(statuses)}"


def _of(steps: Sequence[str], every: Sequence[str]) -> str:
    """Which steps something is of, where it is not of all."""
    return "" if list(steps) == list(every) else f" ({', '.join(steps)})"
