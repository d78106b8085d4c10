"""Bulk writes: the chunks of a `batch` that writes, one after the other, and what of each was done.

A backend that is sent many items at once may do some of them and refuse others, and answers 207, or 200, either
way. What `failed` makes of its reply says which. Such a chunk fails its step, and no further one is sent; but it was
done in part, so its undo knows those items alone that were, and the problem counts items in place of requests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from bff.errors import Failure, FunctionError
from bff.executor import outcomes
from bff.executor.bind import BoundRequest
from bff.executor.joining import rows_of
from bff.executor.request_step import RequestStep, Waiting
from bff.executor.results import Run
from bff.executor.writes import Write
from bff.expressions import Evaluation
from bff.expressions.values import key_text, to_text
from bff.http import Reply
from bff.jsontext import encode
from bff.plan.model import PlannedRequest

_STATUSES = range(100, 600)


class NotOfChunk(Exception):
    """What `failed` gives is no list of items of the chunk."""


class BulkStep(RequestStep):
    """Runs a step that writes a list in chunks, each after the one before it was answered."""

    def __init__(self, bound: BoundRequest, run: Run) -> None:
        super().__init__(bound, run)
        self._places: Sequence[Sequence[int]] = ()

    def stop(self) -> None:
        """Starts nothing more; what is not sent is told of."""
        self._note_left()
        super().stop()

    def _in_chunks(self, items: list[Any], size: int) -> list[list[Any]]:
        chunks, self._places = chunks_of(items, size)
        return chunks

    def _launch(self) -> None:
        waiting = self._waiting
        assert isinstance(waiting, deque)
        while waiting and self.failure is None and not self.in_flight:
            self.send(waiting.popleft())

    def _write_of(self, at: int) -> Write:
        return Write(self.bound.planned, self._local_names(at), places=tuple(self._places[at]))

    def _store(self, at: int, outcome: Any) -> None:
        if isinstance(outcome, Failure):
            self._note_left(*(() if at in self._written else (at,)))
        super()._store(at, outcome)

    def _note_left(self, *unmade: int) -> None:
        """Note how many items are in chunks that are never sent, or could not be made."""
        left = sum(len(self._places[at]) for at in (*unmade, *self._waiting))
        if left:
            self._run.writes.left[self.name] = left

    # --- outcomes ----------------------------------------------------------------------------------------------

    def _judged(self, one: Waiting, at: int) -> Any:
        """The value of a chunk, or its Failure, where some of its items failed too."""
        planned, result = self.bound.planned, one.result
        outcome = super()._judged(one, at)
        write = self._written[at]
        if isinstance(outcome, Failure):
            if write.outcome == "refused":
                write.failed = write.places
            return outcome
        if planned.failed is None or not isinstance(result, Reply) or result.status in planned.on_status:
            return outcome
        reply = outcomes.reply_names(planned, result, self._run.evaluation)
        wrong = outcomes.first_not_list(reply["body"], ("reply", "body"), planned.reply_lists)
        if wrong is not None:
            return write.judged(outcomes.bad_reply(self.name, wrong))
        try:
            found = self._failed_of(planned, reply, at)
        except FunctionError as error:
            return write.judged(outcomes.of_function(self.name, error))
        except NotOfChunk:
            return write.judged(outcomes.bad_reply(self.name, "failed", why="other-kind"))
        return self._in_part(write, found, result, at) if found else outcome

    def _failed_of(
        self, planned: PlannedRequest, reply: Mapping[str, Any], at: int
    ) -> Mapping[int, int | None]:
        assert planned.failed is not None
        given = planned.failed({**self._local(at), "reply": reply}, self._run.evaluation)
        return failed_of(given, self._items[at], self._run.evaluation)

    def _in_part(self, write: Write, found: Mapping[int, int | None], result: Reply, at: int) -> Failure:
        """The failure of a chunk of which some items failed, noted in its write."""
        planned, chunk = self.bound.planned, self._items[at]
        write.failed = tuple(write.places[place] for place in found)
        if len(found) == len(chunk):
            write.outcome, write.accepted = "refused", False
        else:
            assert planned.variable is not None
            done = [item for place, item in enumerate(chunk) if place not in found]
            write.local = {**write.local, planned.variable: done}
        failure = outcomes.of_items(planned, result, list(found.values()), len(chunk))
        failure = replace(failure, places=write.failed)
        told = failure.upstream_status or 0
        if planned.fallback is None and (told < 500 or told == 503):
            return failure  # the problem says whether what was done still stands
        return write.judged(failure)

    def _rows_of(self, chunks: list[Any]) -> Any:
        return rows_of(chunks) if self.bound.planned.joins else None


def chunks_of(items: Sequence[Any], size: int) -> tuple[list[list[Any]], list[list[int]]]:
    """The items in chunks, and the place of each in the list: null is left out, and of equal ids all but the first.

    Rows are no ids: two that are equal are two.
    """
    seen: set[str] = set()
    kept: list[int] = []
    for place, item in enumerate(items):
        if not isinstance(item, dict | list):
            text = to_text(item)
            if not text or text in seen:
                continue
            seen.add(text)
        kept.append(place)
    places = [kept[at : at + size] for at in range(0, len(kept), size)]
    return [[items[place] for place in chunk] for chunk in places], places


def failed_of(given: Any, chunk: Sequence[Any], evaluation: Evaluation) -> dict[int, int | None]:
    """The places in a chunk that failed, in their order, each with its status where one is told.

    An item is told by itself, a row by its place too, and either by `{item, status}`. Raises NotOfChunk for anything
    else.
    """
    if given is None:
        return {}
    if not isinstance(given, list):
        raise NotOfChunk
    evaluation.charge(8 * (len(given) + len(chunk)))
    by_key: dict[object, deque[int]] = {}
    found: dict[int, int | None] = {}
    for place, item in enumerate(chunk) if given else ():
        by_key.setdefault(_key_of(item, evaluation), deque()).append(place)
    for one in given:
        item, status = one, None
        if isinstance(one, dict) and "item" in one and _key_of(one, evaluation) not in by_key:
            item, status = one["item"], one.get("status")
        place = _place_of(item, chunk, by_key, evaluation)
        known = type(status) is int and status in _STATUSES
        found[place] = found.get(place) or (status if known else None)
    return {place: found[place] for place in sorted(found)}


def _place_of(
    item: Any, chunk: Sequence[Any], by_key: Mapping[object, deque[int]], evaluation: Evaluation
) -> int:
    places = by_key.get(_key_of(item, evaluation))
    if places:
        places.rotate(-1)  # of two equal rows each fails once
        return places[-1]
    if type(item) is int and 0 <= item < len(chunk) and isinstance(chunk[item], dict | list):
        return item
    raise NotOfChunk


def _key_of(item: Any, evaluation: Evaluation) -> object:
    """What tells an item from others: 7 is the id '7', as in the keys of mappings."""
    if not isinstance(item, dict | list):
        return key_text(item)
    raw = encode(item)
    evaluation.charge(len(raw) >> 3)
    return raw
