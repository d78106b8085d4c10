"""One request step under way: its items, the calls in flight, their outcomes joined to the step's value."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bff.errors import Failure, FunctionError, PageError
from bff.executor import judge
from bff.executor.render import render
from bff.executor.results import Keeping, Terms
from bff.executor.writes import Write, WriteOutcome, Writes
from bff.expressions import Evaluation
from bff.expressions.paths import ANY
from bff.expressions.values import key_text, to_text
from bff.http import Broken, Call, Calls, OutgoingRequest
from bff.plan import PlannedRequest
from bff.problems import of_failure


class RequestStep:
    """Runs one planned request, with or without `each` or `batch`.

    `begin` starts what may start; `take_in` takes one ended call and starts more; `done` says when there is
    nothing under way any more. Then `value` holds the step's value, or `failure` why it has none; `stale` says why
    old replies stand in, and `keeping` is told of every reply. Until then `owners` leads from each call in flight to
    this step.
    """

    def __init__(
        self,
        planned: PlannedRequest,
        scope: Mapping[str, Any],
        calls: Calls,
        evaluation: Evaluation,
        writes: Writes,
        terms: Terms,
        keeping: Keeping,
        owners: dict[Call, RequestStep],
    ) -> None:
        self.planned = planned
        self.value: Any = None
        self.failure: Failure | None = None
        self.item_failures: list[Failure] = []
        self.stale: list[Failure] = []
        self.sent = 0
        self._scope = scope
        self._calls = calls
        self._evaluation = evaluation
        self._writes = writes
        self._terms = terms
        self._keeping = keeping
        self._owners = owners
        self._waiting: deque[int] = deque()
        self._in_flight: dict[Call, int] = {}
        self._items: list[Any] = [None]
        self._values: list[Any] = [None]
        self._keys: dict[int, str] = {}
        self._written: dict[int, Write] = {}

    @property
    def done(self) -> bool:
        return not self._in_flight and (self.failure is not None or not self._waiting)

    @property
    def in_flight(self) -> tuple[Call, ...]:
        """The calls whose replies are still to come."""
        return tuple(self._in_flight)

    def begin(self) -> None:
        """Work out the items and start the first requests."""
        step = self.planned.step
        if self.planned.items is not None:
            try:
                items = self.planned.items(self._scope, self._evaluation)
            except FunctionError as error:
                self.failure = judge.of_function(step.name, error)
                return
            if step.batch is not None:
                items = _chunks(items, step.batch_size)
            elif len(items) > self._terms.max_each:
                detail = f"'{step.name}' goes over {len(items)} items; one step may go over {self._terms.max_each}."
                status = 422 if self.planned.items_from_input else 500
                self.failure = Failure(step.name, "limit", status, detail)
                return
            self._items = items
            self._values = [None] * len(items)
        self._waiting.extend(range(len(self._items)))
        self._launch()
        self._settle()

    def alone(self) -> OutgoingRequest | Failure | None:
        """The request of a step that is neither in a loop nor started here, as `render` makes it."""
        return self._rendered(0)

    def take_in(self, call: Call) -> None:
        """Take the outcome of a call of this step."""
        at, outcome = self._judged(call)
        self._store(at, outcome if isinstance(outcome, Failure) else self._with_lists(at, outcome))
        self._launch()
        self._settle()

    def note(self, call: Call) -> None:
        """Only note what became of a write: the page has ended, and its undo may want to know."""
        with suppress(PageError):
            self._judged(call)

    def stop(self) -> None:
        """Start nothing more, and forget the reads in flight; the writes are left to be waited for."""
        self._waiting.clear()
        if self.planned.step.safe:
            self.give_up()

    def give_up(self) -> None:
        """Forget the calls in flight; a write among them has an unknown outcome."""
        for call in self._in_flight:
            self._calls.abandon(call)
            self._owners.pop(call, None)
        self._in_flight.clear()
        self._waiting.clear()

    def fall_back(self, failure: Failure) -> Any:
        """The value in place of the one that failed; raises PageError where a function gives none."""
        return self._fallback({**self._scope, **self._own_names(0)}, failure)

    def _fallback(self, scope: Mapping[str, Any], failure: Failure) -> Any:
        assert self.planned.fallback is not None
        try:
            return self.planned.fallback({**scope, "error": error_of(failure)}, self._evaluation)
        except FunctionError as error:
            raise of_failure(judge.of_function(self.planned.name, error, failure.item)) from error

    # --- starting ----------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        step = self.planned.step
        most = step.concurrency if step.each is not None else len(self._items)
        while self._waiting and self.failure is None and len(self._in_flight) < most:
            at = self._waiting.popleft()
            request = self._rendered(at)
            if request is None:
                self._values[at] = None
            elif isinstance(request, Failure):
                self._store(at, request)
            else:
                self.sent += 1
                call = self._calls.start(self.planned.client, request)
                self._in_flight[call] = at
                self._owners[call] = self
                if not step.safe:
                    self._written[at] = Write(self.planned, self._local_names(at), self._item(at))
                    self._writes.sent.append(self._written[at])

    def _rendered(self, at: int) -> OutgoingRequest | Failure | None:
        """A request as it goes out; a Failure where its values do not let it, or a function gives none."""
        try:
            return self._make_key(at) or render(
                self.planned,
                self._local(at),
                self._evaluation,
                visitor=self._terms.visitor,
                encode=self._terms.encode,
                item=self._item(at),
                key=self._keys.get(at),
                written=self._terms.written,
                forwarded=self._terms.forwarded,
            )
        except FunctionError as error:
            return judge.of_function(self.planned.name, error, self._item(at))

    def _make_key(self, at: int) -> Failure | None:
        """Make the idempotency key of one request, where the step has one; a Failure where it would be empty."""
        key = self.planned.key
        if key is None:
            return None
        text = None if key is True else to_text(key(self._local(at), self._evaluation))
        if key is not True and not text:
            what = "its idempotency key is empty."
            by_visitor = self.planned.key_from_input
            return judge.unsent(self.planned.name, what, by_visitor=by_visitor, item=self._item(at))
        self._keys[at] = self._terms.keys.key(self.planned.name, self._item(at), text)
        return None

    def _local(self, at: int) -> Mapping[str, Any]:
        if self.planned.variable is None and self.planned.key is None:
            return self._scope
        return {**self._scope, **self._local_names(at)}

    def _local_names(self, at: int) -> dict[str, Any]:
        """The names that only this request knows: the loop variable and its idempotency key."""
        names = self._own_names(at)
        if self.planned.variable is not None:
            names[self.planned.variable] = self._items[at]
        return names

    def _own_names(self, at: int) -> dict[str, Any]:
        return {} if self.planned.key is None else {"idempotency_key": self._keys.get(at)}

    def _item(self, at: int) -> int | None:
        return at if self.planned.step.each is not None else None

    # --- outcomes ----------------------------------------------------------------------------------------------

    def _judged(self, call: Call) -> tuple[int, Any]:
        """Which request a call was, and its value or Failure; a write's outcome is noted first."""
        at = self._in_flight.pop(call)
        self._owners.pop(call, None)
        result, write = call.result, self._written.get(at)
        assert result is not None, "only ended calls are taken in"
        if write is not None:
            write.outcome = _outcome_of(call)
        if isinstance(result, Broken):
            failure = judge.of_broken(self.planned.name, result, self._item(at))
            return at, failure if write is None else write.judged(failure)
        self._keeping.limit(result)
        if write is not None:
            write.reply = result
        try:
            outcome = judge.of_reply(self.planned, result, self._local(at), self._evaluation, self._item(at))
        except FunctionError as error:
            outcome = judge.of_function(self.planned.name, error, self._item(at))
        if write is not None:
            if not isinstance(outcome, Failure):
                write.value, write.accepted = outcome, True
            elif outcome.kind == "status" and write.outcome == "done":
                write.outcome = "refused"  # 2xx, and `ok` does not take it for a success
            if isinstance(outcome, Failure):
                outcome = write.judged(outcome)
        if result.stale is not None and not isinstance(outcome, Failure):
            self._note_stale(judge.of_stale(self.planned, result.stale, self._item(at)))
        return at, outcome

    def _note_stale(self, failure: Failure) -> None:
        """Note why an old reply stands in; the chunks of a batch are told of as one."""
        if failure.item is not None or not self.stale:
            self.stale.append(failure)

    def _store(self, at: int, outcome: Any) -> None:
        if not isinstance(outcome, Failure):
            self._values[at] = outcome
            return
        if self.planned.step.each is not None and self.planned.fallback is not None:
            self.item_failures.append(outcome)
            self._values[at] = self._fallback(self._local(at), outcome)
            if at in self._written:
                self._written[at].value = self._values[at]
            return
        if self.failure is None:
            self.failure = outcome
            self._waiting.clear()
        # Writes in flight are waited for, so that the page can say what became of them.
        if self.planned.step.safe:
            self.give_up()

    def _with_lists(self, at: int, outcome: Any) -> Any:
        """The outcome of one item, or the failure that it has no list where the recipe goes over one."""
        if self.planned.step.each is None or isinstance(outcome, Failure):
            return outcome
        below = [path[1:] for path in self.planned.lists if path[:1] == (ANY,)]
        wrong = judge.first_not_list(outcome, (self.planned.name, ANY), below)
        return outcome if wrong is None else self._of_writes(judge.bad_reply(self.planned.name, wrong, at))

    def _of_writes(self, failure: Failure) -> Failure:
        """The failure of what replies gave together, which the writes among them do not take back."""
        return next(iter(self._written.values())).judged(failure) if self._written else failure

    def _settle(self) -> None:
        if not self.done or self.failure is not None:
            return
        joined = self._joined()
        if not isinstance(joined, Failure) and self.planned.step.key_by is not None:
            joined = self._keyed(joined)
        if not isinstance(joined, Failure):
            wrong = judge.first_not_list(joined, (self.planned.name,), self.planned.lists)
            if wrong is not None:
                joined = judge.bad_reply(self.planned.name, wrong)
        if isinstance(joined, Failure):
            self.failure = self._of_writes(joined)
        else:
            self.value = joined

    def _joined(self) -> Any:
        step = self.planned.step
        if step.batch is None:
            return self._values if step.each is not None else self._values[0]
        rows: list[Any] = []
        for chunk in self._values:
            if chunk is not None and not isinstance(chunk, list):
                return judge.bad_reply(step.name, step.name)
            rows.extend(chunk or ())
        return rows

    def _keyed(self, rows: Any) -> Any:
        step = self.planned.step
        if rows is not None and not isinstance(rows, list):
            return judge.bad_reply(step.name, step.name)
        keyed: dict[str, Any] = {}
        for row in rows or ():
            key = key_text(row.get(step.key_by)) if isinstance(row, dict) else None
            if key is not None:
                keyed[key] = row
        return keyed


def _outcome_of(call: Call) -> WriteOutcome:
    """What became of a write, as far as its status tells."""
    if isinstance(call.result, Broken):
        return "unknown" if call.result.sent else "unsent"
    if call.result is not None and call.result.ok:
        return "done"
    return "unknown" if call.lost else "refused"


def error_of(failure: Failure) -> dict[str, Any]:
    """What a fallback sees as `error`; the status is the backend's, or what the failure would answer with."""
    status = failure.upstream_status if failure.upstream_status is not None else failure.status
    return {"status": status, "kind": failure.kind}


def _chunks(items: list[Any], size: int) -> list[list[Any]]:
    """The items without null, '' and doubles, in chunks."""
    seen: dict[str, Any] = {}
    for item in items:
        text = to_text(item)
        if text:
            seen.setdefault(text, item)
    distinct = list(seen.values())
    return [distinct[at : at + size] for at in range(0, len(distinct), size)]
