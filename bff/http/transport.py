"""The seam between calls and the network: what is asked of a transport, whichever it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from bff.http.client import Client
from bff.http.messages import Broken, Reply
from bff.records import Unshown


class Try(Unshown, frozen=True):
    """One sending of a request, ready to go: everything is encoded and checked.

    `until` (monotonic) is when it is given up, `start_by` when starting it is no use any more, `max_bytes` the
    longest body that is read; `patience` is for streams alone: the seconds that a backend may take for the
    reply's head, after the last piece of the body. The transport adds what only the moment of sending knows:
    X-Request-Deadline-Ms and what the client's AuthBase signs.
    """

    client: Client
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    start_by: float
    until: float
    max_bytes: int
    patience: float = 0.0


class Started(Protocol):
    """A try under way; `outcome` is None until it has ended."""

    @property
    def outcome(self) -> Reply | Broken | None: ...

    @property
    def sent(self) -> bool:
        """Whether the backend may have got some of it."""

    @property
    def held(self) -> bool:
        """Whether it waits to begin: as many calls are under way, of its client or of all, as may be."""


class Stream(Protocol):
    """A reply that goes through unread, whose head has come; header names are in lower case."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes, to be asked for once; raises StreamBroke where it ends before its end."""

    def close(self) -> None:
        """Ends the exchange where it stands; a connection with something left on it is not used again."""


class Promise(Started, Protocol):
    """A try that another thread makes; who waits for tries of their own may wait for it beside them."""

    def fulfil(self, outcome: Reply | Broken) -> None:
        """Ends it with this outcome, once, from any thread."""


class Transport(Protocol):
    """What the layer asks of the network; used by many threads, a started try by the one that started it."""

    def start(self, request: Try) -> Started:
        """Sets a try going; never waits for the network and never raises for it."""

    def promise(self) -> Promise:
        """Something to wait for that another thread ends."""

    def wait(self, started: Collection[Started], until: float) -> Sequence[Started]:
        """Those of `started` that have ended; waits for the first, at most until then (monotonic)."""

    def abandon(self, started: Started) -> None:
        """Gives a try up: its outcome is not wanted any more, and what it holds is freed soon."""

    def stream(self, request: Try, body: Iterable[bytes] | None) -> Stream | Broken:
        """Sends a request with this body, in the caller's own thread, and waits for the reply's head.

        Raises what `body` raises, and nothing else.
        """


class Waiter(Protocol):
    """Somebody who wants to be told that something has ended."""

    def put(self, item: None, /) -> None: ...
