"""What a page sends, goes over and hands on is paid for before it is made."""

from __future__ import annotations

from typing import Any

import pytest

from bff.executor import outcomes
from bff.expressions.paths import ANY
from tests.executor.recipes import Make
from tests.fakes import FakeBackend, answer

OVER = (500, "urn:bff:problem:over-bound")

SENDING = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        additionalProperties: true
    steps:
      sent:
        client: todos
        each: one in range(10)
        {what}
        retries: 0
    shape: sent
    """


def status_of(answered: Any) -> tuple[int, str]:
    return answered.status_code, answered.json["type"]


@pytest.mark.parametrize(
    ("what", "body", "bound"),
    [
        ("post: /x\n        body: {all: body.text}", {"text": "a" * 50_000}, "memory"),
        ("post: /x\n        body: '[body.text, one]'", {"text": "a" * 50_000}, "memory"),
        ("post: /x\n        form: {all: body.text}", {"text": "a" * 50_000}, "memory"),
        ("post: /x\n        form: {all: body.list}", {"list": [1] * 20_000}, "work"),
        ("get: /x\n        query: {all: body.list}", {"list": [1] * 20_000}, "work"),
        ("get: /x\n        headers: {X-All: body.list}", {"list": [1] * 20_000}, "work"),
        ("get: /{body.text}", {"text": "a" * 500_000}, "memory"),
        ("get: /x\n        query: {all: body.list}", {"list": ["a" * 150] * 400}, "memory"),
        ("get: /x\n        query: {all: body.text}", {"text": "测" * 12_000}, "memory"),
        ("get: /{body.text}", {"text": "测" * 12_000}, "memory"),
    ],
    ids=[
        *("body", "part of a body", "form", "list in a form", "list in a query", "list in headers", "path"),
        *("short texts in a query", "what is encoded in a query", "what is encoded in a path"),
    ],
)
def test_what_goes_to_backends_is_bounded_for_the_whole_page(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture, what: str, body: Any, bound: str
) -> None:
    backend.on("GET /x", answer(json=1))
    backend.on("POST /x", answer(json=1))
    asked = page(SENDING.format(what=what), environ={"BFF_MAX_MEMORY": "200 KiB", "BFF_MAX_WORK": "300000"})
    assert status_of(asked.post("/api/page", json=body)) == OVER
    assert f"over the bound: {bound} of a page's expressions" in caplog.text
    assert len(backend.requests) < 10


def test_a_list_in_a_header_is_joined(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /x", answer(json=1))
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      x: {client: todos, get: /x, headers: {X-All: "['a', null, 2, true]", X-One: "'b'", X-None: null}}
    shape: x
    """
    assert page(recipe).get("/api/page").json == 1
    headers = {name.lower(): value for name, value in backend.requests[0].headers.items()}
    assert (headers["x-all"], headers["x-one"], "x-none" in headers) == ("a, 2, true", "b", False)


def test_a_body_with_every_row_in_each_row_is_over_the_bound(page: Make, backend: FakeBackend) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        additionalProperties: true
    steps:
      x:
        client: todos
        post: /x
        body:
          each: one in body.xs
          item: {x: one, all: body.ys}
    shape: x
    """
    sent = {"xs": [1] * 2_000, "ys": [1] * 100_000}
    assert status_of(page(recipe).post("/api/page", json=sent)) == OVER
    assert backend.requests == []


def test_rows_of_a_backend_that_stand_in_each_other_are_over_the_bound(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /rows", answer(json=list(range(20_000))))
    recipe = """
    route: GET /api/page
    auth: none
    deadline: 20s
    steps:
      rows: {client: todos, get: /rows}
      late: {client: todos, get: /rows, defer: true, fallback: null}
    shape:
      rows:
        each: row in rows
        item: {row: row, all: rows, late: late}
    """
    client = page(recipe)
    assert status_of(client.get("/api/page")) == OVER
    assert status_of(client.get("/api/page", headers={"Accept": "application/x-ndjson"})) == OVER


def test_what_a_part_is_given_is_paid_for_before_it_is_copied(page: Make, backend: FakeBackend) -> None:
    doubled = "".join(f"      v{at + 1}: {{value: '[v{at}, v{at}]'}}\n" for at in range(40))
    whole = f"""
    route: GET /api/page
    auth: none
    steps:
      v0: {{value: "['x']"}}
{doubled}
      part:
        recipe: part
        with:
          query: {{all: v40}}
    shape: part
    """
    part = """
    auth: none
    input:
      query:
        all: {type: array}
    shape: len(query.all)
    """
    assert status_of(page({"page": whole, "part": part}).get("/api/page")) == OVER


def test_a_problem_of_a_guard_is_bounded_as_a_whole(page: Make, backend: FakeBackend) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    input: {body: {type: object, additionalProperties: true}}
    steps:
      never:
        require: "false"
        fail:
          status: 400
          detail: f"{body.text}{body.text}"
    shape: 1
    """
    asked = page(recipe, environ={"BFF_MAX_ANSWER": "64 KiB"})
    assert status_of(asked.post("/api/page", json={"text": "a" * 40_000})) == OVER


def test_a_page_ends_soon_after_its_deadline_whatever_it_computes(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    deadline: 1s
    input: {body: {type: object, additionalProperties: true}}
    shape: "[x for x in body.xs for y in body.xs]"
    """
    asked = page(recipe, environ={"BFF_MAX_WORK": "100000000000", "BFF_MAX_MEMORY": "100000000000"})
    assert status_of(asked.post("/api/page", json={"xs": [0] * 200_000})) == OVER
    assert "over the bound: time of a page's expressions (the page's deadline)" in caplog.text


def test_what_stands_in_many_places_is_looked_through_for_lists_once() -> None:
    value: Any = [{"x": 1}]
    for _ in range(60):
        value = [value, value]
    assert outcomes.first_not_list(value, ("step",), [(ANY,) * 61]) == "step" + "[*]" * 61
    assert outcomes.first_not_list(value, ("step",), [(ANY,) * 60, (*(ANY,) * 61, "y")]) is None
    assert outcomes.first_not_list(value, ("step",), [(*(ANY,) * 61, "x")]) == "step" + "[*]" * 61 + ".x"
