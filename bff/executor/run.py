"""Runs one page: every step starts the moment that what it waits for has ended. No waves, no threads here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from typing import Any

from bff import clock
from bff.errors import Failure, FunctionError, PageError
from bff.executor import outcomes
from bff.executor.bind import (
    ITSELF,
    BoundBulk,
    BoundCached,
    BoundGuard,
    BoundPassing,
    BoundRepeated,
    BoundRequest,
    BoundStep,
    BoundValue,
    bound,
)
from bff.executor.cached import CachedStep
from bff.executor.guard import refusal
from bff.executor.request_step import RequestStep, Waiting
from bff.executor.results import ANSWERED, Keeping, Outcome, Results, RunContext, StepTrace
from bff.executor.sub_input import taken
from bff.executor.undo import TakingBack
from bff.executor.writes import Writes
from bff.expressions import Evaluation
from bff.http import Calls
from bff.plan.model import Plan, PlannedPages
from bff.problems import of_failure


class PageRun:
    """One run of a plan; `traces` and `writes` tell of it also when `run` raises.

    `scope` holds the visitor's input and `user`, and gains the value of each step as it ends; `keeping` is told of
    every reply, `under_way` are the steps that wait for theirs.
    """

    def __init__(
        self,
        plan: Plan,
        scope: dict[str, Any],
        calls: Calls,
        evaluation: Evaluation,
        context: RunContext,
    ) -> None:
        self.traces: dict[str, StepTrace] = {}
        self.writes = Writes()
        self.scope = dict(scope)
        self.calls = calls
        self.evaluation = evaluation
        self.context = context
        self.keeping = Keeping()
        self.under_way: dict[RequestStep, None] = {}
        self._plan = plan
        self._bound = found = bound(plan, calls)
        self._blocked_by = found.awaits[:]
        self._ready = found.first[:]
        self._failures: list[Failure] = []
        self._ended: deque[Waiting] = deque()
        self._awaited = found.awaited
        calls.visitor = context.visitor.mark or None

    def run(self) -> Results:
        """Run every step; raises the PageError of the first required step or guard that fails."""
        try:
            self._start_ready()
            while self.under_way:
                self._take_in_call()
        except Exception:
            self._wind_up()
            raise
        finally:
            if self.under_way or self._ended:
                self._give_up()
        return self._results(())

    def parts(self) -> Generator[Results]:
        """Run every step, and tell what there is as soon as no step is awaited that is not deferred, then each time
        that a part is in, at last of all of it. Raises as `run`; closing it gives up what is under way.
        """
        told: tuple[str, ...] | None = None
        try:
            self._start_ready()
            while self.under_way:
                if self._awaited == 0:
                    pending = self._pending()
                    if pending != told and (told is not None or not self._has_more()):
                        told = pending
                        yield self._results(pending)
                self._take_in_call()
        except Exception:
            self._wind_up()
            raise
        finally:
            self._give_up()
        yield self._results(())

    def take_back(self) -> None:
        """Undo what was written, because the page cannot be answered; `writes` then tells what came of it."""
        if any(write.can_be_undone for write in self.writes.sent):
            TakingBack(
                self.writes, self.scope, self.calls, self._bound.undos, self.context, self.traces
            ).run()

    def _give_up(self) -> None:
        for step in self.under_way:
            step.give_up()
            self.traces[step.name].requests = step.sent
        for one in self._ended:
            one.release()

    def _wind_up(self) -> None:
        """Wait for the writes under way, so that it is known what became of them."""
        for step in self.under_way:
            step.stop()
        for one in self._ended:  # it ended together with the one that ended the page
            if one.owner is not None:  # else its step has given it up
                one.owner.note(one)
        while any(step.in_flight for step in self.under_way):
            ended = self.calls.wait(self.context.deadline)
            if not ended:
                return
            for one in ended:
                if one.owner is not None:
                    one.owner.note(one)

    def _has_more(self) -> bool:
        """Whether a call has ended already: what is there at once, such as a kept reply, is no part of its own."""
        if not self._ended:
            self._ended.extend(self.calls.wait(0.0))
        return bool(self._ended)

    def _take_in_call(self) -> None:
        """Wait for a call and take it in; one at a time, so that each part is told of by itself."""
        ended = self._ended
        if not ended:
            ended.extend(self.calls.wait(self.context.deadline))
        if ended:
            one = ended.popleft()
            step: RequestStep | None = one.owner  # None where its step has given it up
            if step is not None and step.take_in(one):
                if step.failure is None and not step.item_failures and not step.stale:
                    del self.under_way[step]
                    self.traces[step.name].requests = step.sent
                    self.end(step.bound, step.value, "ok")
                else:
                    self.finish(step)
            if self._ready:
                self._start_ready()

    # --- starting ------------------------------------------------------------------------------------------------

    def _start_ready(self) -> None:
        ready, steps, traces = self._ready, self._bound.steps, self.traces
        while ready:
            step = steps[heappop(ready)]
            traces[step.name] = StepTrace(step.name, clock.monotonic())
            try:
                if step.when is not None and not step.when(self.scope, self.evaluation):
                    self.end(step, None, "skipped")
                    continue
                _STARTS[step.__class__](self, step)
            except FunctionError as error:
                self._do_without(step, outcomes.of_function(step.name, error))

    def hand_through(self, step: BoundRequest) -> None:
        """Start the one request of a page that hands a body through, which a `PassingRun` runs."""
        raise NotImplementedError

    # --- ending --------------------------------------------------------------------------------------------------

    def finish(self, step: RequestStep) -> None:
        """End a request step that is done, with its value or with what stands in for that."""
        del self.under_way[step]
        trace = self.traces[step.name]
        trace.requests = step.sent
        if step.failure is not None:
            self._do_without(step.bound, step.failure, step)
            return
        outcome: Outcome = "ok"
        if step.item_failures or step.stale:
            harmless = [*step.item_failures, *step.stale]
            self._failures += harmless
            trace.failure = harmless[0]
            outcome = "fallback" if step.item_failures else "stale"
        self.end(step.bound, step.value, outcome)

    def _do_without(self, step: BoundStep, failure: Failure, asked: RequestStep | None = None) -> None:
        """End a step that failed with its fallback; raises PageError where it has none."""
        if not isinstance(step, BoundRequest) or step.planned.fallback is None or step.planned.each:
            raise self.failed(step, failure)  # under `each` a fallback is an item's
        value = (asked or RequestStep(step, self)).fall_back(failure)
        self._failures.append(failure)
        self.traces[step.name].failure = failure
        self.end(step, value, "fallback")

    def end(self, step: BoundStep, value: Any, outcome: Outcome) -> None:
        """End a step with its value, and have those start that waited for nothing else."""
        self.scope[step.name] = value
        trace = self.traces[step.name]
        trace.ended, trace.outcome = clock.monotonic(), outcome
        self._awaited -= step.is_awaited
        blocked_by = self._blocked_by
        for at in step.followers:
            blocked_by[at] -= 1
            if blocked_by[at] == 0:
                heappush(self._ready, at)

    def failed(self, step: BoundStep, failure: Failure) -> PageError:
        """The problem that ends the page because a step has failed."""
        self.fail(step)
        self.traces[step.name].failure = failure
        return of_failure(failure)

    def failed_value(self, step: BoundValue, wrong: str) -> PageError:
        """The problem of a value that has no list where the recipe goes over one."""
        if step.planned.from_input:
            self.fail(step)
            return outcomes.no_list_sent(step.name, wrong)
        return self.failed(step, outcomes.bad_reply(step.name, wrong))

    def fail(self, step: BoundStep) -> None:
        """Note that a step has failed."""
        trace = self.traces[step.name]
        trace.ended, trace.outcome = clock.monotonic(), "failed"

    # --- what there is -------------------------------------------------------------------------------------------

    def _lacking(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The steps that make the page partial, and those for which an old reply stands in; in the order written.

        A page is partial where a step failed and no second source answered for it; an old reply may be one item's.
        """
        failed: set[str] = set()
        stale: set[str] = set()
        for failure in self._failures:
            (stale if failure.stale else failed).add(failure.step)
        partial: list[str] = []
        place, second_sources = self._plan.places.__getitem__, self._plan.second_sources
        for name in sorted(failed, key=place):
            if not any(map(self._may_answer, second_sources[name])):
                partial.append(name)
        return tuple(partial), tuple(sorted(stale, key=place))

    def _may_answer(self, name: str) -> bool:
        """Whether a step has answered, or is still to come."""
        trace = self.traces.get(name)
        return trace is None or not trace.ended or trace.outcome in ANSWERED

    def _results(self, pending: tuple[str, ...]) -> Results:
        scope = dict(self.scope) if pending else self.scope
        if not self._failures:
            return Results(scope, (), (), (), self.keeping, pending)
        return Results(scope, tuple(self._failures), *self._lacking(), self.keeping, pending)

    def _pending(self) -> tuple[str, ...]:
        return tuple(name for name in self._plan.parts if name not in self.scope)


