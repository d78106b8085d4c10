"""Every error of the layer.

::

    BffError
    ├── AuthorError            a mistake in a recipe, a client module or a page's functions: `problems`, with places
    ├── OperatorError          a mistake in the settings or the environment: one clear line for each
    └── PageError              ends a page: becomes an RFC 9457 problem
        ├── InputError         the visitor's request does not fit the recipe (400, 413, 415, 422)
        ├── BoundError         a page went over one of its bounds (500, the log says which)
        └── FunctionError      a project function raised, or gave no JSON (500, the log says where)
            └── NoMappingError what should be names and values is no mapping (what it is made of says the status)

`AuthorError` and `OperatorError` stop the start; `PageError` never leaves a request.
A step that fails is no exception: it is a `Failure`, a value.

A `Failure` holds a kind, a reason, a status and a path, and never a text, URL or header of a backend. Kinds are for
programs and stay; reasons are a closed set of words for the operator's log, told from exceptions in one place for
each transport. Exceptions end pages; failures do not. What a function of the project raises is the failure of the
step that called it, with the place of it for the log, whatever it raises: a `SystemExit` of a function is not the
server's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct


class BffError(Exception):
    """The base of every error that this package raises."""


class Place(Struct, frozen=True, order=True):
    """Where something stands in a project's file; line and column count from 1, the column in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Finding(Struct, frozen=True):
    """One mistake of an author, ready to print.

    `source` is the whole line the mistake stands in, `length` how many characters the carets underline (≥ 1),
    `hint` what stands behind the carets (what is allowed, "did you mean", the cure), may be empty. A `mild` one is of a
    recipe that would run: while somebody develops it is a warning.
    """

    place: Place
    message: str
    source: str = ""
    length: int = 1
    hint: str = ""
    mild: bool = False

    def __str__(self) -> str:
        from bff.text import underline

        head = f"{self.place}: {self.message}"
        if not self.source:
            return f"{head}\n  {self.hint}" if self.hint else head
        return f"{head}\n{underline(self.source, self.place.column, self.length, self.hint)}"


class AuthorError(BffError):
    """Mistakes in the project's own files; all of them at once, in file order.

    `documents` are the further files that its recipes name, where a mistake may be mended too.
    """

    def __init__(self, findings: Sequence[Finding], documents: tuple[str, ...] = ()) -> None:
        self.documents = documents
        self.findings = tuple(sorted(findings, key=lambda finding: finding.place))
        super().__init__("\n".join(str(finding) for finding in self.findings))


class OperatorError(BffError):
    """A wrong setting, environment variable or argument; its text is one clear line for each."""


FailureKind = Literal[
    "timeout",  # no whole reply in time
    "refused",  # no connection, or it broke
    "status",  # a status that is not success
    "not-json",  # a success whose body is not JSON
    "too-large",  # a reply over the bound, or deeper than it
    "bad-reply",  # of another form or format than the recipe reads
    "breaker",  # the client is not calling this backend now, or is full
    "unsent",  # the request could not be made safely of these values (empty or unsafe path segment, header)
    "limit",  # the page's own bound on requests or reply bytes
    "function",  # a function of the project raised, or gave what is no JSON
]

