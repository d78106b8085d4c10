"""Why a call brought no reply, as a word of a closed set: the same on both transports, and for streams."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any, get_args

import pytest

from bff.errors import Reason
from bff.http import Broken, Calls, Client, Limits, StreamBroke
from bff.http.faults import reason_of
from tests.fakes import FakeBackend, Received, Script, Wire, answer, close, half, half_chunked, head
from tests.http.calling import asked, broken_of, get, patient, post, stream

MakeCalls = Callable[..., Calls]


def sends(wire_bytes: bytes) -> Script:
    def script(_: Received, wire: Wire) -> None:
        wire.send(wire_bytes)
        wire.close()

    return script


FAULTS: dict[str, tuple[Script, Reason]] = {
    "no answer": (close, "no-reply"),
    "half a head": (sends(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n"), "cut-short"),
    "half a body": (half, "cut-short"),
    "half the chunks": (half_chunked, "cut-short"),
    "no last chunk": (sends(head(200, {"Transfer-Encoding": "chunked"}) + b"1\r\na\r\n"), "cut-short"),
    "no HTTP": (sends(b"220 mail.test ESMTP\r\n\r\n"), "not-http"),
    "status 000": (sends(b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"), "not-http"),
    "NUL in the reason": (sends(b"HTTP/1.1 200 \0\r\nContent-Length: 0\r\n\r\n"), "not-http"),
    "a chunk size that is none": (
        sends(head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\na\r\n0\r\n\r\n"),
        "not-http",
    ),
    "two lengths": (
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        "two-lengths",
    ),
    "headers without end": (sends(b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 200 + b"\r\n"), "header-limit"),
}
PACKED: dict[str, tuple[Script, Reason]] = {
    "a coding that is cut": (
        answer(body=b"\x1f\x8b\x08\0\0\0\0", headers={"Content-Encoding": "gzip"}),
        "cut-short",
    ),
    "a coding that is none": (answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "coding"),
}
ALL = FAULTS | PACKED
# http.client tells no chunk size from the end.
STREAMED = FAULTS | {"a chunk size that is none": (FAULTS["a chunk size that is none"][0], "cut-short")}


@pytest.mark.parametrize(("script", "reason"), ALL.values(), ids=ALL.keys())
def test_a_reply_that_is_none_says_why(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, script: Script, reason: Reason
) -> None:
    backend.on("POST /a", script)
    broken = broken_of(make_calls(), client, post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", True, reason)


def test_the_last_of_several_tries_says_why(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", close, FAULTS["no HTTP"][0])
    broken = broken_of(make_calls(), client, get("/a", retries=1))
    assert (broken.attempts, broken.reason) == (2, "not-http")


def stream_of(calls: Calls, client: Client, path: str) -> Any:
    return stream(calls, client, asked("GET", path), None, length=None, max_bytes=1000)


@pytest.mark.parametrize(("script", "reason"), STREAMED.values(), ids=STREAMED.keys())
def test_a_stream_that_is_none_or_breaks_off_says_why(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, script: Script, reason: Reason
) -> None:
    backend.on("GET /a", script)
    opened = stream_of(make_calls(), client, "/a")
    if not isinstance(opened, Broken):
        with pytest.raises(StreamBroke) as caught:
            list(opened.chunks())
        opened = caught.value.broken
    assert (opened.kind, opened.reason) == ("refused", reason)


def test_a_server_that_is_not_there_says_so(make_calls: MakeCalls) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        client = patient(f"http://127.0.0.1:{bound.getsockname()[1]}")
        broken = broken_of(make_calls(), client, post("/a"))
        stream = stream_of(make_calls(), client, "/a")
    assert (broken.sent, broken.reason) == (False, "refused")
    assert stream.reason == "refused"


def test_a_name_that_is_not_known_says_so(make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    client = Client("http://nobody.test")
    broken = broken_of(make_calls(), client, post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "look-up")
    assert stream_of(make_calls(), client, "/a").reason == "look-up"


def test_what_was_not_even_tried_says_why(client: Client, make_calls: MakeCalls) -> None:
    assert broken_of(make_calls(seconds=0.001, min_try=1.0), client, get("/a")) == Broken(
        "timeout", reason="no-time"
    )
    full = Client("http://127.0.0.1:1", concurrency=1)
    assert full.gate.enter(first=True)
    assert broken_of(make_calls(), full, get("/a")).reason == "client-full"
    spared = Client("http://127.0.0.1:1")
    while spared.gate.circuit.failed(spared.gate.circuit.enter(1.0) or 0) is None:
        pass
    assert broken_of(make_calls(), spared, get("/a")).reason == "spared"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(113, "no route"), "unreachable"),
        (OSError(101, "no network"), "unreachable"),
        (ConnectionResetError(), "cut-short"),
        (OSError(24, "too many files"), ""),
        (ValueError(), ""),
    ],
)
def test_an_error_of_the_network_is_one_word(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_the_words_are_few_and_hold_no_address() -> None:
    assert all(word.replace("-", "").isalpha() for word in get_args(Reason) if word)
    assert Limits().min_try < 1.0
