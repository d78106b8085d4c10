"""What a page gives its parts: with defaults, checked as input is, and named without what came."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executor.echoing import ECHO, echoing, posted
from tests.executor.recipes import Make
from tests.fakes import FakeBackend, answer


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "{path: {id: query.id}, body: body}",
            {"id": "abc", "page": 1, "language": "en", "title": "t", "body": {"title": "t"}},
        ),
        (
            "{path: {id: \"'xyz'\"}, query: {page: 2 + 1}, headers: {Accept-Language: \"'zh'\"}, body: {title: f'b'}}",
            {"id": "xyz", "page": 3, "language": "zh", "title": "b", "body": {"title": "b"}},
        ),
        ("{path: {id: f'xyz'}, query: query, body: {}}", {"id": "xyz", "page": 5, "title": None}),
        ("{path: {id: f'xyz'}, query: {page: todo.nothing}, body: body}", {"page": 1}),
        (
            "{path: {id: f'xyz'}, query: {tags: [f'a', todo.x]}, body: body}",
            {"tags": ["a 1", "b 1"], "query": {"page": 1, "tags": ["a", "b"]}},
        ),
    ],
)
def test_a_part_gets_what_it_is_given_and_its_own_defaults(
    given: str, expected: dict[str, Any], page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /todo", answer(json={"x": "b"}))
    client = page({"echo": ECHO, "page": echoing(given)})
    found = posted(client, "/api/page?page=5", title="t", role="admin")
    assert found.status_code == 200, found.json
    echo = found.json[0]
    assert {name: echo[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "status", "kind", "what"),
    [
        ("{path: {id: query.id}, body: {}}", 400, "invalid-input", "path.id (minLength)"),
        ("{path: {id: f'abc'}, body: body}", 400, "invalid-input", "body.title (type)"),
        ("{path: {id: todo.id}, body: {}}", 502, "backend-failed", "path.id (type)"),
        ("{path: {id: f'abc'}, query: {page: todo.page}, body: {}}", 502, "backend-failed", "query.page (type)"),
    ],
)  # fmt: skip
def test_what_a_part_does_not_take_ends_the_page(
    given: str, status: int, kind: str, what: str, page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /todo", answer(json={"page": "secret"}))
    client = page({"echo": ECHO, "page": echoing(given)})
    found = posted(client, "/api/page?id=a", title=7)
    assert (found.status_code, found.json["type"], found.json["step"]) == (
        status,
        f"urn:bff:problem:{kind}",
        "echo",
    )
    assert found.json["detail"] == f"'echo' does not take this {what}."


def test_what_a_part_does_not_take_is_named_without_what_came(page: Make, backend: FakeBackend) -> None:
    part = """
    auth: none
    input:
      body:
        type: object
        properties: {labels: {additionalProperties: {type: integer}}}
    shape: body.labels
    """
    backend.on("GET /todo", answer(json={}))
    client = page({"echo": part, "page": echoing("{body: body}")})
    found = posted(client, labels={"Secret-name": "Secret-value"})
    assert found.json["detail"] == "'echo' does not take this body.labels (type)."
    assert "Secret" not in found.text


def test_a_line_tells_of_what_a_part_does_not_take_without_what_came(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /todo", answer(json={"code": "Secret-value"}))
    part = """
    auth: none
    input: {query: {code: {type: string, maxLength: 3}}}
    shape: query.code
    """
    outer = """
    route: GET /api/page
    auth: none
    steps:
      todo: {client: todos, get: /todo, fallback: null, defer: true}
      echo: {recipe: echo, with: {query: {code: todo.code}}}
    shape: echo
    """
    lines = page({"echo": part, "page": outer}).get("/api/page", headers={"Accept": "application/x-ndjson"})
    assert "'echo' does not take this query.code (maxLength)." in lines.text.splitlines()[-1]
    assert "Secret" not in lines.text


def test_a_part_is_given_nothing_that_takes_too_long_to_go_through(page: Make, backend: FakeBackend) -> None:
    """Thirty lists of two are a thousand million values where each is gone through."""
    part = """
    auth: none
    input: {body: {type: array, items: {type: array}}}
    shape: len(body)
    """
    doubled = "\n".join(f"      l{level}: {{value: [l{level - 1}, l{level - 1}]}}" for level in range(1, 31))
    outer = f"""
    route: GET /api/page
    auth: none
    steps:
      l0: {{value: [1]}}
{doubled}
      echo: {{recipe: echo, with: {{body: l30}}}}
    shape: echo
    """
    found = page({"echo": part, "page": outer}).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:over-bound")
