"""Runs one page: every step starts the moment that what it waits for has ended. No waves, no threads here."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Generator, Mapping
from typing import Any

from bff import clock
from bff.errors import Failure, FunctionError, PageError
from bff.executor import judge
from bff.executor.given import taken
from bff.executor.guard import refusal
from bff.executor.request_step import RequestStep
from bff.executor.results import ANSWERED, Keeping, Outcome, Results, StepTrace, Terms
from bff.executor.undo import TakingBack
from bff.executor.writes import Writes
from bff.expressions import Evaluation
from bff.http import Call, Calls
from bff.plan import Plan, PlannedGuard, PlannedRequest, PlannedStep, PlannedValue
from bff.problems import of_failure


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
        self._order = plan.places
        self._blocked_by = dict(plan.awaits)
        self._ready: list[int] = []
        self._under_way: dict[str, RequestStep] = {}
        self._owners: dict[Call, RequestStep] = {}
        self._failures: list[Failure] = []
        self._keeping = Keeping()
        self._ended: deque[Call] = deque()
        self._awaited = len(plan.steps) - len(plan.deferred)
        self._parts = plan.parts

    def run(self) -> Results:
        """Run every step; raises the PageError of the first required step or guard that fails."""
        return deque(self.parts(), 1).pop()

    def parts(self) -> Generator[Results]:
        """Run every step, and tell what there is as soon as no step is awaited that is not deferred, then each time
        that a part is in, at last of all of it. Raises as `run`; closing it gives up what is under way.
        """
        told: tuple[str, ...] | None = None
        try:
            for name, count in self._blocked_by.items():
                if count == 0:
                    heapq.heappush(self._ready, self._order[name])
            self._start_ready()
            while self._under_way:
                if self._parts and self._awaited == 0:
                    pending = self._pending()
                    if pending != told and (told is not None or not self._has_more()):
                        told = pending
                        yield self._results(pending)
                self._take_in_call()
                self._start_ready()
        except Exception:
            self._wind_up()
            raise
        finally:
            for name, under_way in self._under_way.items():
                under_way.give_up()
                self.traces[name].requests = under_way.sent
        yield self._results(())

    def take_back(self) -> None:
        """Undo what was written, because the page cannot be answered; `writes` then tells what came of it."""
        if any(write.can_be_undone for write in self.writes.sent):
            TakingBack(self.writes, self._scope, self._calls, self._terms, self.traces).run()

    def _wind_up(self) -> None:
        """Wait for the writes under way, so that it is known what became of them."""
        for under_way in self._under_way.values():
            under_way.stop()
            for call in under_way.in_flight:
                if call.result is not None:  # it ended together with the one that ended the page
                    under_way.note(call)
        while self._owners:
            ended = self._calls.wait(self._terms.deadline)
            if not ended:
                return
            for call in ended:
                owner = self._owners.get(call)
                if owner is not None:
                    owner.note(call)

    def _has_more(self) -> bool:
        """Whether a call has ended already: what is there at once, such as a kept reply, is no part of its own."""
        if not self._ended:
            self._ended.extend(self._calls.wait(0.0))
        return bool(self._ended)

    def _take_in_call(self) -> None:
        """Wait for a call and take it in; one at a time, so that each part is told of by itself."""
        if not self._ended:
            self._ended.extend(self._calls.wait(self._terms.deadline))
        if self._ended:
            call = self._ended.popleft()
            under_way = self._owners.get(call)
            if under_way is not None:  # else its step has given it up
                under_way.take_in(call)
                self._finish_if_done(under_way)

    # --- starting ------------------------------------------------------------------------------------------------

    def _start_ready(self) -> None:
        while self._ready:
            step = self._plan.steps[heapq.heappop(self._ready)]
            self.traces[step.name] = StepTrace(step.name, clock.monotonic())
            try:
                if step.when is not None and not step.when(self._scope, self._evaluation):
                    self._end(step, None, "skipped")
                    continue
                self._start(step)
            except FunctionError as error:
                self._do_without(step, judge.of_function(step.name, error))

    def _start(self, step: PlannedStep) -> None:
        match step:
            case PlannedValue():
                value = step.value(self._scope, self._evaluation)
                if step.given is not None:
                    value = taken(step.given, value, self._evaluation)
                wrong = judge.first_not_list(value, (step.name,), step.lists)
                if wrong is not None and step.from_input:
                    self._fail(step)
                    raise judge.no_list_sent(step.name, wrong)
                if wrong is not None:
                    raise self._failed(step, judge.bad_reply(step.name, wrong))
                self._end(step, value, "ok")
            case PlannedGuard():
                if step.require(self._scope, self._evaluation) is not True:
                    self._fail(step)
                    raise refusal(step, self._scope, self._evaluation, self._terms)
                self._end(step, True, "ok")
            case PlannedRequest():
                self._ask(step)

    def _ask(self, step: PlannedRequest) -> None:
        under_way = self._step(step)
        self._under_way[step.name] = under_way
        under_way.begin()
        self._finish_if_done(under_way)

    def _step(self, step: PlannedRequest) -> RequestStep:
        return RequestStep(
            *(step, self._scope, self._calls, self._evaluation),
            *(self.writes, self._terms, self._keeping, self._owners),
        )

    # --- ending --------------------------------------------------------------------------------------------------

    def _finish_if_done(self, under_way: RequestStep) -> None:
        if not under_way.done:
            return
        step = under_way.planned
        del self._under_way[step.name]
        self.traces[step.name].requests = under_way.sent
        if under_way.failure is None:
            harmless = [*under_way.item_failures, *under_way.stale]
            if harmless:
                self._failures += harmless
                self.traces[step.name].failure = harmless[0]
            whole: Outcome = "stale" if under_way.stale else "ok"
            self._end(step, under_way.value, "fallback" if under_way.item_failures else whole)
        else:
            self._do_without(step, under_way.failure, under_way)

    def _do_without(self, step: PlannedStep, failure: Failure, under_way: RequestStep | None = None) -> None:
        """End a step that failed with its fallback; raises PageError where it has none."""
        if not isinstance(step, PlannedRequest) or step.fallback is None or step.step.each is not None:
            raise self._failed(step, failure)  # under `each` a fallback is an item's
        value = (under_way or self._step(step)).fall_back(failure)
        self._failures.append(failure)
        self.traces[step.name].failure = failure
        self._end(step, value, "fallback")

    def _end(self, step: PlannedStep, value: Any, outcome: Outcome) -> None:
        self._scope[step.name] = value
        trace = self.traces[step.name]
        trace.ended, trace.outcome = clock.monotonic(), outcome
        self._awaited -= step.name not in self._plan.deferred
        for follower in self._plan.followers[step.name]:
            self._blocked_by[follower] -= 1
            if self._blocked_by[follower] == 0:
                heapq.heappush(self._ready, self._order[follower])

    def _failed(self, step: PlannedStep, failure: Failure) -> PageError:
        """The problem that ends the page because a step has failed."""
        self._fail(step)
        self.traces[step.name].failure = failure
        return of_failure(failure)

    def _fail(self, step: PlannedStep) -> None:
        trace = self.traces[step.name]
        trace.ended, trace.outcome = clock.monotonic(), "failed"

    def _partial(self) -> tuple[str, ...]:
        """The steps that make the page partial: failed, and no second source answered for them."""
        failed = {failure.step for failure in self._failures if not failure.stale}
        return tuple(
            step.name
            for step in self._plan.steps
            if step.name in failed and not any(map(self._may_answer, self._plan.second_sources[step.name]))
        )

    def _may_answer(self, name: str) -> bool:
        """Whether a step has answered, or is still to come."""
        trace = self.traces.get(name)
        return trace is None or not trace.ended or trace.outcome in ANSWERED

    def _stale(self) -> tuple[str, ...]:
        """The steps for which an old reply stands in, at least for one of their items."""
        old = {failure.step for failure in self._failures if failure.stale}
        return tuple(step.name for step in self._plan.steps if step.name in old)

    def _results(self, pending: tuple[str, ...]) -> Results:
        return Results(
            dict(self._scope),
            tuple(self._failures),
            self._partial(),
            self._stale(),
            self._keeping,
            pending,
        )

    def _pending(self) -> tuple[str, ...]:
        return tuple(name for name in self._parts if name not in self._scope)
