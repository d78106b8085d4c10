"""Whether and when a call is tried again: tenacity decides, the caller waits."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from bff import clock
from bff.http.freshness import moment_of
from bff.http.layers.layer import Layer
from bff.http.messages import Broken, Reply, is_transient

if TYPE_CHECKING:
    from tenacity import RetryCallState, stop_after_attempt, wait_random_exponential

    from bff.http.budget import Budget
    from bff.http.transport import Started


class Retries:
    """The retries of one request, from its first failure on; `until` is its deadline (monotonic).

    `least` are the seconds that a try needs. `attempts` counts the tries, and `last` is what the latest came to; `sent`
    tells that the backend may have got one, `lost` that one went out and brought no reply.
    """

    __slots__ = ("_state", "attempts", "last", "lost", "sent")

    def __init__(self, retries: int, until: float, least: float, budget: Budget) -> None:
        own = _own()
        self._state = own.State(own.retrying, None, (retries + 1, until - least, budget), {})
        self.attempts = 1
        self.last: Reply | Broken | None = None
        self.sent = self.lost = False

    def delay_after(self, outcome: Reply | Broken, *, sent: bool = False) -> float | None:
        """Seconds to wait after a try that went out or not, and came to this; None where that stands."""
        own, state = _own(), self._state
        state.kwargs["outcome"] = outcome
        state.set_result(outcome)
        decision = own.retrying.iter(state)
        if not isinstance(decision, own.Sleep):
            return None
        state.prepare_for_next_attempt()
        self.last = outcome
        self.lost = self.lost or (isinstance(outcome, Broken) and (sent or outcome.sent))
        self.sent = self.sent or sent
        return float(decision)


class Retry(Layer):
    """Has a call that may be repeated tried again a while after a failure that may pass."""

    def came(self, started: Started | None, outcome: Reply | Broken) -> Reply | Broken | None:
        if not is_transient(outcome) or (delay := self.delay_after(outcome)) is None:
            return outcome
        self.last, self.due = outcome, clock.monotonic() + delay
        return None

    def delay_after(self, outcome: Reply | Broken) -> float | None:
        """Seconds until the next try after a failure that may pass, None where this stands."""
        call = self.call
        if call.retries is None:  # else it was tried before it was a call
            least = self.tries.ledger.limits.min_try
            call.retries = Retries(call.way.retries, call.ends, least, call.client.gate.budget)
        delay: float | None = call.retries.delay_after(outcome)
        return delay


class _Tenacity(threading.local):
    """What decides in this thread, for every call alike: a state knows the call's tries, end and budget."""

    def __init__(self) -> None:
        from tenacity import DoSleep, RetryCallState, Retrying, retry_if_result

        self.State, self.Sleep = RetryCallState, DoSleep
        self.retrying = Retrying(
            retry=retry_if_result(is_transient),
            wait=_wait,
            stop=_must_stop,
            retry_error_callback=_give_up,
        )
        self.retrying.begin()


@cache
def _own() -> _Tenacity:
    """Loaded at a first failure."""
    return _Tenacity()


def _must_stop(state: RetryCallState) -> bool:
    tries, until, budget = state.args
    return _after(tries)(state) or clock.monotonic() + state.upcoming_sleep > until or not budget.spend()


def retry_after(reply: Reply) -> float | None:
    """Seconds that a reply's Retry-After (a number or an HTTP date) asks for, None without a clear one.

    A date is one of the backend's clock, so its own Date is what it is compared with.
    """
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = moment_of(text)
    if moment is None:
        return None
    now = moment_of(reply.headers.get("date", ""))
    return max(0.0, moment - (clock.wall() if now is None else now))


@cache
def _after(tries: int) -> stop_after_attempt:
    from tenacity import stop_after_attempt

    return stop_after_attempt(tries)


@cache
def _backoff() -> wait_random_exponential:
    from tenacity import wait_random_exponential

    return wait_random_exponential(multiplier=0.05, max=1.0)


def _wait(state: RetryCallState) -> float:
    outcome = state.kwargs["outcome"]
    asked = retry_after(outcome) if isinstance(outcome, Reply) else None
    return max(_backoff()(state), asked or 0.0)


def _give_up(_state: RetryCallState) -> None:
    return None
