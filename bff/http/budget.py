"""How many requests a client may make beside those that its calls need."""

from __future__ import annotations

import threading

from bff import clock, forks


class Budget:
    """How many further requests a client may make beside its calls' first ones, so that they cannot storm.

    A share of its calls and so many a second; it holds `full` of them, and `first` when it is new. Without
    arguments it is that of retries: a tenth of the calls, and one a second besides. Thread-safe; `lock` guards what is
    in it, and may guard more.
    """

    def __init__(
        self,
        *,
        per_call: float = 0.1,
        per_second: float = 1.0,
        full: float = 10.0,
        first: float = 10.0,
        lock: threading.Lock | None = None,
    ) -> None:
        self.per_call = per_call
        self._per_second = per_second
        self._full = full
        self._lock = lock or forks.lock()
        self.tokens = first
        self._filled_at = clock.monotonic()

    def earn(self) -> None:
        """Counts a call's first try."""
        with self._lock:
            # What is over `full` goes when one is spent: every call earns, few spend.
            self.tokens += self.per_call

    def spend(self) -> bool:
        """Takes one request out, if there is one."""
        with self._lock:
            now = clock.monotonic()
            tokens = self.tokens + (now - self._filled_at) * self._per_second
            self.tokens = min(self._full, tokens)
            self._filled_at = now
            if self.tokens < 1.0:
                return False
            self.tokens -= 1.0
            return True


def budget_of_hedges(lock: threading.Lock | None = None) -> Budget:
    """That of second copies: a twentieth of a client's reads."""
    return Budget(per_call=0.05, per_second=0.0, full=10.0, first=1.0, lock=lock)
