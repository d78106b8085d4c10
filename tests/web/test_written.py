"""A visitor sees what they wrote, whichever instance answers; others see it when what is kept is over."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff import create_app
from bff.http import Behind
from bff.identity.written import PRIVATE, Written, WrittenSeal
from bff.web import app as app_module
from tests.fakes import FakeBackend, Received, Wire, answer, close, half, hang
from tests.project import BACKENDS, LOGIN, write_project
from tests.servers import RedisServer

KEY = Fernet.generate_key().decode()
HOME = """
    route: GET /api/home
    auth: optional
    steps:
      shell: {recipe: shell}
      mine:
        client: todos
        get: /mine
        query: {owner: user.id}
        cache: 10m
      all:
        client: todos
        get: /all
        cache: {ttl: 1m, stale_if_error: 5m}
    shape: {mine: mine, all: all, name: shell}
    """
SHELL = """
    auth: optional
    steps:
      name: {client: people, get: /name, query: {of: user.id}, cache: 10m}
    shape: name
    """
WRITE = """
    route: POST /api/write
    auth: {auth}
    {more}
    steps:
      written: {{client: todos, post: /rows, timeout: 2s{write}}}
      {below}
    shape: {{written: written{shape}}}
    """
UPLOAD = """
    route: PUT /api/upload
    auth: optional
    pass: true
    {upload}
    steps:
      file: {{client: todos, put: /file, timeout: 500ms}}
    """
DOWNLOAD = """
    route: GET /api/download
    auth: optional
    pass: true
    steps:
      file: {client: todos, get: /file}
    """
ALL, MINE, NAME = "all", "mine", "name"
Home = dict[str, int]


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    """Every read gives another number."""
    with FakeBackend() as running:
        numbers = count(1)

        def number(received: Received, wire: Wire) -> None:
            answer(json=next(numbers))(received, wire)

        for path in ("/mine", "/all", "/name", "/below"):
            running.on(f"GET {path}", number)
        running.on("POST /rows", answer(201, json={"id": 1}))
        running.on("DELETE /rows", answer(204))
        running.on("PUT /file", answer(200, json={"file": "a_1.png"}))
        running.on("GET /file", answer(body=b"x", headers={"Content-Type": "image/png"}))
        yield running


@pytest.fixture
def behinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes what instances have done behind their pages."""
    made: list[Behind] = []
    original = app_module.behind_of
    monkeypatch.setattr(app_module, "behind_of", lambda *given: made.append(original(*given)) or made[-1])
    yield
    for behind in made:
        behind.close()


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend, behinds: None) -> Callable[..., FlaskClient]:
    """Makes an instance of the same app, and a visitor who begins there."""

    def made(
        user: str | None = "ann",
        *,
        auth: str = "optional",
        more: str = "",
        write: str = "",
        below: str = "",
        upload: str = "",
        **environ: str,
    ) -> Any:
        shape = ", below: below" if "below:" in below else ""
        text = WRITE.format(auth=auth, more=more, write=write, below=below, shape=shape)
        passing = {"upload": UPLOAD.format(upload=upload), "download": DOWNLOAD}
        write_project(tmp_path, {"login": LOGIN, "home": HOME, "shell": SHELL, "write": text, **passing})
        app = create_app(tmp_path, environ={**urls(backend), "BFF_SESSION_KEYS": KEY, **environ})
        visitor = app.test_client()
        if user is not None:
            assert visitor.post("/api/login", json={"name": user}).status_code == 200
        return visitor

    return made


def urls(backend: FakeBackend) -> dict[str, str]:
    return {f"{name.upper()}_URL": backend.url for name in BACKENDS}


def look(visitor: FlaskClient) -> Home:
    found = visitor.get("/api/home")
    assert found.status_code == 200
    page: Home = found.json
    return page


