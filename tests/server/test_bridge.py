"""A WSGI app behind an ASGI server: what goes in, what comes out, and when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
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
    **more: Any,
) -> list[Message]:
    """What a server is sent for a request; its body comes in pieces, and may stop before its end."""

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
            sent.append(message)

        headers = []
        if pieces is not None:
            told = (
                (b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length)
            )
            headers.append(told)
        await asyncio.wait_for(bridge({**scope(b"/page", *headers), **more}, receive, send), PATIENCE)
        return sent

    return asyncio.run(once())


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
