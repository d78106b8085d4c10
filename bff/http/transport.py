"""The seam between calls and the network, and the transport of threads behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from bff.http.messages import Broken, Reply

if TYPE_CHECKING:
    from bff.http.client import Client


@dataclass(frozen=True, slots=True, repr=False)
class Try:
    """One sending of a request, ready to go: everything is encoded and checked.

    `until` (monotonic) is when it is given up, `max_bytes` the longest body that is read.
    """

    client: Client
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    until: float
    max_bytes: int


class Started(Protocol):
    """A try under way; `outcome` is None until it has ended."""

    @property
    def outcome(self) -> Reply | Broken | None: ...

    @property
    def sent(self) -> bool:
        """Whether the backend may have got some of it."""

    @property
    def held(self) -> bool:
        """Whether it still waits for a place among its client's calls."""


class Transport(Protocol):
    """What the layer asks of the network."""

    def start(self, request: Try) -> Started:
        """Sets a try going; never blocks on the network and never raises for it."""

    def wait(self, started: Collection[Started], until: float) -> list[Started]:
        """Those of `started` that have ended; waits for the first, at most until then (monotonic)."""

    def abandon(self, started: Started) -> None:
        """Gives a try up: its outcome is not wanted any more, what it holds is freed soon."""


class ThreadTransport:
    """Sends each try on a thread of its own, with requests."""

    def __init__(self, max_threads: int = 128) -> None:
        raise NotImplementedError

    def start(self, request: Try) -> Started:
        raise NotImplementedError

    def wait(self, started: Collection[Started], until: float) -> list[Started]:
        raise NotImplementedError

    def abandon(self, started: Started) -> None:
        raise NotImplementedError


@cache
def default_transport() -> Transport:
    raise NotImplementedError
