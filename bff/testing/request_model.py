"""One request step as it must go: what each of its requests gives, and the value that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bff.errors import FunctionError
from bff.expressions.inspect import ANY
from bff.expressions.values import key_text, to_text
from bff.plan.model import PlannedRequest
from bff.testing.expected import Course, Failed, Made, Through, error_of
from bff.testing.rules import is_segment, lists_hold
from bff.testing.upstream import EMPTY, NOT_JSON, Upstream

_LEAST = 0.020
_KEPT = {404, 409, 410, 412, 422, 429}


class Stop(Exception):
    """The step cannot have a value."""

    def __init__(self, failed: Failed) -> None:
        self.failed = failed


class RequestModel:
    """One request step of the model: what each of its requests gives, and the value that they make."""

    def __init__(self, course: Course, step: PlannedRequest, begun: float) -> None:
        self.course = course
        self.step = step
        self.begun = begun
        self.ended = begun
        self.asked = False
        self.items_failed = False
        self.stale: list[Failed] = []

    def value_of(self, item: Any, at: int) -> Any:
        """The value of one item; raises Stop where it fails the step."""
        step = self.step
        index = at if step.each else None
        self.made: Made | None = None
        local = dict(self.course.found.scope)
        if step.variable is not None:
            local[step.variable] = item
        if step.key is not None:
            local["idempotency_key"] = None
        try:
            self._make_key(local, index)
            value = self._reply(local, index, at)
            if step.each:
                below = [path[1:] for path in step.lists if path[:1] == (ANY,)]
                self._check(lists_hold(value, below), self._of_another_form(index))
            old = self.course.upstream[step.name].old
            if old is not None and (index is not None or not self.stale):
                status = self._page_status(old)
                self.stale.append(Failed(step.name, "status", status, old, item=index, stale=True))
        except (Stop, FunctionError) as error:
            of_function = Failed(step.name, "function", 500, item=index)
            failed = error.failed if isinstance(error, Stop) else of_function
            if not step.each or step.fallback is None:
                raise Stop(failed) from None
            self.items_failed = True
            self.course.failures.append((self.ended, failed))
            value = step.fallback({**local, "error": error_of(failed)}, self.course.evaluation)
        if self.made is not None:
            self.made.value = value
        return value

    def _make_key(self, local: dict[str, Any], index: int | None) -> None:
        """Put the key of a write among its names; raises Stop where it is empty."""
        step = self.step
        if step.key is None:
            return
        if step.key is not True and not to_text(step.key(local, self.course.evaluation)):
            self.course.found.unmet.append((step.name, "idempotency_key"))
            raise Stop(Failed(step.name, "unsent", 400 if step.key_from_input else 502, item=index))
        local["idempotency_key"] = "0" * 32  # the page's own is another one each time

    def _reply(self, local: Mapping[str, Any], index: int | None, at: int) -> Any:
        step, course = self.step, self.course
        holes = [] if step.holes is None else [to_text(hole) for hole in step.holes(local, course.evaluation)]
        if not all(holes):
            course.found.unmet.append((step.name, "path"))
            if course.plan.recipe.passes:
                raise Stop(Failed(step.name, "unsent", 404))
            if step.safe:
                return None
            raise Stop(Failed(step.name, "unsent", 400, item=index))
        if any(not is_segment(hole or "") for hole in holes):
            raise Stop(Failed(step.name, "unsent", 400 if step.path_from_input else 502, item=index))
        turn = at // (step.concurrency if step.each else 10_000)
        start = self.begun + turn * course.times.timeouts[step.name] * course.upstream[step.name].stalls
        if start > course.times.deadline - _LEAST:
            raise Stop(Failed(step.name, "timeout", 504, item=index))
        return self._judge(course.upstream[step.name], local, index, start)

    def _judge(self, reply: Upstream, local: Mapping[str, Any], index: int | None, start: float) -> Any:
        step, course, found = self.step, self.course, self.course.found
        self.asked = True
        if reply.stalls:
            self.ended = min(start + course.times.timeouts[step.name], course.times.deadline)
        if reply.broken is not None:
            if step.writes and reply.sent:
                self._note(found.unknown, Made(step.name, local))
            status = 504 if reply.broken == "timeout" else 502
            raise Stop(self._failed(reply, reply.broken, status, index))
        body = None if reply.body is EMPTY or reply.body is NOT_JSON else reply.body
        seen = {**local, "reply": {"status": reply.status, "headers": dict(reply.headers), "body": body}}
        if step.writes and 200 <= reply.status < 300:
            self._note(found.done, Made(step.name, local, seen["reply"]))
        if reply.status in step.on_status:
            return step.on_status[reply.status](seen, course.evaluation)
        well = 200 <= reply.status < 300 if step.ok is None else step.ok(seen, course.evaluation)
        if not well:
            if 200 <= reply.status < 300:
                found.unmet.append((step.name, "ok"))
                found.done[:] = [name for name in found.done if name != step.name]
                course.made[:] = [made for made in course.made if made is not self.made]
            status = self._page_status(reply.status)
            failed = self._failed(reply, "status", status, index)
            raise Stop(replace(failed, upstream=reply.status, retry_after=reply.retry_after))
        if course.plan.recipe.passes:
            self._check(reply.body is not NOT_JSON, self._failed(reply, "bad-reply", 502, index))
            self._go_through(reply)
            return None
        demand = course.demands[step.name]
        empty = reply.body is EMPTY
        self._check(not (empty and demand.reads_into), self._failed(reply, "bad-reply", 502, index))
        unread = reply.body is NOT_JSON and demand.is_read
        self._check(not unread, self._failed(reply, "not-json", 502, index))
        value: Any = True if empty and step.each else body
        if step.take is None:
            return value
        self._check(lists_hold(value, step.reply_lists), self._failed(reply, "bad-reply", 502, index))
        seen["reply"] = {**seen["reply"], "body": value}
        return step.take(seen, course.evaluation)

    def _note(self, told: list[str], made: Made) -> None:
        self.made = made
        self.course.made.append(made)
        if made.step not in told:
            told.append(made.step)

    def _failed(self, reply: Upstream, kind: str, status: int, index: int | None) -> Failed:
        """How the step fails; a write may have been done, unless its backend has said that it was not."""
        leaves_open = 300 <= reply.status < 400 or (reply.status >= 500 and reply.status != 503)
        may_be_done = reply.sent if reply.broken is not None else leaves_open
        if kind not in ("status", reply.broken):
            may_be_done = True
        done = self.step.writes and may_be_done
        return Failed(self.step.name, kind, status, item=index, done=done)

    def _of_another_form(self, index: int | None) -> Failed:
        return Failed(self.step.name, "bad-reply", 502, item=index, done=self.step.writes)

    def _go_through(self, reply: Upstream) -> None:
        """The body is handed on as it is, with what keeps a browser from running it."""
        found = self.course.found
        found.status = reply.status
        found.through = Through(reply.body if isinstance(reply.body, bytes) else b"", reply.cut)
        found.headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Type": reply.headers.get("content-type", "application/octet-stream"),
        }

    def _page_status(self, upstream: int) -> int:
        if self.course.plan.recipe.passes and self.step.writes and upstream in (413, 415):
            return upstream
        if upstream in _KEPT or (upstream in (401, 403) and self.step.client.forwards_token):
            return upstream
        return 422 if upstream == 400 and self.step.body_from_input else 502

    def joined(self, values: list[Any]) -> Any:
        """The step's value of the values of its requests."""
        step = self.step
        bad = self._of_another_form(None)
        value: Any = values if step.each else values[0] if values else None
        if step.batch_size is not None:
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
            raise Stop(failed)
