"""The words in which a page is expected: failures of steps, endings of pages, times, and the expected page itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bff.expressions import Evaluation
from bff.plan.model import Plan
from bff.problems import PROBLEMS
from bff.testing.demands import ReplyDemand
from bff.testing.upstream import Upstream

_TYPES = {
    400: "unsent", 401: "unauthorized", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone",
    412: "precondition-failed", 422: "unprocessable", 429: "too-many-requests", 500: "over-bound",
    503: "backend-unavailable", 504: "backend-timeout",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that must fail: with which page status, kind, status of the backend, Retry-After and item.

    One that is `done` is a write that may have happened.
    """

    step: str
    kind: str
    status: int
    upstream: int | None = None
    retry_after: int | None = None
    item: int | None = None
    stale: bool = False
    done: bool = False

    @property
    def retryable(self) -> bool:
        if self.done:
            return False
        return self.kind in ("timeout", "refused", "breaker") or self.status in (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Ending:
    """A problem that may end the page: the members that the answer must have, and its Retry-After."""

    status: int
    members: Mapping[str, Any]
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Through:
    """What must go through to the visitor: the whole body, or where it is `cut` a beginning and no end."""

    raw: bytes
    cut: bool = False


@dataclass(slots=True)
class Expected:
    """What the page must answer: one of `endings`, or without any, `status`, `partial`, `stale`, `headers`, `body`.

    `asked` names the steps that send a request, `unmet` the conditions that kept a step from being asked or ended the
    page (by step, with the key that says so); `through` is in the place of a body where one goes through; `done`,
    `unknown`, `undone` and `undo_failed` what became of the writes.
    """

    endings: list[Ending] = field(default_factory=list)
    status: int = 200
    partial: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    through: Through | None = None
    signs_in: bool = False
    asked: list[str] = field(default_factory=list)
    unmet: list[tuple[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    undo_failed: list[str] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)

    @property
    def is_written(self) -> bool:
        """Whether asking again may do something twice."""
        return bool(self.done or self.unknown or self.undo_failed)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: the page's deadline and each request's own time-out."""

    deadline: float
    timeouts: Mapping[str, float]


@dataclass(slots=True)
class Made:
    """A write that was done, or may have been (`reply` None), with the names that its own step knew and its value."""

    step: str
    local: Mapping[str, Any]
    reply: Mapping[str, Any] | None = None
    value: Any = None


@dataclass(slots=True)
class Course:
    """A page while it is foretold: what is given, and what was found so far.

    `failures` have the time of each, `made` are the writes in the order sent.
    """

    plan: Plan
    upstream: Mapping[str, Upstream]
    evaluation: Evaluation
    times: Times
    found: Expected
    demands: Mapping[str, ReplyDemand]
    failures: list[tuple[float, Failed]] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)


def _type_of(failed: Failed) -> str:
    return "internal" if failed.kind == "function" else _TYPES.get(failed.status, "backend-failed")


def ending(failed: Failed) -> Ending:
    """The problem with which a failed step ends its page."""
    kind = _type_of(failed)
    members = {
        "type": f"urn:bff:problem:{kind}",
        "title": PROBLEMS[kind].title,
        "status": failed.status,
        "step": failed.step,
        "failure": failed.kind,
        "retryable": failed.retryable,
    }
    return Ending(failed.status, members, failed.retry_after)


def error_of(failed: Failed) -> dict[str, Any]:
    """What a fallback sees."""
    return {"status": failed.status if failed.upstream is None else failed.upstream, "kind": failed.kind}


def entry(failed: Failed, fields: tuple[str, ...]) -> dict[str, Any]:
    """What `errors` holds of a failed step."""
    kind = _type_of(failed)
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
