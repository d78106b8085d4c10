"""A visitor's repeated write gets the first answer again; nothing is done twice."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.errors import OperatorError
from bff.state import KEPT
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, close
from tests.project import app_of
from tests.servers import RedisServer
from tests.web.repeats.writes import add, kind


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
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
