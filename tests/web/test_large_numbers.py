"""Integers of more than 64 bits come in, out of backends and go on as they are, up to a thousand digits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeBackend, answer
from tests.project import BACKENDS, LOGIN, visitor

LARGE = 2**64
HUGE = -(10**999) - 7
TOO_LARGE = "is too large a number: an integer has at most 1,000 digits, and no other number is over 1.8e308"
DIGITS = "7" * 1_001
KEY = "A" * 43 + "="


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        running.on("GET /x", answer(json={"id": LARGE, "rows": [{"id": HUGE, "n": 1}], "other": LARGE + 1}))
        running.on("POST /y", answer(json=1))
        running.on(f"GET /z/{LARGE}", answer(json={"id": LARGE}))
        yield running


def client(root: Path, backend: FakeBackend, recipe: Any, **more: Any) -> Any:
    environ = {f"{name.upper()}_URL": backend.url for name in BACKENDS} | {"BFF_SESSION_KEYS": KEY}
    return visitor(root, recipe, environ=environ, **more)


WRITE = """
    route: PATCH /api/page/{id}
    auth: none
    input:
      path: {id: {type: [integer, 'null']}}
      query:
        page: {type: integer}
        ids: {type: array, items: {type: integer}}
        ratio: {type: number}
        name: {type: string}
      headers: {X-Limit: {type: integer}}
      body:
        type: object
        properties:
          limit: {type: [integer, 'null']}
          free: {}
    steps:
      y: {client: todos, post: /y, body: body}
    shape: query.name
    """


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"limit": ' + DIGITS.encode() + b"}", "#/body/limit"),
        (b'{"limit": -' + DIGITS.encode() + b"}", "#/body/limit"),
        (b'{"limit": ' + b"7" * 400 + b".5}", "#/body/limit"),
        (b'{"limit": 1e400}', "#/body/limit"),
        (b'{"free": [0, {"a/b": 1E+999}]}', "#/body/free/1"),
        (b'{"free": {"deep": [1, ' + DIGITS.encode() + b"]}}", "#/body/free"),
        (b'{"free": ' + b"7" * 5_000 + b"}", "#/body/free"),
        (DIGITS.encode(), "#/body"),
    ],
)
def test_a_number_of_a_body_that_is_too_large_is_400_and_nothing_is_written(
    tmp_path: Path, backend: FakeBackend, raw: bytes, pointer: str
) -> None:
    found = client(tmp_path, backend, WRITE).patch("/api/page/1", data=raw, content_type="application/json")
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:invalid-input")
    assert [(one["pointer"], one["detail"]) for one in found.json["errors"]] == [(pointer, TOO_LARGE)]
    assert backend.requests == []


@pytest.mark.parametrize(
    ("url", "headers", "pointer"),
    [
        (f"/api/page/1?page={DIGITS}", {}, "#/query/page"),
        (f"/api/page/1?ids=1&ids=-{DIGITS}", {}, "#/query/ids/1"),
        ("/api/page/1?ratio=1e400", {}, "#/query/ratio"),
        (f"/api/page/{DIGITS}", {}, "#/path/id"),
        ("/api/page/1", {"X-Limit": DIGITS}, "#/headers/X-Limit"),
    ],
)
def test_a_parameter_that_is_too_large_is_400(
    tmp_path: Path, backend: FakeBackend, url: str, headers: dict[str, str], pointer: str
) -> None:
    found = client(tmp_path, backend, WRITE).patch(url, json={}, headers=headers)
    assert [(one["pointer"], one["detail"]) for one in found.json["errors"]] == [(pointer, TOO_LARGE)]


def test_the_largest_numbers_and_digits_in_texts_come_in(tmp_path: Path, backend: FakeBackend) -> None:
    sent = {"limit": HUGE, "free": [-(2**63), 2**64, 1.7e308, "1e400", "9" * 40, int("9" * 1_000)]}
    found = client(tmp_path, backend, WRITE).patch(f"/api/page/1?name={'9' * 40}", json=sent)
    assert (found.status_code, found.json) == (200, "9" * 40)
    assert json.loads(backend.requests[0].body) == sent


def test_a_parameter_over_64_bits_is_the_number_that_was_sent(tmp_path: Path, backend: FakeBackend) -> None:
    recipe = WRITE.replace("body: body}", "body: \"[path.id, query, headers['X-Limit']]\"}")
    asked = client(tmp_path, backend, recipe)
    url = f"/api/page/{HUGE}?page={LARGE}&ids=1&ids=-{LARGE}"
    assert asked.patch(url, json={}, headers={"X-Limit": str(LARGE + 1)}).status_code == 200
    assert json.loads(backend.requests[0].body) == [
        HUGE,
        {"page": LARGE, "ids": [1, -LARGE], "ratio": None, "name": None},
        LARGE + 1,
    ]


PASSED_ON = """
    route: POST /api/page
    auth: none
    steps:
      x: {client: todos, get: /x}
      again: {client: todos, get: "/z/{x.id}"}
      kept: {value: "ours(x)"}
      y:
        client: todos
        post: /y
        headers: {X-Id: x.id}
        body: {id: x.id, rows: x.rows, text: 'f"{x.id}"', kept: kept.id, same: x.id == again.id}
    shape: {id: x.id, rows: "sort(x.rows, 'id')", more: x.id + 1, keyed: "index([x], 'id')", y: y}
    """
FUNCTIONS = {"page": "def ours(x):\n    return {'id': x['id']}\n"}


def test_what_a_backend_says_goes_on_exactly(tmp_path: Path, backend: FakeBackend) -> None:
    asked = client(tmp_path, backend, PASSED_ON, functions=FUNCTIONS)
    for _ in range(2):  # the first reply is decoded whole, the next to what is read
        found = asked.post("/api/page")
        x = {"id": LARGE, "rows": [{"id": HUGE, "n": 1}], "other": LARGE + 1}
        assert json.loads(found.text) == {
            "id": LARGE,
            "rows": [{"id": HUGE, "n": 1}],
            "more": None,
            "keyed": {str(LARGE): x},
            "y": 1,
        }
        write = backend.requests[-1]
        assert json.loads(write.body) == {
            "id": LARGE,
            "rows": [{"id": HUGE, "n": 1}],
            "text": str(LARGE),
            "kept": LARGE,
            "same": True,
        }
        assert {name.lower(): value for name, value in write.headers.items()}["x-id"] == str(LARGE)


@pytest.mark.parametrize("shape", ["x.id", "x", "[row.id for row in x.rows]", "{'a': x.rows[0]}"])
def test_kept_replies_and_lines_say_the_same(tmp_path: Path, backend: FakeBackend, shape: str) -> None:
    recipe = f"""
    route: GET /api/page
    auth: none
    steps:
      x: {{client: todos, get: /x, cache: 60s, fallback: null, defer: true}}
    shape: {{a: {json.dumps(shape)}, other: x.other}}
    """
    asked = client(tmp_path, backend, recipe)
    first = asked.get("/api/page").text
    assert [asked.get("/api/page").text for _ in range(2)] == [first, first]
    assert str(LARGE + 1) in first and len(backend.requests) == 1
    lines = asked.get("/api/page", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert json.loads(lines[0])["page"] == json.loads(first)
    parts = client(tmp_path, backend, recipe).get("/api/page", headers={"Accept": "application/x-ndjson"})
    assert str(LARGE + 1) in parts.text


def test_a_session_holds_them(tmp_path: Path, backend: FakeBackend) -> None:
    login = LOGIN.replace("id: body.name", "id: x.id").replace(
        "    session:", "    steps: {x: {client: todos, get: /x}}\n    session:"
    )
    asked = client(tmp_path, backend, {"login": login, "me": "route: GET /api/me\nshape: user.id\n"})
    assert asked.post("/api/login", json={}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert asked.get("/api/me").text == str(LARGE)


@pytest.mark.parametrize("number", [b"1e400", b"NaN", b"1" * 1_001])
def test_what_no_number_can_hold_is_null(tmp_path: Path, backend: FakeBackend, number: bytes) -> None:
    backend.on("GET /x", answer(body=b'{"id": ' + number + b', "n": 1}'))
    recipe = "route: GET /api/page\nauth: none\nsteps: {x: {client: todos, get: /x}}\nshape: [x.id, x.n]\n"
    asked = client(tmp_path, backend, recipe)
    assert [asked.get("/api/page").json for _ in range(2)] == [[None, 1]] * 2


@pytest.mark.parametrize("number", [b"1e400", b"NaN", b"-Infinity", b"1" * 1_001])
@pytest.mark.parametrize(
    "sent", ["body: {n: x.id}", "body: {all: x}", "form: {n: v}", "query: {n: x.id}", "headers: {X-N: v}"]
)
def test_what_no_number_can_hold_is_never_written_as_null(
    tmp_path: Path, backend: FakeBackend, number: bytes, sent: str
) -> None:
    backend.on("GET /x", answer(body=b'{"id": ' + number + b', "n": 1}'))
    recipe = f"""
    route: POST /api/page
    auth: none
    steps:
      x: {{client: todos, get: /x}}
      v: {{value: "[x.id][0]"}}
      y: {{client: todos, post: /y, {sent}}}
    shape: [y, v]
    """
    found = client(tmp_path, backend, recipe).post("/api/page")
    assert (found.status_code, found.json["failure"], found.json["step"]) == (502, "not-json", "x")
    assert [request.method for request in backend.requests] == ["GET"]


def test_what_is_written_of_an_exact_reply_is_as_ever(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on(
        "GET /x", answer(body=b'\xef\xbb\xbf{"id": 1.5e3, "text": "\\ud800", "large": 18446744073709551616}')
    )
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      x: {client: todos, get: /x}
      y: {client: todos, post: /y, body: x}
    shape: y
    """
    assert client(tmp_path, backend, recipe).post("/api/page").json == 1
    assert json.loads(backend.requests[-1].body) == {"id": 1500.0, "text": "\ufffd", "large": 2**64}
