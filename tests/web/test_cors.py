"""CORS: what pages of listed origins may send and read, on pages, on views by hand and on every error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bff import create_app
from tests.project import app_of, write_built, write_project

LISTED, OTHER = "https://www.partner.test", "https://evil.test"
RECIPES = {
    "read": """
        route: GET /api/thing
        auth: none
        input:
          headers:
            X-Tenant: {type: string}
            if-none-match: {type: string}
        headers:
          X-Total: 3
          etag-of-row: f"a"
          Retry-After: f"7"
        shape: headers['X-Tenant']
        """,
    "write": """
        route: POST /api/thing
        auth: none
        input:
          headers:
            X-Reason: {type: string}
        shape: headers['X-Reason']
        """,
    "fails": """
        route: GET /api/fails/{id}
        auth: none
        headers:
          X-Total: 3
        steps:
          never: {require: false, fail: {status: 403}}
        shape: 1
        """,
}
EXPOSED = [
    *("Accept-Ranges", "Allow", "Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed"),
    *("Location", "Retry-After", "Server-Timing", "WWW-Authenticate"),
    *("X-Page-Partial", "X-Page-Stale", "X-Request-ID"),
]
ALLOWED = [
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Modified-Since", "If-None-Match", "If-Range"),
    *("Last-Event-ID", "Range", "traceparent", "tracestate", "X-Request-ID"),
]


def app(root: Path, **environ: str) -> Flask:
    made = app_of(root, RECIPES, environ={"BFF_ORIGINS": LISTED, **environ})

    @made.get("/api/by-hand")
    def by_hand() -> Response:
        return Response("1", headers={"X-Own": "1", "Access-Control-Expose-Headers": "X-Own"})

    return made


@pytest.fixture
def visitor(tmp_path: Path) -> FlaskClient:
    return app(tmp_path).test_client()


def preflight(visitor: FlaskClient, path: str, method: str, origin: str = LISTED) -> TestResponse:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return visitor.options(path, headers=asked | {"Access-Control-Request-Headers": "x-tenant"})


def names(answer: TestResponse, header: str) -> list[str]:
    return answer.headers[f"Access-Control-{header}"].split(", ")


@pytest.mark.parametrize(
    ("method", "declared"), [("GET", ["X-Tenant"]), ("HEAD", ["X-Tenant"]), ("POST", ["X-Reason"])]
)
def test_a_preflight_allows_what_the_asked_page_declares(
    method: str, declared: list[str], visitor: FlaskClient
) -> None:
    found = preflight(visitor, "/api/thing", method)
    assert found.status_code == 200
    assert sorted(names(found, "Allow-Methods")) == ["GET", "HEAD", "OPTIONS", "POST"]
    allowed = names(found, "Allow-Headers")
    assert sorted(map(str.lower, allowed)) == sorted(map(str.lower, [*ALLOWED, *declared]))
    assert found.headers["Access-Control-Max-Age"] == "600"
    assert found.headers["Access-Control-Allow-Origin"] == LISTED
    assert found.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in found.vary


def test_an_answer_exposes_the_headers_of_its_recipe_each_once(visitor: FlaskClient) -> None:
    found = visitor.get("/api/thing", headers={"Origin": LISTED})
    assert names(found, "Expose-Headers") == [*EXPOSED, "X-Total", "etag-of-row"]
    assert {"X-Total", "ETag", "etag-of-row", "Retry-After", "X-Request-ID", "Server-Timing"} <= {
        *names(found, "Expose-Headers")
    } & {name for name, _ in found.headers}
    assert "Access-Control-Allow-Methods" not in found.headers
    assert "Origin" in found.vary


def test_built_pages_allow_and_expose_the_same(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project", RECIPES)
    built = create_app(write_built(root, tmp_path / "out"), environ={"BFF_ORIGINS": LISTED}).test_client()
    found = built.get("/api/thing", headers={"Origin": LISTED})
    assert names(found, "Expose-Headers") == [*EXPOSED, "X-Total", "etag-of-row"]
    assert "X-Reason" in names(preflight(built, "/api/thing", "POST"), "Allow-Headers")


@pytest.mark.parametrize(
    ("method", "path", "status", "more"),
    [
        ("GET", "/api/nowhere", 404, []),
        ("DELETE", "/api/thing", 405, []),
        ("GET", "/api/fails/1", 403, ["X-Total"]),
    ],
)
def test_errors_can_be_read_too(
    method: str, path: str, status: int, more: list[str], visitor: FlaskClient
) -> None:
    found = visitor.open(path, method=method, headers={"Origin": LISTED})
    assert found.status_code == status
    assert names(found, "Expose-Headers") == [*EXPOSED, *more]
    assert found.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Origin" in found.vary


def test_a_view_by_hand_exposes_its_own_beside_those_of_every_answer(visitor: FlaskClient) -> None:
    found = visitor.get("/api/by-hand", headers={"Origin": LISTED})
    assert names(found, "Expose-Headers") == ["X-Own", *EXPOSED]
    assert names(preflight(visitor, "/api/by-hand", "GET"), "Allow-Headers") == ALLOWED


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/thing"])
def test_a_preflight_for_what_nobody_answers_allows_what_all_pages_do(
    path: str, visitor: FlaskClient
) -> None:
    found = preflight(visitor, path, "DELETE")
    assert "DELETE" not in names(found, "Allow-Methods")
    assert names(found, "Allow-Headers") == ALLOWED


@pytest.mark.parametrize("origin", [OTHER, LISTED.upper(), f"{LISTED}.evil.test", "null", None])
def test_other_origins_are_told_nothing(origin: str | None, visitor: FlaskClient) -> None:
    sent = {} if origin is None else {"Origin": origin}
    for found in (
        visitor.get("/api/thing", headers=sent),
        visitor.options("/api/thing", headers=sent | {"Access-Control-Request-Method": "GET"}),
    ):
        assert "Origin" in found.vary
        assert [name for name in found.headers.keys() if name.startswith("Access-Control")] == []  # noqa: SIM118


def test_a_house_that_is_full_says_so_where_it_can_be_read(tmp_path: Path) -> None:
    full = app(tmp_path, BFF_MAX_PAGES="1", BFF_THREADS="17").test_client()
    first = full.get("/api/thing")  # its answer is not read to its end yet, so its place is taken
    answered = preflight(full, "/api/thing", "GET")
    turned_away = full.get("/api/thing", headers={"Origin": LISTED})
    assert (answered.status_code, turned_away.status_code) == (200, 503)
    assert {"Retry-After", "X-Total"} <= set(names(turned_away, "Expose-Headers"))
    assert "X-Tenant" in names(answered, "Allow-Headers")
    first.close()


def test_without_listed_origins_nothing_is_said_or_kept(tmp_path: Path) -> None:
    made = app_of(tmp_path, RECIPES)
    pages: dict[str, Any] = made.extensions["bff"].pages
    assert [page.cors for page in pages.values()] == [None, None, None]
    found = made.test_client().get("/api/thing", headers={"Origin": LISTED})
    assert "Origin" not in found.vary
    assert [name for name in found.headers.keys() if name.startswith("Access-Control")] == []  # noqa: SIM118
