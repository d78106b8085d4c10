"""What pages of one process share: one fetch for all who ask at once, and refreshes that nobody waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bff.http import (
    BackgroundReads,
    Broken,
    CacheTerms,
    Call,
    Calls,
    Client,
    Limits,
    Reply,
    ThreadTransport,
    forward_token,
)
from bff.http.cache.background import freezes_between_requests
from bff.http.cache.reply_cache import cache_of
from tests.fakes import PATIENCE, FakeBackend, after, answer, hang
from tests.http.calling import finish, get, patient, start

SHARED = CacheTerms(60.0, shared=True, private=False)
OLD_AT_ONCE = CacheTerms(0.001, stale_while_revalidate=600.0, private=False)
"""Terms on which what has just come may be given, and is refreshed."""


@pytest.fixture
def background() -> Iterator[BackgroundReads]:
    background = BackgroundReads()
    yield background
    background.close()


@pytest.fixture
def page(transport: ThreadTransport, background: BackgroundReads) -> Callable[..., Calls]:
    """Makes the calls of one page."""

    def make(seconds: float = PATIENCE, request_id: str = "", **limits: Any) -> Calls:
        return Calls(transport, time.monotonic() + seconds, Limits(**limits), request_id, background)

    return make


class Visitors:
    """So many visitors at once, each with a page and a thread of their own."""

    def __init__(self, count: int, page: Callable[..., Calls], client: Client, **parts: Any) -> None:
        self.calls: list[Call] = []
        self._all_in = threading.Barrier(count)
        self._started = threading.Barrier(count + 1)
        self._page, self._client, self._parts = page, client, parts
        self._threads = [threading.Thread(target=self._visit, args=(at,)) for at in range(count)]
        for thread in self._threads:
            thread.start()

    def _visit(self, at: int) -> None:
        calls = self._page(request_id=f"page-{at}")
        self._all_in.wait(PATIENCE)
        call = start(calls, self._client, get("/a", **self._parts))
        self._started.wait(PATIENCE)
        finish(calls, call)
        calls.close()
        self.calls.append(call)

    def have_asked(self) -> None:
        self._started.wait(PATIENCE)

    def results(self) -> list[Any]:
        for thread in self._threads:
            thread.join(PATIENCE)
        return [call.result for call in self.calls]


def test_a_hundred_visitors_who_ask_at_once_make_one_request(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(json={"list": []})))
    visitors = Visitors(100, page, client, cache=SHARED)
    visitors.have_asked()
    asked.set()
    results = visitors.results()
    assert len(backend.requests) == 1
    assert backend.requests[0].headers["x-request-id"].startswith("page-")
    assert [result.json() for result in results] == [{"list": []}] * 100
    results[0].json()["list"].append(1)
    assert results[1].json() == {"list": []}
    assert sorted(str(call.cached) for call in visitors.calls) == ["miss"] + ["shared"] * 99
    again = page()
    kept = start(again, client, get("/a", cache=SHARED))
    assert kept.cached == "hit"


def test_retries_are_shared_too(page: Callable[..., Calls], client: Client, backend: FakeBackend) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(503)), answer(503), answer(json=1))
    visitors = Visitors(20, page, client, cache=SHARED, retries=2)
    visitors.have_asked()
    asked.set()
    assert [result.json() for result in visitors.results()] == [1] * 20
    assert len(backend.requests) == 3


def test_a_failure_is_given_to_all_who_wait_and_not_remembered(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(500)), answer(json=1))
    visitors = Visitors(20, page, client, cache=SHARED)
    visitors.have_asked()
    asked.set()
    assert [result.status for result in visitors.results()] == [500] * 20
    later = Visitors(1, page, client, cache=SHARED)
    later.have_asked()
    assert [result.json() for result in later.results()] == [1]


def test_the_end_of_the_first_takes_nothing_from_the_others(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(json=1)))
    first, second, third = page(0.2), page(), page()
    call = start(first, client, get("/a", cache=SHARED))
    others = [start(others, client, get("/a", cache=SHARED)) for others in (second, third)]
    assert backend.wait_for_requests(1)
    third.abandon(others[1])
    finish(first, call)
    assert isinstance(call.result, Broken) and call.result.kind == "timeout"
    first.close()
    asked.set()
    finish(second, others[0])
    assert isinstance(others[0].result, Reply) and others[0].result.json() == 1
    assert others[1].result is None
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    "parts",
    [
        {"cache": CacheTerms(60.0, shared=True, private=True)},
        {"cache": CacheTerms(60.0, shared=False, private=False)},
        {"cache": CacheTerms(60.0, shared=True, private=False, newer_than=1.0)},
    ],
    ids=["private", "not shared", "newer than a write"],
)
def test_nothing_else_is_shared(
    page: Callable[..., Calls], client: Client, backend: FakeBackend, parts: dict[str, Any]
) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(json=1)))
    visitors = Visitors(5, page, client, **parts)
    visitors.have_asked()
    assert backend.wait_for_requests(5)
    asked.set()
    assert len(visitors.results()) == 5


def test_what_a_token_goes_with_is_never_shared(page: Callable[..., Calls], backend: FakeBackend) -> None:
    client = patient(backend.url, auth=forward_token("people"))
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(json=1)))
    visitors = Visitors(5, page, client, cache=SHARED, token="abc")
    visitors.have_asked()
    assert backend.wait_for_requests(5)
    asked.set()
    assert len(visitors.results()) == 5


def test_where_too_many_are_under_way_a_page_asks_for_itself(
    transport: ThreadTransport, client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    for path in ("/a", "/b", "/c"):
        backend.on(f"GET {path}", after(asked, answer(json=path)))
    background = BackgroundReads(workers=2)  # one for each client
    calls = Calls(transport, time.monotonic() + PATIENCE, background=background)
    started = [start(calls, client, get(path, cache=SHARED)) for path in ("/a", "/b", "/c")]
    assert backend.wait_for_requests(3)
    asked.set()
    finish(calls, *started)
    assert [call.cached for call in started] == ["miss"] * 3
    assert [call.attempts for call in started] == [0, 1, 1]
    background.close()


def test_a_shared_request_counts_against_the_pages_bounds(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    backend.on("GET /a", answer(json="12345"))
    calls = page(max_requests=1)
    finish(calls, start(calls, client, get("/a", cache=SHARED)))
    over = start(calls, client, get("/b", cache=SHARED))
    finish(calls, over)
    assert isinstance(over.result, Broken) and over.result.kind == "limit"
    calls = page(max_replies=3)
    over = start(calls, client, get("/a", cache=SHARED))
    finish(calls, over)
    assert isinstance(over.result, Broken) and over.result.kind == "limit"


def test_a_page_that_waits_for_others_goes_on_with_its_own(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("GET /a", after(asked, answer(json=1)))
    backend.on("GET /b", answer(json=2))
    calls = page()
    shared, own = start(calls, client, get("/a", cache=SHARED)), start(calls, client, get("/b"))
    assert calls.wait(time.monotonic() + PATIENCE) == [own]
    asked.set()
    assert calls.wait(time.monotonic() + PATIENCE) == [shared]


def test_a_fault_of_ours_in_a_shared_fetch_is_a_failure_and_logged(
    transport: ThreadTransport, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(Calls):
        def _for_others(self, deadline: float) -> Calls:
            raise RuntimeError("secret")

    calls = Faulty(transport, time.monotonic() + PATIENCE, background=BackgroundReads())
    call = start(calls, client, get("/a", cache=SHARED))
    finish(calls, call)
    assert isinstance(call.result, Broken) and call.result.kind == "refused"
    assert "client people: a shared fetch failed (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text


# --- refreshes -----------------------------------------------------------------------------------------------------


def primed(page: Callable[..., Calls], client: Client, terms: CacheTerms, **parts: Any) -> None:
    """Has a reply kept that is not fresh any more."""
    calls = page()
    finish(calls, start(calls, client, get("/a", cache=terms, **parts)))
    grow_old(client, terms)


def grow_old(client: Client, terms: CacheTerms) -> None:
    until = time.monotonic() + PATIENCE
    [kept] = [kept for kept, _, _ in cache_of(client)._kept.values()]
    while kept.is_fresh(terms, time.monotonic()) and time.monotonic() < until:
        pass


def refreshed(client: Client, raw: bytes) -> bool:
    """Waits until what is kept is so."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if [kept.raw for kept, _, _ in cache_of(client)._kept.values()] == [raw]:
            return True
    return False


