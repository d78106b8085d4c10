"""A WSGI app behind an ASGI server: what goes in, what comes out, and when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bff.errors import PageError
from bff.server import Bridge
from bff.server import body as bodies
from tests.server.test_environ import scope

PATIENCE = 30
Message = dict[str, Any]


def asked(
    bridge: Bridge,
    pieces: Iterable[bytes] | None = None,
    *,
    length: int | None = None,
    stops: bool = False,
    gone: bool = False,
    takes: int | None = None,
    **more: Any,
) -> list[Message]:
    """What a server is sent for a request; its body comes in pieces, and may stop before its end.

    After so many messages the visitor `takes` no more.
    """

    async def once() -> list[Message]:
        sent: list[Message] = []
        coming = iter(pieces or ())
        at_end = [] if stops else [b""]

        async def receive() -> Message:
            if (piece := next(coming, None)) is not None:
                return {"type": "http.request", "body": piece, "more_body": True}
            if gone:
                return {"type": "http.disconnect"}
            if not at_end:
                await asyncio.sleep(PATIENCE)
            return {"type": "http.request", "body": at_end.pop(), "more_body": False}

        async def send(message: Message) -> None:
            if len(sent) == takes:
                await asyncio.sleep(PATIENCE * 2)
            sent.append(message)

        headers = []
        if pieces is not None:
            told = (
                (b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length)
            )
            headers.append(told)
        await asyncio.wait_for(bridge({**scope(b"/page", *headers), **more}, receive, send), PATIENCE)
        return sent

    # A thread of its own: playwright keeps a loop running in that of the tests.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: asyncio.run(once())).result()


def body_of(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def mirror(environ: dict[str, Any], start: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Length", str(len(body))), ("X-Name", "Jos\xe9")])
    return [body]


def test_a_short_answer_goes_out_whole() -> None:
    head, body = asked(Bridge(mirror, 1), [b"ab", b"c"])
    assert head == {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", b"3"), (b"x-name", b"Jos\xe9")],
    }
    assert body == {"type": "http.response.body", "body": b"abc"}


def test_a_long_body_is_read_while_it_comes() -> None:
    piece = b"x" * 300_000
    assert len(body_of(asked(Bridge(mirror, 1), [piece] * 10))) == 3_000_000


def test_pieces_go_out_one_by_one_and_the_answer_is_closed() -> None:
    closed = threading.Event()

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"one", b"two")

        def close(self) -> None:
            closed.set()

    def app(_: dict[str, Any], start: Any) -> Pieces:
        start("200 OK", [])
        return Pieces()

    sent = asked(Bridge(app, 1))
    assert [(message.get("body"), message.get("more_body", False)) for message in sent[1:]] == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]
    assert closed.is_set()


class Endless:
    """An answer that ends when it is closed."""

    def __init__(self, piece: bytes = b"x") -> None:
        self.closed = threading.Event()
        self._piece = piece

    def __call__(self, _: dict[str, Any], start: Any) -> Endless:
        start("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        while not self.closed.is_set():
            yield self._piece

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("seconds", [None, 30.0], ids=["unread", "waited for"])
@pytest.mark.parametrize("pieces", [None, [], [b"ha"]], ids=["none", "empty", "half"])
def test_who_leaves_ends_an_answer_in_pieces_whatever_is_left_of_their_body(
    pieces: list[bytes] | None, seconds: float | None
) -> None:
    app = Endless()
    asked(
        Bridge(app, 1, seconds_for=lambda _: seconds),
        pieces,
        length=None if pieces is None else 500,
        gone=True,
    )
    assert app.closed.is_set()


def test_a_body_that_is_read_while_its_answer_goes_out_loses_nothing() -> None:
    def app(environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        while piece := environ["wsgi.input"].read(100_000):
            yield piece

    sent = asked(Bridge(app, 1), [bytes([number]) * 300_000 for number in range(10)])
    assert body_of(sent) == b"".join(bytes([number]) * 300_000 for number in range(10))


def test_who_takes_nothing_of_an_answer_holds_no_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bff.server.bridge._TAKEN_WITHIN", 0.01)
    app = Endless()
    sent = asked(Bridge(app, 1), takes=3)
    assert (len(sent), app.closed.is_set(), caplog.text) == (3, True, "")


def test_a_large_answer_waits_here_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.server.bridge._TAKEN_WITHIN", 0.01)
    body = bytes(range(256)) * 1000

    def app(_: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    whole = asked(Bridge(app, 1))
    assert body_of(whole) == body
    assert max(len(message.get("body", b"")) for message in whole) == 65_536
    assert [message.get("more_body", False) for message in whole[1:]] == [True, True, True, False]
    assert asked(Bridge(app, 1), takes=2) == whole[:2]  # and no end, which would make a part the whole


def test_large_pieces_are_no_larger_to_the_server_than_others() -> None:
    def app(_: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [])
        return [b"x" * 100_000, b"y" * 100_000]

    sent = asked(Bridge(app, 1))
    assert [len(message["body"]) for message in sent[1:]] == [65_536, 34_464, 65_536, 34_464, 0]


def test_an_app_that_raises_is_a_500_without_words(caplog: pytest.LogCaptureFixture) -> None:
    def app(_: dict[str, Any], __: Any) -> list[bytes]:
        raise RuntimeError("hush")

    head, body = asked(Bridge(app, 1))
    assert (head["status"], body["body"]) == (500, b"")
    assert "RuntimeError: hush" in caplog.text


def failure_of(bridge_of: Any, pieces: list[bytes], **more: Any) -> str:
    """The kind of problem that reading a body ends with."""
    found: list[str] = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [])
        try:
            environ["wsgi.input"].read()
        except PageError as error:
            found.append(error.kind)
        return []

    asked(bridge_of(app), pieces, stops=True, **more)
    [kind] = found
    return kind


def test_a_body_that_stops_ends_by_the_wait_for_its_next_byte() -> None:
    assert failure_of(lambda app: Bridge(app, 1, idle=0.01), [b"x"]) == "upload-too-slow"


def test_a_body_that_stops_ends_by_the_time_of_its_page() -> None:
    assert failure_of(lambda app: Bridge(app, 1, seconds_for=lambda _: 0.01), [b"x"]) == "upload-too-slow"


def test_a_visitor_who_is_gone_ends_the_body() -> None:
    assert failure_of(lambda app: Bridge(app, 1), [b"x"], length=5, gone=True) == "cut-body"


def test_bodies_that_are_waited_for_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ALL_WAITING", 10)
    assert failure_of(lambda app: Bridge(app, 1), [b"x" * 11]) == "busy"


def test_what_a_body_held_is_given_back() -> None:
    bridge = Bridge(mirror, 1)
    for _ in range(3):
        asked(bridge, [b"x" * 100], length=100)
    assert bridge._waiting.held == 0


def test_a_body_of_a_known_length_is_whole_with_its_last_byte() -> None:
    assert body_of(asked(Bridge(mirror, 1), [b"abc"], length=3, stops=True)) == b"abc"
