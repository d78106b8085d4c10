"""The frame around every page: routes, problems, health, headers, conditional answers, the log."""

from __future__ import annotations

import json
import logging
import signal
from pathlib import Path
from typing import Any

import pytest
import responses
from cryptography.fernet import Fernet
from flask import current_app, request
from flask.testing import FlaskClient
from werkzeug.routing import Map, RuleFactory

from bff import create_app
from bff.errors import AuthorError, OperatorError
from bff.problems import problem
from bff.web import app as of_flask
from tests.project import app_of, visitor, write_project


@pytest.mark.parametrize("is_in_child", [False, True])
def test_one_app_makes_its_routes_at_a_time(
    is_in_child: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, add = set(), Map.add

    def noted(self: Map, rule: RuleFactory) -> None:
        held.add(of_flask._making.lock.locked())
        add(self, rule)

    monkeypatch.setattr(Map, "add", noted)
    if is_in_child:
        of_flask._making.lock.acquire()
        of_flask._making.begin_anew()
    app_of(tmp_path, {"page": "route: GET /api/page\nauth: none\nshape: 1\n"})
    assert held == {True}


HOME = """
    route: GET /api/home
    auth: none
    steps:
      todos:
        client: todos
        get: /todos
        retries: 0
      notice:
        client: notices
        get: /latest
        retries: 0
        fallback: null
    shape:
      todos: todos
      notice: notice.text
    """
ADD = """
    route: POST /api/todos
    auth: none
    status: 201
    headers:
      X-Kind: f"todo"
    shape:
      added: true
    """


class ReadingClient(FlaskClient):
    """Reads every answer to its end, as a server does, so that files are closed."""

    def open(self, *arguments: Any, **more: Any) -> Any:
        return super().open(*arguments, **{**more, "buffered": True})


@pytest.fixture
def site(tmp_path: Path) -> Any:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<!doctype html><title>待办任务</title>", "utf-8")
    (tmp_path / "public" / "app.js").write_text("export {};", "utf-8")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get("http://todos.test/todos", json=[{"id": 1}])
        mock.get("http://notices.test/latest", json={"text": "hi"})
        site = app_of(tmp_path, {"home": HOME, "add_todo": ADD})
        site.test_client_class = ReadingClient
        yield site.test_client()


def test_a_page_answers_with_json_and_says_how_long_it_took(site: FlaskClient) -> None:
    answer = site.get("/api/home")
    assert answer.status_code == 200
    assert answer.data == b'{"todos":[{"id":1}],"notice":"hi"}'
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Server-Timing"].startswith("total;dur=")


def test_steps_are_told_in_server_timing_only_where_asked(tmp_path: Path) -> None:
    recipe = """
    route: POST /api/todos
    auth: none
    steps:
      day:
        value: now()
    shape: day
    """
    shown = visitor(tmp_path, recipe, environ={"BFF_SERVER_TIMING": "1"})
    assert shown.post("/api/todos").headers["Server-Timing"].startswith("day;dur=")


def test_a_status_and_headers_of_the_recipe_go_out(site: FlaskClient) -> None:
    answer = site.post("/api/todos")
    assert answer.status_code == 201
    assert answer.headers["X-Kind"] == "todo"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_an_unchanged_page_is_304(site: FlaskClient) -> None:
    etag = site.get("/api/home").headers["ETag"]
    assert etag.startswith('"')
    again = site.get("/api/home", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == etag
    assert site.get("/api/home", headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_is_get_without_the_body(site: FlaskClient) -> None:
    get, head = site.get("/api/home"), site.head("/api/home")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.headers["ETag"] == get.headers["ETag"]


def test_options_names_the_methods_of_a_path(site: FlaskClient) -> None:
    answer = site.options("/api/home")
    assert answer.status_code == 200
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD", "OPTIONS"]


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/unknown", "/api/home/", "/api//home"])
def test_an_unknown_path_of_the_api_is_a_404_problem(site: FlaskClient, method: str, path: str) -> None:
    answer = getattr(site, method)(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == "urn:bff:problem:not-found"


def test_another_method_is_a_405_problem_with_what_is_allowed(site: FlaskClient) -> None:
    answer = site.delete("/api/home")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json["detail"] == "Allowed here are GET, HEAD, OPTIONS."


@pytest.mark.parametrize("path", ["/", "/todos/7", "/apiary", "/index.html", "/missing.js"])
def test_any_other_path_is_the_single_page_app(site: FlaskClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 200
    assert "待办任务" in answer.text


def test_a_file_is_served_with_an_etag(site: FlaskClient) -> None:
    answer = site.get("/app.js")
    assert answer.text == "export {};"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert site.get("/app.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/../wsgi.py", "/%2e%2e/wsgi.py", "/..%2fclients/todos.py", "/clients/todos.py"]
)
def test_nothing_outside_public_is_served(site: FlaskClient, path: str) -> None:
    assert "Client(" not in site.get(path).text


@pytest.mark.parametrize("path", ["/", "/api/home", "/api/unknown", "/healthz"])
def test_every_answer_has_the_security_headers(site: FlaskClient, path: str) -> None:
    headers = site.get(path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_content_security_policy_can_be_changed(tmp_path: Path) -> None:
    other = visitor(tmp_path, ADD, environ={"BFF_CSP": "default-src 'none'"})
    assert other.get("/healthz").headers["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize("given", ["abc-1._Z", "a" * 64])
def test_a_request_id_is_kept(site: FlaskClient, given: str) -> None:
    assert site.get("/api/unknown", headers={"X-Request-ID": given}).json["instance"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "é", "a;b", "<x>"])
def test_a_strange_request_id_is_replaced(site: FlaskClient, given: str) -> None:
    answer = site.get("/api/unknown", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == answer.json["instance"] != given
    assert len(answer.json["instance"]) == 32


def test_health_and_readiness_call_no_backend(site: FlaskClient) -> None:
    assert site.get("/healthz").json == {"status": "up"}
    assert site.get("/readyz").json == {"status": "ready"}


def test_a_stopping_app_is_up_but_not_ready(tmp_path: Path) -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        app = app_of(tmp_path, {"add_todo": ADD})
        assert app.test_client().get("/readyz").status_code == 200
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]  # the server's own handler still runs
    assert app.test_client().get("/healthz").status_code == 200
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["detail"]) == (503, "It is stopping.")


def test_a_page_writes_one_log_line_without_values(
    site: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bff.page")
    site.get("/api/home?secret=hush", headers={"X-Request-ID": "r1", "X-Secret": "hush"})
    (record,) = caplog.records
    line = json.loads(record.message)
    assert (line["page"], line["route"], line["status"]) == ("home", "GET /api/home", 200)
    assert (line["request_id"], line["partial"], line["level"]) == ("r1", [], "info")
    assert {name: step["outcome"] for name, step in line["steps"].items()} == {"todos": "ok", "notice": "ok"}
    assert "hush" not in record.message


def test_a_page_that_fails_says_why_in_its_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get("http://todos.test/todos", status=500)
        mock.get("http://notices.test/latest", status=500)
        answer = visitor(tmp_path, HOME).get("/api/home")
    line = json.loads(caplog.records[-1].message)
    assert answer.status_code == 502
    assert (line["level"], line["status"], line["problem"], line["step"]) == (
        "error",
        502,
        "backend-failed",
        "todos",
    )
    assert answer.json == {
        "type": "urn:bff:problem:backend-failed",
        "title": "A backend failed",
        "status": 502,
        "detail": "'todos' answered with status 500.",
        "instance": answer.headers["X-Request-ID"],
        "step": "todos",
        "failure": "status",
        "retryable": True,
    }


def test_a_broken_recipe_stops_the_start_with_all_its_mistakes(tmp_path: Path) -> None:
    with pytest.raises(AuthorError) as raised:
        app_of(
            tmp_path, {"a": "route: GET /api/a\nauth: none\nshape: b\n", "c": "route: nothing\nauth: none\n"}
        )
    assert {finding.place.file for finding in raised.value.findings} == {
        "orchestrations/a.yaml",
        "orchestrations/c.yaml",
    }


def test_a_missing_environment_variable_stops_the_start(tmp_path: Path) -> None:
    write_project(tmp_path, {"home": HOME})
    (tmp_path / "clients" / "todos.py").write_text(
        "from bff import Client, env\nclient = Client(env('TODOS_URL'))\n"
    )
    with pytest.raises(OperatorError) as raised:
        create_app(tmp_path, environ={})
    assert str(raised.value) == "client todos: the environment variable TODOS_URL is not set (base_url)"


def test_pages_limit_an_app_to_some_recipes(tmp_path: Path) -> None:
    write_project(tmp_path, {"home": HOME, "add_todo": ADD})
    only = create_app(tmp_path, ["add_todo"], environ={}).test_client()
    assert only.post("/api/todos").status_code == 201
    assert only.get("/api/home").status_code == 404


def test_a_view_by_hand_may_call_a_client_and_end_with_a_problem(tmp_path: Path) -> None:
    app = app_of(tmp_path, {"home": HOME})

    @app.get("/api/by-hand")
    def by_hand() -> Any:
        reply = current_app.extensions["bff"].clients["people"].get("/people")
        raise problem("conflict", f"There are {len(reply.json())} people.")

    with responses.RequestsMock() as mock:
        mock.get("http://people.test/people", json=[1, 2])
        answer = app.test_client().get("/api/by-hand")
    assert (answer.status_code, answer.json["detail"]) == (409, "There are 2 people.")


def test_an_unforeseen_error_is_a_500_problem_without_a_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_of(tmp_path, {"home": HOME})

    @app.get("/api/by-hand")
    def by_hand() -> Any:
        try:
            return {}[request.args["token"]]
        except KeyError as error:
            raise RuntimeError(f"no such token: {error}") from error

    answer = app.test_client().get("/api/by-hand?token=hush")
    assert answer.status_code == 500
    assert "hush" not in answer.text and "hush" not in caplog.text
    assert "in by_hand\n" in caplog.text
    assert caplog.text.index("builtins.KeyError") < caplog.text.index("builtins.RuntimeError")


def test_the_debugger_says_the_words_of_an_unforeseen_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = app_of(tmp_path, {"home": HOME})
    app.add_url_rule("/api/by-hand", view_func=lambda: {}["hush"])
    assert app.test_client().get("/api/by-hand").status_code == 500
    assert "KeyError: 'hush'" in caplog.text


def test_a_function_of_the_project_that_exits_ends_only_its_page(tmp_path: Path) -> None:
    functions = {"functions": "import sys\n\ndef leave(x):\n    sys.exit(x)\n"}
    recipe = "route: GET /api/page\nauth: none\nshape: leave(3)\n"
    assert visitor(tmp_path, recipe, functions=functions).get("/api/page").status_code == 500


def test_the_log_names_no_value_of_a_wrong_status(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe = "route: GET /api/page/{id}\nauth: none\nstatus: path.id\nshape: 1\n"
    caplog.set_level(logging.INFO)
    assert visitor(tmp_path, recipe).get("/api/page/secret-7").status_code == 500
    assert "status: no whole number from 200 to 599" in caplog.text
    assert "secret-7" not in caplog.text


@pytest.mark.parametrize(
    ("more", "origins", "varies"),
    [
        ("auth: none", "", None),
        ("auth: none", "https://app.example", "Origin"),
        (
            "auth: none\ninput:\n  headers:\n    X-Team: {type: string}",
            "https://app.example",
            "X-Team, Origin",
        ),
        ("auth: optional", "", "Cookie, Authorization"),
    ],
)
def test_a_page_says_what_it_varies_with(tmp_path: Path, more: str, origins: str, varies: str | None) -> None:
    recipe = f"route: GET /api/page\n{more}\ncache: 60s\nshape: 1\n"
    environ = {"BFF_ORIGINS": origins, "BFF_SESSION_KEYS": Fernet.generate_key().decode()}
    client = visitor(tmp_path, recipe, environ=environ)
    answer = client.get("/api/page")
    assert answer.headers.get("Vary") == varies
    again = client.get("/api/page", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers.get("Vary")) == (304, varies)
