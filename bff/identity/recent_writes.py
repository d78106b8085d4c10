"""What a visitor wrote, and when: carried in a small sealed cookie, so that no instance shows them what was before.

Only times and names of steps are in it. It belongs to the browser and not to a session: it says which kept replies
are too old for this visitor, and can make a page slower, never show more.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from bff import jsontext
from bff.hashing import blake2b
from bff.identity.session import AHEAD

PRIVATE = "*"
"""Stands for every private step: what a write makes old unless its recipe says what."""
EVERYTHING = "**"
"""Stands for every cached step: what is left of a list that became too long."""
MAX_NAMES = 20
CLOCKS = 1.0
"""Seconds that the clocks of two instances may differ."""

_MAX_BYTES = 1024
_MAX_COOKIE = 2048


class RecentWrites(Struct, frozen=True):
    """The time (epoch seconds) of the newest write for each name: `home`, `home.todos`, PRIVATE, EVERYTHING."""

    moments: Mapping[str, float] = field(default_factory=dict)

    def newer_than(self, known_as: Iterable[str], *, private: bool) -> float:
        """What a reply must have been asked for after, to be new enough for this visitor; 0 for any."""
        names = [EVERYTHING, *known_as, *([PRIVATE] if private else [])]
        return max(self.moments.get(name, 0.0) for name in names)

    def also(self, names: Iterable[str], now: float) -> RecentWrites:
        """With a write that has just ended and makes these steps old."""
        return RecentWrites({**self.moments, **dict.fromkeys(names, now)})

    def since(self, moment: float) -> RecentWrites:
        """Only what was written after a moment: before it nothing is kept that could be too old."""
        return RecentWrites({name: time for name, time in self.moments.items() if time > moment})

    def bounded(self) -> RecentWrites:
        """The same, or everything at its newest time where the names are too many."""
        if len(self.moments) <= MAX_NAMES and sum(map(len, self.moments)) <= _MAX_BYTES:
            return self
        return RecentWrites({EVERYTHING: max(self.moments.values())})


NO_RECENT_WRITES = RecentWrites()


class RecentWritesSeal:
    """Seals what was written into a cookie and opens it; `keys` are those of the session, newest first.

    Keys of its own are made of them, so that no cookie can stand in for one of another kind.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # only where sessions are kept

        self._fernet = MultiFernet([Fernet(_own_key(key)) for key in keys])
        self._not_ours = (InvalidToken, ValueError)

    def seal(self, written: RecentWrites) -> str:
        """The cookie's value."""
        return self._fernet.encrypt(jsontext.encode(dict(written.bounded().moments))).decode("ascii")

    def open(self, value: str, lifetime: float, now: float) -> RecentWrites:
        """What a cookie says of the last `lifetime` seconds, and AHEAD more; nothing for one that is not ours."""
        if len(value) > _MAX_COOKIE or not value.isascii():
            return NO_RECENT_WRITES
        try:
            # Its age is judged by what is in it: Fernet refuses what is a minute ahead, and a write is not undone
            # because a clock was put back.
            found = jsontext.decode(self._fernet.decrypt(value.encode("ascii")))
        except self._not_ours:
            return NO_RECENT_WRITES
        if not isinstance(found, dict) or not all(isinstance(time, int | float) for time in found.values()):
            return NO_RECENT_WRITES
        # A time to come is of a clock that was wrong: everything would be too old until then.
        times = {name: min(float(time), now + CLOCKS) for name, time in found.items()}
        # The browser forgets the cookie in time; here it lasts, so that a clock put forward forgets no write.
        return RecentWrites(times).since(now - lifetime - AHEAD)


def _own_key(key: str) -> bytes:
    secret = base64.urlsafe_b64decode(key)
    return base64.urlsafe_b64encode(blake2b(secret, digest_size=32, person=b"bff written").digest())