# --- starting each kind of step: raises what ends the page -------------------------------------------------------


def _start_value(run: PageRun, step: BoundValue) -> None:
    planned = step.planned
    value = planned.value(run.scope, run.evaluation)
    if planned.given is not None:
        value = taken(planned.given, value, run.evaluation)
    if planned.lists and not (value.__class__ is list and planned.lists == ITSELF):
        wrong = outcomes.first_not_list(value, (step.name,), planned.lists)
        if wrong is not None:
            raise run.failed_value(step, wrong)
    run.end(step, value, "ok")


def _start_guard(run: PageRun, step: BoundGuard) -> None:
    found = step.planned.require(run.scope, run.evaluation)
    if found is not True:
        run.fail(step)
        raise refusal(step.planned, found, run.scope, run.evaluation, run.context)
    run.end(step, True, "ok")


def _start_request(run: PageRun, step: BoundRequest) -> None:
    asked: RequestStep = _STEPS[step.__class__](step, run)
    run.under_way[asked] = None
    if step.is_single:
        asked.send(0)
    else:
        asked.begin()
    if not asked.in_flight:
        asked.settle()
        run.finish(asked)


def _bulk(step: BoundBulk, run: PageRun) -> RequestStep:
    from bff.executor.bulk import BulkStep  # few pages have one

    return BulkStep(step, run)


def _repeated(step: BoundRepeated, run: PageRun) -> RequestStep:
    from bff.executor.repeated import PagesStep, UntilStep  # few pages ask again

    is_list = isinstance(step.planned.repeats, PlannedPages)
    return PagesStep(step, run) if is_list else UntilStep(step, run)


_STEPS: dict[type[BoundRequest], Callable[[Any, PageRun], RequestStep]] = {
    BoundRequest: RequestStep,
    BoundCached: CachedStep,
    BoundBulk: _bulk,
    BoundRepeated: _repeated,
}


def _start_passing(run: PageRun, step: BoundPassing) -> None:
    run.hand_through(step)


_STARTS: dict[type[BoundStep], Callable[[PageRun, Any], None]] = {
    BoundValue: _start_value,
    BoundGuard: _start_guard,
    BoundRequest: _start_request,
    BoundBulk: _start_request,
    BoundCached: _start_request,
    BoundRepeated: _start_request,
    BoundPassing: _start_passing,
}