Reason = Literal[
    "",  # the kind says it all
    # No connection, or it broke
    "look-up",  # its name has no address
    "refused",  # nobody listens at its address
    "unreachable",  # no way leads to its address
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-name",  # it is another server's
    "certificate-untrusted",  # nobody who is believed has signed it
    "certificate",  # anything else that is wrong with it
    "verify-file",  # what `verify` or `cert` names cannot be read
    "tls",  # no secure connection could be made
    "proxy",  # the proxy on the way does not let it through
    "no-reply",  # the connection ended before the reply began
    "cut-short",  # the reply ended before its end
    "not-http",  # what came is no reply of HTTP/1
    "two-lengths",  # it can be read in two ways: two lengths, or a length and chunks
    "header-limit",  # more headers than anybody sends
    "coding",  # its Content-Encoding cannot be taken off
    "internal",  # the layer's own fault; the log has its place
    # No whole reply in time
    "look-up-timeout",
    "connect-timeout",
    "tls-timeout",
    "reply-timeout",  # it was asked
    "no-time",  # none was left to ask it
    "not-done",  # it was asked until its time was up, and was not done
    # Not asked now
    "spared",  # its breaker is open
    "client-full",  # as many calls as its client may make
    "threads-full",
    "look-ups-full",
    # Replies that are of no use
    "charset",  # in a charset that nobody knows
    "depth",  # nested too deeply
    "format",  # not of the format that the step reads
    "columns",  # a row longer than its header, or two columns of one name
    "rows",  # more rows or columns than are read
    "empty",  # nothing, where the recipe reads something
    "no-list",  # something else, where the recipe goes over a list
    "absent",  # no such member, where the recipe needs one
    "null",  # null, where the recipe needs something
    "no-object",  # something else, where the recipe reads members
    "no-string",  # another kind than the backend promises
    "no-boolean",
    "no-integer",
    "no-number",
    "other-kind",
    "repeat",  # a page of a list that was asked for before
    "address",  # the next page is said to be where its client may not ask
    "form",  # another form than the page takes
    "page",  # what a browser would run, and no file
]
"""What a failure's kind leaves open, for the operator's log."""


class Failure(Struct, frozen=True):
    """Why a step has no value of its own.

    `status` is the status that the page answers with when the step is required, `upstream_status` what the
    backend said (None if it said nothing), `retry_after` in seconds, `path` the access path of a bad-reply
    such as `todos.items`, `item` the index under `each`. A `stale` one did no harm: an old reply stands in. Where it
    `may_be_done` it is of a write that may have happened; of one of many items `places` are those that failed.
    `log` is for the operator's log only, with the place of a function that failed. Holds no upstream text, URL or
    header.
    """

    step: str
    kind: FailureKind
    status: int
    detail: str
    upstream_status: int | None = None
    retry_after: int | None = None
    path: str | None = None
    item: int | None = None
    stale: bool = False
    log: str | None = None
    reason: Reason = ""
    may_be_done: bool = False
    places: tuple[int, ...] = ()

    @property
    def retryable(self) -> bool:
        """Whether asking for the page again may help, and does nothing twice."""
        may_pass = self.kind in {"timeout", "refused", "breaker"} or self.status in {429, 502, 503, 504}
        return may_pass and not self.may_be_done


class PageError(BffError):
    """Ends a page with a problem (`application/problem+json`).

    `kind` names the problem type (a stable URI fragment); `members` are further members of the problem;
    `headers` go out with it. `log` is for the operator's log only.
    """

    def __init__(
        self,
        kind: str,
        status: int,
        title: str,
        detail: str,
        step: str | None = None,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,
        log: str | None = None,
    ) -> None:
        self.kind = kind
        self.status = status
        self.title = title
        self.detail = detail
        self.step = step
        self.errors = errors
        self.headers = {} if headers is None else headers
        self.members = {} if members is None else members
        self.log = log

    def __str__(self) -> str:
        return f"{self.status} {self.kind}: {self.detail}"


class InputError(PageError):
    """The visitor's request does not fit the recipe; `errors` holds every mistake as `{pointer, detail}`."""


class BoundError(PageError):
    """A page went over a bound; `log` says over which."""

    def __init__(self, bound: str) -> None:
        super().__init__(
            kind="over-bound",
            status=500,
            title="This page is too large to make",
            detail="Making this page took more than it is allowed to.",
            log=f"over the bound: {bound}",
        )


class FunctionError(PageError):
    """A function of the project raised, or gave what is no JSON; `log` says what and where."""

    def __init__(self, function: str, log: str) -> None:
        super().__init__(
            kind="internal",
            status=500,
            title="Something went wrong on our side",
            detail="This page could not be made.",
            log=f"function {function}: {log}",
        )


class NoMappingError(FunctionError):
    """What should be a mapping of names and values is none; `failure` is that of the step which would send it."""

    def __init__(self, failure: Failure, log: str) -> None:
        super().__init__("", "")
        self.failure = failure
        self.log = log
