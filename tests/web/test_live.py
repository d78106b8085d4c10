"""Recipes that change while their author looks at the page."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from flask import Flask, request, request_started

from bff.web.site import Site
from tests.project import app_of


class TestDebugging:
    """Under `flask run --debug`."""

    @pytest.fixture
    def app(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
        monkeypatch.setenv("FLASK_DEBUG", "1")
        return app_of(tmp_path, {"page": "route: GET /api/page\nauth: none\nshape: 1\n"})

    @staticmethod
    def write(tmp_path: Path, name: str, text: str) -> None:
        path = tmp_path / "orchestrations" / f"{name}.yaml"
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text)
        os.utime(path, ns=(before + 10**9, before + 10**9))

    def test_a_changed_recipe_takes_effect_on_the_next_request(self, app: Flask, tmp_path: Path) -> None:
        assert app.test_client().get("/api/page").json == 1
        self.write(tmp_path, "page", "route: GET /api/page\nauth: none\nshape: 2\n")
        assert app.test_client().get("/api/page").json == 2

    def test_a_new_recipe_and_a_new_route_are_there_at_once(self, app: Flask, tmp_path: Path) -> None:
        assert app.test_client().get("/api/page").json == 1
        self.write(tmp_path, "page", "route: GET /api/moved\nauth: none\nshape: 2\n")
        self.write(tmp_path, "other", "route: GET /api/other\nauth: none\nshape: 3\n")
        assert app.test_client().get("/api/moved").json == 2
        assert app.test_client().get("/api/other").json == 3
        assert app.test_client().get("/api/page").status_code == 404

    def test_a_route_that_a_request_beside_it_has_found_is_there(
        self, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loading, is_matched, load = threading.Event(), threading.Event(), Site._load

        def slowly(site: Site) -> None:
            loading.set()
            assert is_matched.wait(10)
            load(site)

        def matched(_: Flask, **__: object) -> None:
            if request.path == "/api/other":
                is_matched.set()

        assert app.test_client().get("/api/page").json == 1
        self.write(tmp_path, "other", "route: GET /api/other\nauth: none\nshape: 3\n")
        monkeypatch.setattr(Site, "_load", slowly)
        beside = threading.Thread(target=lambda: app.test_client().get("/api/page"))
        beside.start()
        assert loading.wait(10)
        with request_started.connected_to(matched, app):
            assert app.test_client().get("/api/other").json == 3
        beside.join()

    def test_a_broken_recipe_answers_with_its_check_message(self, app: Flask, tmp_path: Path) -> None:
        self.write(tmp_path, "page", "route: GET /api/page\nauth: none\nshape: nothing <b>\n")
        as_page = app.test_client().get("/api/page", headers={"Accept": "text/html"})
        assert (as_page.status_code, as_page.mimetype) == (503, "text/html")
        assert "orchestrations/page.yaml:3:" in as_page.text
        assert "<b>" not in as_page.text
        assert app.test_client().get("/readyz").status_code == 503

    def test_a_program_is_told_the_first_mistake_and_the_terminal_all_of_them_once(
        self, app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.write(tmp_path, "page", "route: GET /api/page\nauth: none\nshape: [nothing, nobody]\n")
        for _ in range(2):
            answer = app.test_client().get("/api/page")
            assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
            assert answer.json == {
                "type": "urn:bff:problem:recipes-broken",
                "title": "The recipes need a look",
                "status": 503,
                "detail": "orchestrations/page.yaml:3:9: unknown name 'nothing'\nshape: [nothing, nobody]\n"
                '        ^^^^^^^ a text is written f"nothing"; here are: path, query, headers, body, user',
            }
        told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert told == [
            "The recipes need a look:\n"
            "orchestrations/page.yaml:3:9: unknown name 'nothing'\nshape: [nothing, nobody]\n"
            '        ^^^^^^^ a text is written f"nothing"; here are: path, query, headers, body, user\n'
            "orchestrations/page.yaml:3:18: unknown name 'nobody'\nshape: [nothing, nobody]\n"
            "                 ^^^^^^ did you mean 'body'?  here are: path, query, headers, body, user"
        ]

    def test_a_mended_recipe_answers_again(self, app: Flask, tmp_path: Path) -> None:
        self.write(tmp_path, "page", "route: GET /api/page\nauth: none\nshape: nothing\n")
        assert app.test_client().get("/api/page").status_code == 503
        self.write(tmp_path, "page", "route: GET /api/page\nauth: none\nshape: 4\n")
        assert app.test_client().get("/api/page").json == 4

    def test_a_changed_recipe_that_lacks_a_setting_says_so_until_it_has_it(
        self, app: Flask, tmp_path: Path
    ) -> None:
        self.write(tmp_path, "page", "route: GET /api/page\nshape: 2\n")
        for _ in range(2):
            answered = app.test_client().get("/api/page")
            assert answered.status_code == 503
            assert "BFF_SESSION_KEYS is not set" in answered.text
        self.write(tmp_path, "page", "route: GET /api/page\nauth: none\nshape: 3\n")
        assert app.test_client().get("/api/page").json == 3

    def test_it_starts_with_a_broken_recipe_and_shows_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FLASK_DEBUG", "1")
        app = app_of(tmp_path, {"page": "route: GET /api/page\nauth: none\nshape: nothing\n"})
        assert app.test_client().get("/api/page").status_code == 503
