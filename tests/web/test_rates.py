"""`rate_limit`: who is counted as whom, when one is too many, where the counters are."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff.identity import Session, SessionSeal
from bff.recipe.model import RateLimit
from bff.web import counting
from bff.web.counting import Counter, Memory, SharedCounter
from tests.clock import Clock
from tests.project import app_of, visitor

KEY = Fernet.generate_key().decode()
PAGE = """
    route: GET /api/page
    auth: optional
    rate_limit: 2/h
    input: {query: {n: {type: integer}}}
    shape: 1
    """
OTHER = PAGE.replace("/page", "/other").replace("2/h", "1/h")


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return visitor(tmp_path, {"page": PAGE, "other": OTHER}, environ={"BFF_SESSION_KEYS": KEY})


def statuses(client: FlaskClient, count: int, path: str = "/api/page", **more: Any) -> list[int]:
    return [client.get(path, **more).status_code for _ in range(count)]


def signed_in(client: FlaskClient, name: str) -> FlaskClient:
    other = client.application.test_client()
    session = Session({"name": name}, {}, int(time.time()) + 600)
    other.set_cookie("bff-session", SessionSeal([KEY], 3600).seal(session, time.time()))
    return other


def test_one_too_many_is_told_when_to_come_back(client: FlaskClient) -> None:
    assert statuses(client, 2) == [200, 200]
    refused = client.get("/api/page")
    assert (refused.status_code, refused.json["type"]) == (429, "urn:bff:problem:too-many-requests")
    assert refused.json["detail"] == "You may ask for this 2 times in one hour."
    assert 3590 <= int(refused.headers["Retry-After"]) <= 3600


def test_each_page_has_counters_of_its_own(client: FlaskClient) -> None:
    assert statuses(client, 3) == [200, 200, 429]
    assert statuses(client, 2, "/api/other") == [200, 429]


def test_each_visitor_has_counters_of_their_own_from_any_address(client: FlaskClient) -> None:
    ann, lin = signed_in(client, "Ann"), signed_in(client, "Lin")
    at = [{"environ_base": {"REMOTE_ADDR": address}} for address in ("192.0.2.1", "192.0.2.2")]
    assert [ann.get("/api/page", **one).status_code for one in (at[0], at[1], at[0])] == [200, 200, 429]
    assert statuses(lin, 2, **at[0]) == [200, 200]
    assert statuses(client, 2, **at[0]) == [200, 200]


def test_anybody_is_counted_by_address(client: FlaskClient) -> None:
    one, other = ({"environ_base": {"REMOTE_ADDR": address}} for address in ("192.0.2.1", "192.0.2.2"))
    assert statuses(client, 3, **one) == [200, 200, 429]
    assert statuses(client, 1, **other) == [200]


def test_an_address_in_a_header_is_believed_only_of_trusted_proxies(tmp_path: Path) -> None:
    for trusted, expected in (("0", [200, 200, 429, 429]), ("1", [200, 200, 200, 200])):
        environ = {"BFF_SESSION_KEYS": KEY, "BFF_TRUSTED_PROXIES": trusted}
        client = visitor(tmp_path, {"page": PAGE}, environ=environ)
        answers = [
            client.get("/api/page", headers={"X-Forwarded-For": f"198.51.100.{number}"})
            for number in range(4)
        ]
        assert [answer.status_code for answer in answers] == expected


def test_who_may_not_ask_at_all_is_not_counted(tmp_path: Path) -> None:
    text = PAGE.replace("auth: optional", "auth: required")
    client = visitor(tmp_path, {"page": text}, environ={"BFF_SESSION_KEYS": KEY})
    assert statuses(client, 4) == [401, 401, 401, 401]
    assert statuses(signed_in(client, "Ann"), 3) == [200, 200, 429]


def test_it_is_counted_before_the_input_is_looked_at(client: FlaskClient) -> None:
    assert statuses(client, 3, "/api/page?n=x") == [400, 400, 429]


@responses.activate
def test_no_backend_is_asked_for_one_too_many(tmp_path: Path) -> None:
    asked = responses.get("http://todos.test/a", json=1)
    page = "route: GET /api/page\nauth: none\nrate_limit: 1/min\nsteps: {a: {client: todos, get: /a}}\nshape: a\n"
    assert statuses(visitor(tmp_path, page), 3) == [200, 429, 429]
    assert asked.call_count == 1


def test_the_rate_of_a_part_is_not_taken_over(tmp_path: Path) -> None:
    inner = "route: GET /api/inner\nauth: none\nrate_limit: 1/min\nshape: 1\n"
    outer = "route: GET /api/page\nauth: none\nsteps: {a: {recipe: inner}}\nshape: a\n"
    assert statuses(visitor(tmp_path, {"inner": inner, "page": outer}), 3) == [200, 200, 200]


def test_a_visitor_behind_a_proxy_is_one_whatever_port_it_writes(tmp_path: Path) -> None:
    written = {
        "ports": [f"198.51.100.7:{port}" for port in (4000, 4001, 4002)],
        "ipv6": ["[2001:db8::1]:4000", "2001:db8::2", "[2001:db8::3%eth0]"],
        "mapped": ["::ffff:198.51.100.9", "[::ffff:198.51.100.9]:80", "198.51.100.9"],
        "hidden": ["_gazonk", "_SEVKISEK:_x", "unknown"],
        "nothing": ["not an address", "198.51.100.300", "x" * 3000],
    }
    environ = {"BFF_SESSION_KEYS": KEY, "BFF_TRUSTED_PROXIES": "1"}
    for kind, addresses in written.items():
        client = visitor(tmp_path, {"page": PAGE}, environ=environ)
        found = [
            client.get("/api/page", headers={"X-Forwarded-For": f"203.0.113.1, {address}"}).status_code
            for address in addresses
        ]
        assert found == [200, 200, 429], kind


def test_a_window_begins_with_the_first_request_and_ends(clock: Clock) -> None:
    counter, rate = Counter(), RateLimit(2, 60.0)
    assert [counter.hit(rate, "page", "ann") for _ in range(2)] == [None, None]
    clock.go_on(40)
    assert counter.hit(rate, "page", "ann") == pytest.approx(20)
    clock.go_on(20.5)
    assert counter.hit(rate, "page", "ann") is None


@pytest.mark.parametrize("jump", [-3600.0, -86400.0, 3600.0])
def test_a_clock_that_jumps_makes_no_window_longer_or_shorter(clock: Clock, jump: float) -> None:
    counter, rate = Counter(), RateLimit(1, 60.0)
    assert counter.hit(rate, "page", "ann") is None
    clock.wall += jump
    assert counter.hit(rate, "page", "ann") == pytest.approx(60)
    clock.go_on(60.5)
    assert counter.hit(rate, "page", "ann") is None


def test_counters_are_bounded_and_the_longest_unused_goes_first() -> None:
    memory = Memory(3)
    for name in ("a", "b", "c"):
        memory.incr(name, 60)
    memory.incr("a", 60)
    memory.incr("d", 60)
    assert [memory.get(name) for name in ("a", "b", "c", "d")] == [2, 0, 1, 1]
    assert memory.reset() == 3
    assert memory.check()


def test_without_a_rate_the_library_is_not_imported(tmp_path: Path) -> None:
    app_of(tmp_path, {"page": PAGE.replace("rate_limit: 2/h", "")}, environ={"BFF_SESSION_KEYS": KEY})
    script = (
        "import sys; from bff import create_app; "
        f"create_app({str(tmp_path)!r}, environ={{'BFF_SESSION_KEYS': {KEY!r}}}); "
        "print([name for name in ('limits', 'redis', 'prometheus_client', 'opentelemetry') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


# --- with Redis --------------------------------------------------------------------------------------------------


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server: apt-get install redis-server")
    path = tmp_path / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "ready to accept connections" in line.lower():
                break
        yield f"unix://{path}"
        process.terminate()


def test_instances_count_together_in_redis(tmp_path: Path, redis_url: str) -> None:
    environ = {"BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": redis_url}
    one = visitor(tmp_path, {"page": PAGE}, environ=environ)
    other = visitor(tmp_path, {"page": PAGE}, environ=environ)
    assert statuses(one, 1) + statuses(other, 2) == [200, 200, 429]
    assert 3590 <= int(one.get("/api/page").headers["Retry-After"]) <= 3600
    import redis

    with redis.Redis.from_url(redis_url) as store:
        (name,) = store.keys()
        assert b"127.0.0.1" not in name
        assert 3590 <= store.ttl(name) <= 3600


def test_a_window_that_redis_would_end_an_hour_late_begins_anew(redis_url: str) -> None:
    counter, rate = SharedCounter(redis_url), RateLimit(1, 60.0)
    assert counter.hit(rate, "page", "ann") is None
    assert counter.hit(rate, "page", "ann") == pytest.approx(60, abs=2)
    import redis

    with redis.Redis.from_url(redis_url) as store:
        (name,) = store.keys()
        store.expire(name, 3660)  # as a clock leaves it that is put back by an hour
    assert [counter.hit(rate, "page", "ann") for _ in range(2)] == [None, None]
    assert counter.hit(rate, "page", "ann") == pytest.approx(60, abs=2)


def test_pages_go_on_when_redis_is_away_and_it_is_left_alone_for_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound and not listening: refused
        taken.bind(("127.0.0.1", 0))
        url = f"redis://:secret@127.0.0.1:{taken.getsockname()[1]}/0"
        client = visitor(tmp_path, {"page": PAGE}, environ={"BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": url})
        asked: list[str] = []
        hit = counting.Counter.hit
        monkeypatch.setattr(
            counting.Counter, "hit", lambda self, *given: (asked.append("hit"), hit(self, *given))[1]
        )
        with caplog.at_level(logging.ERROR, "bff"):
            assert statuses(client, 4) == [200, 200, 200, 200]
    assert len(asked) == 1
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "bff: rates are not limited now, the state store failed (ConnectionError)"


def test_a_redis_that_hangs_is_asked_by_one_page_in_a_while(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    counter, rate, asked = SharedCounter("redis://127.0.0.1:9"), RateLimit(1, 60.0), []

    def hang(self: Counter, *given: object) -> None:
        asked.append(given)
        together = [SharedCounter.hit(counter, rate, "page", f"who-{number}") for number in range(3)]
        assert together == [None, None, None], "nobody else waits while one tries"
        raise OSError

    first = counter.hit(rate, "page", "ann")
    assert first is None  # nothing listens there: the store is left alone from now on
    monkeypatch.setattr(Counter, "hit", hang)
    assert [counter.hit(rate, "page", "ann") for _ in range(40)] == [None] * 40
    assert asked == []
    clock.go_on(8)
    assert [counter.hit(rate, "page", "ann") for _ in range(40)] == [None] * 40
    assert len(asked) == 1
