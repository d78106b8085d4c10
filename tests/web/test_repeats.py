"""A visitor's repeated write gets the first answer again, whatever becomes of Redis; nothing is done twice."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, MultiFernet
from flask.testing import FlaskClient
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TimeoutFromRedis

from bff.errors import OperatorError
from bff.state import KEPT, Claim, Earlier, KeptAnswer, RepeatStore, StateUnavailable
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, close
from tests.project import BACKENDS, LOGIN, app_of
from tests.servers import RedisServer, no_redis

KEY = Fernet.generate_key().decode()
ADD = """
    route: POST /api/rows/{kind}
    auth: optional
    input:
      query:
        q: {type: string}
      body:
        type: object
        properties:
          title: {type: string}
    steps:
      made:
        client: todos
        post: /rows
        timeout: 2s
        body: body
    status: 201
    headers:
      Location: f"/api/rows/{made.id}"
      X-Own: f"own"
    shape:
      id: made.id
      title: body.title
    """
RENEW = """
    route: POST /api/renew
    steps:
      made: {client: todos, post: /rows}
    session:
      user:
        id: user.id
    shape: made
    """
OTHER = "route: PUT /api/other\nsteps:\n  made: {client: todos, post: /rows}\nshape: made\n"
RECIPES = {"login": LOGIN, "add": ADD, "renew": RENEW, "other": OTHER}


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        numbers = iter(range(1, 100))

        def count(received: Received, wire: Wire) -> None:
            answer(201, json={"id": next(numbers)})(received, wire)

        running.on("POST /rows", count)
        yield running


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend) -> Callable[..., FlaskClient]:
    """Makes a signed-in visitor of an app (of one more instance, for each call)."""

    def made(url: str, name: str = "Ann") -> FlaskClient:
        environ = {f"{client.upper()}_URL": backend.url for client in BACKENDS}
        environ |= {"BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": url}
        visitor = app_of(tmp_path, RECIPES, environ=environ).test_client()
        assert visitor.post("/api/login", json={"name": name}).status_code == 200
        return visitor

    return made


@pytest.fixture
def ann(make: Any, redis: RedisServer) -> FlaskClient:
    return make(redis.url)


def add(
    visitor: FlaskClient, key: str | None = "key-1", title: str = "tea", path: str = "/api/rows/a"
) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return visitor.post(path, json={"title": title}, headers=headers)


def kind(found: Any) -> tuple[int, str]:
    return found.status_code, found.json["type"].removeprefix("urn:bff:problem:")


def test_a_repeat_gets_the_first_answer_again_and_asks_no_backend(
    ann: FlaskClient, backend: FakeBackend
) -> None:
    first, again = add(ann), add(ann)
    assert (first.status_code, first.json) == (201, {"id": 1, "title": "tea"})
    assert (again.status_code, again.data) == (201, first.data)
    for name in ("Content-Type", "Location", "X-Own", "Cache-Control", "X-Content-Type-Options"):
        assert again.headers[name] == first.headers[name], name
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert len(backend.requests) == 1


def test_another_instance_answers_a_repeat_too(make: Any, redis: RedisServer, backend: FakeBackend) -> None:
    first, second = make(redis.url), make(redis.url)
    assert add(first).json == add(second).json
    assert len(backend.requests) == 1


def test_without_a_key_or_with_another_one_a_request_runs(ann: FlaskClient, backend: FakeBackend) -> None:
    assert [add(ann, key).json["id"] for key in ("key-1", "key-2", None, None)] == [1, 2, 3, 4]


def test_another_visitors_request_with_the_same_key_runs(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    assert add(make(redis.url)).json["id"] == 1
    assert add(make(redis.url, "Bo")).json["id"] == 2


def test_another_route_with_the_same_key_runs(ann: FlaskClient, backend: FakeBackend) -> None:
    add(ann)
    assert ann.put("/api/other", headers={"Idempotency-Key": "key-1"}).json == {"id": 2}


@pytest.mark.parametrize(
    "differs", [{"title": "coffee"}, {"path": "/api/rows/b"}, {"path": "/api/rows/a?q=1"}]
)
def test_the_same_key_with_another_request_is_422(
    ann: FlaskClient, backend: FakeBackend, differs: dict[str, str]
) -> None:
    add(ann)
    assert kind(add(ann, **differs)) == (422, "repeat-differs")
    assert len(backend.requests) == 1


def test_while_the_first_runs_a_repeat_is_409_and_then_gets_its_answer(
    ann: FlaskClient, backend: FakeBackend
) -> None:
    asked = threading.Event()
    backend.on("POST /rows", after(asked, answer(201, json={"id": 9})))
    found: list[Any] = []
    second = ann.application.test_client()
    assert second.post("/api/login", json={"name": "Ann"}).status_code == 200
    first = threading.Thread(target=lambda: found.append(add(ann)))
    first.start()
    assert backend.wait_for_requests(1)
    try:
        repeat = add(second)
        assert kind(repeat) == (409, "repeat-running")
        assert repeat.headers["Retry-After"] == "1"
        assert kind(add(second, title="coffee")) == (422, "repeat-differs")
    finally:
        asked.set()
        first.join(PATIENCE)
    assert found[0].status_code == 201
    assert add(second).json == {"id": 9, "title": "tea"}
    assert len(backend.requests) == 1


def test_what_ends_with_a_problem_of_the_visitor_ends_so_again(
    ann: FlaskClient, backend: FakeBackend
) -> None:
    backend.on("POST /rows", answer(409), answer(201, json={"id": 1}))
    first, again = add(ann), add(ann)
    assert kind(first) == kind(again) == (409, "conflict")
    assert again.json == first.json
    assert again.mimetype == "application/problem+json"
    assert len(backend.requests) == 1


@pytest.mark.parametrize("script", [answer(500), answer(503), answer(429), answer(401), close])
def test_what_may_go_better_a_moment_later_runs_again(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, script: Any
) -> None:
    backend.on("POST /rows", script, answer(201, json={"id": 5}))
    assert add(ann).status_code in (429, 502)
    assert redis.client.keys() == []
    assert add(ann).json["id"] == 5


def test_a_body_that_does_not_fit_leaves_the_key_free(ann: FlaskClient, redis: RedisServer) -> None:
    assert add(ann, title=7).status_code == 400  # type: ignore[arg-type]
    assert redis.client.keys() == []


def test_nothing_is_kept_for_those_who_have_not_signed_in(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    anybody = ann.application.test_client()
    assert [add(anybody).json["id"], add(anybody).json["id"]] == [1, 2]
    assert redis.client.keys() == []


def test_an_answer_that_sets_a_cookie_is_not_kept(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    for number in (1, 2):
        found = ann.post("/api/renew", headers={"Idempotency-Key": "key-1"})
        assert "Set-Cookie" in found.headers and found.json == {"id": number}
    assert redis.client.keys() == []


def test_what_is_kept_lasts_a_day_and_what_runs_a_moment(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    lives: list[int] = []

    def look(received: Received, wire: Wire) -> None:
        lives.append(redis.client.pttl(redis.client.keys()[0]))
        answer(201, json={"id": 1})(received, wire)

    backend.on("POST /rows", look)
    add(ann)
    [name] = redis.client.keys()
    # The default deadline of a page, two seconds for undos, five to spare.
    assert 5_000 < lives[0] <= 10_000
    assert KEPT - 60 < redis.client.ttl(name) <= KEPT == 24 * 3600


def test_nothing_that_is_kept_or_logged_can_be_read(
    make: Any, backend: FakeBackend, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = make(redis.url, "somebody")  # three letters would stand in what is encrypted now and then
    with caplog.at_level(logging.DEBUG, "bff"):
        add(visitor, "my-very-own-key", "a secret title")
        add(visitor, "my-very-own-key", "a secret title")
    [name] = redis.client.keys()
    value = redis.client.get(name)
    assert isinstance(name, bytes) and isinstance(value, bytes)
    for secret in (b"my-very-own-key", b"secret", b"somebody", b"/api/rows"):
        assert secret not in name + value
        assert secret not in base64.urlsafe_b64decode(value)
        assert base64.b64encode(secret) not in value
    assert "my-very-own-key" not in caplog.text and "secret" not in caplog.text
    lines = [json.loads(r.getMessage()) for r in caplog.records if r.name == "bff.page"]
    assert [line.get("repeated") for line in lines] == [None, True]


# --- Redis that is not as it should be -----------------------------------------------------------------------------


def refused(found: Any) -> bool:
    return kind(found) == (503, "state-unavailable") and found.headers["Retry-After"] == "1"


def test_a_store_that_is_down_makes_such_writes_503_and_leaves_all_others_alone(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis.stop()
    assert refused(add(ann))
    assert backend.requests == []
    assert add(ann, None).status_code == 201
    assert add(ann.application.test_client()).status_code == 201
    assert redis.password not in caplog.text and str(redis.port) not in caplog.text
    redis.start()
    assert add(ann).status_code == 201


def test_a_store_that_was_started_again_is_found_without_an_error(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    add(ann)
    redis.stop()
    redis.start()
    assert add(ann, "key-2").status_code == 201


def test_a_slow_store_makes_such_writes_503_in_a_second(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    add(ann)
    with redis.paused():
        begun = time.monotonic()
        assert refused(add(ann, "key-2"))
        assert time.monotonic() - begun < 1.5
    assert len(backend.requests) == 1


def test_what_was_not_done_while_the_store_hung_is_done_when_it_is_sent_again(
    make: Any, backend: FakeBackend, redis: RedisServer
) -> None:
    ann, elsewhere = make(redis.url), make(redis.url)
    add(ann, "key-0"), add(elsewhere, "key-00")  # both are connected: what they send waits in the store
    with redis.paused():
        assert refused(add(ann)) and refused(add(ann, "key-2"))
    assert add(ann).status_code == 201
    assert add(elsewhere, "key-2").status_code == 201
    assert len(backend.requests) == 4
    assert add(elsewhere).headers["Idempotent-Replayed"] == "true"


def test_a_store_that_hangs_is_left_alone_and_holds_no_page(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    add(ann, "key-0")
    with redis.paused(), caplog.at_level(logging.ERROR, "bff"):
        assert all(refused(add(ann, f"key-{number}")) for number in range(1, 20))
    lines = [record.getMessage() for record in caplog.records if record.name == "bff"]
    assert len(lines) < 6 and lines[2].startswith(
        "bff: the state store failed (TimeoutError), and rests for "
    )
    assert len(backend.requests) == 1


def test_a_full_store_makes_such_writes_503(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    redis.client.config_set("maxmemory", "1")
    try:
        assert refused(add(ann))
    finally:
        redis.client.config_set("maxmemory", "0")
    assert backend.requests == []


def test_something_else_that_listens_there_makes_such_writes_503(make: Any, backend: FakeBackend) -> None:
    with no_redis() as url:
        assert refused(add(make(url)))
    assert backend.requests == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"garbage",
        MultiFernet([Fernet(Fernet.generate_key())]).encrypt(b"[1]"),
        Fernet(KEY).encrypt(b"not JSON"),
        Fernet(KEY).encrypt(b"[99, 1]"),
        Fernet(KEY).encrypt(b'[1, "x", 201, [["a"]], "?"]'),
        Fernet(KEY).encrypt(b"{}"),
    ],
    ids=["empty", "garbage", "another key", "no JSON", "another version", "broken headers", "another form"],
)
def test_an_entry_that_cannot_be_read_makes_such_writes_503(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer, garbage: bytes
) -> None:
    add(ann)
    [name] = redis.client.keys()
    redis.client.set(name, garbage)
    assert refused(add(ann))
    redis.client.delete(name)
    redis.client.lpush(name, "another type")
    assert refused(add(ann))
    assert len(backend.requests) == 1


def test_a_store_that_goes_away_in_the_middle_does_not_take_the_answer(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    def away(received: Received, wire: Wire) -> None:
        redis.stop()
        answer(201, json={"id": 1})(received, wire)

    backend.on("POST /rows", away)
    assert add(ann).json == {"id": 1, "title": "tea"}


def test_a_request_that_died_frees_its_key_after_a_moment(
    ann: FlaskClient, backend: FakeBackend, redis: RedisServer
) -> None:
    taken: list[tuple[bytes, bytes]] = []

    def die(received: Received, wire: Wire) -> None:
        [name] = redis.client.keys()
        taken.append((name, redis.client.get(name)))
        answer(500)(received, wire)

    backend.on("POST /rows", die, answer(201, json={"id": 2}))
    add(ann)
    [(name, claim)] = taken
    redis.client.set(name, claim, px=60_000)  # as a process leaves it that is killed
    assert kind(add(ann)) == (409, "repeat-running")
    redis.client.pexpire(name, 1)
    until = time.monotonic() + PATIENCE
    while redis.client.exists(name) and time.monotonic() < until:
        pass
    assert add(ann).json["id"] == 2


# --- the store itself ------------------------------------------------------------------------------------------------


def test_who_was_too_slow_cannot_overwrite_or_free_what_came_later(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    slow = store.claim(["ann", "k"], ["body"], 10)
    assert isinstance(slow, Claim)
    redis.client.delete(slow.name)
    later = store.claim(["ann", "k"], ["body"], 10)
    assert isinstance(later, Claim)
    store.keep(slow, KeptAnswer(200, (), b"slow"))
    store.release(slow)
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, None)
    kept = KeptAnswer(201, (("A", "b"), ("A", "c")), bytes(range(256)))
    store.keep(later, kept)
    store.release(slow)
    store.release(later)
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, kept)
    assert store.claim(["ann", "k"], ["other"], 10) == Earlier(False, kept)


class BrokenRedis:
    """Raises what it is told to, and counts."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def set(self, *given: object, **more: object) -> None:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "asked"), [(TimeoutFromRedis(), 3), (ConnectionRefusedError(), 3), (ResponseError(), 10)]
)
def test_a_store_that_does_not_answer_is_spared_and_one_that_refuses_is_not(
    error: Exception, asked: int
) -> None:
    broken = BrokenRedis(error)
    store = RepeatStore("redis://store", [KEY], lambda url: broken)  # type: ignore[arg-type, return-value]
    for _ in range(10):
        with pytest.raises(StateUnavailable):
            store.claim(["ann", "k"], ["body"], 10)
    assert broken.asked == asked


