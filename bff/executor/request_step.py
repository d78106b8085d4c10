"""One request step under way: its items, what is in flight, the outcomes joined to the step's value."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from bff.errors import Failure, FunctionError, PageError
from bff.executor import outcomes
from bff.executor.bind import BoundRequest
from bff.executor.joining import NO_ROWS, distinct_chunks, keyed, rows_of
from bff.executor.render import render, target_of
from bff.executor.results import SAY_SO, Run
from bff.executor.writes import Write, WriteOutcome
from bff.expressions.paths import ANY
from bff.expressions.values import to_text
from bff.http import Broken, Call, Ended, OutgoingRequest, Reply
from bff.jsontext import NotJSON, TooDeep
from bff.plan.holding import UnmetNeed
from bff.plan.model import FALLBACK
from bff.problems import of_failure

Waiting = Call | Ended
"""What a step waits for."""

_ONE: tuple[None] = (None,)


class RequestStep:
    """Runs one bound request, with or without `each` or `batch`.

    `send` starts the only request of a step, `begin` the first of a loop; `take_in` takes one that has ended, starts
    more and says when nothing is `in_flight` any more. Then `value` holds the step's value, or `failure` why it has
    none; `stale` says why old replies stand in.
    """

    value: Any = None
    failure: Failure | None = None
    item_failures: Sequence[Failure] = ()
    stale: Sequence[Failure] = ()
    sent = 0
    _items: Sequence[Any] = _ONE
    _waiting: Sequence[int] = ()
    _keys: Mapping[int, str] = MappingProxyType({})
    _written: Mapping[int, Write] = MappingProxyType({})
    _replied: tuple[int, Reply] | None = None
    """The last reply, for a fallback that reads it, and which request it was to."""
    _failed_at: int | None = None
    _in_chunks = staticmethod(distinct_chunks)
    _rows_of = staticmethod(rows_of)

    def __init__(self, bound: BoundRequest, run: Run) -> None:
        self.bound = bound
        self.name = bound.name
        self._run = run
        self.in_flight: dict[Waiting, int] = {}
        self._values: list[Any] = [None]

    def begin(self) -> None:
        """Work out the items of a loop and start the first requests."""
        if self._find_items():
            self._values = [None] * len(self._items)
            self._waiting = deque(range(len(self._items)))
            self._launch()

    def alone(self) -> OutgoingRequest | Failure | None:
        """The request of a step that is neither in a loop nor started here, as `render` makes it."""
        return self._rendered(0)

    def take_in(self, one: Waiting) -> bool:
        """Take the outcome of a request of this step; says whether that was all. One that was given up is none."""
        at = self.in_flight.pop(one, None)
        if at is None:
            one.release()
            return False
        bound = self.bound
        raw = one.body() if bound.plain else None
        if raw is None:
            outcome = self._judged(one, at)
        else:
            try:
                outcome = bound.decode(raw, self._run.calls.limits.max_depth)
            except (NotJSON, TooDeep, UnmetNeed):
                outcome = self._judged(one, at)
            else:
                if one.allows is not None:
                    self._run.keeping.limit(one.allows)
                one.release()
                if bound.take is not None:
                    outcome = self._taken(outcome, at)
        if bound.lists_of_items:
            outcome = self._with_lists(at, outcome)
        if outcome.__class__ is Failure:
            self._store(at, outcome)
        else:
            self._values[at] = outcome
        if self._waiting:
            self._launch()
        if self.in_flight:
            return False
        if self.failure is None:
            if bound.is_simple:
                self.value = self._values[0]
            else:
                self.settle()
        return True

    def note(self, one: Waiting) -> None:
        """Only note what became of a write: the page has ended, and its undo may want to know."""
        at = self.in_flight.pop(one, None)
        if at is not None:
            with suppress(PageError):
                self._judged(one, at)

    def becomes(self, before: Waiting, now: Waiting) -> None:
        """Is told that one of its requests is waited for in another form."""
        at = self.in_flight.pop(before)
        now.owner, now.at = self, at
        self.in_flight[now] = at

    def stop(self) -> None:
        """Start nothing more, and forget the reads in flight; the writes are left to be waited for."""
        self._waiting = ()
        if self.bound.planned.safe:
            self.give_up()
        else:
            self._give_up_unsent()

    def _give_up_unsent(self) -> None:
        """Forget the writes that wait for a place; the page waits for those in flight, and can tell of them."""
        for one, at in list(self.in_flight.items()):
            if one.is_waiting:
                del self.in_flight[one]
                self._run.calls.abandon(one)
                self._written[at].outcome = "unsent"
                self.sent -= 1

    def give_up(self) -> None:
        """Forget what is in flight; a write among that has an unknown outcome."""
        for one in self.in_flight:
            self._run.calls.abandon(one)
        self.in_flight.clear()
        self._waiting = ()

    def fall_back(self, failure: Failure, at: int | None = None) -> Any:
        """The value in place of the one that failed, of one item or all; raises PageError where a function gives none.

        Its `error` holds the backend's status, or the one that the failure would answer with.
        """
        planned, scope = self.bound.planned, self._run.scope
        assert planned.fallback is not None
        if at is not None or planned.key is not None:
            scope = {**scope, **(self._own_names(0) if at is None else self._local_names(at))}
        status = failure.status if failure.upstream_status is None else failure.upstream_status
        scope = {**scope, "error": {"status": status, "kind": failure.kind}}
        if planned.falls_back_on_reply:
            scope["reply"] = self._failed_reply(at)
        try:
            value = planned.fallback(scope, self._run.evaluation)
        except FunctionError as error:
            raise of_failure(outcomes.of_function(self.name, error, failure.item)) from error
        if planned.falls_back_on_reply:
            self._hold_lists(value, at)
        return value

    def _failed_reply(self, at: int | None) -> dict[str, Any] | None:
        """What a fallback sees of the reply that failed; None where none came."""
        wanted = at if at is not None else 0 if self.bound.is_single else self._failed_at
        if self._replied is None or self._replied[0] != wanted:
            return None
        planned, (_, reply) = self.bound.planned, self._replied
        seen = FALLBACK in planned.bodies_seen
        return outcomes.reply_names(planned, reply, self._run.evaluation, with_body=seen)

    def _hold_lists(self, value: Any, at: int | None) -> None:
        """Raises PageError where a fallback that a backend has a say in has no list that the recipe goes over."""
        bound = self.bound
        paths, root = (bound.lists, (self.name,)) if at is None else (bound.lists_of_items, (self.name, ANY))
        wrong = outcomes.first_not_list(value, root, paths)
        if wrong is not None:
            raise of_failure(self._of_writes(outcomes.bad_reply(self.name, wrong, at)))

    # --- starting ----------------------------------------------------------------------------------------------

    def _find_items(self) -> bool:
        """Work out the items of a loop; says whether there is a failure instead."""
        planned, run = self.bound.planned, self._run
        assert planned.items is not None
        try:
            items = planned.items(run.scope, run.evaluation)
        except FunctionError as error:
            self.failure = outcomes.of_function(self.name, error)
            return False
        if planned.batch_size is not None:
            items = self._in_chunks(items, planned.batch_size)
        elif len(items) > run.context.max_each:
            detail = (
                f"'{self.name}' goes over {len(items)} items; one step may go over {run.context.max_each}."
            )
            status = 422 if planned.items_from_input else 500
            self.failure = Failure(self.name, "limit", status, detail)
            return False
        self._items = items
        return True

    def _launch(self) -> None:
        planned = self.bound.planned
        most = planned.concurrency if planned.each else len(self._items)
        waiting = self._waiting
        while waiting and self.failure is None and len(self.in_flight) < most:
            self.send(waiting.popleft())  # type: ignore[attr-defined]

    def send(self, at: int) -> None:
        """Sends one request; notes the value of one that is not made, and the failure of one that must not be."""
        bound, run = self.bound, self._run
        if bound.lean:
            target: str | Failure | None = bound.target
            if target is None:
                scope = run.scope if bound.planned.variable is None else self._local(at)
                target = target_of(bound, scope, run.evaluation, at)
            if type(target) is str:
                auth = bound.auth
                token = None if auth is None else run.context.visitor.token(auth.name, or_bearer=auth.bearer)
                self.sent += 1
                wires = run.calls.wires or run.calls.begin_wires()
                one: Any = wires.ask(self, at, bound.way, target, token)
                if one is None:
                    lone = OutgoingRequest(target, token=token, visitor=run.calls.visitor)
                    one = run.calls.ask(self, at, bound.way, lone)
                if one.__class__ is Broken:
                    self._store(at, outcomes.of_broken(self.name, one, self._item(at)))
                else:
                    self.in_flight[one] = at
            elif target is not None:
                self._store(at, target)
            return
        request = self._rendered(at)
        if isinstance(request, Failure):
            self._store(at, request)
        elif request is not None:
            self.sent += 1
            asked = bound.ask(run.calls, self, at, bound.way, request)
            if not bound.planned.safe:
                write = (
                    self._write_of(at)
                    if bound.is_bulk
                    else Write(bound.planned, self._local_names(at), self._item(at))
                )
                self._written = {**self._written, at: write}
                run.writes.sent.append(write)
            if isinstance(asked, Broken):
                self._store(at, self._broken(at, asked))
            else:
                self.in_flight[asked] = at

    def _rendered(self, at: int) -> OutgoingRequest | Failure | None:
        """A request as it goes out; a Failure where its values do not let it, or a function gives none."""
        context = self._run.context
        try:
            return self._make_key(at) or render(
                self.bound.planned,
                self._local(at),
                self._run.evaluation,
                visitor=context.visitor,
                encode=context.encode,
                item=self._item(at),
                key=self._keys.get(at),
                written=context.written,
                forwarded=context.forwarded,
            )
        except FunctionError as error:
            return outcomes.of_function(self.name, error, self._item(at))

    def _make_key(self, at: int) -> Failure | None:
        """Make the idempotency key of one request, where the step has one; a Failure where it would be empty."""
        planned = self.bound.planned
        key = planned.key
        if key is None:
            return None
        text = None if key is True else to_text(key(self._local(at), self._run.evaluation))
        if key is not True and not text:
            what = "its idempotency key is empty."
            return outcomes.unsent(self.name, what, by_visitor=planned.key_from_input, item=self._item(at))
        part = at if self.bound.is_bulk else self._item(at)
        self._keys = {**self._keys, at: self._run.context.keys.key(self.name, part, text)}
        return None

    def _local(self, at: int) -> Mapping[str, Any]:
        planned = self.bound.planned
        if planned.variable is None and planned.key is None:
            return self._run.scope
        return {**self._run.scope, **self._local_names(at)}

    def _local_names(self, at: int) -> dict[str, Any]:
        """The names that only this request knows: the loop variable and its idempotency key."""
        names = self._own_names(at)
        if self.bound.planned.variable is not None:
            names[self.bound.planned.variable] = self._items[at]
        return names

    def _own_names(self, at: int) -> dict[str, Any]:
        return {} if self.bound.planned.key is None else {"idempotency_key": self._keys.get(at)}

    def _item(self, at: int) -> int | None:
        return at if self.bound.is_in_each else None

    def _write_of(self, at: int) -> Write:
        """The write that a chunk of a bulk write is."""
        raise NotImplementedError

    # --- outcomes ----------------------------------------------------------------------------------------------

    def _judged(self, one: Waiting, at: int) -> Any:
        """The value of a request, or its Failure; a write's outcome is noted first."""
        planned, run = self.bound.planned, self._run
        result, write = one.result, self._written.get(at)
        assert result is not None, "only what has ended is taken in"
        if write is not None:
            write.outcome = _outcome_of(result, lost=one.lost)
        one.release()
        if isinstance(result, Broken):
            return self._broken(at, result)
        if not SAY_SO.isdisjoint(result.headers):  # most say nothing, and reading nothing takes time too
            run.keeping.limit(result.allows())
        if write is not None:
            write.reply = result
        if planned.falls_back_on_reply:
            self._replied = at, result
        scope = run.scope if self.bound.is_lone else self._local(at)
        item = None if self.bound.is_single else self._item(at)
        try:
            outcome = outcomes.of_reply(planned, result, scope, run.evaluation, item)
        except FunctionError as error:
            outcome = outcomes.of_function(self.name, error, self._item(at))
        if write is not None:
            outcome = self._noted(write, outcome)
        if result.stale is not None and not isinstance(outcome, Failure):
            self._note_stale(outcomes.of_stale(planned, result.stale, self._item(at)))
        return outcome

    def _taken(self, body: Any, at: int) -> Any:
        """The value that `take` makes of the body of a reply, of which it reads nothing else, or its Failure."""
        bound, run = self.bound, self._run
        scope = run.scope if bound.is_lone else self._local(at)
        item = at if bound.is_in_each else None
        try:
            return outcomes.taken(bound.planned, {"body": body}, scope, run.evaluation, item)
        except FunctionError as error:
            return outcomes.of_function(self.name, error, item)

    def _broken(self, at: int, broken: Broken) -> Failure:
        """The failure of a request that brought no reply."""
        write = self._written.get(at)
        failure = outcomes.of_broken(self.name, broken, self._item(at))
        if write is None:
            return failure
        if write.outcome == "under way":
            write.outcome = _outcome_of(broken, lost=False)
        return write.judged(failure)

    @staticmethod
    def _noted(write: Write, outcome: Any) -> Any:
        """What a write gave, noted in it."""
        if not isinstance(outcome, Failure):
            write.value, write.accepted = outcome, True
            return outcome
        if outcome.kind == "status" and write.outcome == "done":
            # 2xx, and `ok` does not take it for a success
            write.outcome = (
                "unknown" if write.planned.graphql and outcomes.has_data(write.reply) else "refused"
            )
        return write.judged(outcome)

    def _note_stale(self, failure: Failure) -> None:
        """Note why an old reply stands in; the chunks of a batch are told of as one."""
        if failure.item is not None or not self.stale:
            self.stale = [*self.stale, failure]

    def _store(self, at: int, outcome: Any) -> None:
        if not isinstance(outcome, Failure):
            self._values[at] = outcome
            return
        planned = self.bound.planned
        if planned.each and planned.fallback is not None:
            self.item_failures = [*self.item_failures, outcome]
            self._values[at] = self.fall_back(outcome, at)
            if at in self._written:
                self._written[at].value = self._values[at]
            return
        if self.failure is None:
            self.failure, self._failed_at = outcome, at
            self._waiting = ()
        if self.in_flight:
            if planned.safe:
                self.give_up()
            else:
                self._give_up_unsent()

    def _with_lists(self, at: int, outcome: Any) -> Any:
        """The outcome of one item, or the failure that it has no list where the recipe goes over one."""
        if isinstance(outcome, Failure):
            return outcome
        wrong = outcomes.first_not_list(outcome, (self.name, ANY), self.bound.lists_of_items)
        return outcome if wrong is None else self._of_writes(outcomes.bad_reply(self.name, wrong, at))

    def _of_writes(self, failure: Failure) -> Failure:
        """The failure of what replies gave together, which the writes among them do not take back."""
        return next(iter(self._written.values())).judged(failure) if self._written else failure

    def settle(self) -> None:
        """Join what has come to the step's value, where nothing is under way any more."""
        if self.failure is not None:
            return
        bound = self.bound
        if bound.is_single:
            joined = self._values[0]
        else:
            joined = self._values if bound.planned.batch_size is None else self._rows_of(self._values)
        if bound.key_by is not None and joined is not NO_ROWS:
            joined = keyed(joined, bound.key_by)
        if joined is NO_ROWS:
            self.failure = self._of_writes(outcomes.bad_reply(self.name, self.name))
            return
        if bound.lists and not (bound.is_list and joined.__class__ is list):
            wrong = outcomes.first_not_list(joined, (self.name,), bound.lists)
            if wrong is not None:
                self.failure = self._of_writes(outcomes.bad_reply(self.name, wrong))
                return
        self.value = joined


def _outcome_of(result: Reply | Broken, *, lost: bool) -> WriteOutcome:
    """What became of a write, as far as its status tells."""
    if isinstance(result, Broken):
        return "unknown" if result.sent else "unsent"
    if result.ok:
        return "done"
    return "unknown" if lost else "refused"
