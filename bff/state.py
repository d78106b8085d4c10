"""What instances remember together of a visitor's repeated writes: in Redis, under a hash, encrypted.

One entry for each key: first that the request asks to run, then that it runs, then its answer. An entry is told apart
from all others by its ciphertext, so that a request that took too long cannot overwrite what a later one has put there.
Nothing runs while the first of these stands: where the word that it stands was lost, a repeat takes its place.

When it cannot say whether something was done, nothing is done. The word that a request asks to run can be lost with
nothing begun, so a repeat may take its place, and of two that do one wins. Only a store that goes away between that
word and the next keeps a key for a while.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from bff import clock, jsontext
from bff.breaker import Breaker, Circuit
from bff.errors import BffError
from bff.hashing import blake2b
from bff.records import Unshown

if TYPE_CHECKING:
    from redis import Redis

PATIENCE = 0.5
"""Seconds that the store may take to connect, and to answer."""
KEPT = 24 * 3600
"""Seconds that an answer is kept."""

_VERSION = 1
_PREFIX = "bff:repeat:"
_IF_OURS = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end; "
_REPLACE = f"{_IF_OURS}redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]); return 1"
_REMOVE = f"{_IF_OURS}return redis.call('DEL', KEYS[1])"
_SHORTEN = (
    f"{_IF_OURS}if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) "
    "then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end; return 1"
)
_ROUNDS = 4
_REST = Breaker(failures=3, rate=0.5, least=20, window="10s", rest="2s")
_log = logging.getLogger("bff")
_T = TypeVar("_T")


class StateUnavailable(BffError):
    """The store does not answer, or what it holds cannot be read."""


class KeptAnswer(Struct, frozen=True):
    """An answer as it is given again; headers in the order set."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Claim(Unshown, frozen=True):
    """The right to run a request that this process has: where its entry is, and what the entry holds."""

    name: str
    sealed: bytes
    fingerprint: str


class Earlier(Struct, frozen=True):
    """A request with the same key that was there first; `answer` is None while it runs, or has not begun to."""

    is_same: bool
    answer: KeptAnswer | None
    begun: bool = True


class RepeatStore:
    """Remembers answers for a day; every method raises StateUnavailable within about a second.

    A store that fails is left alone for a while: then it is raised at once, and no thread waits.
    """

    def __init__(self, url: str, keys: Sequence[str], make: Callable[[str], Redis] | None = None) -> None:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # only where there is such a store

        self._not_ours: type[Exception] = InvalidToken
        self._redis = (make or connect)(url)
        self._circuit = Circuit(_REST)
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        secret = base64.urlsafe_b64decode(keys[0])
        self._hash_key = blake2b(secret, digest_size=32, person=b"bff repeats").digest()

    def claim(self, who: Sequence[str], request: Sequence[str | bytes], seconds: float) -> Claim | Earlier:
        """Claim a request for so many seconds, or say what came before it.

        `who` names visitor, route and key; `request` is what must be the same in a repeat.
        """
        name = _PREFIX + self._hashed(*who)
        fingerprint = self._hashed(*request)
        asks, runs = self._sealed([_VERSION, fingerprint, None]), self._sealed([_VERSION, fingerprint])
        lasts = int(seconds * 1000)
        for _ in range(_ROUNDS):  # what is there may end, or be taken by another, between two questions
            found = self._put_or_get(name, asks, lasts)
            if not isinstance(found, bytes):
                continue
            earlier = self._opened(found, fingerprint)
            if earlier.begun or not earlier.is_same:
                if (
                    earlier.answer is None
                ):  # Redis's clock may have been put back, and with it the claim's end
                    self._eval(_SHORTEN, name, found, lasts)
                return earlier
            if self._eval(_REPLACE, name, found, runs, lasts):
                return Claim(name, runs, fingerprint)
        raise StateUnavailable("an entry comes and goes")

    def _put_or_get(self, name: str, asks: bytes, lasts: int) -> Any:
        """What stands under a name: `asks`, if nothing did."""
        if self._asked(lambda: self._redis.set(name, asks, nx=True, px=lasts)):
            return asks
        return self._asked(lambda: self._redis.get(name))

    def _eval(self, script: str, name: str, *arguments: bytes | int) -> Any:
        return self._asked(lambda: self._redis.eval(script, 1, name, *arguments))

    def keep(self, claim: Claim, answer: KeptAnswer) -> None:
        """Put the answer in the place of the claim, if it is still ours."""
        headers = [list(header) for header in answer.headers]
        body = base64.b64encode(answer.body).decode("ascii")
        sealed = self._sealed([_VERSION, claim.fingerprint, answer.status, headers, body])
        self._eval(_REPLACE, claim.name, claim.sealed, sealed, KEPT * 1000)

    def release(self, claim: Claim) -> None:
        """Forget a claim, so that a repeat runs."""
        self._eval(_REMOVE, claim.name, claim.sealed)

    def _opened(self, sealed: bytes, fingerprint: str) -> Earlier:
        try:
            version, wanted, *rest = jsontext.decode(self._fernet.decrypt(sealed))
            if version != _VERSION:
                raise ValueError("an entry of another version")
            if rest in ([], [None]):
                return Earlier(wanted == fingerprint, None, begun=not rest)
            status, headers, body = rest
            pairs = tuple((str(name), str(value)) for name, value in headers)
            return Earlier(wanted == fingerprint, KeptAnswer(int(status), pairs, base64.b64decode(body)))
        except (self._not_ours, ValueError, TypeError) as exc:
            # Nobody can tell whether the first request ran: running it again could do it twice.
            _log.error("bff: an entry of the state store cannot be read (%s)", type(exc).__name__)
            raise StateUnavailable("an entry that cannot be read") from exc

    def _sealed(self, plain: Any) -> bytes:
        return self._fernet.encrypt(jsontext.encode(plain))

    def _hashed(self, *parts: str | bytes) -> str:
        digest = blake2b(key=self._hash_key, digest_size=20)
        for part in parts:
            raw = part.encode() if isinstance(part, str) else part
            digest.update(len(raw).to_bytes(8, "big") + raw)
        return digest.hexdigest()

    def _asked(self, ask: Callable[[], _T]) -> _T:
        from redis.exceptions import RedisError, ResponseError

        permit = self._circuit.enter(clock.monotonic() + 2 * PATIENCE)
        if permit is None:
            raise StateUnavailable("it rests")
        try:
            found = ask()
        except ResponseError as exc:  # it answers: what is wrong is no reason not to ask again
            self._circuit.succeeded(permit)
            raise self._failed(exc) from exc
        except (RedisError, OSError) as exc:
            rest = self._circuit.failed(permit)
            raise self._failed(exc, "" if rest is None else f", and rests for {rest:.1f} s") from exc
        self._circuit.succeeded(permit)
        return found

    def _failed(self, error: Exception, so: str = "") -> StateUnavailable:
        # The message could name the host, and with it a password.
        _log.error("bff: the state store failed (%s)%s", type(error).__name__, so)
        return StateUnavailable(type(error).__name__)


def connect(url: str, patience: float = PATIENCE) -> Redis:
    """A Redis that answers within so many seconds or raises; nothing is sent before it is asked."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    found: Redis = Redis.from_url(
        url,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),  # the pool itself sees connections that have ended
    )
    return found
