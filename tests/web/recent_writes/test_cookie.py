"""The cookie that says what a visitor wrote: which answers set it, and what becomes of it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bff import create_app
from bff.identity.recent_writes import PRIVATE, RecentWrites, RecentWritesSeal
from tests.clock import Clock, too_late
from tests.fakes import FakeBackend, answer, close, half, hang
from tests.project import write_project
from tests.web.recent_writes.visits import HOME, KEY, SHELL, WRITE, cookies, look, session, urls, write


@pytest.mark.parametrize(
    ("script", "more", "status", "told"),
    [
        (answer(201, json=1), {}, 200, True),
        (close, {}, 502, True),
        (hang, {}, 504, True),
        (answer(409), {}, 409, False),
        (answer(409), {"write": ", on_status: {409: null}"}, 200, True),
        (answer(200, json={"error": 1}), {"write": ", ok: not reply.body.error"}, 502, False),
        (answer(201, json=1), {"below": "below: {client: todos, get: /gone}"}, 404, True),
        (
            answer(201, json=1),
            {"write": ", undo: {delete: /rows}", "below": "below: {client: todos, get: /gone}"},
            404,
            True,
        ),
        (answer(201, json=1), {"below": "no: {require: false, fail: {status: 403}}"}, 403, True),
        (answer(201, json=1), {"write": ", when: false"}, 200, False),
    ],
    ids=[
        *("done", "lost", "hangs", "refused", "answered so before", "not a success", "page fails below"),
        *("taken back", "guarded below", "not sent"),
    ],
)
def test_an_answer_says_so_if_something_was_written_or_may_have_been(
    script: Any, more: dict[str, str], status: int, told: bool, make: Any, backend: FakeBackend, clock: Clock
) -> None:
    backend.on("POST /rows", too_late(clock, 3) if script is hang else script)
    backend.on("GET /gone", answer(404))
    found = write(make(**more), status)
    assert cookies(found) == (["bff-written"] if told else [])
    assert found.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("script", "status", "told"),
    [
        (answer(201, json=1), 201, True),
        (answer(body=b"<p>", headers={"Content-Type": "text/html"}), 502, True),
        (half, 200, True),
        (close, 502, True),
        (hang, 504, True),
        (answer(409), 409, False),
    ],
    ids=["done", "done, and cannot be handed on", "done, and breaks off", "lost", "hangs", "refused"],
)
def test_an_answer_that_goes_through_says_so_too(
    script: Any, status: int, told: bool, make: Any, backend: FakeBackend
) -> None:
    backend.on("PUT /file", script)
    found = make().put("/api/upload", data=b"x")
    assert found.status_code == status
    assert (cookies(found), found.headers["Cache-Control"]) == (["bff-written"] if told else [], "no-store")
    found.close()


def test_a_body_that_goes_down_alone_sets_no_cookie(make: Any) -> None:
    found = make().get("/api/download")
    assert (found.data, cookies(found)) == (b"x", [])


def test_an_upload_that_its_visitor_breaks_off_may_have_happened(make: Any) -> None:
    environ = {"CONTENT_LENGTH": "5"}
    found = make().put("/api/upload", input_stream=io.BytesIO(b"x"), environ_overrides=environ)
    assert (found.status_code, cookies(found)) == (400, ["bff-written"])


def test_an_error_of_our_own_after_a_write_says_so_too(make: Any, backend: FakeBackend) -> None:
    found = write(make(more="status: written.id"), 500)
    assert cookies(found) == ["bff-written"]


def test_a_page_of_reads_sets_no_cookie(make: Any) -> None:
    ann = make()
    write(ann)
    found = ann.get("/api/home")
    assert cookies(found) == []
    assert "ETag" in found.headers


def test_where_nothing_of_a_visitor_is_kept_there_is_no_cookie(tmp_path: Path, backend: FakeBackend) -> None:
    home = re.sub(r"cache: 10m", "", HOME)
    shell = re.sub(r", cache: 10m", "", SHELL)
    text = WRITE.format(auth="none", more="", write="", below="", shape="")
    write_project(tmp_path, {"home": home, "shell": shell, "write": text})
    ann = create_app(tmp_path, environ={**urls(backend), "BFF_SESSION_KEYS": KEY}).test_client()
    assert cookies(write(ann)) == []


def test_an_app_of_some_pages_tells_for_those_that_it_does_not_know(
    make: Any, tmp_path: Path, backend: FakeBackend
) -> None:
    make(more="invalidates: [home.mine]")
    app = create_app(tmp_path, ["write"], environ={**urls(backend), "BFF_SESSION_KEYS": KEY})
    assert "Max-Age=86401" in write(app.test_client()).headers["Set-Cookie"]


def test_a_visitor_with_a_bearer_token_alone_gets_no_cookie(make: Any) -> None:
    ann = make(auth="none")
    sent = {"Authorization": "Bearer abc"}
    assert cookies(ann.application.test_client().post("/api/write", headers=sent)) == []
    assert cookies(ann.post("/api/write", headers=sent)) == ["bff-written"]


def test_the_cookie_is_for_the_layer_alone_and_lives_as_long_as_anything_is_kept(make: Any) -> None:
    found = write(make())
    pattern = r"bff-written=[\w=-]+; Expires=[^;]+; Max-Age=601; HttpOnly; Path=/; SameSite=Lax"
    assert re.fullmatch(pattern, found.headers["Set-Cookie"])


def test_behind_https_the_cookie_is_bound_to_the_host(make: Any) -> None:
    found = make(None).post("/api/write", base_url="https://app.test")
    cookie = found.headers["Set-Cookie"]
    assert cookie.startswith("__Host-bff-written=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in cookie


def test_two_tabs_lose_nothing_of_each_other(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = make(more="invalidates: [home.mine]")
    ann.set_cookie("bff-written", RecentWritesSeal([KEY]).seal(RecentWrites({PRIVATE: 5e9, "home.all": 4.0})))
    write(ann)
    cookie = ann.get_cookie("bff-written")
    assert cookie is not None
    found = RecentWritesSeal([KEY]).open(cookie.value, 600, 1.0)
    assert set(found.moments) == {PRIVATE, "home.mine"}  # what is over is gone


@pytest.mark.parametrize(
    "value",
    ["", "x", "A" * 3000, Fernet(KEY).encrypt(b"{}").decode(), "ü"],
    ids=["empty", "no token", "endless", "of the session's key", "not ascii"],
)
def test_a_cookie_that_is_not_ours_is_as_none(value: str, make: Any) -> None:
    ann = make()
    before = look(ann)
    found = ann.get("/api/home", headers={"Cookie": f"bff-written={value}; {session(ann)}"})
    assert (found.status_code, found.json) == (200, before)