def write(visitor: FlaskClient, status: int = 200, **headers: str) -> Any:
    found = visitor.post(
        "/api/write", headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    assert found.status_code == status, found.text
    return found


def cookies(found: Any) -> list[str]:
    return [text.split("=")[0] for text in found.headers.getlist("Set-Cookie")]


def move(visitor: FlaskClient, other: FlaskClient) -> None:
    """Take a visitor's cookies to another instance."""
    for name in ("bff-session", "bff-written"):
        cookie = visitor.get_cookie(name)
        if cookie is not None:
            other.set_cookie(name, cookie.value)


def changed(before: Home, after: Home) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_a_write_shows_its_visitor_nothing_private_from_before_it_on_another_instance(make: Any) -> None:
    here, there = make(), make()
    before = look(there)
    assert look(there) == before
    found = write(here)
    assert (cookies(found), found.headers["Cache-Control"]) == (["bff-written"], "no-store")
    move(here, there)
    assert changed(before, look(there)) == {MINE, NAME}


def test_a_write_shows_its_visitor_nothing_private_from_before_it_on_the_same_instance(make: Any) -> None:
    ann = make()
    before = look(ann)
    write(ann)
    assert changed(before, look(ann)) == {MINE, NAME}


def test_a_write_of_one_visitor_is_nothing_to_another(make: Any) -> None:
    ann = make()
    bob = ann.application.test_client()
    bob.post("/api/login", json={"name": "bob"})
    before = look(bob)
    write(ann)
    assert look(bob) == before


@pytest.mark.parametrize(
    ("invalidates", "wanted"),
    [
        ("[home.mine]", {MINE}),
        ("[home.all]", {ALL}),
        ("[home.shell.name]", {NAME}),
        ("[home.shell]", {NAME}),
        ("[shell]", {NAME}),
        ("[shell.name, home.all]", {NAME, ALL}),
        ("[home]", {MINE, NAME, ALL}),
        ("[]", set()),
    ],
)
def test_a_recipe_says_what_its_write_makes_old(invalidates: str, wanted: set[str], make: Any) -> None:
    ann = make(more=f"invalidates: {invalidates}")
    before = look(ann)
    write(ann)
    assert changed(before, look(ann)) == wanted


def test_what_a_visitor_reads_after_their_write_is_kept_for_all_where_it_is_everybodys(make: Any) -> None:
    ann = make(more="invalidates: [home.all]")
    bob = ann.application.test_client()
    before = look(bob)
    write(ann)
    assert look(ann)[ALL] != before[ALL]
    assert changed(before, look(bob)) == {ALL}


def test_with_two_writing_recipes_in_a_page_one_narrows_nothing_for_the_other(
    make: Any, tmp_path: Path, backend: FakeBackend
) -> None:
    make(more="invalidates: [home.all]")
    outer = """
        route: POST /api/outer
        auth: optional
        steps:
          own: {client: todos, delete: /rows}
          inner: {recipe: write}
        shape: [own, inner]
        """
    write_project(tmp_path, {"outer": outer})
    ann = create_app(tmp_path, environ={**urls(backend), "BFF_SESSION_KEYS": KEY}).test_client()
    ann.post("/api/login", json={"name": "ann"})
    before = look(ann)
    assert ann.post("/api/outer").status_code == 200
    assert changed(before, look(ann)) == {ALL, MINE, NAME}


@pytest.mark.parametrize(
    ("upload", "wanted"),
    [
        ("", {MINE, NAME}),
        ("invalidates: [home.all]", {ALL}),
        ("invalidates: [home.mine, shell.name]", {MINE, NAME}),
        ("invalidates: []", set()),
    ],
)
def test_a_body_that_went_through_makes_old_what_its_recipe_says_on_every_instance(
    upload: str, wanted: set[str], make: Any
) -> None:
    here, there = make(upload=upload), make(upload=upload)
    before, before_there = look(here), look(there)
    assert here.put("/api/upload", data=b"x").status_code == 200
    assert changed(before, look(here)) == wanted
    move(here, there)
    assert changed(before_there, look(there)) == wanted


# --- which answers say it ----------------------------------------------------------------------------------------


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
    script: Any, more: dict[str, str], status: int, told: bool, make: Any, backend: FakeBackend
) -> None:
    backend.on("POST /rows", script)
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


# --- the cookie itself -------------------------------------------------------------------------------------------


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
    ann.set_cookie("bff-written", WrittenSeal([KEY]).seal(Written({PRIVATE: 5e9, "home.all": 4.0})))
    write(ann)
    cookie = ann.get_cookie("bff-written")
    assert cookie is not None
    found = WrittenSeal([KEY]).open(cookie.value, 600, 1.0)
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


def session(visitor: FlaskClient) -> str:
    cookie = visitor.get_cookie("bff-session")
    assert cookie is not None
    return f"bff-session={cookie.value}"


# --- a repeat ----------------------------------------------------------------------------------------------------


def test_a_repeated_write_is_answered_again_and_says_so_again(
    make: Any, backend: FakeBackend, redis: RedisServer
) -> None:
    here, there = make(BFF_STATE_URL=redis.url), make(BFF_STATE_URL=redis.url)
    before = look(there)
    first = write(here, Idempotency_Key="key-1")
    again = write(there, Idempotency_Key="key-1")  # the first answer was lost, and its cookie with it
    assert (again.headers["Idempotent-Replayed"], again.data) == ("true", first.data)
    assert cookies(first) == cookies(again) == ["bff-written"]
    assert len([request for request in backend.requests if request.method == "POST"]) == 1
    assert changed(before, look(there)) == {MINE, NAME}


@pytest.mark.parametrize("shared", [False, True])
def test_an_instance_that_shares_what_it_keeps_shows_nothing_old_either(
    shared: bool, make: Any, redis: RedisServer
) -> None:
    environ = {"BFF_CACHE_URL": redis.url} if shared else {}
    here, there, third = make(**environ), make(**environ), make(**environ)
    before = look(there)
    write(here)
    for other in (there, third):
        move(here, other)
        assert {MINE, NAME} <= changed(before, look(other))
