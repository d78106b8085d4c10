"""The fault matrix of a project: every recipe × every request × every fault."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bff.plan.model import PlannedRequest
from bff.problems import CONTENT_TYPE
from bff.recipe.model import Recipe
from bff.recipe.needs import needs_of
from bff.testing.again import AGAIN, faults_of_repeats
from bff.testing.app_under_test import PageUnderTest, environment, surroundings
from bff.testing.cases import SECOND_CHANCE, FaultCase, Verdict, record
from bff.testing.formats import CHARSET, faults_of_format
from bff.testing.guess import Guess
from bff.testing.held import HeldReply
from bff.testing.items import ITEMS, fault_of_items
from bff.testing.keys import CHANGES, faults_of_keys
from bff.testing.pagefile import read_page_file
from bff.testing.scenario import Scenario
from bff.testing.seen import Record
from bff.testing.trial import Trial
from bff.testing.upstream import FAULTS, FAULTS_OF_GRAPHQL, FAULTS_OF_PASSING, Fault
from bff.web.app import create_app
from bff.web.site import Page

COLUMNS = (*FAULTS, CHARSET, "errors", ITEMS, *AGAIN, *CHANGES)
"""What faults are called in tables, in the order in which they stand there."""
_SIDE_BY_SIDE = 8
_PATIENT = 5.0


@dataclass(frozen=True, slots=True)
class Unreached:
    """A page whose good answer was not found, a step that no scenario asks, or a fault of one, and why."""

    page: str
    step: str | None
    why: str
    fault: str | None = None

    def __str__(self) -> str:
        return "-".join(filter(None, (self.page, self.step, self.fault, "never")))

    def check(self) -> None:
        """Fails: what is never asked proves nothing."""
        __tracebackhide__ = True
        raise AssertionError(f"{self.page}: {self.why}")


@dataclass(slots=True)
class Matrix:
    """Every case of a project, and what could not be made one."""

    cases: list[FaultCase] = field(default_factory=list)
    unreached: list[Unreached] = field(default_factory=list)

    def run(self) -> dict[FaultCase, Verdict]:
        """Run all cases side by side; those that differ once more, alone and with longer times."""
        with quiet():
            with ThreadPoolExecutor(_SIDE_BY_SIDE, "bff-fault") as pool:
                verdicts = dict(zip(self.cases, pool.map(FaultCase.run_once, self.cases), strict=True))
            for case, verdict in verdicts.items():
                if verdict.problems:
                    verdicts[case] = case.run_once(SECOND_CHANCE)
        return verdicts


def matrix_of(root: Path, pages: Sequence[str] | None = None, faults: Sequence[str] | None = None) -> Matrix:
    """The cases of a project's recipes (or some of them); raises AuthorError or OperatorError as `check` does."""
    root = root.resolve()
    with quiet():
        app = create_app(root, pages, environ=environment(root), transport=surroundings().transport)
    found = Matrix()
    for name in app.extensions["bff"].pages:
        _add_page(found, root, name, [*COLUMNS] if faults is None else list(faults))
    return found


def _add_page(matrix: Matrix, root: Path, name: str, faults: Sequence[str]) -> None:
    with quiet():
        under_test = PageUnderTest(root, name)
        page = under_test.page
        file = read_page_file(root, page.recipe)
        guess = Guess(page, file)
        problem = guess.usual.good.problem
        why = None if problem is None else (problem.status, problem.step)
        good = record(under_test, guess.usual, _PATIENT)
    if (why := why or _problem_of(good)) is not None:
        matrix.unreached.append(Unreached(name, None, _why(*why, name)))
        return
    case = FaultCase(root, name, None, None, under_test, guess.usual, good, wanted=file.page)
    cases = [case]
    for step in page.plan.requests:
        scenario = guess.reaching(step.name)
        if scenario is not None:
            known = _faults_in(step, guess, scenario)
            cases += _cases_of(step, replace(case, step=step.name, scenario=scenario), guess, known, faults)
            matrix.unreached += _not_found(name, step, known, faults)
        elif not guess.is_left_out(step.name):
            matrix.unreached.append(Unreached(name, step.name, _not_asked(guess.usual.good, name, step.name)))
    matrix.cases += cases
    if page.plan.parts and page.plan.shape is not None:
        matrix.cases += [replace(case, in_lines=True) for case in cases if _tells_of_lines(case, page)]


