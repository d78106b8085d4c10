"""Runs one page: every step starts the moment that what it waits for has ended. No waves, no threads here."""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping
from typing import Any

from bff.errors import Failure, PageError
from bff.executor import judge
from bff.executor.given import taken
from bff.executor.request_step import RequestStep
from bff.executor.results import ANSWERED, Keeping, Outcome, Results, StepTrace, Terms
from bff.executor.undo import TakingBack
from bff.executor.writes import Writes
from bff.expressions import Evaluation
from bff.http import Calls
from bff.plan import Plan, PlannedGuard, PlannedRequest, PlannedStep, PlannedValue
from bff.problems import of_failure, problem


class PageRun:
    """One run of a plan; `traces` and `writes` tell of it also when `run` raises.

    `scope` holds the visitor's input and `user`, and gains the value of each step as it ends.
    """

    def __init__(
        self,
        plan: Plan,
        scope: Mapping[str, Any],
        calls: Calls,
        evaluation: Evaluation,
        terms: Terms,
    ) -> None:
        self.traces: dict[str, StepTrace] = {}
        self.writes = Writes()
        self._plan = plan
        self._scope = dict(scope)
        self._calls = calls
        self._evaluation = evaluation
        self._terms = terms
        self._order = {step.name: at for at, step in enumerate(plan.steps)}
        self._blocked_by = {step.name: len(plan.waits_for[step.name]) for step in plan.steps}
        self._ready: list[int] = []
        self._under_way: dict[str, RequestStep] = {}
        self._failures: list[Failure] = []
        self._keeping = Keeping()

    def run(self) -> Results:
        """Run every step; raises the PageError of the first required step or guard that fails."""
        try:
            for name, count in self._blocked_by.items():
                if count == 0:
                    heapq.heappush(self._ready, self._order[name])
            self._start_ready()
            while self._under_way:
                self._take_in_calls()
                self._start_ready()
        except Exception:
            self._wind_up()
            raise
        finally:
            for name, under_way in self._under_way.items():
                under_way.give_up()
                self.traces[name].requests = under_way.sent
        return Results(self._scope, tuple(self._failures), self._partial(), self._stale(), self._keeping)

    def take_back(self) -> None:
        """Undo what was written, because the page cannot be answered; `writes` then tells what came of it."""
        if any(write.can_be_undone for write in self.writes.sent):
            TakingBack(
                self.writes, self._scope, self._calls, self._terms.afresh(), self._terms, self.traces
            ).run()

    def _wind_up(self) -> None:
        """Wait for the writes under way, so that it is known what became of them."""
        for under_way in self._under_way.values():
            under_way.stop()
            for call in under_way.in_flight:
                if call.result is not None:  # it ended together with the one that ended the page
                    under_way.note(call)
        while any(under_way.in_flight for under_way in self._under_way.values()):
            ended = self._calls.wait(self._terms.deadline)
            if not ended:
                return
            for call in ended:
                owner = self._owner(call)
                if owner is not None:
                    owner.note(call)

    def _take_in_calls(self) -> None:
        for call in self._calls.wait(self._terms.deadline):
            under_way = self._owner(call)
            if under_way is not None:
                under_way.take_in(call)
                self._finish_if_done(under_way)

    def _owner(self, call: Any) -> RequestStep | None:
        for under_way in self._under_way.values():
            if call in under_way.in_flight:
                return under_way
        return None  # a call that its step has given up

    # --- starting ------------------------------------------------------------------------------------------------

    def _start_ready(self) -> None:
        while self._ready:
            step = self._plan.steps[heapq.heappop(self._ready)]
            self.traces[step.name] = StepTrace(step.name, time.monotonic())
            if step.when is not None and not step.when(self._scope, self._evaluation):
                self._end(step, None, "skipped")
            else:
                self._start(step)

    def _start(self, step: PlannedStep) -> None:
        match step:
            case PlannedValue():
                value = step.value(self._scope, self._evaluation)
                if step.given is not None:
                    value = taken(step.given, value)
                wrong = judge.first_not_list(value, (step.name,), step.lists)
                if wrong is not None:
                    self._fail(step)
                    raise of_failure(judge.bad_reply(step.name, wrong))
                self._end(step, value, "ok")
            case PlannedGuard():
                if step.require(self._scope, self._evaluation) is not True:
                    self._fail(step)
                    raise self._refusal(step)
                self._end(step, True, "ok")
            case PlannedRequest():
                under_way = RequestStep(
                    *(step, self._scope, self._calls, self._evaluation),
                    *(self.writes, self._terms, self._keeping),
                )
                self._under_way[step.name] = under_way
                under_way.begin()
                self._finish_if_done(under_way)

    # --- ending --------------------------------------------------------------------------------------------------

    def _finish_if_done(self, under_way: RequestStep) -> None:
        if not under_way.done:
            return
        step = under_way.planned
        del self._under_way[step.name]
        self.traces[step.name].requests = under_way.sent
        if under_way.failure is None:
            self._failures += [*under_way.item_failures, *under_way.stale]
            whole: Outcome = "stale" if under_way.stale else "ok"
            self._end(step, under_way.value, "fallback" if under_way.item_failures else whole)
        elif step.fallback is None or step.step.each is not None:  # under `each` a fallback is an item's
            self._fail(step)
            raise of_failure(under_way.failure)
        else:
            self._failures.append(under_way.failure)
            self._end(step, under_way.fall_back(), "fallback")

    def _end(self, step: PlannedStep, value: Any, outcome: Outcome) -> None:
        self._scope[step.name] = value
        trace = self.traces[step.name]
        trace.ended, trace.outcome = time.monotonic(), outcome
        for follower in self._plan.followers[step.name]:
            self._blocked_by[follower] -= 1
            if self._blocked_by[follower] == 0:
                heapq.heappush(self._ready, self._order[follower])

    def _fail(self, step: PlannedStep) -> None:
        trace = self.traces[step.name]
        trace.ended, trace.outcome = time.monotonic(), "failed"

    def _partial(self) -> tuple[str, ...]:
        """The steps that make the page partial: failed, and no second source answered for them."""
        failed = {failure.step for failure in self._failures if not failure.stale}
        return tuple(
            step.name
            for step in self._plan.steps
            if step.name in failed and not self._answered_by_another(step.name)
        )

    def _answered_by_another(self, name: str) -> bool:
        return any(self.traces[other].outcome in ANSWERED for other in self._plan.second_sources[name])

    def _stale(self) -> tuple[str, ...]:
        """The steps for which an old reply stands in, at least for one of their items."""
        old = {failure.step for failure in self._failures if failure.stale}
        return tuple(step.name for step in self._plan.steps if step.name in old)

    def _refusal(self, step: PlannedGuard) -> PageError:
        fail = step.fail

        def text(compute: Any, default: str) -> str:
            value = None if compute is None else compute(self._scope, self._evaluation)
            return value if isinstance(value, str) and value else default

        status = fail.status if isinstance(fail.status, int) else fail.status(self._scope, self._evaluation)
        if type(status) is not int or not 400 <= status <= 599:
            log = f"guard {step.name}: its status is not a number from 400 to 599"
            return problem("internal", "This page could not be made.", step=step.name, log=log)
        errors = None if fail.errors is None else fail.errors(self._scope, self._evaluation)
        self._terms.encode(errors)  # a problem is bounded as an answer is: shared sublists may be very many
        found = problem(
            "requirement-failed",
            text(fail.detail, f"'{step.name}' does not hold."),
            status=status,
            step=step.name,
            errors=errors if isinstance(errors, list) else None,
        )
        found.title = text(fail.title, found.title)
        return found
