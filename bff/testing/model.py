"""What a page must answer when its backends do this and that: computed from the plan, step by step, without a network.

A second reading of the rules of recipes, on purpose: it shares the compiled expressions with the executor and
nothing else, so that a mistake in one of the two shows. Time is counted, not spent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bff.errors import PageError
from bff.expressions import Evaluation
from bff.expressions.inspect import ANY, Path
from bff.expressions.values import key_text, to_text
from bff.plan import Plan, PlannedGiven, PlannedGuard, PlannedRequest, PlannedStep, PlannedValue
from bff.problems import PROBLEMS
from bff.testing.upstream import EMPTY, NOT_JSON, Upstream
from bff.validation import prune

_LEAST = 0.020
_KEPT = {404, 409, 410, 412, 422, 429}
_TYPES = {
    400: "unsent", 401: "unauthorized", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone",
    412: "precondition-failed", 422: "unprocessable", 429: "too-many-requests", 500: "over-bound",
    503: "backend-unavailable", 504: "backend-timeout",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that must fail: with which page status, kind, status of the backend, Retry-After and item."""

    step: str
    kind: str
    status: int
    upstream: int | None = None
    retry_after: int | None = None
    item: int | None = None
    stale: bool = False

    @property
    def retryable(self) -> bool:
        return self.kind in ("timeout", "refused", "breaker") or self.status in (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Ending:
    """A problem that may end the page: the members that the answer must have, and its Retry-After."""

    status: int
    members: Mapping[str, Any]
    retry_after: int | None = None


@dataclass(slots=True)
class Forecast:
    """What the page must answer: one of `endings`, or without any, `status`, `partial`, `stale`, `headers`, `body`.

    `asked` names the steps that send a request, `unmet` the conditions that kept a step from being asked or ended the
    page (by step, with the key that says so); `done`, `unknown` and `undone` what became of
    the writes.
    """

    endings: list[Ending] = field(default_factory=list)
    status: int = 200
    partial: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    signs_in: bool = False
    asked: list[str] = field(default_factory=list)
    unmet: list[tuple[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    undo_failed: list[str] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: the page's deadline and each request's own time-out."""

    deadline: float
    timeouts: Mapping[str, float]


def forecast(
    plan: Plan,
    scope: Mapping[str, Any],
    upstream: Mapping[str, Upstream],
    evaluation: Evaluation,
    times: Times,
) -> Forecast:
    """What the page must answer to a visitor with this scope when each step's backend does this."""
    return _Model(plan, scope, upstream, evaluation, times).run()


class _Stop(Exception):
    """The step cannot have a value."""

    def __init__(self, failed: Failed) -> None:
        self.failed = failed


class _Model:
    def __init__(
        self,
        plan: Plan,
        scope: Mapping[str, Any],
        upstream: Mapping[str, Upstream],
        evaluation: Evaluation,
        times: Times,
    ) -> None:
        self.plan = plan
        self.upstream = upstream
        self.evaluation = evaluation
        self.times = times
        self.found = Forecast(scope=dict(scope))
        self.ends: dict[str, float] = {}
        self.outcomes: dict[str, str] = {}
        self.failures: list[tuple[float, Failed]] = []

    def run(self) -> Forecast:
        try:
            for step in self._in_order():
                waited = self.plan.waits_for[step.name]
                if all(name in self.ends for name in waited):
                    self._run(step, max((self.ends[name] for name in waited), default=0.0))
            if not self.found.endings:
                self._answer()
            if self.found.endings:
                self._take_back()
        except PageError as error:  # a bound, or a function of the project
            self.found.endings = [_internal(error)]
        return self.found

    def _take_back(self) -> None:
        """Undo what was written, newest first; every undo is answered well."""
        found = self.found
        undos = {
            step.name: step for step in self.plan.steps if isinstance(step, PlannedRequest) and step.undo
        }
        for name in found.done:
            if name in undos:
                # Of a write that was done and has no value, an undo that reads it cannot be made.
                known = name in found.scope or not undos[name].undo_reads_reply
                (found.undone if known else found.undo_failed).append(name)
        for name in found.unknown:
            if name in undos and not undos[name].undo_reads_reply:
                found.undone.append(name)
        found.done = [name for name in found.done if name not in undos]

    def _in_order(self) -> Iterator[PlannedStep]:
        """The steps, each after those that it waits for."""
        left = list(self.plan.steps)
        done: set[str] = set()
        while left:
            step = next(step for step in left if self.plan.waits_for[step.name] <= done)
            left.remove(step)
            done.add(step.name)
            yield step

    def _run(self, step: PlannedStep, begun: float) -> None:
        name, scope = step.name, self.found.scope
        if step.when is not None and not step.when(scope, self.evaluation):
            self.found.unmet.append((name, "when"))
            self._end(name, None, "skipped", begun)
        elif isinstance(step, PlannedValue):
            self._value(step, begun)
        elif isinstance(step, PlannedGuard):
            if step.require(scope, self.evaluation) is True:
                self._end(name, True, "ok", begun)
            else:
                self.found.unmet.append((name, "require"))
                self.found.endings.append(self._refusal(step))
        else:
            self._request(step, begun)

    def _end(self, name: str, value: Any, outcome: str, ended: float) -> None:
        self.found.scope[name] = value
        self.outcomes[name] = outcome
        self.ends[name] = ended

    def _value(self, step: PlannedValue, begun: float) -> None:
        value = step.value(self.found.scope, self.evaluation)
        if step.given is not None:
            schema = step.given.given.schema
            value = schema.get("default") if value is None else prune(schema, value, schema)
            absent = value is None and not step.given.given.required
            if not absent and next(iter(step.given.validator.iter_errors(value)), None) is not None:
                self._not_taken(step.given)
                return
        if lists_hold(value, step.lists):
            self._end(step.name, value, "ok", begun)
        else:
            self._ends_page(Failed(step.name, "bad-reply", 502))

    def _not_taken(self, given: PlannedGiven) -> None:
        if given.from_input:
            members = {"type": "urn:bff:problem:invalid-input", "step": given.given.part}
            self.found.endings.append(Ending(400, members))
        else:
            self._ends_page(Failed(given.given.part, "bad-reply", 502))

    def _ends_page(self, failed: Failed) -> None:
        kind = _TYPES.get(failed.status, "backend-failed")
        members = {
            "type": f"urn:bff:problem:{kind}",
            "title": PROBLEMS[kind].title,
            "status": failed.status,
            "step": failed.step,
            "failure": failed.kind,
            "retryable": failed.retryable,
        }
        self.found.endings.append(Ending(failed.status, members, failed.retry_after))

    # --- requests ----------------------------------------------------------------------------------------------------

    def _request(self, step: PlannedRequest, begun: float) -> None:
        scope = self.found.scope
        items: list[Any] = [None]
        if step.items is not None:
            items = step.items(scope, self.evaluation)
            if step.step.batch is not None:
                items = chunks(items, step.step.batch_size)
        if step.items is not None and not items:
            self.found.unmet.append((step.name, "items"))
        run = _RequestModel(self, step, begun)
        try:
            values = [run.value_of(item, at) for at, item in enumerate(items)]
            value = run.joined(values)
        except _Stop as stop:
            self._failed(step, stop.failed, run.ended)
        else:
            self.failures += [(run.ended, failed) for failed in run.stale]
            outcome = "fallback" if run.items_failed else "stale" if run.stale else "ok"
            self._end(step.name, value, outcome, run.ended)
        finally:
            if run.asked:
                self.found.asked.append(step.name)

    def _failed(self, step: PlannedRequest, failed: Failed, ended: float) -> None:
        if step.fallback is None or step.step.each is not None:
            self._ends_page(failed)
            return
        self.failures.append((ended, failed))
        scope = {**self.found.scope, "error": error_of(failed)}
        self._end(step.name, step.fallback(scope, self.evaluation), "fallback", ended)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        plan, found = self.plan, self.found
        failed = {failure.step for _, failure in self.failures if not failure.stale}
        old = {failure.step for _, failure in self.failures if failure.stale}
        found.stale = tuple(step.name for step in plan.steps if step.name in old)
        found.partial = tuple(
            step.name
            for step in plan.steps
            if step.name in failed
            and not any(self.outcomes[other] in ("ok", "stale") for other in plan.second_sources[step.name])
        )
        errors = [
            _entry(failure, plan.fields[failure.step]) for _, failure in sorted(self.failures, key=_when)
        ]
        scope = {**found.scope, "errors": errors}
        status = plan.status(scope, self.evaluation)
        headers = {} if plan.headers is None else plan.headers(scope, self.evaluation)
        found.body = None if plan.shape is None else plan.shape(scope, self.evaluation)
        if type(status) is not int or not 200 <= status <= 599:
            found.endings.append(Ending(500, {"type": "urn:bff:problem:internal"}))
            return
        found.status = 204 if plan.shape is None and status == 200 else status
        found.headers = {name: text for name, value in headers.items() if (text := _joined_text(value))}
        self._session()

    def _session(self) -> None:
        session = self.plan.session
        if session is None or self.found.status >= 400:
            return
        self.found.signs_in = not session.ends
        tokens = {} if session.tokens is None else session.tokens(self.found.scope, self.evaluation)
        if any(token is not None and not isinstance(token, str) for token in tokens.values()):
            self.found.endings.append(Ending(500, {"type": "urn:bff:problem:internal"}))

    def _refusal(self, step: PlannedGuard) -> Ending:
        def computed(part: Any) -> Any:
            return part(self.found.scope, self.evaluation) if callable(part) else part

        status = computed(step.fail.status)
        if type(status) is not int or not 400 <= status <= 599:
            return Ending(500, {"type": "urn:bff:problem:internal", "step": step.name})
        members: dict[str, Any] = {"type": "urn:bff:problem:requirement-failed", "step": step.name}
        for name, part in (("title", step.fail.title), ("detail", step.fail.detail)):
            if isinstance(text := computed(part), str) and text:
                members[name] = text
        if isinstance(errors := computed(step.fail.errors), list):
            members["errors"] = errors
        return Ending(status, members)


class _RequestModel:
    """One request step of the model: what each of its requests gives, and the value that they make."""

    def __init__(self, model: _Model, step: PlannedRequest, begun: float) -> None:
        self.model = model
        self.step = step
        self.begun = begun
        self.ended = begun
        self.asked = False
        self.items_failed = False
        self.stale: list[Failed] = []

    def value_of(self, item: Any, at: int) -> Any:
        """The value of one item; raises _Stop where it fails the step."""
        step = self.step
        index = at if step.step.each is not None else None
        local = dict(self.model.found.scope)
        if step.variable is not None:
            local[step.variable] = item
        if step.key is not None:
            local["idempotency_key"] = "0" * 32  # the page's own is another one each time
        try:
            value = self._reply(local, index, at)
            if step.step.each is not None:
                below = [path[1:] for path in step.lists if path[:1] == (ANY,)]
                self._check(lists_hold(value, below), Failed(step.name, "bad-reply", 502, item=index))
            old = self.model.upstream[step.name].old
            if old is not None and (index is not None or not self.stale):
                status = self._page_status(old)
                self.stale.append(Failed(step.name, "status", status, old, item=index, stale=True))
        except _Stop as stop:
            if step.step.each is None or step.fallback is None:
                raise
            self.items_failed = True
            self.model.failures.append((self.ended, stop.failed))
            return step.fallback({**local, "error": error_of(stop.failed)}, self.model.evaluation)
        return value

    def _reply(self, local: Mapping[str, Any], index: int | None, at: int) -> Any:
        step, model = self.step, self.model
        holes = [] if step.holes is None else [to_text(hole) for hole in step.holes(local, model.evaluation)]
        if not all(holes):
            model.found.unmet.append((step.name, "path"))
            if step.step.safe:
                return None
            raise _Stop(Failed(step.name, "unsent", 400, item=index))
        if any(not is_segment(hole or "") for hole in holes):
            raise _Stop(Failed(step.name, "unsent", 400 if step.path_from_input else 502, item=index))
        turn = at // (step.step.concurrency if step.step.each is not None else 10_000)
        start = self.begun + turn * model.times.timeouts[step.name] * model.upstream[step.name].stalls
        if start > model.times.deadline - _LEAST:
            raise _Stop(Failed(step.name, "timeout", 504, item=index))
        return self._judge(model.upstream[step.name], local, index, start)

    def _judge(self, reply: Upstream, local: Mapping[str, Any], index: int | None, start: float) -> Any:
        step, model, found = self.step, self.model, self.model.found
        self.asked = True
        if reply.stalls:
            self.ended = min(start + model.times.timeouts[step.name], model.times.deadline)
        if reply.broken is not None:
            if step.step.writes and reply.sent and step.name not in found.unknown:
                found.unknown.append(step.name)
            status = 504 if reply.broken == "timeout" else 502
            raise _Stop(Failed(step.name, reply.broken, status, item=index))
        if step.step.writes and 200 <= reply.status < 300 and step.name not in found.done:
            found.done.append(step.name)
        body = None if reply.body is EMPTY or reply.body is NOT_JSON else reply.body
        seen = {**local, "reply": {"status": reply.status, "headers": dict(reply.headers), "body": body}}
        if reply.status in step.on_status:
            return step.on_status[reply.status](seen, model.evaluation)
        well = 200 <= reply.status < 300 if step.ok is None else step.ok(seen, model.evaluation)
        if not well:
            if 200 <= reply.status < 300:
                found.unmet.append((step.name, "ok"))
                found.done[:] = [name for name in found.done if name != step.name]
            status = self._page_status(reply.status)
            raise _Stop(Failed(step.name, "status", status, reply.status, reply.retry_after, index))
        self._check(reply.body is not NOT_JSON, Failed(step.name, "not-json", 502, item=index))
        value: Any = True if reply.body is EMPTY and step.step.each is not None else body
        if step.take is None:
            return value
        self._check(lists_hold(value, step.reply_lists), Failed(step.name, "bad-reply", 502, item=index))
        seen["reply"] = {**seen["reply"], "body": value}
        return step.take(seen, model.evaluation)

    def _page_status(self, upstream: int) -> int:
        if upstream in _KEPT or (upstream in (401, 403) and self.step.client.forwards_token):
            return upstream
        return 422 if upstream == 400 and self.step.body_from_input else 502

    def joined(self, values: list[Any]) -> Any:
        """The step's value of the values of its requests."""
        step = self.step.step
        bad = Failed(self.step.name, "bad-reply", 502)
        value: Any = values if step.each is not None else values[0] if values else None
        if step.batch is not None:
            self._check(all(chunk is None or isinstance(chunk, list) for chunk in values), bad)
            value = [row for chunk in values for row in chunk or ()]
        if step.key_by is not None:
            self._check(value is None or isinstance(value, list), bad)
            rows = [row for row in value or () if isinstance(row, dict)]
            keyed = {key_text(row.get(step.key_by)): row for row in rows}
            value = {key: row for key, row in keyed.items() if key is not None}
        self._check(lists_hold(value, self.step.lists), bad)
        return value

    @staticmethod
    def _check(holds: bool, failed: Failed) -> None:
        if not holds:
            raise _Stop(failed)


def _internal(error: PageError) -> Ending:
    return Ending(error.status, {"type": f"urn:bff:problem:{error.kind}"})


def lists_hold(value: Any, paths: Any) -> bool:
    """Whether each of the paths below a value holds a list or null, in every element that it goes through."""
    return all(_is_list(value, path) for path in paths)


def _is_list(value: Any, path: Path) -> bool:
    if not path:
        return value is None or isinstance(value, list)
    if path[0] is ANY:
        inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return all(_is_list(element, path[1:]) for element in inside)
    return _is_list(value.get(path[0]) if isinstance(value, dict) else None, path[1:])


def chunks(items: list[Any], size: int) -> list[list[Any]]:
    """What a `batch` asks for: no null, no empty text, nothing twice; so many at a time."""
    distinct: dict[str, Any] = {}
    for item in items:
        if text := to_text(item):
            distinct.setdefault(text, item)
    ordered = list(distinct.values())
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def is_segment(text: str) -> bool:
    """Whether a text may be a part of a path."""
    unsafe = any(letter in "/\\" or ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)
    return not unsafe and text not in {"", ".", ".."}


def error_of(failed: Failed) -> dict[str, Any]:
    """What a fallback sees."""
    return {"status": failed.status if failed.upstream is None else failed.upstream, "kind": failed.kind}


def _when(entry: tuple[float, Failed]) -> float:
    return entry[0]


def _entry(failed: Failed, fields: tuple[str, ...]) -> dict[str, Any]:
    kind = _TYPES.get(failed.status, "backend-failed")
    found: dict[str, Any] = {
        "type": f"urn:bff:problem:{kind}",
        "title": PROBLEMS[kind].title,
        "status": failed.status,
        "detail": "",
        "step": failed.step,
        "retryable": failed.retryable,
        "kind": failed.kind,
        "fields": list(fields),
    }
    found |= {} if failed.item is None else {"item": failed.item}
    return found | {"stale": True} if failed.stale else found


def _joined_text(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return ", ".join(text for part in parts if (text := to_text(part)) is not None)
