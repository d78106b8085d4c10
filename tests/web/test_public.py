"""The files of the single-page app: what Flask answers, and the short way past it."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request_started
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bff.web import files
from bff.web.lookout import Lookout
from tests.project import app_of
from tests.web.both_ways import dispatched

INDEX = "<!doctype html><title>待办任务</title>" + "<p>words</p>" * 100
SCRIPT = "export {};"
# A request id is each request's own, and Date is set by the server where Flask does not set it.
NOT_THE_FILES = {"X-Request-ID", "Date"}


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "index.html").write_text(INDEX, "utf-8")
    (folder / "app.js").write_text(SCRIPT, "utf-8")
    (folder / "icon.png").write_bytes(bytes(range(256)) * 8)
    return folder


@pytest.fixture
def app(tmp_path: Path, public: Path) -> Flask:
    return app_of(tmp_path, {})


def asked(app: Flask, path: str = "/", *, method: str = "GET", **headers: str) -> tuple[str, Any, bytes]:
    """Status, headers and body as a server would get them."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    environ = EnvironBuilder(path, method=method, headers=given).get_environ()
    body, status, found = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    return status.split()[0], found, b"".join(body)


def same(headers: Any) -> set[tuple[str, str]]:
    """The headers that tell of the file."""
    return {(name, value) for name, value in headers.items() if name not in NOT_THE_FILES}


@pytest.mark.parametrize("path", ["/", "/index.html", "/app.js", "/icon.png"])
@pytest.mark.parametrize("accepted", ["", "gzip, br", "gzip;q=0", "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_short_way_answers_what_flask_answers(app: Flask, path: str, accepted: str, method: str) -> None:
    seen = dispatched(app)
    status, headers, body = asked(app, path, method=method, Accept_Encoding=accepted)
    assert seen == []
    app.before_request(lambda: None)
    also_status, also_headers, also_body = asked(app, path, method=method, Accept_Encoding=accepted)
    assert seen == [path]
    assert (status, body) == (also_status, also_body)
    assert same(headers) == same(also_headers)


def _by_hook(app: Flask) -> None:
    app.after_request(lambda response: response)


def _by_teardown(app: Flask) -> None:
    app.teardown_request(lambda error: None)


def _by_signal(app: Flask) -> None:
    request_started.connect(_watches, app)


def _by_request_class(app: Flask) -> None:
    app.request_class = type("Request", (app.request_class,), {})


def _watches(sender: Flask) -> None:
    pass


@pytest.mark.parametrize("watch", [_by_hook, _by_teardown, _by_signal, _by_request_class])
def test_whoever_watches_requests_sees_those_for_files(app: Flask, watch: Callable[[Flask], None]) -> None:
    seen = dispatched(app)
    watch(app)
    try:
        assert asked(app, "/app.js")[2] == SCRIPT.encode()
        assert seen == ["/app.js"]
    finally:
        # Of whomever it hears: for an app that it does not hear this would leave that app's address in the signal,
        # and the next app at this address would seem to be watched.
        request_started.disconnect(_watches)


def test_a_view_of_the_project_goes_before_a_file_of_that_name(app: Flask) -> None:
    app.add_url_rule("/app.js", "own", lambda: "mine")
    assert asked(app, "/app.js")[2] == b"mine"


def test_text_goes_out_compressed_to_whoever_takes_it(app: Flask) -> None:
    _, headers, body = asked(app, "/", Accept_Encoding="gzip, deflate, br")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body).decode() == INDEX
    _, plain, body = asked(app, "/")
    assert ("Content-Encoding" in plain, body.decode()) == (False, INDEX)
    assert plain["ETag"] != headers["ETag"]


@pytest.mark.parametrize("path", ["/app.js", "/icon.png"])
def test_what_compression_would_not_help_goes_out_as_it_is(app: Flask, path: str) -> None:
    _, headers, _ = asked(app, path, Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers
    assert "Vary" not in headers


def test_an_etag_tells_the_content_and_not_the_time(app: Flask, public: Path) -> None:
    before = asked(app)[1]["ETag"]
    os.utime(public / "index.html", (1, 1))
    assert asked(app)[1]["ETag"] == before


@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_an_unchanged_file_is_304(app: Flask, accepted: str) -> None:
    etag = asked(app, Accept_Encoding=accepted)[1]["ETag"]
    status, headers, body = asked(app, Accept_Encoding=accepted, If_None_Match=f'"other", {etag}')
    assert (status, body, headers["ETag"]) == ("304", b"", etag)


def test_a_range_of_a_file_goes_out(app: Flask) -> None:
    status, headers, body = asked(app, "/icon.png", Range="bytes=2-4", Accept_Encoding="gzip")
    assert (status, body) == ("206", b"\x02\x03\x04")
    assert headers["Content-Range"] == "bytes 2-4/2048"
    assert asked(app, "/icon.png", Range="bytes=9999-")[0] == "416"


def test_an_edited_file_goes_out_as_it_is_now(app: Flask, public: Path) -> None:
    assert asked(app, "/app.js")[2] == SCRIPT.encode()
    (public / "app.js").write_text("export const more = 1;", "utf-8")
    assert asked(app, "/app.js")[2] == b"export const more = 1;"
    (public / "new.js").write_text("1", "utf-8")
    assert asked(app, "/new.js")[2] == b"1"
    (public / "app.js").unlink()
    assert asked(app, "/app.js")[2].decode() == INDEX


def test_a_large_file_is_not_kept_and_goes_out_all_the_same(
    app: Flask, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST", 100)
    status, headers, body = asked(app, "/icon.png")
    assert (status, len(body), headers["Cache-Control"]) == ("200", 2048, "no-cache")
    assert asked(app, "/icon.png", If_None_Match=headers["ETag"])[0] == "304"


def test_a_visitors_own_request_id_is_kept(app: Flask) -> None:
    assert asked(app, X_Request_ID="abc")[1]["X-Request-ID"] == "abc"


@pytest.mark.parametrize("name", ["/./app.js", "/a/../app.js", "//app.js", "/a/b/../../app.js"])
def test_a_file_has_one_name(app: Flask, name: str) -> None:
    status, headers, body = asked(app, name)
    assert (status, headers["Content-Type"]) == ("404", "application/problem+json")
    assert SCRIPT.encode() not in body


def test_many_names_of_one_file_are_not_remembered_for_ever(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered: list[str] = []
    monkeypatch.setattr(Lookout, "gives_file", lambda _, path: remembered.append(path) or True)
    for name in (
        "/app.js",
        "/./app.js",
        "/a/../app.js",
        "/x//../app.js",
        "/app.js/",
        "/x/..//./app.js",
        "/.",
    ):
        asked(app, name)
    assert remembered == ["/app.js"]
