"""A page that hands a body through: its guards and values, then its one request, whose reply is a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from bff.errors import Failure
from bff.executor import outcomes
from bff.executor.bind import BoundRequest
from bff.executor.request_step import RequestStep
from bff.executor.run import PageRun
from bff.executor.writes import Write
from bff.http import Broken, HeldStream, OutgoingRequest, Reply, StreamBroke
from bff.http.stream.media import IN_RECORDS, essence_of, manner_of
from bff.plan.model import PlannedRequest


class Sent(Struct, frozen=True):
    """What of a visitor's request goes through: the body with its length (None: unknown) and type, some headers.

    `max_bytes` is the longest body that may come back, `max_held` the longest of those that come without a length.
    """

    max_bytes: int
    max_held: int
    body: Iterable[bytes] | None = None
    length: int | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses outside 2xx that are no failure, because the visitor asked for them."""
        asked = {name.lower() for name in self.headers}
        found = {304} if asked & {"if-none-match", "if-modified-since"} else set()
        return frozenset(found | ({416} if "range" in asked else set()))


class Passed:
    """What goes to the visitor: the head of a reply, and its body as it comes.

    `length` is None where it is not known and need not be: what consists of records shows itself where it ends.
    """

    def __init__(self, stream: HeldStream) -> None:
        self.status = stream.status
        self.headers = stream.headers
        text = stream.headers.get("content-length", "")
        self.length = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
        self._stream = stream
        self._held: list[bytes] | None = None

    @property
    def needs_length(self) -> bool:
        """Whether an end that comes too early would look like one, on servers that end every answer in order."""
        in_records = essence_of(self.headers.get("content-type", "")) in IN_RECORDS
        return self.length is None and not in_records and self.status not in (204, 304, 416)

    def hold(self, most: int) -> None:
        """Takes the whole body in, to know its length; raises StreamBroke where it breaks off or is longer."""
        held: list[bytes] = []
        length = 0
        try:
            for part in self._stream.chunks():
                held.append(part)
                length += len(part)
                if length > most:
                    raise StreamBroke(Broken("too-large", sent=True))
        finally:
            self._stream.close()
        self.length, self._held = length, held

    def chunks(self) -> Iterator[bytes]:
        """The body; raises StreamBroke where it ends before its end."""
        return self._stream.chunks() if self._held is None else iter(self._held)

    def close(self) -> None:
        """Ends it where it stands."""
        self._held = None
        self._stream.close()


class PassingRun(PageRun):
    """A run whose one request takes the visitor's body along; `passed` is what came back, once it has run."""

    passed: Passed

    def __init__(self, sent: Sent, *given: Any) -> None:
        super().__init__(*given)
        self._sent = sent

    def hand_through(self, bound: BoundRequest) -> None:
        """Send it on its way, and end its step with what came back."""
        step = bound.planned
        request = RequestStep(bound, self).alone()
        if request is None:
            what = f"'{step.name}' was not asked: a part of its path is empty."
            request = Failure(step.name, "unsent", 404, what)
        found = request if isinstance(request, Failure) else self._sent_on(bound, request)
        self.traces[step.name].requests = 0 if isinstance(request, Failure) else 1
        if isinstance(found, Failure):
            raise self.failed(bound, found)
        self.passed = found
        self.end(bound, None, "ok")

    def _sent_on(self, bound: BoundRequest, request: OutgoingRequest) -> Passed | Failure:
        """Send the request on its way; what came back, or why there is nothing to hand on."""
        step, sent = bound.planned, self._sent
        request = replace(
            request,
            headers={"Accept": "*/*", **sent.headers, **request.headers},
            content_type=sent.content_type,
        )
        write = Write(step, {})
        if step.writes:
            self.writes.sent.append(write)
        opened = self.calls.stream(
            bound.way, request, sent.body, length=sent.length, max_bytes=sent.max_bytes
        )
        if isinstance(opened, Broken):
            write.outcome = "unknown" if opened.sent else "unsent"
            return self._judged(write, outcomes.of_broken(step.name, opened, None))
        write.outcome = "done" if 200 <= opened.status < 300 else "refused"
        failure = self._failure_of(step, opened)
        if failure is not None:
            opened.close()
            return self._judged(write, failure)
        self.keeping.limit(Reply(opened.status, opened.headers).allows())
        passed = Passed(opened)
        if passed.needs_length:
            try:
                passed.hold(sent.max_held)
            except StreamBroke as error:
                passed.close()
                return self._judged(write, outcomes.of_broken(step.name, error.broken, None))
        return passed

    @staticmethod
    def _judged(write: Write, failure: Failure) -> Failure:
        return write.judged(failure) if write.planned.writes else failure

    def _failure_of(self, step: PlannedRequest, opened: HeldStream) -> Failure | None:
        """Why a reply does not go through; None for one that does."""
        status = opened.status
        partly = status == 206 and "range" not in {name.lower() for name in self._sent.headers}
        if (not 200 <= status < 300 or partly) and status not in self._sent.statuses:
            return outcomes.of_passing(step, Reply(status, opened.headers))
        if status in (204, 304, 416):
            return None
        if opened.headers.get("content-encoding", "identity").lower() != "identity":
            return outcomes.not_passed(step.name, "in an encoding that was not asked for", "coding")
        if manner_of(opened.headers.get("content-type", "")) == "refused":
            return outcomes.not_passed(step.name, "with a page, which is not handed on", "page")
        return None
