"""A response whose body is there as a whole: the server is told what Flask's own response tells it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bff.web.whole import WholeResponse, set_last
from tests.project import app_of

BODY = b'{"name": "Ann"}'
HEADERS = {"Content-Type": "application/json", "ETag": '"1"'}
PAGE = """
    route: GET /api/page
    auth: none
    shape:
      name: '"Ann"'
    """


def _as_it_is(_response: Response) -> None:
    """Nothing."""


def _to_elsewhere(response: Response) -> None:
    response.headers["location"] = "/seite/ü"


def _content_of_elsewhere(response: Response) -> None:
    response.content_location = "/seite/ü"


def _of_unknown_length(response: Response) -> None:
    response.headers.pop("Content-Length")


def _as_text(response: Response) -> None:
    response.response = ["Tür", "e"]
    response.headers.pop("Content-Length")


def _as_nothing(response: Response) -> None:
    response.response = []


def _as_stream(response: Response) -> None:
    response.response = iter([b"a", b"b"])
    response.headers.pop("Content-Length")


def _as_other_bytes(response: Response) -> None:
    response.set_data("other")


def _with_cookie(response: Response) -> None:
    response.set_cookie("name", "value")


def _with_status(code: int) -> Callable[[Response], None]:
    def change(response: Response) -> None:
        response.status_code = code

    return change


CHANGES = [
    _as_it_is,
    _to_elsewhere,
    _content_of_elsewhere,
    _of_unknown_length,
    _as_text,
    _as_nothing,
    _as_stream,
    _as_other_bytes,
    _with_cookie,
    *map(_with_status, (100, 201, 204, 205, 304, 404, 503)),
]


def told(response: Response, method: str) -> tuple[str, list[tuple[str, str]], bytes]:
    body, status, headers = run_wsgi_app(response, EnvironBuilder("/seite", method=method).get_environ())
    return status, list(headers), b"".join(body)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("change", CHANGES)
def test_it_tells_the_server_what_flasks_response_does(
    change: Callable[[Response], None], method: str
) -> None:
    ours, flasks = WholeResponse(BODY, 200, HEADERS.items()), Response(BODY, 200, HEADERS)
    for response in (ours, flasks):
        change(response)
    assert told(ours, method) == told(flasks, method)


def test_a_body_goes_to_the_server_as_one_list() -> None:
    answer = WholeResponse(BODY, 200, HEADERS.items())
    assert answer(EnvironBuilder("/").get_environ(), lambda *_: lambda _: None) == [BODY]


def test_a_header_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="newline"):
        WholeResponse(BODY, 200, [("X-Kind", "a\nb")])


def test_headers_that_are_there_are_replaced() -> None:
    headers = Headers([("x-kind", "old"), ("ETag", "1")])
    set_last(headers, [("X-Kind", "new"), ("X-Other", "2")], {"x-kind", "etag"})
    assert list(headers) == [("X-Kind", "new"), ("ETag", "1"), ("X-Other", "2")]
    set_last(headers, [("X-More", "3"), ("X-Most", "4")], {"x-kind", "etag", "x-other"})
    assert list(headers)[3:] == [("X-More", "3"), ("X-Most", "4")]


# --- in an app ---------------------------------------------------------------------------------------------------


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
