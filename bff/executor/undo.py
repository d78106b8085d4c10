"""Takes back what a page has written when it cannot be answered: newest first, in a time of its own."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from bff import clock
from bff.errors import Failure, PageError
from bff.executor import outcomes
from bff.executor.render import render
from bff.executor.results import RunContext, StepTrace
from bff.executor.writes import Write, Writes
from bff.http import Call, Calls, Reply, Way
from bff.plan.model import PlannedRequest
from bff.traces import trace_of

DEADLINE = 2.0
"""Seconds for all undos of a page together; the page's own deadline does not count."""

_GONE = frozenset({404, 410})
_log = logging.getLogger("bff")


class TakingBack:
    """Sends the undos of a page's writes; `traces` gains one entry for each step, `undo.created`.

    `ways` are those of the undos, by the names of their steps. What stands below is undone before what stands above it.
    The undos of an `each` run side by side, as its requests did. One that fails keeps none of the others from running.
    """

    def __init__(
        self,
        writes: Writes,
        scope: Mapping[str, Any],
        calls: Calls,
        ways: Mapping[str, Way],
        context: RunContext,
        traces: dict[str, StepTrace],
    ) -> None:
        self._writes = writes
        self._scope = scope
        self._deadline = clock.monotonic() + DEADLINE
        self._calls = calls.anew(self._deadline)
        self._ways = ways
        self._evaluation = context.afresh(self._deadline)
        self._context = context
        self._traces = traces

    def run(self) -> None:
        """Send every undo and wait for its answer; each write then says what came of it."""
        with closing(self._calls):
            self._run()

    def _run(self) -> None:
        groups = list(self._writes.newest_first())
        for place, (planned, writes) in enumerate(groups):
            now = clock.monotonic()
            # A share for each step, so that one backend that hangs does not take the time of all.
            until = now + max(0.0, self._deadline - now) / (len(groups) - place)
            trace = self._traces[f"undo.{planned.name}"] = StepTrace(f"undo.{planned.name}", now)
            self._take_back(planned, deque(writes), until, trace)
            trace.ended = clock.monotonic()
            if any(write.taken_back != "undone" for write in writes):
                trace.outcome = "failed"

    def _take_back(
        self, planned: PlannedRequest, waiting: deque[Write], until: float, trace: StepTrace
    ) -> None:
        most = planned.concurrency if planned.each else 1
        in_flight: dict[Call, Write] = {}
        while waiting or in_flight:
            while waiting and len(in_flight) < most:
                write = waiting.popleft()
                call = self._start(write, until)
                if isinstance(call, Call):
                    trace.requests += 1
                    in_flight[call] = write
                else:
                    write.taken_back, trace.failure = "undo_failed", trace.failure or call
            if in_flight:
                for ended in self._calls.wait(self._deadline):
                    assert isinstance(ended, Call), "undos are calls"
                    self._take_in(ended, in_flight.pop(ended), trace)

    @staticmethod
    def _take_in(call: Call, write: Write, trace: StepTrace) -> None:
        undo = write.planned.undo
        assert undo is not None, "only what can be undone is asked for"
        if _went_well(call, undo):
            write.taken_back = "undone"
        else:
            assert call.result is not None, "it has ended"
            write.taken_back = "undo_failed"
            trace.failure = trace.failure or outcomes.of_undo(write.planned.name, call.result)

    def _start(self, write: Write, until: float) -> Call | Failure:
        """The call that undoes a write, or why the request cannot be made."""
        undo = write.planned.undo
        assert undo is not None, "only what can be undone is asked for"
        try:
            request = render(
                undo,
                self._scope_of(write),
                self._evaluation,
                visitor=self._context.visitor,
                encode=self._context.encode,
                item=write.item,
                key=self._key(write),
                forwarded=self._context.forwarded,
            )
            if isinstance(request, Failure):
                return request
            if request is not None:
                return self._calls.start(self._ways[write.planned.name], request, until)
        except PageError as error:
            _log.error("the undo of %s cannot be made: %s", write.planned.name, error.log or error.kind)
        except Exception as error:  # the others must still run
            _log.error("the undo of %s failed\n%s", write.planned.name, trace_of(error))
        what = "a value of its undo cannot be sent."
        return outcomes.unsent(write.planned.name, what, by_visitor=False, item=write.item)

    def _scope_of(self, write: Write) -> dict[str, Any]:
        name = write.planned.name
        own = write.value
        if not write.planned.each and not write.places and name in self._scope:
            own = self._scope[name]
        reply = (
            None
            if write.reply is None
            else outcomes.reply_names(write.planned, write.reply, self._evaluation)
        )
        return {**self._scope, **write.local, name: own, "reply": reply}

    def _key(self, write: Write) -> str | None:
        """The undo's own key where the write had one: both are then safe to repeat."""
        key = write.local.get("idempotency_key")
        if write.planned.key is None or key is None:
            return None
        return self._context.keys.key(f"undo.{write.planned.name}", write.item, key)


def _went_well(call: Call, undo: PlannedRequest) -> bool:
    """Whether the write is taken back; what a DELETE does not find any more is, and a mutation without errors."""
    result = call.result
    if not isinstance(result, Reply):
        return False
    if undo.graphql:
        return result.ok and not outcomes.has_errors(result)
    return result.ok or (call.way.method == "DELETE" and result.status in _GONE)
