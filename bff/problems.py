"""Problem types (RFC 9457): one declaration each, and the problem that a failed step becomes.

A type is a stable URI, `urn:bff:problem:<kind>`; it is never translated: a page maps it to words of its own.

Neither is the `rule` of each mistake: problems are for programs, words for people. `public/texts.js` has a sentence
for each, in both languages, and a test misses the first that has none. `detail` is for whoever reads a log. What a
write that nobody knows of may have done is in `done` and `unknown`, and the app says so instead of "try again".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bff.errors import Failure, PageError

TYPE_PREFIX = "urn:bff:problem:"
CONTENT_TYPE = "application/problem+json"


class ProblemType(Struct, frozen=True):
    """A kind of problem: its usual status, its title and one line for the docs."""

    status: int
    title: str
    doc: str


PROBLEMS: Mapping[str, ProblemType] = {
    "invalid-input": ProblemType(
        400, "The request is not valid", "`errors` names every mistake by JSON pointer"
    ),
    "malformed-body": ProblemType(400, "The body is not JSON", "the body cannot be read as JSON in UTF-8"),
    "cut-body": ProblemType(400, "The body ends too early", "it is shorter than its `Content-Length`"),
    "unsent": ProblemType(
        400, "The request cannot be passed on", "a value cannot be part of a backend's URL or header"
    ),
    "unauthorized": ProblemType(401, "Sign in first", "a backend did not accept who the visitor is"),
    "unsigned": ProblemType(
        401, "This is not signed", "the signature is missing, wrong or too old; the log says which"
    ),
    "forbidden": ProblemType(403, "This is not allowed", "a backend does not let this visitor do this"),
    "other-site": ProblemType(
        403, "Another site sent this", "a page of another site may not act for a visitor"
    ),
    "not-found": ProblemType(404, "Not found", "there is no such page, or the backend has no such thing"),
    "method-not-allowed": ProblemType(
        405, "Method not allowed", "the page exists, `Allow` names its methods"
    ),
    "upload-too-slow": ProblemType(
        408,
        "The body took too long",
        "not whole within the page's `deadline`, or no byte of it for `BFF_BODY_TIMEOUT`",
    ),
    "conflict": ProblemType(409, "Conflict", "the backend says that it conflicts with what is there"),
    "repeat-running": ProblemType(
        409, "This is still being done", "the first request with this `Idempotency-Key` has not ended yet"
    ),
    "gone": ProblemType(410, "Gone", "the backend had it once"),
    "length-required": ProblemType(
        411, "The length of the body is missing", "send `Content-Length`, or a multipart body"
    ),
    "precondition-failed": ProblemType(412, "Precondition failed", "it was changed in the meantime"),
    "body-too-large": ProblemType(
        413,
        "The body is too large",
        "over `BFF_MAX_REQUEST_BODY`, `BFF_MAX_UPLOAD` or what the backend takes",
    ),
    "unsupported-media-type": ProblemType(
        415,
        "The body is of another type",
        "send `Content-Type: application/json`, not packed, or what the backend takes",
    ),
    "other-host": ProblemType(421, "This host is not served here", "the request is for none of `BFF_HOSTS`"),
    "unprocessable": ProblemType(
        422, "The backend does not accept this", "what was sent is not right for the backend"
    ),
    "too-many-items": ProblemType(
        422,
        "This asks for too much at once",
        "what was sent makes more requests of one step than `BFF_MAX_EACH`",
    ),
    "repeat-differs": ProblemType(
        422, "This key was used for something else", "one `Idempotency-Key`, two different requests"
    ),
    "too-many-requests": ProblemType(
        429, "Too many requests", "`Retry-After` says when to come back, if known"
    ),
    "requirement-failed": ProblemType(
        403, "This is not possible", "a guard of the recipe; `step` is its name"
    ),
    "over-bound": ProblemType(
        500, "This page is too large to make", "a bound was passed; the log says which"
    ),
    "internal": ProblemType(
        500, "Something went wrong on our side", "the log line of this `instance` says what"
    ),
    "backend-failed": ProblemType(502, "A backend failed", "`failure` says how"),
    "backend-unavailable": ProblemType(503, "A backend is not available", "it is being spared; try again"),
    "state-unavailable": ProblemType(
        503, "This cannot be done safely now", "`BFF_STATE_URL` does not answer; nothing was done, try again"
    ),
    "recipes-broken": ProblemType(
        503,
        "The recipes need a look",
        "while developing: `detail` is the first mistake, `check` says them all",
    ),
    "not-ready": ProblemType(503, "Not ready", "the recipes of this app cannot run; the log says why"),
    "busy": ProblemType(
        503, "Too many visitors at once", "over `BFF_MAX_PAGES`, or bodies that wait; `Retry-After` says when"
    ),
    "backend-timeout": ProblemType(
        504, "A backend took too long", "it did not answer within the page's deadline"
    ),
}

_KIND_OF_STATUS = {
    400: "unsent", 401: "unauthorized", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone",
    412: "precondition-failed", 413: "body-too-large", 415: "unsupported-media-type", 422: "unprocessable",
    429: "too-many-requests", 500: "over-bound", 503: "backend-unavailable", 504: "backend-timeout",
}  # fmt: skip


def problem(kind: str, detail: str, *, status: int | None = None, **more: Any) -> PageError:
    """A PageError of a declared kind; `more` are further fields of PageError (step, errors, headers, log …)."""
    declared = PROBLEMS[kind]
    return PageError(kind, status or declared.status, declared.title, detail, **more)


def document(error: PageError, instance: str | None = None) -> dict[str, Any]:
    """The members of the problem, in the order of RFC 9457; `instance` is the request id."""
    found: dict[str, Any] = {
        "type": TYPE_PREFIX + error.kind,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if instance is not None:
        found["instance"] = instance
    if error.step is not None:
        found["step"] = error.step
    if error.errors is not None:
        found["errors"] = error.errors
    return found | error.members


def of_failure(failure: Failure) -> PageError:
    """The problem that ends a page whose required step failed so."""
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return problem(
        _kind_of(failure),
        failure.detail,
        status=failure.status,
        step=failure.step,
        headers=headers,
        members={"failure": failure.kind, "retryable": failure.retryable},
        log=failure.log,
    )


def entry(failure: Failure, fields: Sequence[str]) -> dict[str, Any]:
    """One entry of a page's `errors`: the problem of a step that fell back, or that an old reply stands in for."""
    kind = _kind_of(failure)
    found: dict[str, Any] = {
        "type": TYPE_PREFIX + kind,
        "title": PROBLEMS[kind].title,
        "status": failure.status,
        "detail": failure.detail,
        "step": failure.step,
        "retryable": failure.retryable,
        "kind": failure.kind,
        "fields": list(fields),
    }
    if failure.item is not None:
        found["item"] = failure.item
    if failure.places:
        found["items"] = list(failure.places)
    if failure.stale:
        found["stale"] = True
    return found


def _kind_of(failure: Failure) -> str:
    if failure.kind == "function":
        return "internal"
    if failure.kind == "limit" and failure.status < 500:
        return "too-many-items"  # our own limit, and no backend's
    return _KIND_OF_STATUS.get(failure.status, "backend-failed")
