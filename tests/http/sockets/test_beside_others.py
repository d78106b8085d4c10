"""Sockets beside what they do not poll: calls that are left to requests, and what another thread ends."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from bff.http import Calls, Client, Reply, SocketTransport
from bff.http.sockets.transport import needs_requests
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer, hang
from tests.http.calling import broken_of, finish, get, patient, post, reply_of, start
from tests.http.sockets.tries import try_of

MakeCalls = Callable[..., Calls]


@pytest.fixture
def transport() -> Iterator[SocketTransport]:
    transport = SocketTransport()
    yield transport
    transport.close()


# --- mocks, and what requests does -----------------------------------------------------------------------------------


def test_plain_responses_mocks_every_call(
    client: Client, backend: FakeBackend, make_calls: MakeCalls
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(client.url("/a"), json="mocked", headers={"X-A": "1"})
        mock.post(client.url("/b"), body=requests.ConnectionError("no"))
        reply = reply_of(make_calls(), client, get("/a"))
        assert (reply.json(), reply.headers["x-a"]) == ("mocked", "1")
        assert broken_of(make_calls(), client, post("/b", retries=0)).kind == "refused"
        assert mock.calls[0].request.headers["User-Agent"] == "bff"
    assert backend.requests == []
    assert reply_of(make_calls(), client, get("/a")).status == 404
    assert len(backend.requests) == 1


def test_mocked_and_real_calls_end_beside_each_other(
    client: Client, backend: FakeBackend, make_calls: MakeCalls
) -> None:
    calls = make_calls()
    backend.on("GET /real", answer(json="real"))
    real = start(calls, client, get("/real"))
    with responses.RequestsMock() as mock:
        mock.get(client.url("/mocked"), json="mocked")
        mocked = start(calls, client, get("/mocked"))
        finish(calls, real, mocked)
    assert (real.result.json(), mocked.result.json()) == ("real", "mocked")


@pytest.mark.parametrize("wrapped", [True, False], ids=["as the original", "as itself"])
def test_whatever_stands_for_the_adapter_s_send_is_asked(
    client: Client,
    backend: FakeBackend,
    make_calls: MakeCalls,
    monkeypatch: pytest.MonkeyPatch,
    wrapped: bool,
) -> None:
    seen: list[str] = []
    real = HTTPAdapter.send

    def watched(adapter: HTTPAdapter, request: Any, *args: Any, **options: Any) -> Any:
        seen.append(request.url)
        return real(adapter, request, *args, **options)

    monkeypatch.setattr(HTTPAdapter, "send", functools.wraps(real)(watched) if wrapped else watched)
    assert reply_of(make_calls(), client, get("/a")).status == 404
    assert seen == [client.url("/a")] and len(backend.requests) == 1


def test_only_what_sockets_cannot_do_is_left_to_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://people.test"
    assert not needs_requests(Client(url))
    assert not needs_requests(Client(url, verify=False))
    assert needs_requests(Client(url, cert="client.pem"))
    assert needs_requests(Client(url, auth=HTTPBasicAuth("a", "b")))
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert not needs_requests(Client(url))
    assert needs_requests(Client(url, proxies=True))


def test_a_reply_of_a_thread_is_found_beside_a_silent_socket(
    client: Client, backend: FakeBackend, make_calls: MakeCalls
) -> None:
    both = threading.Event()

    def late(received: Received, wire: Wire) -> None:
        both.wait(PATIENCE)
        answer(json="socket")(received, wire)

    backend.on("GET /late", late)
    backend.on("GET /quick", answer(json="thread"))
    calls = make_calls()
    slow = start(calls, client, get("/late"))
    quick = start(calls, patient(backend.url, auth=HTTPBasicAuth("a", "b")), get("/quick"))
    finish(calls, quick)
    assert (slow.result, quick.result.json()) == (None, "thread")
    both.set()
    finish(calls, slow)
    assert slow.result.json() == "socket"


# --- what another thread ends -------------------------------------------------------------------------------------


def test_a_promise_is_found_beside_a_silent_socket(
    client: Client, backend: FakeBackend, transport: SocketTransport
) -> None:
    backend.on("GET /a", hang)
    silent, promise = transport.start(try_of(client)), transport.promise()
    assert backend.wait_for_requests(1)
    fulfilling = threading.Thread(target=promise.fulfil, args=(Reply(200, {}, b"1"),))
    fulfilling.start()
    assert transport.wait([silent, promise], time.monotonic() + PATIENCE) == [promise]
    fulfilling.join()
    transport.abandon(silent)
    transport.abandon(promise)


def test_a_promise_that_was_kept_before_needs_no_waiting(transport: SocketTransport) -> None:
    promise = transport.promise()
    assert transport.wait([promise], time.monotonic()) == []
    promise.fulfil(Reply(200, {}, b"1"))
    assert transport.wait([promise], time.monotonic() + PATIENCE) == [promise]


def test_promises_wake_each_its_own_thread(transport: SocketTransport) -> None:
    promises = [transport.promise() for _ in range(8)]
    found: list[Any] = []

    def wait_for(promise: Any) -> None:
        found.extend(transport.wait([promise], time.monotonic() + PATIENCE))

    waiting = [threading.Thread(target=wait_for, args=(promise,)) for promise in promises]
    for thread in waiting:
        thread.start()
    for promise in reversed(promises):
        promise.fulfil(Reply(200, {}, b"1"))
    for thread in waiting:
        thread.join()
    assert len(found) == 8 and set(map(id, found)) == set(map(id, promises))


def test_who_has_no_time_to_wait_gets_what_has_come(
    client: Client, backend: FakeBackend, transport: SocketTransport
) -> None:
    backend.on("GET /a", answer(json=1))
    started, end = transport.start(try_of(client)), time.monotonic() + PATIENCE
    while not (found := transport.wait([started], time.monotonic())):
        assert time.monotonic() < end
    assert found == [started]


def test_waiting_for_nothing_is_a_pause(transport: SocketTransport) -> None:
    begun = time.monotonic()
    assert transport.wait((), begun + 0.05) == []
    assert begun + 0.05 <= time.monotonic() < begun + 1.0