def test_an_old_reply_is_given_at_once_and_refreshed_once(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("GET /a", answer(json=1), after(asked, answer(json=2)))
    primed(page, client, OLD_AT_ONCE)
    visitors = Visitors(20, page, client, cache=OLD_AT_ONCE)
    visitors.have_asked()
    assert [(result.json(), result.stale) for result in visitors.results()] == [(1, None)] * 20
    assert {call.cached for call in visitors.calls} == {"stale"}
    assert backend.wait_for_requests(2)
    asked.set()
    assert refreshed(client, b"2")
    assert len(backend.requests) == 2


def test_a_visitors_own_reply_is_refreshed_with_their_token(
    page: Callable[..., Calls], backend: FakeBackend
) -> None:
    client = patient(backend.url, auth=forward_token("people"))
    backend.on("GET /a", answer(json=1), answer(json=2))
    terms = CacheTerms(0.001, stale_while_revalidate=600.0)
    primed(page, client, terms, token="abc", visitor=b"ann")
    calls = page()
    call = start(calls, client, get("/a", cache=terms, token="abc", visitor=b"ann"))
    assert isinstance(call.result, Reply) and call.result.json() == 1
    assert refreshed(client, b"2")
    assert [request.headers["authorization"] for request in backend.requests] == ["Bearer abc"] * 2


def test_a_refresh_that_fails_leaves_what_was_there(
    page: Callable[..., Calls], client: Client, backend: FakeBackend, background: BackgroundReads
) -> None:
    backend.on("GET /a", answer(json=1), answer(500), answer(json=2))
    primed(page, client, OLD_AT_ONCE)
    for count in (2, 3):
        call = start(page(), client, get("/a", cache=OLD_AT_ONCE))
        assert isinstance(call.result, Reply) and call.result.json() == 1
        assert backend.wait_for_requests(count)
        until = time.monotonic() + PATIENCE
        while background._fetches and time.monotonic() < until:
            pass
    assert refreshed(client, b"2")


def test_a_refresh_asks_whether_it_still_holds(
    page: Callable[..., Calls], client: Client, backend: FakeBackend
) -> None:
    backend.on("GET /a", answer(body=b"1", headers={"ETag": '"1"'}), answer(304, headers={"X-New": "yes"}))
    primed(page, client, OLD_AT_ONCE)
    call = start(page(), client, get("/a", cache=OLD_AT_ONCE))
    assert isinstance(call.result, Reply)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with cache_of(client)._lock:
            [kept] = [kept for kept, _, _ in cache_of(client)._kept.values()]
        if "x-new" in kept.headers:
            break
    assert backend.requests[1].headers["if-none-match"] == '"1"'
    assert kept.raw == b"1"


def test_where_the_host_stands_still_the_page_refreshes_itself(
    transport: ThreadTransport, client: Client, backend: FakeBackend
) -> None:
    background = BackgroundReads(runs_on=False)

    def page(seconds: float = PATIENCE) -> Calls:
        return Calls(transport, time.monotonic() + seconds, background=background)

    backend.on("GET /a", answer(json=1), answer(json=2), answer(500), hang)
    primed(page, client, OLD_AT_ONCE)
    for seconds, wanted in ((PATIENCE, 2), (PATIENCE, 2), (0.4, 2)):
        calls = page(seconds)
        begun = time.monotonic()
        call = start(calls, client, get("/a", cache=OLD_AT_ONCE))
        finish(calls, call)
        assert isinstance(call.result, Reply)
        assert (call.result.json(), call.result.stale) == (wanted, None)
        grow_old(client, OLD_AT_ONCE)
        calls.close()
    assert call.until - begun == pytest.approx(0.2, abs=0.05)
    assert len(backend.requests) == 4
    background.close()


@pytest.mark.parametrize("name", ["AWS_LAMBDA_FUNCTION_NAME", "FC_FUNCTION_NAME", "FUNCTION_TARGET"])
def test_hosts_that_stand_still_between_requests_are_known(name: str) -> None:
    assert freezes_between_requests({"PATH": "/bin", name: "page"})
    assert not freezes_between_requests({"PATH": "/bin"})


def test_nothing_of_a_visitor_is_logged(
    page: Callable[..., Calls], client: Client, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /a", answer(500, body=b"reply-secret"))
    with caplog.at_level(logging.DEBUG, "bff"):
        calls = page()
        finish(calls, start(calls, client, get("/a", cache=SHARED, query=(("q", "query-secret"),))))
    assert "secret" not in caplog.text


def test_with_its_backend_down_an_old_reply_keeps_coming_and_says_so(page: Callable[..., Calls]) -> None:
    terms = CacheTerms(0.001, stale_if_error=600.0, shared=True, private=False)
    with FakeBackend() as backend:
        backend.on("GET /a", answer(json=1))
        client = patient(backend.url, retries=0)
        primed(page, client, terms)
    for at in range(20):  # refused at first, then spared
        calls = page()
        call = start(calls, client, get("/a", cache=terms))
        finish(calls, call)
        assert isinstance(call.result, Reply) and isinstance(call.result.stale, Broken)
        assert (call.result.json(), call.result.stale.kind) == (1, "refused" if at < 10 else "breaker")
