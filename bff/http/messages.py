"""What goes to a backend and what comes back: requests, replies, and calls that brought no reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from bff import clock
from bff.errors import BffError, Reason
from bff.http.charsets import IN_UTF8, by_its_marks, in_utf8
from bff.http.freshness import Allowed, allowed
from bff.http.paths import quoted, sendable
from bff.jsontext import JSON, NotJSON, decode
from bff.records import Unshown

BrokenKind: TypeAlias = Literal["timeout", "refused", "too-large", "limit", "breaker", "full"]
CacheOutcome: TypeAlias = Literal["hit", "shared", "stale", "revalidated", "miss"]


class CacheTerms(Struct, frozen=True):
    """How long the reply of a read may be kept, in seconds, and for whom.

    A `private` reply is kept for its visitor alone; `shared` reads of several pages at once are one request.
    What was asked for before `newer_than` (epoch seconds) is too old for this visitor.
    """

    ttl: float
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    shared: bool = False
    private: bool = True
    newer_than: float = 0.0


class OutgoingRequest(Unshown, frozen=True):
    """A request to one backend, made of values only.

    `path` begins with `/` and may have a constant query; what is not percent-encoded in it yet is encoded
    when it is sent, as `query` is. `visitor` keeps cached replies of one visitor from another's, and those asked for
    before `newer_than` (epoch seconds) are too old for this one. `token` is the visitor's own, for a client that
    forwards it; `forwarded` are the headers that say by which way they came, for one that wants them.
    """

    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str | None = None
    visitor: bytes | None = None
    newer_than: float = 0.0
    token: str | None = None
    forwarded: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """The path with the whole query, as it is sent; raises ValueError where it cannot be."""
        path = sendable(self.path)
        if not self.query:
            return path
        joint = "&" if "?" in path else "?"
        return f"{path}{joint}{'&'.join(f'{quoted(name)}={quoted(value)}' for name, value in self.query)}"


_UNDECODED = object()


class Reply:
    """What a backend answered, whatever its status.

    `headers` have names in lower case, repeated ones joined by `, `, without Set-Cookie; `raw` is the decoded
    (unzipped) body; `attempts` counts the tries it took, 0 from the cache; `held` are the seconds since it came,
    where it was kept. `stale` says why an old reply stands in, which is what failed: what brought no reply, or
    the backend's status; it is None for a reply that is fresh, or old by no more than the recipe allows anyway.
    """

    __slots__ = ("_json", "attempts", "from_cache", "headers", "held", "max_depth", "raw", "stale", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str] | None = None,
        raw: bytes = b"",
        *,
        attempts: int = 1,
        from_cache: bool = False,
        max_depth: int = 100,
        held: float = 0.0,
        stale: Broken | int | None = None,
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.raw = raw
        self.attempts = attempts
        self.from_cache = from_cache
        self.max_depth = max_depth
        self.held = held
        self.stale = stale
        self._json: JSON = _UNDECODED

    def __repr__(self) -> str:
        return f"<Reply {self.status}, {len(self.raw)} bytes>"

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def allows(self) -> Allowed:
        """What its backend allows of it, as long as it was kept already."""
        found = allowed(self.headers, clock.wall() - self.held)
        if not self.held or found.fresh is None:
            return found
        return replace(found, fresh=max(0.0, found.fresh - self.held))

    def copy(self) -> Reply:
        """The same reply with JSON of its own, so that no step can change another's."""
        return Reply(
            self.status,
            dict(self.headers),
            self.raw,
            attempts=self.attempts,
            from_cache=self.from_cache,
            max_depth=self.max_depth,
            held=self.held,
            stale=self.stale,
        )

    def json(self) -> JSON:
        """The body's JSON, None when it is empty; decoded once; raises NotJSON or TooDeep.

        The content type is asked for a charset alone: backends send JSON as text/plain, and HTML is no JSON under any
        name.
        """
        if self._json is _UNDECODED:
            self._json = self.decoded(decode) if self.raw else None
        return self._json

    def decoded(self, decode: Callable[[bytes, int], JSON]) -> JSON:
        """What this makes of the body, which it gets in UTF-8."""
        content_type = self.headers.get("content-type")
        raw = self.raw if content_type in IN_UTF8 else in_utf8(self.raw, content_type)
        try:
            return decode(raw, self.max_depth)
        except NotJSON:
            marked = by_its_marks(raw)
            if marked is None:
                raise
            return decode(marked, self.max_depth)


class Broken(Struct, frozen=True):
    """Why a call has no reply.

    `breaker` is a backend that is being spared, `full` a client with as many calls under way as it may have.
    `sent` tells whether the backend may have got the request (a write may then have happened); `retry_after`
    is in seconds; `reason` says what the kind leaves open.
    """

    kind: BrokenKind
    sent: bool = False
    retry_after: int | None = None
    attempts: int = 0
    reason: Reason = ""


_TRANSIENT: Final = frozenset({429, 502, 503, 504})


def is_transient(outcome: Reply | Broken) -> bool:
    """Whether the same request may well succeed a moment later."""
    if isinstance(outcome, Broken):
        return outcome.kind == "refused"
    return outcome.status in _TRANSIENT


def of_tries(outcome: Reply | Broken, attempts: int, *, sent: bool) -> Reply | Broken:
    """What one of several tries came to, with what the others did."""
    if isinstance(outcome, Broken):
        return replace(outcome, sent=outcome.sent or sent, attempts=attempts)
    outcome.attempts = attempts
    return outcome


def copy_of(outcome: Reply | Broken) -> Reply | Broken:
    """The outcome for one more who waited for it."""
    return outcome.copy() if isinstance(outcome, Reply) else outcome


class CallError(BffError):
    """A call from a hand-written view brought no reply."""

    def __init__(self, client: str, broken: Broken) -> None:
        self.client = client
        self.kind = broken.kind
        self.reason = broken.reason
        self.sent = broken.sent
        self.status = {"timeout": 504, "breaker": 503, "full": 503, "limit": 500}.get(broken.kind, 502)
        self.retry_after = broken.retry_after
        why = f" ({broken.reason})" if broken.reason and broken.reason != broken.kind else ""
        super().__init__(f"client {client or 'without a name'}: {broken.kind}{why}")


class StreamBroke(BffError):
    """A reply that goes through as a stream ended before its end; `broken` says why, its words stand here too."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken
        self.kind, self.reason = broken.kind, broken.reason
        super().__init__(broken.kind)
