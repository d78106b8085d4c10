"""`idempotency_key` of a page: a sender's repeat gets the first answer again; what failed runs anew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff import create_app
from bff.errors import OperatorError
from bff.testing import sign
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer
from tests.project import app_of, write_built, write_project
from tests.servers import RedisServer

KEY = Fernet.generate_key().decode()
SECRET = "shh-secret"
PAGE = """
    route: POST /hook
    auth: none
    signed: {scheme: github, secret: SECRET}
    idempotency_key: "body.id or query.id"
    input:
      query: {id: {type: string}}
      body:
        type: object
        properties:
          id: {type: [string, number, 'null']}
          note: {type: string}
    steps:
      bad:
        require: body.note != 'bad'
        fail: {status: 422, title: f"Not so"}
      made: {client: todos, post: /rows, retries: 0, timeout: 2s, idempotency_key: true}
    status: 202
    headers: {X-Own: f"own"}
    shape: {id: made.id}
    """
OTHER = PAGE.replace("/hook", "/other")


@pytest.fixture
def backend() -> Any:
    with FakeBackend() as running:
        numbers = iter(range(1, 100))
        running.on("POST /rows", lambda got, wire: answer(201, json={"id": next(numbers)})(got, wire))
        yield running


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend) -> Callable[..., FlaskClient]:
    """Makes a client of one more instance."""

    def made(url: str | None, **more: str) -> FlaskClient:
        environ = {"SECRET": SECRET, "TODOS_URL": backend.url, "BFF_SESSION_KEYS": KEY, **more}
        environ |= {} if url is None else {"BFF_STATE_URL": url}
        return app_of(tmp_path, {"hook": PAGE, "other": OTHER}, environ=environ).test_client()

    return made


def sent(client: FlaskClient, body: bytes = b'{"id": "evt_1"}', path: str = "/hook", **more: Any) -> Any:
    headers = {**sign("github", more.pop("secret", SECRET), body), **more}
    return client.post(path, data=body, headers=headers, content_type="application/json")


def kind(found: Any) -> tuple[int, str]:
    return found.status_code, found.json["type"].removeprefix("urn:bff:problem:")


def test_a_repeat_gets_the_first_answer_and_asks_no_backend(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    first, again = sent(make(redis.url)), sent(make(redis.url))
    assert (first.status_code, first.json) == (202, {"id": 1})
    assert (again.status_code, again.data) == (202, first.data)
    assert again.headers["X-Own"] == "own"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(backend.requests) == 1


def test_another_key_or_page_runs(make: Any, redis: RedisServer, backend: FakeBackend) -> None:
    client = make(redis.url)
    found = [sent(client, body).json["id"] for body in (b'{"id": "a"}', b'{"id": "b"}', b'{"id": 7}')]
    assert found == [1, 2, 3]
    assert sent(client, b'{"id": "a"}', "/other").json == {"id": 4}


def test_news_that_are_written_anew_for_a_repeat_are_the_same(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    client = make(redis.url)
    first = sent(client)
    again = sent(client, b'{"note": "second try", "id": "evt_1"}')
    assert (again.status_code, again.data) == (202, first.data)
    assert len(backend.requests) == 1


@pytest.mark.parametrize("form", ["recipes", "built"])
def test_a_key_may_hold_what_the_page_has_sealed(form: str, tmp_path: Path, redis: RedisServer) -> None:
    text = (
        "route: POST /hook\nauth: none\nsigned: {scheme: github, secret: SECRET}\n"
        "idempotency_key: default(unseal(raw), seal(raw))\nshape: seal('evt_1')\n"
    )
    root = write_project(tmp_path / "recipes", {"hook": text})
    if form == "built":
        root = write_built(root, tmp_path / "built")
    environ = {"SECRET": SECRET, "BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": redis.url}
    client = create_app(root, environ=environ).test_client()
    first = sent(client, b"{}")
    assert first.status_code == 200
    again = [sent(client, first.json.encode()) for _ in range(2)]
    assert [one.headers.get("Idempotent-Replayed") for one in again] == [None, "true"]


def test_another_address_under_the_same_key_is_422(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    client = make(redis.url)
    sent(client)
    found = sent(client, path="/hook?id=2")
    assert kind(found) == (422, "repeat-differs")
    assert found.json["detail"] == "This idempotency_key came with another request before."
    assert len(backend.requests) == 1


def test_one_that_is_not_signed_gets_nobodys_answer(make: Any, redis: RedisServer) -> None:
    client = make(redis.url)
    sent(client)
    assert kind(sent(client, secret="another")) == (401, "unsigned")


def test_a_problem_of_the_page_is_an_answer_and_a_failure_is_none(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    client = make(redis.url)
    bad = b'{"id": "evt_2", "note": "bad"}'
    assert sent(client, bad).status_code == 422
    assert sent(client, bad).headers["Idempotent-Replayed"] == "true"
    backend.on("POST /rows", answer(503))
    assert [sent(client).status_code for _ in range(2)] == [502, 502]
    backend.on("POST /rows", answer(201, json={"id": 9}))
    assert sent(client).json == {"id": 9}
    assert len(backend.requests) == 3


def test_a_repeat_of_what_failed_sends_a_backend_the_same_key(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    client = make(redis.url)
    backend.on("POST /rows", answer(503))
    sent(client), sent(client), sent(client, b'{"id": "evt_2"}')
    keys = [request.headers["idempotency-key"] for request in backend.requests]
    assert keys[0] == keys[1] != keys[2]


def test_a_second_one_while_the_first_runs_is_409(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    client, begun, go_on = make(redis.url), threading.Event(), threading.Event()

    def slowly(received: Received, wire: Wire) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        answer(201, json={"id": 1})(received, wire)

    backend.on("POST /rows", slowly)
    found: list[Any] = []
    first = threading.Thread(target=lambda: found.append(sent(client.application.test_client())))
    first.start()
    assert begun.wait(PATIENCE)
    second = sent(client)
    go_on.set()
    first.join(PATIENCE)
    assert kind(second) == (409, "repeat-running")
    assert second.headers["Retry-After"] == "1"
    assert second.json["detail"] == "The first request with this idempotency_key has not ended yet."
    assert found[0].status_code == 202
    assert sent(client).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("body", [b"{}", b'{"id": null}', b'{"id": ""}'])
def test_a_request_without_its_key_is_400_and_not_run(
    body: bytes, make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    found = sent(make(redis.url), body)
    assert kind(found) == (400, "invalid-input")
    assert found.json["detail"] == "Nothing in this request tells it from others: its key is empty."
    assert backend.requests == []


def test_the_header_of_visitors_means_nothing_to_a_sender(make: Any, redis: RedisServer) -> None:
    client = make(redis.url)
    header = {"Idempotency-Key": "mine"}
    assert [sent(client, one, **header).json["id"] for one in (b'{"id": "a"}', b'{"id": "b"}')] == [1, 2]


def test_a_store_that_is_away_is_503_and_nothing_is_done(
    make: Any, redis: RedisServer, backend: FakeBackend
) -> None:
    client = make(redis.url)
    redis.stop()
    assert kind(sent(client)) == (503, "state-unavailable")
    assert backend.requests == []


def test_without_a_store_an_app_does_not_start(make: Any) -> None:
    with pytest.raises(OperatorError) as raised:
        make(None)
    assert str(raised.value) == (
        "BFF_STATE_URL is not set, and orchestrations/hook.yaml needs it: idempotency_key keeps answers there"
    )


def test_while_developing_a_repeat_runs_again_and_one_line_says_so(
    make: Any, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "bff"):
        client = make(None, FLASK_RUN_FROM_CLI="true")
    assert [one.message for one in caplog.records if one.name == "bff"] == [
        f"bff: BFF_STATE_URL is not set, and orchestrations/{name}.yaml needs it: "
        "idempotency_key keeps answers there; while developing, repeats run again"
        for name in ("hook", "other")
    ]
    assert [sent(client).json["id"] for _ in range(2)] == [1, 2]
    keys = {request.headers["idempotency-key"] for request in backend.requests}
    assert len(keys) == 1


def test_a_key_that_a_function_cannot_make_ends_the_page_with_its_place(
    tmp_path: Path, redis: RedisServer
) -> None:
    recipe = PAGE.replace("body.id or query.id", "boom(body.id)")
    functions = {"functions": "def boom(x):\n    raise ValueError('secret')\n"}
    environ = {"SECRET": SECRET, "BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": redis.url, "TODOS_URL": "http://x"}
    client = app_of(tmp_path, {"page": recipe}, functions=functions, environ=environ).test_client()
    found = sent(client)
    assert kind(found) == (500, "internal")
    assert "secret" not in found.text


def test_a_page_with_parts_that_come_later_is_kept_whole(
    tmp_path: Path, redis: RedisServer, backend: FakeBackend
) -> None:
    recipe = """
        route: POST /hook
        auth: none
        signed: {scheme: github, secret: SECRET}
        idempotency_key: raw
        steps:
          late: {client: todos, post: /rows, safe: true, defer: true, fallback: null}
        shape: {id: late.id}
        """
    environ = {"SECRET": SECRET, "BFF_SESSION_KEYS": KEY, "BFF_STATE_URL": redis.url}
    client = app_of(tmp_path, {"page": recipe}, environ={**environ, "TODOS_URL": backend.url}).test_client()
    found = [sent(client, b"x", Accept="application/x-ndjson") for _ in range(2)]
    assert [one.json for one in found] == [{"id": 1}] * 2
    assert found[1].headers["Idempotent-Replayed"] == "true"
