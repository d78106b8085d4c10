"""Input that a recipe goes over and that is no list: 400 at its place, and no backend is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.executor.recipes import Make
from tests.fakes import FakeBackend, answer

ANY_INPUT = """
    route: POST /api/page/{id}
    auth: none
    input:
      path: {id: {}}
      query: {tag: {}}
      headers: {X-List: {}}
      body:
        maxItems: 9
        additionalProperties: true
        properties: {xs: {maxItems: 9}, a: {maxItems: 9}, c: {maxItems: 9}}
"""
ASKING = """
      asked:
        client: todos
        get: /x
"""


def mistakes(answered: Any) -> dict[str, str]:
    assert answered.status_code == 400, answered.text
    assert answered.json["type"] == "urn:bff:problem:invalid-input"
    return {error["pointer"]: error["detail"] for error in answered.json["errors"]}


def recipe(steps: str, shape: str = "1") -> str:
    return f"{ANY_INPUT}    steps:{ASKING}{steps}\n    shape: {{asked: asked, made: {json.dumps(shape)}}}\n"


def each(source: str) -> str:
    return f"      x: {{client: todos, each: {json.dumps('one in ' + source)}, get: '/x/{{one}}'}}"


@pytest.mark.parametrize(
    ("steps", "shape", "pointer"),
    [
        (each("body.xs"), "x", "#/body/xs"),
        (each("body.xs if one"), "x", "#/body/xs"),
        ("      x: {client: todos, batch: ids in body.xs, get: /x, query: {id: ids}}", "x", "#/body/xs"),
        ("      x: {client: todos, batch: ids in (i.id for i in body.xs), get: /x, query: {i: ids}}", "x", "#/body/xs"),
        ("      x: {value: '[one for one in body.xs]'}", "x", "#/body/xs"),
        ("      x: {value: body.xs}\n      y: {value: '[one for one in x]'}", "y", "#/body/xs"),
        ("      x: {value: {all: body.xs}}\n" + each("x.all").replace("x:", "y:"), "y", "#/body/xs"),
        ("      x: {value: 'body[\"xs\"]'}", "[one for one in x]", "#/body/xs"),
        (each("default(body.xs, [])"), "x", "#/body/xs"),
        ("", "[one for one in body.xs]", "#/body/xs"),
        ("", "{'a': [[two for two in one.all] for one in body.rows]}", "#/body/rows/1/all"),
        ("", "[two for one in body.rows for two in one.all]", "#/body/rows/1/all"),
        ("", "count(one for one in query.tag)", "#/query/tag"),
        ("", "sort(query.tag)", "#/query/tag"),
        ("", "[one for one in headers['X-List']]", "#/headers/X-List"),
        ("", "any(one for one in path.id)", "#/path/id"),
        ("      x: {require: 'all(one for one in body.xs)', fail: {status: 400}}", "1", "#/body/xs"),
    ],
)  # fmt: skip
def test_input_that_is_gone_over_must_be_a_list(
    page: Make, backend: FakeBackend, steps: str, shape: str, pointer: str
) -> None:
    backend.on("GET /x", answer(json=[]))
    client = page(recipe(steps, shape))
    rows = [{"all": [1]}, {"all": "secret"}, {}, {"all": None}]
    sent = {"xs": "secret", "rows": rows}
    found = client.post("/api/page/1?tag=secret", json=sent, headers={"X-List": "secret"})
    assert mistakes(found) == {pointer: "must be a list"}
    assert "secret" not in found.text
    assert backend.requests == []


def test_the_whole_body_may_be_what_is_gone_over(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /x", answer(json=[]))
    backend.on("GET /x/2", answer(json=3))
    client = page(recipe(each("body"), "x"))
    assert mistakes(client.post("/api/page/1", json={"2": 2})) == {"#/body": "must be a list"}
    assert client.post("/api/page/1", json=[2]).json["made"] == [3]


@pytest.mark.parametrize("sent", [{}, {"xs": None}, {"xs": []}, {"xs": ["2"]}])
def test_a_list_or_nothing_is_taken(page: Make, backend: FakeBackend, sent: Any) -> None:
    backend.on("GET /x", answer(json=[]))
    backend.on("GET /x/2", answer(json=3))
    found = page(recipe(each("body.xs"), "x")).post("/api/page/1", json=sent)
    assert (found.status_code, found.json["made"]) == (200, [3] if sent.get("xs") else [])


def test_a_computed_value_of_input_alone_is_the_visitors_too(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /x", answer(json=[]))
    steps = "      x: {value: 'body.a if body.b else body.c'}\n" + each("x").replace(" x:", " y:")
    found = page(recipe(steps, "y")).post("/api/page/1", json={"c": "secret"})
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:invalid-input")
    assert (found.json["detail"], found.json["step"]) == ("x is not a list.", "x")


@pytest.mark.parametrize(
    "steps", [each("asked"), each("asked.rows"), "      v: {value: 'default(asked, body)'}\n" + each("v")]
)
def test_what_a_step_brought_is_still_the_steps_fault(page: Make, backend: FakeBackend, steps: str) -> None:
    backend.on("GET /x", answer(json={"rows": "secret"}))
    found = page(recipe(steps, "x")).post("/api/page/1", json={})
    assert (found.status_code, found.json["failure"]) == (502, "bad-reply")


def test_what_a_part_is_given_of_input_is_the_visitors(page: Make, backend: FakeBackend) -> None:
    whole = """
    route: POST /api/page/1
    auth: none
    input: {body: {}}
    steps:
      part:
        recipe: part
        with: {body: body.xs}
    shape: part
    """
    part = "auth: none\ninput: {body: {}}\nshape: '[one for one in body]'\n"
    client = page({"page": whole, "part": part})
    assert mistakes(client.post("/api/page/1", json={"xs": "secret"})) == {"#/body/xs": "must be a list"}
    assert client.post("/api/page/1", json={"xs": [1]}).json == [1]
