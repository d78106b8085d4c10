"""The session: what a sign-in leaves in the visitor's own cookie, encrypted and authenticated.

Fernet (AES-128-CBC with HMAC-SHA256, from `cryptography`) does both; keys rotate by being listed newest first.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bff import jsontext
from bff.hashing import blake2b
from bff.identity.visitor import Visitor
from bff.records import Unshown

MAX_COOKIE = 4096
AHEAD = 3900.0
"""Seconds by which another clock, or this one before it was put back, may be ahead: an hour, as where a time zone
was mistaken, and a little."""
_VERSION = 1
_REMEMBERED = 1024
_LARGEST, _DEEPEST = 16 * MAX_COOKIE, 100


class SessionTooLarge(ValueError):
    """The cookie would be larger than browsers keep."""


class NotYet(ValueError):
    """The cookie is ours and of a time to come: by another clock, or later, it may be good."""


class Session(Unshown, frozen=True):
    """What a visitor carries: `user` for expressions, `tokens` by the client they are for, `expires` in epoch s."""

    user: Any
    tokens: Mapping[str, str]
    expires: int


class _Opened(Unshown, frozen=True):
    """A cookie as it was opened once: `read` makes `user` of its JSON, `sealed` is when it was (epoch seconds)."""

    user: bytes
    read: Callable[[bytes], Any]
    tokens: Mapping[str, str]
    expires: int
    sealed: int
    mark: bytes


class SessionSeal:
    """Seals sessions into cookies and opens them; `keys` are Fernet keys, newest first, `ttl` is in seconds."""

    def __init__(self, keys: Sequence[str], ttl: float) -> None:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # only where sessions are kept

        self._not_ours: type[Exception] = InvalidToken
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        secret = base64.urlsafe_b64decode(keys[0])
        self._ttl = int(ttl)
        # A visitor's next page brings the same cookie, and to open it costs more than all else before the page runs.
        self._opened = functools.lru_cache(_REMEMBERED)(self._open)
        self._mark_key = blake2b(secret, digest_size=32, person=b"bff visitor").digest()

    def seal(self, session: Session, now: float) -> str:
        """The cookie's value; the session dies at `expires` or after the ttl, whichever is first."""
        expires = min(session.expires, int(now) + self._ttl)
        whole = [_VERSION, session.user, dict(session.tokens), expires]
        try:
            plain = jsontext.encode_within(whole, _LARGEST, _LARGEST, _DEEPEST)
        except jsontext.TooLarge as exc:
            raise SessionTooLarge(f"what is in it is {exc}: put less into it") from exc
        return self._fernet.encrypt_at_time(plain, int(now)).decode("ascii")

    def open(self, value: str, now: float) -> Session | None:
        """The session of a cookie; None for one that is tampered with, of an unknown key, old or over its time.

        Raises NotYet for one that was sealed later than any clock that is right by an hour says.
        """
        visitor = self.visitor_of(value, now)
        return None if visitor is None else Session(visitor.user, visitor.tokens, self._opened(value).expires)

    def visitor_of(self, value: str, now: float) -> Visitor | None:
        """The visitor of a cookie whose session `open` would give."""
        try:
            found = self._opened(value)
        except (self._not_ours, ValueError):
            return None
        if found.sealed > now + AHEAD:
            raise NotYet
        if now >= found.expires or int(now) > found.sealed + self._ttl:
            return None
        # Their user each time anew: what a project's function does to it is of its own page alone.
        return Visitor(found.read(found.user), found.tokens, None, found.mark)

    def _open(self, value: str) -> _Opened:
        """What is sealed in a cookie; raises ValueError or what Fernet does for one that is none of ours."""
        if len(value) > MAX_COOKIE or not value.isascii():
            raise ValueError("it is no cookie of ours")
        # Not with Fernet's own ttl: that refuses what is a minute ahead, whoever's clock is wrong.
        found = jsontext.decode(self._fernet.decrypt(value.encode("ascii")))
        if not isinstance(found, list) or len(found) != 4 or found[0] != _VERSION:
            raise ValueError("it is of another version")
        _, user, tokens, expires = found
        # Where Fernet's specification has the time.
        sealed = int.from_bytes(base64.urlsafe_b64decode(value)[1:9])
        written = jsontext.encode(user)
        return _Opened(
            written, jsontext.decoder_for(written), tokens, expires, sealed, self.mark([user, tokens])
        )

    def mark(self, who: Any) -> bytes:
        """A keyed hash of who a visitor is."""
        return blake2b(jsontext.encode(who), key=self._mark_key, digest_size=16).digest()


def expiry_of(expires: Any, tokens: Mapping[str, str], now: float, ttl: float) -> int | None:
    """When a session ends, in epoch seconds: what the recipe says, else the earliest `exp` of the tokens that are
    JWTs, else after the ttl. None when what the recipe says is no number and no ISO time (UTC without a zone)."""
    if expires is None:
        ends = [exp for token in tokens.values() if (exp := _exp(token)) is not None]
        return min(ends, default=int(now + ttl))
    if type(expires) in (int, float):
        return int(expires)
    if isinstance(expires, str):
        try:
            moment = datetime.fromisoformat(expires)
            return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
        except (ValueError, OverflowError):
            return None
    return None


def _exp(token: str) -> int | None:
    """The `exp` of a token that is a JWT. Read without a check of its signature: it only shortens the session."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = jsontext.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    found = claims.get("exp") if isinstance(claims, dict) else None
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
