"""One run of a page without a network: which steps it asks, and what it makes of their replies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from bff import clock
from bff.errors import Failure, PageError
from bff.executor.bind import BoundRequest
from bff.executor.request_step import RequestStep
from bff.executor.results import RunContext, StepTrace
from bff.executor.run import PageRun
from bff.expressions import Evaluation
from bff.http import Broken, Calls, Client, OutgoingRequest, Reply
from bff.http.gate import Gate
from bff.http.transport import Promise, Started, Stream, Try
from bff.identity import Visitor
from bff.jsontext import encode
from bff.plan.model import Compute, Plan, PlannedGuard, PlannedPages, PlannedRequest, PlannedUntil
from bff.problems import entry
from bff.testing.tables import as_rows
from bff.testing.upstream import Upstream, raw_of

_BASE = "http://trial/"
_PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run came to: the steps asked, the problem that ended it or the page, and all values and traces on the way.

    `unmet` are the conditions that kept a step from being asked, or ended the page: by step, and `when`, `require`,
    `ok`, `reply` for what it is held to, `next` and `done` for what does not end, or `request` for what a request is
    made of.
    """

    asked: tuple[str, ...]
    unmet: tuple[tuple[str, str], ...]
    scope: Mapping[str, Any]
    problem: PageError | None = None
    body: Any = None
    traces: Mapping[str, StepTrace] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Ended:
    outcome: Reply | Broken | None
    sent: bool = True
    held: bool = False


class _Replies:
    """A transport that has every reply already."""

    def __init__(self) -> None:
        self.of: dict[str, Reply] = {}

    def start(self, request: Try) -> Started:
        return _Ended(self.of[request.url.removeprefix(_BASE).partition("/")[0]])

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        return list(started)

    def abandon(self, started: Started) -> None:
        pass

    def promise(self) -> Promise:
        raise NotImplementedError

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        raise NotImplementedError


class _Run(PageRun):
    """A run in which a body that would go through is not asked for."""

    def hand_through(self, step: BoundRequest) -> None:
        if not isinstance(RequestStep(step, self).alone(), OutgoingRequest):
            raise self.failed(step, Failure(step.name, "unsent", 404, ""))
        self.traces[step.name].requests = 1
        self.end(step, None, "ok")


def _untiring(client: Client, step: str) -> Client:
    """The client of a step, which asks however often that fails."""
    found = client.at(_BASE + step)
    found.gate = Gate(client.concurrency)
    return found


class Stage:
    """Where one page is run with these replies and those.

    What would be asked again is noted and taken for done; on an `endless` stage it is asked as often as may be.
    """

    def __init__(self, plan: Plan, *, endless: bool = False) -> None:
        self._going_on: set[tuple[str, str]] = set()
        steps = tuple(
            replace(
                step,
                client=_untiring(step.client, step.name),
                retries=0,
                hedge=None,
                cache=None,
                repeats=self._repeated(step, endless=endless),
            )
            if isinstance(step, PlannedRequest)
            else step
            for step in plan.steps
        )
        self._plan = replace(plan, steps=steps)
        self._replies = _Replies()
        tokens = {client.name: "token" for client in plan.clients}
        self._visitor = Visitor({}, tokens, mark=b"visitor")

    def _repeated(self, step: PlannedRequest, *, endless: bool) -> PlannedPages | PlannedUntil | None:
        """How a step is asked again here."""
        match step.repeats:
            case PlannedPages(next=following) as pages:
                noted = self._noted((step.name, "next"), following, None)
                return replace(pages, next=following if endless else noted, within=None)
            case PlannedUntil(done=done) as until:
                noted = self._noted((step.name, "done"), done, True)
                return replace(until, done=done if endless else noted, every=_PATIENCE, within=_PATIENCE)
        return None

    def _noted(self, what: tuple[str, str], compute: Compute, ends: bool | None) -> Compute:
        """What gives the value that ends a step, and notes where its recipe gives another."""

        def run(scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
            found = compute(scope, evaluation)
            if not found if ends else found not in (None, "", False):
                self._going_on.add(what)
            return ends

        return run

    def run(self, scope: Mapping[str, Any], upstream: Mapping[str, Upstream]) -> Trial:
        """What the page makes of these replies."""
        self._replies.of = {
            name: Reply(reply.status, reply.headers, raw_of(reply)) for name, reply in upstream.items()
        }
        self._going_on.clear()
        until = clock.monotonic() + _PATIENCE
        calls = Calls(self._replies, until)
        context = RunContext(until, encode, self._visitor)
        run = _Run(self._plan, dict(scope), calls, Evaluation(), context)
        try:
            results = run.run()
            body = self._page_of(run, results.failures)
        except PageError as problem:
            return Trial(*self._told(run), run.scope, problem, traces=run.traces)
        finally:
            calls.close()
        return Trial(*self._told(run), run.scope, None, body, run.traces)

    def _page_of(self, run: PageRun, failures: Iterable[Failure]) -> Any:
        plan = self._plan
        errors = [entry(failure, plan.fields[failure.step]) for failure in failures]
        if plan.shape is None:
            return None
        return as_rows(plan, to_builtins(plan.shape({**run.scope, "errors": errors}, Evaluation())))

    def _told(self, run: PageRun) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        asked, unmet = [], []
        for step in self._plan.steps:
            trace = run.traces.get(step.name)
            if trace is None:
                continue
            if trace.requests:
                asked.append(step.name)
            if trace.outcome == "skipped":
                unmet.append((step.name, "when"))
            elif isinstance(step, PlannedGuard) and trace.outcome == "failed":
                unmet.append((step.name, "require"))
            elif isinstance(step, PlannedRequest) and not trace.requests:
                unmet.append((step.name, "request"))
            elif trace.failure is not None and trace.failure.kind == "status":
                unmet.append((step.name, "ok"))
            elif trace.failure is not None and trace.failure.kind == "bad-reply":
                unmet.append((step.name, "reply"))
        return tuple(asked), (*unmet, *sorted(self._going_on))