def test_what_asks_to_run_is_taken_by_a_repeat_alone(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, store = RepeatStore(redis.url, [KEY]), RepeatStore(redis.url, [KEY])

    def no_word(*given: object) -> object:
        raise StateUnavailable

    monkeypatch.setattr(lost, "_eval", no_word)
    with pytest.raises(StateUnavailable):
        lost.claim(["ann", "k"], ["body"], 10)
    assert store.claim(["ann", "k"], ["other"], 10) == Earlier(False, None, begun=False)
    assert isinstance(store.claim(["ann", "k"], ["body"], 10), Claim)
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, None)


def test_a_claim_lasts_no_longer_when_the_clock_of_the_store_is_put_back(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    claim = store.claim(["ann", "k"], ["body"], 10)
    assert isinstance(claim, Claim)
    redis.client.pexpire(claim.name, 3_610_000)  # as it is after an hour back
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, None)
    assert 0 < redis.client.pttl(claim.name) <= 10_000
    store.keep(claim, KeptAnswer(201, (), b""))
    assert store.claim(["ann", "k"], ["body"], 10) == Earlier(True, KeptAnswer(201, (), b""))
    assert redis.client.ttl(claim.name) > 80_000


def test_of_many_at_once_one_may_run(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    together = threading.Barrier(16)
    found: list[object] = []

    def claim() -> None:
        together.wait(PATIENCE)
        found.append(store.claim(["ann", "k"], ["body"], 10))

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 16
    assert sum(isinstance(one, Claim) for one in found) == 1


def test_the_parts_of_a_name_cannot_run_into_each_other(redis: RedisServer) -> None:
    store = RepeatStore(redis.url, [KEY])
    for who in (["a", "bc"], ["ab", "c"], ["abc", ""], ["abc"]):
        assert isinstance(store.claim(who, ["x"], 10), Claim)


def test_a_newer_key_seals_and_names_what_comes_from_then_on(redis: RedisServer) -> None:
    newer = Fernet.generate_key().decode()
    assert isinstance(RepeatStore(redis.url, [KEY]).claim(["ann"], ["x"], 10), Claim)
    claim = RepeatStore(redis.url, [newer, KEY]).claim(["ann"], ["x"], 10)
    assert isinstance(claim, Claim)
    assert RepeatStore(redis.url, [newer]).claim(["ann"], ["x"], 10) == Earlier(True, None)


def test_a_store_that_is_not_there_says_so(redis: RedisServer) -> None:
    with pytest.raises(StateUnavailable):
        RepeatStore("redis://127.0.0.1:9/0", [KEY]).claim(["ann"], ["x"], 10)


def test_a_start_without_keys_to_encrypt_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as raised:
        app_of(
            tmp_path,
            {"page": "route: GET /api/a\nauth: none\nshape: 1\n"},
            environ={"BFF_STATE_URL": "redis://:secret@127.0.0.1"},
        )
    assert (
        str(raised.value) == "BFF_STATE_URL needs BFF_SESSION_KEYS: what is kept there is encrypted with them"
    )


def test_the_library_is_imported_only_where_it_is_asked_for(tmp_path: Path) -> None:
    app_of(tmp_path, {"page": "route: GET /api/a\nauth: none\nshape: 1\n"})
    code = (
        "import sys; from bff import create_app; "
        f"create_app({str(tmp_path)!r}, environ={{}}); print('redis' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
