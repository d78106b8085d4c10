"""Recipes that hand a body through, and what is asked of their answers."""

from __future__ import annotations

from werkzeug.test import TestResponse

DOWN = """
    route: GET /api/files/{name}
    auth: none
    pass: true
    deadline: 30s
    cache: 10m
    input:
      query:
        size: {type: integer}
    steps:
      small:
        require: query.size is None or query.size < 100
        fail: {status: 422}
      file:
        client: people
        get: /files/{path.name}
        timeout: 20s
        retries: 0
        query: {size: query.size}
"""
UP = """
    route: PUT /api/files/{name}
    auth: none
    pass: true
    deadline: 30s
    steps:
      file:
        client: people
        put: /files/{path.name}
        timeout: 20s
        idempotency_key: true
"""
SLOW = """
    route: {method} /api/slow
    auth: none
    pass: true
    steps:
      file:
        client: people
        {verb}: /slow
        timeout: 200ms
        retries: 0
"""
PNG = {"Content-Type": "image/png"}
CHINESE = "UTF-8''%E6%8A%A5%E5%91%8A.pdf"


def problem_of(page: TestResponse) -> tuple[int, str, str | None]:
    """Status, kind and how the backend failed; that nothing of its words is in it."""
    assert page.mimetype == "application/problem+json"
    assert "secret" not in page.text
    return page.status_code, page.json["type"].removeprefix("urn:bff:problem:"), page.json.get("failure")