def _faults_in(step: PlannedRequest, guess: Guess, scenario: Scenario) -> dict[str, Fault]:
    """The faults that a step can have in a scenario."""
    recipe = guess.page.recipe
    known = _faults_of(recipe, step)
    form = None if step.format is None else step.format.format.name
    if not recipe.passes:
        known |= faults_of_repeats(step, guess, scenario)
    if not recipe.passes and form in (None, "csv"):
        demand, good = guess.demands[step.name].body, scenario.replies[step.name]
        found = faults_of_keys(demand, good, HeldReply(step))
        # All cells are texts.
        known |= {name: one for name, one in found.items() if form is None or one.column == "missing"}
    if step.failed is not None and (fault := fault_of_items(guess, step, scenario)) is not None:
        known[fault.name] = fault
    return known


def _not_found(
    page: str, step: PlannedRequest, known: Mapping[str, Fault], faults: Sequence[str]
) -> Iterator[Unreached]:
    """The faults that a step could have, if a reply were found that does what they say."""
    wanted = [] if step.repeats is None else [AGAIN[1]]
    for fault in [*wanted, *([] if step.failed is None else [ITEMS])]:
        if fault not in known and not {fault, *(AGAIN if wanted else ())}.isdisjoint(faults):
            yield Unreached(page, step.name, _no_reply(page, step.name, fault), fault)


def _cases_of(
    step: PlannedRequest, case: FaultCase, guess: Guess, known: Mapping[str, Fault], faults: Sequence[str]
) -> Iterator[FaultCase]:
    """The case of a step with each of the faults, by their names or columns."""
    recipe, scenario = guess.page.recipe, case.scenario
    if scenario is not guess.usual:
        with quiet():
            case = replace(case, good=record(case.under_test, scenario, _PATIENT))
    needs = needs_of(recipe).get(step.name, ())
    for name in faults:
        for fault in known.values():
            if name in (fault.name, fault.column):
                yield replace(case, fault=fault, needs=needs)


def _problem_of(recorded: Record) -> tuple[int, str | None] | None:
    """The status and step of the problem that a page ended with, if it did."""
    answered = recorded.answered
    if answered.headers.get("Content-Type") != CONTENT_TYPE:
        return None
    return answered.status, answered.json.get("step")


def _faults_of(recipe: Recipe, step: PlannedRequest) -> dict[str, Fault]:
    """The faults that a step can have."""
    if recipe.passes:
        return {**FAULTS_OF_PASSING}
    old = _may_be_old(recipe, step)
    faults = FAULTS if step.format is None else faults_of_format(step.format.format)
    found = {name: fault for name, fault in faults.items() if old or not fault.warm}
    return {**found, **FAULTS_OF_GRAPHQL} if step.graphql else found


def _tells_of_lines(case: FaultCase, page: Page) -> bool:
    """Whether a case can go otherwise in lines: what fails before the first of them does so in one piece too."""
    return case.fault is None or case.step in page.plan.parts or case.fault.name == "500"


def _may_be_old(recipe: Recipe, step: PlannedRequest) -> bool:
    """Whether an old reply of a step may stand in; below a write none does, so pages that write are left out."""
    cache = step.cache
    return recipe.method == "GET" and cache is not None and cache.stale_if_error > 0


def _why(status: int, step: str | None, name: str) -> str:
    where = f" at step {step}" if step else ""
    return (
        f"no replies were found with which this page is well: it ends with {status}{where}; "
        f"say what its backends reply in tests/pages/{name}.yaml"
    )


def _not_asked(good: Trial, name: str, step: str) -> str:
    keys = [key for unmet, key in good.unmet if unmet == step]
    reason = {
        "when": "its 'when' is never true",
        "request": "it has no items, or a part of its path or its idempotency_key is empty",
    }
    return (
        f"step {step} is never asked: {reason.get(keys[0] if keys else '', 'what it waits for fails')}; "
        f"say what its backends reply in tests/pages/{name}.yaml"
    )


def _no_reply(name: str, step: str, fault: str) -> str:
    what = {
        ITEMS: "which of its items were not done",
        AGAIN[1]: "that there is more to come, again and again",
    }
    return (
        f"no reply of step {step} was found that says {what[fault]}; "
        f"say one in tests/pages/{name}.yaml, under faults.{step}.{fault}"
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Within, the layer writes no log lines: hundreds of pages fail on purpose."""
    logger = logging.getLogger("bff")
    before, silent = logger.level, logging.NullHandler()
    logger.addHandler(silent)
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(silent)
