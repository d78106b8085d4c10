"""Idempotency keys: what they are made of, where they go, and that they make a write safe to repeat."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff.executor import KeySource
from tests.clock import Clock, too_late
from tests.executor.recipes import Make
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, answer, close, in_turn
from tests.project import LOGIN

KEY = Fernet.generate_key().decode()
WRITE = """
    route: POST /api/page
    auth: optional
    deadline: 10s
    steps:
      made:
        client: todos
        post: /made
        timeout: 5s
        idempotency_key: true
        body:
          id: digest(idempotency_key, 15)
    shape: made
    """


@pytest.fixture
def site(page: Make) -> Callable[..., FlaskClient]:
    """Makes a test client of the login and one page."""

    def make(recipe: str = WRITE, **more: Any) -> FlaskClient:
        return page({"login": LOGIN, "page": recipe}, environ={"BFF_SESSION_KEYS": KEY}, **more)

    return make


def signed_in(site: FlaskClient, name: str) -> FlaskClient:
    """Somebody who is signed in to the same app."""
    visitor = site.application.test_client()
    assert visitor.post("/api/login", json={"name": name}).status_code == 200
    return visitor


def keys(backend: FakeBackend) -> list[str | None]:
    return [request.headers.get("idempotency-key") for request in backend.requests]


def post(visitor: FlaskClient, key: str | None = "k1", path: str = "/api/page", **more: Any) -> Any:
    return visitor.post(path, headers={} if key is None else {"Idempotency-Key": key}, **more)


def test_a_visitors_key_gives_the_same_key_again_and_is_not_sent_itself(
    site: Make, backend: FakeBackend
) -> None:
    backend.on("POST /made", answer(json={}))
    ann = signed_in(site(), "Ann")
    post(ann)
    post(ann)
    post(ann, "k2")
    first, again, other = keys(backend)
    assert first == again != other
    assert re.fullmatch(r"[0-9a-f]{32}", first or "")


def test_the_keys_of_two_visitors_never_meet(site: Make, backend: FakeBackend) -> None:
    backend.on("POST /made", answer(json={}))
    app = site()
    for name in ("Ann", "Bo"):
        post(signed_in(app, name))
    assert len(set(keys(backend))) == 2


@pytest.mark.parametrize("key", [None, "k1"])
def test_without_a_sign_in_every_request_has_a_key_of_its_own(
    site: Make, backend: FakeBackend, key: str | None
) -> None:
    backend.on("POST /made", answer(json={}))
    anybody = site()
    post(anybody, key)
    post(anybody, key)
    assert len(set(keys(backend))) == 2


def test_without_the_header_every_request_has_a_key_of_its_own(site: Make, backend: FakeBackend) -> None:
    backend.on("POST /made", answer(json={}))
    ann = signed_in(site(), "Ann")
    post(ann, None)
    post(ann, None)
    assert len(set(keys(backend))) == 2


def test_keys_differ_by_path_step_and_item(site: Make, backend: FakeBackend) -> None:
    recipe = """
    route: POST /api/things/{id}
    steps:
      one: {client: todos, post: /one, idempotency_key: true}
      two: {client: todos, post: /two, idempotency_key: true}
      many:
        each: x in ['same', 'same']
        client: todos
        post: /many
        idempotency_key: true
    shape: [one, two, many]
    """
    for path in ("one", "two", "many"):
        backend.on(f"POST /{path}", answer(json={}))
    ann = signed_in(site(recipe), "Ann")
    post(ann, path="/api/things/1")
    post(ann, path="/api/things/2")
    assert len(set(keys(backend))) == 8


def test_the_parts_of_a_key_cannot_run_into_each_other() -> None:
    made = [
        KeySource(b"a", "POST /b", "c").key("d", None),
        KeySource(b"a", "POST /bc", "").key("d", None),
        KeySource(b"a", "POST /b", "c").key("d", 0),
        KeySource(b"a", "POST /b", "").key("dc", None),
        KeySource(b"a", "POST /b", "x").key("d", None, "0"),
    ]
    assert len(set(made)) == len(made)


def test_an_expression_makes_the_key_of_each_item(site: Make, backend: FakeBackend) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        properties:
          rows: {type: array, maxItems: 9}
    steps:
      made:
        each: row in body.rows
        client: todos
        post: /made
        idempotency_key: row.key
    shape: made
    """
    backend.on("POST /made", answer(json={}))
    anybody = site(recipe)
    for _ in range(2):
        post(anybody, None, json={"rows": [{"key": "a"}, {"key": 7}]})
    found = keys(backend)
    # Side by side, so in any order.
    assert sorted(found[:2]) == sorted(found[2:])
    assert len(set(found)) == 2


@pytest.mark.parametrize("value", ["null", "''", "[1]"])
def test_an_empty_key_is_400_and_nothing_is_sent(site: Make, backend: FakeBackend, value: str) -> None:
    recipe = WRITE.replace("idempotency_key: true", f'idempotency_key: "query.key or {value}"').replace(
        "    steps:", "    input:\n      query:\n        key: {type: string}\n    steps:"
    )
    found = post(site(recipe))
    assert (found.status_code, found.json["failure"]) == (400, "unsent")
    assert backend.requests == []


