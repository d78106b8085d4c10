"""Replies that are larger than they may be, as they come or once unpacked."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from bff.http import Calls, Client
from tests.fakes import FakeBackend, answer, chunked, flood, gzipped
from tests.http.calling import broken_of, get, reply_of

MakeCalls = Callable[..., Calls]
MEGABYTE = 2**20


@pytest.mark.parametrize("announced", [True, False])
def test_fifty_megabytes_are_cut_without_reading_them(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, announced: bool
) -> None:
    counted: list[int] = []
    backend.on("GET /a", flood(50 * MEGABYTE, announced=announced, sent=counted.append))
    tracemalloc.start()
    broken = broken_of(make_calls(), client, get("/a"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (broken.kind, broken.sent, broken.attempts) == ("too-large", True, 1)
    assert backend.wait_for_connections(0)
    assert counted[0] < 20 * MEGABYTE
    assert peak < 20 * MEGABYTE


@pytest.mark.parametrize("in_chunks", [True, False])
def test_a_bomb_is_cut_by_its_unzipped_size(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, in_chunks: bool
) -> None:
    bomb = gzipped(b" " * (60 * MEGABYTE))
    encoding = {"Content-Encoding": "gzip"}
    script = chunked(bomb, headers=encoding) if in_chunks else answer(body=bomb, headers=encoding)
    backend.on("GET /a", script)
    tracemalloc.start()
    broken = broken_of(make_calls(), client, get("/a"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert broken.kind == "too-large"
    assert peak < 20 * MEGABYTE


def test_a_reply_of_just_the_bound_is_taken(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /fits", answer(body=b"1" * 1000))
    backend.on("GET /over", answer(body=b"1" * 1001))
    calls = make_calls(max_reply=1000)
    assert len(reply_of(calls, client, get("/fits")).raw) == 1000
    assert broken_of(calls, client, get("/over")).kind == "too-large"


@pytest.mark.parametrize("in_chunks", [True, False])
def test_gzip_is_unpacked(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, in_chunks: bool
) -> None:
    packed = gzipped(b'{"a": 1}')
    encoding = {"Content-Encoding": "gzip"}
    script = (
        chunked(packed[:5], packed[5:], headers=encoding)
        if in_chunks
        else answer(body=packed, headers=encoding)
    )
    backend.on("GET /a", script)
    assert reply_of(make_calls(), client, get("/a")).json() == {"a": 1}
