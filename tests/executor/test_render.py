"""Requests as a step makes them: holes of paths, forms and headers."""

from __future__ import annotations

import pytest

from tests.executor.recipes import Make, recipe_of
from tests.fakes import FakeBackend, answer


def hole(verb: str) -> str:
    return recipe_of(
        f"""
          row: {{client: todos, {verb}: "/rows/{{query.id}}/part"}}
        """,
        "{row: row}",
        route="POST /api/page",
        more="input: {query: {id: {type: string}}}",
    )


@pytest.mark.parametrize("query", ["", "?id="])
def test_a_read_with_an_empty_path_hole_is_not_made_and_is_null(
    page: Make, backend: FakeBackend, query: str
) -> None:
    found = page(hole("get")).post(f"/api/page{query}")
    assert (found.status_code, found.json) == (200, {"row": None})
    assert backend.requests == []


@pytest.mark.parametrize("query", ["", "?id="])
def test_a_write_with_an_empty_path_hole_is_400_unsent(page: Make, backend: FakeBackend, query: str) -> None:
    found = page(hole("delete")).post(f"/api/page{query}")
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert backend.requests == []


@pytest.mark.parametrize("text", [".", "..", "a/b", "a\\b", "%2F/", "a\nb", "a\x00b", "a\x7fb", "\x85"])
@pytest.mark.parametrize("verb", ["get", "delete"])
def test_a_value_cannot_leave_its_path_segment(
    page: Make, backend: FakeBackend, verb: str, text: str
) -> None:
    found = page(hole(verb)).post("/api/page", query_string={"id": text})
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert backend.requests == []


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("待办", "/rows/%E5%BE%85%E5%8A%9E/part"),
        ("a?b#c", "/rows/a%3Fb%23c/part"),
        ("%2e%2e", "/rows/%252e%252e/part"),
        ("...", "/rows/.../part"),
        ("a b&c=d;e", "/rows/a%20b%26c%3Dd%3Be/part"),
    ],
)
def test_the_rest_is_percent_encoded_once(page: Make, backend: FakeBackend, text: str, sent: str) -> None:
    page(hole("get")).post("/api/page", query_string={"id": text})
    assert [request.target for request in backend.requests] == [sent]


def test_form_and_headers_go_out_as_written(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /token", answer(json={"ok": True}))
    recipe = recipe_of(
        """
      token:
        client: todos
        post: /token
        headers:
          X-Flag: true
          X-None: null
        form:
          grant_type: f"password"
          scope: ["'a b'", "'c'"]
          none: null
        """,
        "token.ok",
        route="POST /api/page",
    )
    assert page(recipe).post("/api/page").json is True
    (request,) = backend.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=password&scope=a+b&scope=c"
    assert request.headers["x-flag"] == "true" and "x-none" not in request.headers


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "待办"])
def test_a_header_cannot_be_split(page: Make, backend: FakeBackend, text: str) -> None:
    recipe = recipe_of(
        """
      row:
        client: todos
        get: /row
        headers:
          X-Name: query.name
        """,
        "row",
        route="POST /api/page",
        more="input: {query: {name: {type: string}}}",
    )
    found = page(recipe).post("/api/page", query_string={"name": text})
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert backend.requests == []