def test_a_keyed_write_is_repeated_with_the_same_key(site: Make, backend: FakeBackend) -> None:
    backend.on("POST /made", close, answer(json={"id": 1}))
    assert post(site()).json == {"id": 1}
    first, second = backend.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_a_write_without_a_key_is_not_repeated(site: Make, backend: FakeBackend) -> None:
    backend.on("POST /made", close, answer(json={"id": 1}))
    recipe = WRITE.replace("        idempotency_key: true\n", "").replace("digest(idempotency_key, 15)", "1")
    found = post(site(recipe))
    assert (found.status_code, found.json["unknown"]) == (502, ["made"])
    assert len(backend.requests) == 1


def test_retries_of_a_keyed_write_are_as_many_as_it_says(site: Make, backend: FakeBackend) -> None:
    backend.on("POST /made", answer(503))
    found = post(site(WRITE.replace("idempotency_key: true", "idempotency_key: true\n        retries: 3")))
    assert found.status_code == 502
    assert len(keys(backend)) == 4
    assert len(set(keys(backend))) == 1


def test_a_refusal_after_a_lost_try_leaves_the_write_unknown(site: Make, backend: FakeBackend) -> None:
    backend.on("POST /made", close, answer(503))
    found = post(site())
    assert (found.status_code, found.json["unknown"], found.json["done"]) == (502, ["made"], [])


def test_the_key_is_a_name_in_every_part_of_its_step_and_of_its_undo(
    site: Make, backend: FakeBackend
) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      made:
        client: todos
        put: /made/{digest(idempotency_key, 15)}
        idempotency_key: f"order-1"
        query: {q: idempotency_key}
        headers: {X-Own: idempotency_key}
        body: idempotency_key
        take: idempotency_key
        ok: reply.status < 300 and idempotency_key is not None
        undo:
          delete: /made/{digest(idempotency_key, 15)}
      other:
        client: todos
        post: /other
        idempotency_key: f"order-2"
        fallback: idempotency_key
      third:
        client: todos
        post: /third
        idempotency_key: f"order-3"
        on_status: {404: idempotency_key}
      last:
        client: todos
        get: /last
    shape: [made, other, third, last]
    """
    source = KeySource(b"", "POST /api/page", "")
    key = source.key("made", None, "order-1")
    path = f"/made/{hashlib.sha256(key.encode()).hexdigest()[:15]}"
    backend.on(f"PUT {path}", answer(201, json={}))
    backend.on(f"DELETE {path}", answer(204))
    backend.on("GET /last", answer(json=7), answer(404))
    visitor = site(recipe)
    others = [source.key(step, None, text) for step, text in (("other", "order-2"), ("third", "order-3"))]
    assert post(visitor).json == [key, *others, 7]
    request = backend.requests[0]
    assert (request.target, request.json(), request.headers["x-own"]) == (f"{path}?q={key}", key, key)
    assert post(visitor).json["undone"] == ["made"]


def test_an_unknown_write_whose_id_is_made_of_its_key_can_be_taken_back(
    site: Make, backend: FakeBackend, clock: Clock
) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      made:
        client: todos
        post: /made
        timeout: 300ms
        idempotency_key: true
        body:
          id: digest(idempotency_key, 15)
        undo:
          post: /unmade
          body:
            id: digest(idempotency_key, 15)
      last: {client: todos, get: /last}
    shape: [made, last]
    """
    backend.on("POST /made", too_late(clock, 1))
    backend.on("POST /unmade", answer(204))
    found = post(site(recipe))
    assert (found.json["unknown"], found.json["undone"]) == (["made"], ["made"])
    made, unmade = backend.requests
    assert made.json() == unmade.json()
    assert made.headers["idempotency-key"] != unmade.headers["idempotency-key"]


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\tb", "钥匙".encode().decode("latin-1")])
def test_a_header_that_cannot_be_a_key_is_400_and_nothing_is_sent(
    site: Make, backend: FakeBackend, key: str
) -> None:
    found = post(signed_in(site(), "Ann"), key)
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:invalid-input")
    assert found.json["errors"][0]["pointer"] == "#/headers/Idempotency-Key"
    assert backend.requests == []


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b"])
def test_a_header_of_printable_characters_is_a_key(site: Make, backend: FakeBackend, key: str) -> None:
    backend.on("POST /made", answer(json={}))
    assert post(signed_in(site(), "Ann"), key).status_code == 200


def test_two_requests_at_once_with_one_key_reach_a_backend_with_one_key(
    site: Make, backend: FakeBackend
) -> None:
    both = threading.Barrier(2)

    def together(received: Received, wire: Wire) -> None:
        both.wait(PATIENCE)
        answer(json={})(received, wire)

    backend.on("POST /made", together)
    app = site()
    visitors = [signed_in(app, "Ann"), signed_in(app, "Ann")]
    asking = [threading.Thread(target=post, args=(visitor,)) for visitor in visitors]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(PATIENCE)
    assert len(keys(backend)) == 2


def test_a_page_that_reads_ignores_the_header(page: Make, backend: FakeBackend, tmp_path: Path) -> None:
    backend.on("GET /row", in_turn(answer(json=1)))
    recipe = "route: GET /api/page\nauth: none\nsteps:\n  row: {client: todos, get: /row}\nshape: row\n"
    assert page(recipe).get("/api/page", headers={"Idempotency-Key": "x" * 300}).json == 1
    assert keys(backend) == [None]
