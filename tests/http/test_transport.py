"""Both transports, against a backend that does its worst on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from bff.http import BearerToken, Calls, Client, Reply, ThreadTransport, Try
from tests.clock import Clock, too_late
from tests.fakes import (
    PATIENCE,
    FakeBackend,
    Received,
    Script,
    Wire,
    after,
    answer,
    chunked,
    close,
    drip,
    half,
    half_chunked,
    hang,
    head,
    together,
)
from tests.http.calling import (
    all_ended,
    broken_of,
    finish,
    get,
    patient,
    post,
    reply_of,
    start,
    threads_of_transports,
)

MakeCalls = Callable[..., Calls]
MEGABYTE = 2**20


def test_a_reply_has_status_headers_and_json(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", answer(201, json=["待办"], headers=[("X-Page", "1"), ("x-page", "2")]))
    reply = reply_of(make_calls(), client, get("/a"))
    assert (reply.status, reply.json(), reply.attempts) == (201, ["待办"], 1)
    assert reply.headers == {"x-page": "1, 2", "content-length": "16"}


def test_two_calls_overlap(backend: FakeBackend, client: Client, make_calls: MakeCalls) -> None:
    both = together(2, answer(json=1))
    backend.on("GET /a", both)
    backend.on("GET /b", both)
    calls = make_calls()
    first, second = start(calls, client, get("/a", retries=0)), start(calls, client, get("/b", retries=0))
    finish(calls, first, second)
    assert (first.result.status, second.result.status) == (200, 200)


def test_the_connection_is_used_again(backend: FakeBackend, client: Client, make_calls: MakeCalls) -> None:
    backend.on("GET /a", answer(json=1))
    backend.on("POST /a", chunked(b"1"))
    for request in (get("/a"), post("/a", body=b"{}"), get("/missing"), get("/a")):
        reply_of(make_calls(), client, request)
    assert backend.accepted == 1
    assert [request.connection for request in backend.requests] == [0] * 4


def test_the_connection_is_used_again_where_another_broke_since(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    asked, breaks = threading.Event(), threading.Event()

    def late(received: Received, wire: Wire) -> None:
        asked.set()
        after(breaks, close)(received, wire)

    backend.on("GET /a", after(asked, answer(json=1)))
    backend.on("GET /b", late)
    calls = make_calls()
    good, broken = start(calls, client, get("/a", retries=0)), start(calls, client, get("/b", retries=0))
    finish(calls, good)
    breaks.set()
    finish(calls, broken)
    assert (broken.result.kind, broken.result.reason) == ("refused", "no-reply")
    assert reply_of(make_calls(), client, get("/missing")).status == 404
    assert backend.accepted == 2


def test_the_target_is_sent_as_it_was_encoded(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    target = "/a%2Fb/%7Euser/a%20b/it's(1)%E5%BE%85?f=%C3%A9&x=a+b"
    reply_of(make_calls(), client, get(target, query=(("q", "a b&c=d/é"), ("q", "2"))))
    assert backend.requests[0].target == f"{target}&q=a%20b%26c%3Dd%2F%C3%A9&q=2"


def test_the_base_path_comes_first(backend: FakeBackend, make_calls: MakeCalls) -> None:
    reply_of(make_calls(), patient(f"{backend.url}/v1/"), get("/people?x=1"))
    assert backend.requests[0].target == "/v1/people?x=1"


def test_headers_of_a_request(backend: FakeBackend, make_calls: MakeCalls) -> None:
    client = Client(backend.url, auth=BearerToken("secret"), headers={"Accept": "application/hal+json"})
    calls = make_calls(request_id="page-1")
    reply_of(calls, client, post("/a", body=b"{}", content_type="application/json", headers={"X-Own": "é"}))
    sent = dict(backend.requests[0].headers)
    assert 0 < int(sent.pop("x-request-deadline-ms")) <= 800
    assert sent == {
        "host": backend.url.removeprefix("http://"),
        "user-agent": "bff",
        "accept": "application/hal+json",
        "accept-encoding": "gzip, deflate",
        "authorization": "Bearer secret",
        "content-type": "application/json",
        "content-length": "2",
        "x-own": "é",
        "x-request-id": "page-1",
    }


def test_the_rest_of_the_time_goes_upstream(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    reply_of(make_calls(5.0), client, get("/a", timeout=3.0))
    assert 0 < int(backend.requests[0].headers["x-request-deadline-ms"]) <= 3_000


def test_a_write_without_a_body_says_so(backend: FakeBackend, client: Client, make_calls: MakeCalls) -> None:
    reply_of(make_calls(), client, post("/a"))
    assert backend.requests[0].headers["content-length"] == "0"
    assert "transfer-encoding" not in backend.requests[0].headers


def test_a_cookie_never_comes_back(backend: FakeBackend, client: Client, make_calls: MakeCalls) -> None:
    backend.on("GET /a", answer(json=1, headers=[("Set-Cookie", "sid=1; Path=/"), ("Set-Cookie", "b=2")]))
    for _ in range(2):
        assert "set-cookie" not in reply_of(make_calls(), client, get("/a")).headers
    assert all("cookie" not in request.headers for request in backend.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, status: int
) -> None:
    backend.on("GET /a", answer(status, headers={"Location": f"{backend.url}/elsewhere"}))
    reply = reply_of(make_calls(), client, get("/a"))
    assert (reply.status, reply.ok) == (status, False)
    assert [request.path for request in backend.requests] == ["/a"]


def test_the_environment_names_no_proxy(
    backend: FakeBackend, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert reply_of(make_calls(), patient(backend.url), get("/a")).status == 404
    asks_for_it = patient(backend.url, proxies=True)
    assert broken_of(make_calls(), asks_for_it, get("/a", retries=0)).kind == "refused"


def test_a_proxy_that_is_asked_for_gets_the_whole_url(
    backend: FakeBackend, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", backend.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    reply_of(make_calls(), Client("http://people.test", proxies=True), get("/a?x=1"))
    assert backend.requests[0].target == "http://people.test/a?x=1"


# --- time ---------------------------------------------------------------------------------------------------------


HANGING = {
    "nothing": hang,
    "a dripping body": drip(head(200, {"Content-Length": "1000000"}) + b"["),
    "a dripping chunked body": drip(head(200, {"Transfer-Encoding": "chunked"}) + b"ffff\r\n["),
    "dripping headers": drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "dripping 100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body without an end": drip(b"HTTP/1.1 200 OK\r\n\r\n"),
}


@pytest.mark.parametrize("script", HANGING.values(), ids=HANGING.keys())
def test_a_reply_that_does_not_end_ends_at_the_deadline(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, clock: Clock, script: Script
) -> None:
    backend.on("GET /a", too_late(clock, 1, script))
    begun = time.monotonic()
    broken = broken_of(make_calls(), client, get("/a", timeout=0.2))
    assert (broken.kind, broken.sent, broken.attempts) == ("timeout", True, 1)
    assert time.monotonic() - begun < PATIENCE
    assert backend.wait_for_connections(0), "the connection was left open"


@pytest.mark.parametrize("length", ["-5", "twelve", "5 5", "0x5", "+5", "\xb2"])
def test_a_reply_whose_length_is_no_number_is_none(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, length: str
) -> None:
    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Length": length}) + b"[1, 2]")
        wire.close()

    backend.on("GET /a", script)
    broken = broken_of(make_calls(), client, get("/a"))
    assert (broken.kind, broken.reason, broken.sent) == ("refused", "not-http", True)


def test_the_page_s_deadline_bounds_every_call(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", hang)
    begun = time.monotonic()
    assert broken_of(make_calls(0.2), client, get("/a", timeout=9.0)).kind == "timeout"
    assert time.monotonic() - begun < 0.2 + 1.0


def test_a_name_that_never_resolves_holds_up_nothing(
    client: Client, backend: FakeBackend, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    resolve = __import__("socket").getaddrinfo

    def stuck(host: str | bytes, *args: object, **options: object) -> object:
        if host in ("stuck.test", b"stuck.test"):
            released.wait(20)
            raise OSError("no such host")
        return resolve(host, *args, **options)

    monkeypatch.setattr("socket.getaddrinfo", stuck)
    calls = make_calls()
    begun = time.monotonic()
    lost = start(calls, Client("http://stuck.test"), post("/a", timeout=0.6))
    found = start(calls, client, get("/a"))
    finish(calls, lost, found)
    assert time.monotonic() - begun < 0.6 + 1.0
    released.set()
    assert (lost.result.kind, lost.result.sent) == ("timeout", False)
    assert found.result.status == 404


def test_two_hundred_hanging_calls_leave_nothing_behind(backend: FakeBackend) -> None:
    backend.on("GET /a", hang)
    transport = ThreadTransport(max_threads=16)
    client = Client(backend.url, concurrency=16)
    before = set(threads_of_transports())
    for _ in range(4):
        calls = Calls(transport, time.monotonic() + 0.15)
        started = [start(calls, client, get(f"/a?{at}")) for at in range(50)]
        finish(calls, *started)
        assert {call.result.kind for call in started} <= {"timeout", "full"}
        assert len(set(threads_of_transports()) - before) <= 16
    assert backend.wait_for_connections(0)
    assert 4 * 1 <= len(backend.requests) <= 4 * 16
    transport.close()
    assert all_ended(set(threads_of_transports()) - before)


def test_a_try_that_no_thread_could_take_is_never_sent(backend: FakeBackend) -> None:
    released = threading.Event()
    backend.on("GET /slow", after(released, answer(json=1)))
    transport = ThreadTransport(max_threads=1)
    client = Client(backend.url)
    page, other = Calls(transport, time.monotonic() + 10), Calls(transport, time.monotonic() + 0.1)
    slow = start(page, client, get("/slow", timeout=10.0))
    assert backend.wait_for_requests(1)
    late = start(other, client, post("/late"))
    finish(other, late)
    assert (late.result.kind, late.result.sent) == ("full", False)
    released.set()
    finish(page, slow)
    assert slow.result.status == 200
    assert [request.path for request in backend.requests] == ["/slow"]
    transport.close()


def test_a_full_client_keeps_no_other_from_its_backend(backend: FakeBackend) -> None:
    backend.on("GET /slow", hang)
    transport = ThreadTransport(max_threads=4)
    slow, quick = patient(backend.url, concurrency=2), patient(backend.url)
    calls = Calls(transport, time.monotonic() + 5)
    # The first two hold their places for longer than the others wait for one, however slow the machine is.
    stuck = [start(calls, slow, get(f"/slow?{at}", timeout=1.0 if at < 2 else 0.3)) for at in range(5)]
    assert reply_of(calls, quick, get("/a")).status == 404
    finish(calls, *(call for call in stuck if call.result is None))
    kinds = sorted(call.result.kind for call in stuck)
    assert kinds == ["full"] * 3 + ["timeout"] * 2
    transport.close()


# --- connections that break ---------------------------------------------------------------------------------------


BROKEN = {
    "half a body": half,
    "half the chunks": half_chunked,
    "no answer": close,
    "no HTTP": drip(b"\x16\x03\x01 not http\r\n\r\n", pace=0.001),
    "bad gzip": answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
    "endless headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 200, pace=0.001),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_a_write_whose_reply_broke_may_have_happened_and_is_not_repeated(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, script: Callable[[Received, Wire], None]
) -> None:
    backend.on("POST /a", script)
    broken = broken_of(make_calls(), client, post("/a"))
    assert (broken.kind, broken.sent, broken.attempts) == ("refused", True, 1)
    assert len(backend.requests) == 1
    assert broken.reason in ("cut-short", "no-reply", "not-http", "coding", "header-limit")


def test_a_safe_request_whose_reply_broke_is_repeated(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    backend.on("GET /a", half, answer(json=1))
    reply = reply_of(make_calls(), client, get("/a"))
    assert (reply.json(), reply.attempts) == (1, 2)


def test_a_connection_that_the_backend_closed_meanwhile_is_replaced(
    backend: FakeBackend, client: Client, make_calls: MakeCalls
) -> None:
    def last(received: Received, wire: Wire) -> None:
        answer(json=1)(received, wire)
        wire.close()

    backend.on("POST /a", last)
    for _ in range(3):
        assert reply_of(make_calls(), client, post("/a")).json() == 1
        assert backend.wait_for_connections(0)
    assert backend.accepted == 3


def test_a_backend_that_is_down_got_nothing(make_calls: MakeCalls, backend: FakeBackend) -> None:
    with FakeBackend() as gone:
        url = gone.url
    broken = broken_of(make_calls(), patient(url), post("/a"))
    assert (broken.kind, broken.sent) == ("refused", False)
    unknown = broken_of(make_calls(), Client("http://no-such-host.invalid"), post("/a"))
    assert unknown.sent is False


def test_a_promise_is_waited_for_beside_a_try_and_ended_by_another_thread(
    transport: ThreadTransport, client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer()))
    promise, forgotten = transport.promise(), transport.promise()
    soon = time.monotonic() + PATIENCE
    started = transport.start(Try(client, "GET", client.url("/a"), {}, None, soon, soon, 1000))
    assert transport.wait([started, promise], time.monotonic()) == []
    kept = Reply(200)
    other = threading.Thread(target=promise.fulfil, args=(kept,))
    other.start()
    assert transport.wait([started, promise], time.monotonic() + PATIENCE) == [promise]
    assert promise.outcome is kept and not (promise.sent or promise.held)
    transport.abandon(forgotten)
    asked.set()
    assert transport.wait([started], time.monotonic() + PATIENCE) == [started]
    other.join(PATIENCE)
