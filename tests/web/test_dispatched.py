"""The way through Flask: what a project's own hooks and classes see of a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from tests.project import app_of

PAGE = """
    route: GET /api/page
    auth: none
    shape:
      name: '"Ann"'
    """


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_of(tmp_path, {"page": PAGE})


def test_who_waits_for_the_end_of_a_page_is_told(app: Flask) -> None:
    told: list[str] = []

    @app.after_request
    def wait(response: Response) -> Response:
        response.call_on_close(lambda: told.append("closed"))
        return response

    answer = app.test_client().get("/api/page")
    assert told == []
    assert answer.get_json() == {"name": "Ann"}
    answer.close()
    assert told == ["closed"]


def test_a_hook_of_the_project_sees_a_page_before_the_frame_is_put_around_it(app: Flask) -> None:
    seen: list[Any] = []

    @app.after_request
    def change(response: Response) -> Response:
        seen.append([name for name, _ in response.headers])
        response.headers.setdefault("x-frame-options", "SAMEORIGIN")
        response.set_data(response.get_data().replace(b"Ann", b"Barbara"))
        return response

    answer = app.test_client().get("/api/page")
    assert seen == [["Content-Type", "Cache-Control", "ETag", "Content-Length"]]
    assert answer.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.get_json() == {"name": "Barbara"}
    assert answer.content_length == len(answer.data)


def test_a_hook_of_the_project_does_not_choose_the_request_id(app: Flask) -> None:
    @app.after_request
    def choose(response: Response) -> Response:
        response.headers["x-request-id"] = "chosen"
        return response

    answer = app.test_client().get("/api/page", headers={"X-Request-ID": "given"})
    assert answer.headers.getlist("X-Request-ID") == ["given"]
    assert "total;dur=" in answer.headers["Server-Timing"]


def test_a_response_class_of_the_project_is_what_pages_are(app: Flask) -> None:
    class Own(Response):
        pass

    app.response_class = Own
    seen: list[type] = []

    @app.after_request
    def look(response: Response) -> Response:
        seen.append(type(response))
        return response

    assert app.test_client().get("/api/page").get_json() == {"name": "Ann"}
    assert seen == [Own]
