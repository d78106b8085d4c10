"""What a page must answer when its backends do this and that: computed from the plan, step by step, without a network.

A second reading of the rules of recipes, on purpose: it shares the compiled expressions with the executor and
nothing else, so that a mistake in one of the two shows. Time is counted, not spent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import to_builtins

from bff import clock
from bff.errors import FunctionError, PageError
from bff.expressions import Evaluation
from bff.expressions.values import to_text
from bff.identity.session import expiry_of
from bff.plan.model import Plan, PlannedGiven, PlannedGuard, PlannedRequest, PlannedStep, PlannedValue
from bff.testing.demands import ReplyDemand
from bff.testing.expected import Course, Ending, Expected, Failed, Made, Times, ending, entry, error_of
from bff.testing.request_model import RequestModel, Stop
from bff.testing.rules import chunks, is_segment, lists_hold
from bff.testing.upstream import Upstream
from bff.validation import prune

_SESSION = 8 * 3600.0


def expected(
    plan: Plan,
    scope: Mapping[str, Any],
    upstream: Mapping[str, Upstream],
    evaluation: Evaluation,
    times: Times,
    demands: Mapping[str, ReplyDemand],
) -> Expected:
    """What the page must answer to a visitor with this scope when each step's backend does this.

    `demands` are those of the plan's recipe: one page is foretold a thousand times.
    """
    return _Model(plan, scope, upstream, evaluation, times, demands).run()


class _Model:
    def __init__(
        self,
        plan: Plan,
        scope: Mapping[str, Any],
        upstream: Mapping[str, Upstream],
        evaluation: Evaluation,
        times: Times,
        demands: Mapping[str, ReplyDemand],
    ) -> None:
        self.plan = plan
        self.evaluation = evaluation
        self.found = Expected(scope=dict(scope))
        self.course = Course(plan, upstream, evaluation, times, self.found, demands)
        self.ends: dict[str, float] = {}
        self.outcomes: dict[str, str] = {}

    def run(self) -> Expected:
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
        """Undo what was written, in the order sent as the problem lists it; what is sent is answered well."""
        found = self.found
        steps = {step.name: step for step in self.plan.steps if isinstance(step, PlannedRequest)}
        for made in self.course.made:
            step = steps[made.step]
            if step.undo is None or (made.reply is None and step.undo_reads_reply):
                continue
            told = found.undone if self._can_be_undone(step, step.undo, made) else found.undo_failed
            if made.step not in told:
                told.append(made.step)
        found.done = [name for name in found.done if steps[name].undo is None]

    def _can_be_undone(self, step: PlannedRequest, undo: PlannedRequest, made: Made) -> bool:
        """Whether the request that takes a write back can be made of what is known."""
        single = not step.each
        own = self.found.scope[made.step] if single and made.step in self.ends else made.value
        scope = {**self.found.scope, **made.local, made.step: own, "reply": made.reply}
        try:
            holes = [] if undo.holes is None else undo.holes(scope, self.evaluation)
            for part in (undo.query, undo.headers, undo.body, undo.form):
                if part is not None:
                    part(scope, self.evaluation)
        except PageError:
            return False
        return all(is_segment(to_text(hole) or "") for hole in holes)

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
        try:
            holds = step.when is None or step.when(scope, self.evaluation)
        except FunctionError:
            if not isinstance(step, PlannedRequest):
                raise
            self._failed(step, Failed(name, "function", 500), begun)
            return
        if not holds:
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
            schema = step.given.schema
            value = schema.get("default") if value is None else prune(schema, value)
            absent = value is None and not step.given.required
            if not absent and not step.given.validator.is_valid(value):
                self._not_taken(step.given)
                return
        if lists_hold(value, step.lists):
            self._end(step.name, value, "ok", begun)
        else:
            self.found.endings.append(ending(Failed(step.name, "bad-reply", 502)))

    def _not_taken(self, given: PlannedGiven) -> None:
        if given.from_input:
            members = {"type": "urn:bff:problem:invalid-input", "step": given.part}
            self.found.endings.append(Ending(400, members))
        else:
            self.found.endings.append(ending(Failed(given.part, "bad-reply", 502)))

    # --- requests ----------------------------------------------------------------------------------------------------

    def _request(self, step: PlannedRequest, begun: float) -> None:
        scope = self.found.scope
        items: list[Any] = [None]
        if step.items is not None:
            try:
                items = step.items(scope, self.evaluation)
            except FunctionError:
                self._failed(step, Failed(step.name, "function", 500), begun)
                return
            if step.batch_size is not None:
                items = chunks(items, step.batch_size)
        if step.items is not None and not items:
            self.found.unmet.append((step.name, "items"))
        run = RequestModel(self.course, step, begun)
        try:
            values = [run.value_of(item, at) for at, item in enumerate(items)]
            value = run.joined(values)
        except Stop as stop:
            self._failed(step, stop.failed, run.ended)
        else:
            self.course.failures += [(run.ended, failed) for failed in run.stale]
            outcome = "fallback" if run.items_failed else "stale" if run.stale else "ok"
            self._end(step.name, value, outcome, run.ended)
        finally:
            if run.asked:
                self.found.asked.append(step.name)

    def _failed(self, step: PlannedRequest, failed: Failed, ended: float) -> None:
        if step.fallback is None or step.each:
            self.found.endings.append(ending(failed))
            return
        self.course.failures.append((ended, failed))
        scope = {**self.found.scope, "error": error_of(failed)}
        self._end(step.name, step.fallback(scope, self.evaluation), "fallback", ended)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        plan, found = self.plan, self.found
        failed = {failure.step for _, failure in self.course.failures if not failure.stale}
        old = {failure.step for _, failure in self.course.failures if failure.stale}
        found.stale = tuple(step.name for step in plan.steps if step.name in old)
        found.partial = tuple(
            step.name
            for step in plan.steps
            if step.name in failed
            and not any(self.outcomes[other] in ("ok", "stale") for other in plan.second_sources[step.name])
        )
        errors = [
            entry(failure, plan.fields[failure.step])
            for _, failure in sorted(self.course.failures, key=_when)
        ]
        scope = {**found.scope, "errors": errors}
        status = plan.status(scope, self.evaluation)
        headers = {} if plan.headers is None else plan.headers(scope, self.evaluation)
        found.body = None if plan.shape is None else to_builtins(plan.shape(scope, self.evaluation))
        if type(status) is not int or not 200 <= status <= 599:
            found.endings.append(Ending(500, {"type": "urn:bff:problem:internal"}))
            return
        if found.through is None:
            found.status = 204 if plan.shape is None and status == 200 else status
        found.headers |= {name: text for name, value in headers.items() if (text := _joined_text(value))}
        self._session()

    def _session(self) -> None:
        session = self.plan.session
        if session is None or self.found.status >= 400:
            return
        self.found.signs_in = not session.ends
        tokens = {} if session.tokens is None else session.tokens(self.found.scope, self.evaluation)
        tokens = {name: token for name, token in tokens.items() if token is not None}
        said = None if session.expires is None else session.expires(self.found.scope, self.evaluation)
        well = all(isinstance(token, str) for token in tokens.values())
        well = well and (session.expires is None or said is not None)
        expires = expiry_of(said, tokens, clock.wall(), _SESSION) if well else None
        if expires is None or expires <= clock.wall():
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


def _internal(error: PageError) -> Ending:
    return Ending(error.status, {"type": f"urn:bff:problem:{error.kind}"})


def _when(entry: tuple[float, Failed]) -> float:
    return entry[0]


def _joined_text(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return ", ".join(text for part in parts if (text := to_text(part)) is not None)
