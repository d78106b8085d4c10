"""Queries and forms that one expression gives: what goes out, and what cannot."""

from __future__ import annotations

import pytest

from tests.executor.recipes import Make, recipe_of
from tests.fakes import FakeBackend, answer

INPUT = "input: {query: {q: {type: string, default: ''}}, body: {type: object, properties: {given: {}}}}"


def asking(request: str, *, more: str = "", others: str = "") -> str:
    steps = f"""
      {others}
      row:
        client: todos
        {request}
        {more}
    """
    return recipe_of(steps, "{row: row}", route="POST /api/page", more=INPUT)


@pytest.mark.parametrize(
    ("query", "given", "sent"),
    [
        ("body.given", {"a": 1, "b": None, "c": ["x", None, "y"], "d": True}, "?a=1&c=x&c=y&d=true"),
        ("body.given", {"a&b=c#d/ä": "e&f", "": "g"}, "?=g&a%26b%3Dc%23d%2F%C3%A4=e%26f"),
        ("body.given", {"deep": {"x": 1}, "deeper": [[1], 2]}, "?deeper=2"),
        ("body.given", {}, ""),
        ("body.given", None, ""),
        (
            "{f'f[{one.key}]': one.value for one in items(body.given)}",
            {"a": "x" * 300},
            f"?f%5Ba%5D={'x' * 300}",
        ),
        ("merge(body.given, {'n': 1})", {"n": 2}, "?n=1"),
        ("{'n': query.q} if query.q else None", {}, ""),
    ],
)
@pytest.mark.parametrize("more", ["", "cache: 1m", "headers: {X-A: f'a'}", "retries: 0"])
def test_the_names_and_values_of_a_mapping_go_out(
    page: Make, backend: FakeBackend, query: str, given: object, sent: str, more: str
) -> None:
    backend.on("GET /row", answer(json={"id": 1}))
    found = page(asking(f'get: /row\n        query: "{query}"', more=more)).post(
        "/api/page", json={"given": given}
    )
    assert (found.status_code, found.json) == (200, {"row": {"id": 1}})
    assert [request.target for request in backend.requests] == [f"/row{sent}"]


def test_it_stands_beside_a_constant_query(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json=1))
    page(asking("get: /row?a=1\n        query: body.given")).post("/api/page", json={"given": {"b": 2}})
    assert [request.target for request in backend.requests] == ["/row?a=1&b=2"]


def test_a_form_may_be_one_expression(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", answer(json=1))
    given = {"a b": ["c", "d&e"], "none": None}
    page(asking("post: /row\n        form: body.given")).post("/api/page", json={"given": given})
    [request] = backend.requests
    assert request.body == b"a+b=c&a+b=d%26e"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_body_may_be_one_expression_of_any_kind(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", answer(json=1))
    page(asking("post: /row\n        body: body.given")).post("/api/page", json={"given": [1, {"a": None}]})
    assert [request.json() for request in backend.requests] == [[1, {"a": None}]]


@pytest.mark.parametrize("given", [[], "a=b", 5, False, [{"a": 1}]])
@pytest.mark.parametrize("more", ["", "cache: 1m", "headers: {X-A: f'a'}"])
@pytest.mark.parametrize("request_", ["get: /row\n        query: ", "post: /row\n        form: "])
def test_what_a_visitor_sent_and_is_no_mapping_is_400(
    page: Make, backend: FakeBackend, given: object, more: str, request_: str
) -> None:
    if "post" in request_ and "cache" in more:
        more = ""
    found = page(asking(f"{request_}body.given", more=more)).post("/api/page", json={"given": given})
    key = "form" if "form" in request_ else "query"
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert found.json["detail"] == f"'row' was not asked: its {key} is no mapping."
    assert backend.requests == []


OTHERS = "other: {client: todos, get: /other}"


def test_what_a_backend_sent_and_is_no_mapping_is_502_bad_reply(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /other", answer(json=["secret"]))
    client = page(asking("get: /row\n        query: other", others=OTHERS))
    found = client.post("/api/page", json={})
    assert (found.status_code, found.json["type"]) == (502, "urn:bff:problem:backend-failed")
    assert found.json["detail"] == "'row' was not asked: its query is no mapping."
    assert "secret" not in found.text
    assert [request.target for request in backend.requests] == ["/other"]


def test_what_a_recipe_makes_and_is_no_mapping_is_500(page: Make, backend: FakeBackend) -> None:
    found = page(asking("get: /row\n        query: parse_json('[1]')")).post("/api/page", json={})
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")
    assert backend.requests == []


def test_a_fallback_stands_in_for_what_cannot_be_asked(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /other", answer(json=5))
    more = "fallback: error.kind"
    found = page(asking("get: /row\n        query: other", others=OTHERS, more=more)).post(
        "/api/page", json={}
    )
    assert (found.status_code, found.json) == (200, {"row": "bad-reply"})
    assert found.headers["X-Page-Partial"] == "row"


def test_each_item_has_a_query_of_its_own(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json=1))
    recipe = asking(
        "each: one in body.given[:5]\n        get: /row\n        query: one", more="fallback: error.kind"
    )
    found = page(recipe).post("/api/page", json={"given": [{"a": 1}, 7, None]})
    assert found.json == {"row": [1, "unsent", 1]}
    assert sorted(request.target for request in backend.requests) == ["/row", "/row?a=1"]


def test_many_names_are_paid_for(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /other", answer(json={str(number): 1 for number in range(100_000)}))
    recipe = asking("get: /row\n        query: other", others=OTHERS)
    found = page(recipe, environ={"BFF_MAX_MEMORY": str(16 * 1024 * 1024)}).post("/api/page", json={})
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:over-bound")
    assert [request.target for request in backend.requests] == ["/other"]
