"""Bodies that go through in pieces: every transport on real sockets, and a page's rules around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from bff.http import (
    Breaker,
    Broken,
    Calls,
    Client,
    HeldStream,
    OutgoingRequest,
    Reply,
    StreamBroke,
    Transport,
)
from bff.http.messages import CacheTerms
from tests.clock import Clock, too_late
from tests.fakes import (
    PATIENCE,
    FakeBackend,
    Received,
    Wire,
    answer,
    close,
    flood,
    half,
    half_chunked,
    head,
)
from tests.http.calling import ByHand, calls_on, get, ok, post, stream

LARGEST = 2**20


def opened(
    calls: Calls, client: Client, request: OutgoingRequest, *body: bytes, **more: Any
) -> HeldStream | Broken:
    given = iter(body) if body else None
    options = {"length": sum(map(len, body)) if body else None, "max_bytes": LARGEST}
    return stream(calls, client, request, given, **options | more)


def held(*given: Any, **more: Any) -> HeldStream:
    found = opened(*given, **more)
    assert isinstance(found, HeldStream), found
    return found


def broken(*given: Any, **more: Any) -> Broken:
    found = opened(*given, **more)
    assert isinstance(found, Broken), found
    return found


def end_of(stream: HeldStream) -> tuple[bytes, Broken]:
    """What comes of a stream before it breaks, and how it breaks."""
    parts = []
    with pytest.raises(StreamBroke) as caught:
        for part in stream.chunks():
            parts.append(part)
    return b"".join(parts), caught.value.broken


# --- down --------------------------------------------------------------------------------------------------------


def test_the_first_piece_is_there_before_the_backend_sends_the_last(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    got_first = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Length": "6"}) + b"one")
        assert got_first.wait(PATIENCE)
        wire.send(b"two")

    backend.on("GET /file", script)
    stream = held(make_calls(), client, get("/file"))
    pieces = stream.chunks()
    assert next(pieces) == b"one"
    got_first.set()
    assert b"".join(pieces) == b"two"


def test_a_chunk_comes_through_the_moment_it_is_sent(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    asked_for_more = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Transfer-Encoding": "chunked"}) + b"9\r\ndata: 1\n\n\r\n")
        assert asked_for_more.wait(PATIENCE)
        wire.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    backend.on("GET /events", script)
    pieces = held(make_calls(), client, get("/events")).chunks()
    assert next(pieces) == b"data: 1\n\n"
    asked_for_more.set()
    assert list(pieces) == [b"data: 2\n\n"]


def test_nothing_is_unpacked_and_nothing_packed_is_asked_for(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", answer(body=b"\x1f\x8b not unpacked", headers={"Content-Encoding": "gzip"}))
    stream = held(make_calls(), client, get("/file"))
    assert (list(stream.chunks()), stream.headers["content-encoding"]) == ([b"\x1f\x8b not unpacked"], "gzip")
    assert backend.requests[0].headers["accept-encoding"] == "identity"


def test_a_connection_is_used_again_after_a_whole_body_and_not_after_a_part_of_one(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", answer(body=b"whole"))
    backend.on("GET /large", flood(LARGEST, announced=True))
    for path in ("/file", "/large", "/file"):
        stream = held(make_calls(), client, get(path))
        pieces = stream.chunks()
        if path == "/file":
            assert list(pieces) == [b"whole"]
        else:
            next(pieces)
        stream.close()
    assert [request.connection for request in backend.requests] == [0, 0, 1]


def test_closing_ends_the_exchange_at_the_backend(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    noticed = threading.Event()

    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Length": "100"}) + b"one")
        wire.until_closed(PATIENCE)
        noticed.set()

    backend.on("GET /file", script)
    stream = held(make_calls(), client, get("/file"))
    next(stream.chunks())
    stream.close()
    assert noticed.wait(PATIENCE)


@pytest.mark.parametrize("length", ["-5", "twelve"])
def test_a_length_that_is_no_number_is_none(
    length: str, backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Length": length}) + b"one")
        wire.close()

    backend.on("GET /file", script)
    broken = opened(make_calls(), client, get("/file"))
    assert isinstance(broken, Broken)
    assert (broken.kind, broken.reason) == ("refused", "not-http")
    assert backend.wait_for_connections(0), "the connection was left open"


@pytest.mark.parametrize(("script", "came"), [(half, b'{"items": [1, 2'), (half_chunked, b"[1,")])
def test_an_end_that_comes_too_early_is_no_end(
    script: Any, came: bytes, backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", script)
    parts, why = end_of(held(make_calls(), client, get("/file")))
    assert (parts, why.kind, why.sent) == (came, "refused", True)


def test_a_body_that_stops_is_cut_off_at_the_deadline(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Length": "100"}) + b"one")
        wire.until_closed(PATIENCE)

    backend.on("GET /file", script)
    parts, why = end_of(held(make_calls(0.4), client, get("/file")))
    assert (parts, why.kind) == (b"one", "timeout")


def test_a_length_over_the_bound_is_refused_before_anything_of_it_is_read(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", flood(LARGEST + 1, announced=True))
    assert broken(make_calls(), client, get("/file")).kind == "too-large"


def test_a_body_without_a_length_is_cut_off_where_it_passes_the_bound(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", flood(4 * LARGEST, announced=False))
    parts, why = end_of(held(make_calls(), client, get("/file")))
    assert (len(parts) <= LARGEST, why.kind) == (True, "too-large")


def test_a_reply_of_responses_goes_through(
    client: Client, make_calls: Callable[..., Calls], backend: FakeBackend
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{backend.url}/file", body=b"mocked", content_type="image/png")
        stream = held(make_calls(), client, get("/file"))
        assert (stream.status, stream.headers["content-type"], list(stream.chunks())) == (
            200,
            "image/png",
            [b"mocked"],
        )
    assert backend.requests == []


# --- up ----------------------------------------------------------------------------------------------------------


def test_a_body_goes_up_with_its_length(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("POST /file", answer(201, body=b""))
    stream = held(make_calls(), client, post("/file", content_type="image/png"), b"one", b"two")
    [request] = backend.requests
    assert (stream.status, request.body) == (201, b"onetwo")
    assert {
        name: request.headers.get(name) for name in ("content-length", "transfer-encoding", "content-type")
    } == {
        "content-length": "6",
        "transfer-encoding": None,
        "content-type": "image/png",
    }


def test_a_body_of_unknown_length_goes_up_in_chunks(
    client: Client, make_calls: Callable[..., Calls], backend: FakeBackend
) -> None:
    backend.on("POST /file", answer(201, body=b""))
    held(make_calls(), client, post("/file"), b"one", b"two", length=None)
    [request] = backend.requests
    assert (request.body, request.headers["transfer-encoding"]) == (b"onetwo", "chunked")
    assert "content-length" not in request.headers


def test_the_first_piece_is_sent_before_the_visitor_gives_the_last(
    client: Client, make_calls: Callable[..., Calls], backend: FakeBackend
) -> None:
    """Else a body would have to be held as a whole."""
    open_now: list[int] = []

    def body() -> Iterator[bytes]:
        yield b"one"
        assert backend.wait_for_connections(1)  # the head and the first piece are on their way
        open_now.append(backend.open_connections)
        yield b"two"

    backend.on("POST /file", answer(201, body=b""))
    found = stream(make_calls(), client, post("/file"), body(), length=6, max_bytes=LARGEST)
    assert (isinstance(found, HeldStream), open_now, backend.requests[0].body) == (True, [1], b"onetwo")


def test_what_a_visitors_body_raises_comes_through_and_the_backend_gets_no_whole_request(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    def body() -> Iterator[bytes]:
        yield b"one"
        raise LookupError("the visitor has gone")

    with pytest.raises(LookupError, match="the visitor has gone"):
        stream(make_calls(), client, post("/file"), body(), length=6, max_bytes=LARGEST)
    assert backend.wait_for_connections(0)
    assert [request.body for request in backend.requests] in ([], [b"one"])
    assert client.gate.enter(first=True), "its place was given back"


def test_the_time_that_a_visitor_takes_is_not_the_backends(
    backend: FakeBackend, make_calls: Callable[..., Calls]
) -> None:
    client = Client(backend.url, timeout="300ms")
    backend.on("POST /file", answer(201, body=b""))
    waiting = threading.Event()

    def body() -> Iterator[bytes]:
        for _ in range(3):
            waiting.wait(0.2)  # a slow line
            yield b"x"

    found = stream(make_calls(), client, post("/file"), body(), length=3, max_bytes=LARGEST)
    assert isinstance(found, HeldStream) and found.status == 201


def test_a_backend_that_does_not_answer_is_given_up_at_the_time_out(
    backend: FakeBackend, make_calls: Callable[..., Calls], clock: Clock
) -> None:
    client = Client(backend.url, timeout="200ms", retries=0)
    backend.on("GET /file", too_late(clock, 1))
    backend.on("POST /file", too_late(clock, 1))
    assert broken(make_calls(), client, get("/file")).kind == "timeout"
    late = broken(make_calls(), client, post("/file"), b"one")
    assert (late.kind, late.sent) == ("timeout", True)


# --- a page's rules ----------------------------------------------------------------------------------------------


def test_a_read_is_tried_again_before_its_head_came(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", close, answer(503), answer(body=b"third time"))
    client.retries = 2
    assert list(held(make_calls(), client, get("/file")).chunks()) == [b"third time"]


def test_a_body_is_never_sent_twice(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("POST /file", answer(503), answer(201))
    client.retries = 2
    stream = held(make_calls(), client, post("/file", repeatable=True), b"one")
    assert (stream.status, len(backend.requests)) == (503, 1)


def test_a_stream_keeps_its_place_until_it_is_closed(make_calls: Callable[..., Calls]) -> None:
    client = Client("http://backend.test", concurrency=1)
    stream = held(calls_on(ByHand(ok())), client, get("/a"))
    assert broken(calls_on(ByHand(ok())), client, get("/a")).kind == "full"
    stream.close()
    stream.close()
    assert isinstance(opened(calls_on(ByHand(ok())), client, get("/a")), HeldStream)


def test_failing_heads_open_the_circuit_and_a_stream_is_then_not_asked_for() -> None:
    client = Client("http://backend.test", retries=0, breaker=Breaker(failures=2))
    transport = ByHand(Reply(503), Broken("refused"), ok())
    held(calls_on(transport), client, get("/a")).close()
    assert broken(calls_on(transport), client, get("/a")).kind == "refused"
    spared = broken(calls_on(transport), client, get("/a"))
    assert (spared.kind, spared.retry_after is not None, len(transport.flights)) == ("breaker", True, 2)


def test_what_goes_up_carries_the_headers_of_every_request() -> None:
    from bff import forward_token

    transport = ByHand(ok())
    client = Client("http://backend.test", auth=forward_token("people"))
    calls = Calls(transport, time.monotonic() + 5, request_id="one-id")
    opened(calls, client, get("/a", token="of-ann", headers={"Range": "bytes=0-1"}))
    headers = transport.flights[0].request.headers
    assert {
        name: headers[name] for name in ("Authorization", "X-Request-ID", "Range", "Accept-Encoding")
    } == {
        "Authorization": "Bearer of-ann",
        "X-Request-ID": "one-id",
        "Range": "bytes=0-1",
        "Accept-Encoding": "identity",
    }


def test_nothing_of_a_stream_is_kept(client: Client) -> None:
    transport = ByHand(ok(), ok())
    for _ in range(2):
        held(calls_on(transport), client, get("/a", cache=CacheTerms(60.0))).close()
    assert len(transport.flights) == 2


def test_the_backend_is_told_how_long_the_whole_may_take(
    backend: FakeBackend, client: Client, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", answer(body=b"x"))
    client.timeout = 0.5
    held(make_calls(60), client, get("/file")).close()
    assert 50_000 < int(backend.requests[0].headers["x-request-deadline-ms"]) <= 60_000


def test_a_stream_needs_no_thread(
    backend: FakeBackend, client: Client, transport: Transport, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /file", answer(body=b"x"))
    before = set(threading.enumerate())
    stream = held(make_calls(), client, get("/file"))
    assert "bff-http" not in {thread.name for thread in set(threading.enumerate()) - before}
    stream.close()
