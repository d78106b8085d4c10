"""An app of Vite beside `bff dev`, joined by the plugin of `bff add vite`: sessions, other sites, lines, mistakes."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bff.cli import main
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.conftest import missing
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, close
from tests.project import LOGIN, write_project
from tests.servers import ROOT, program, until_answers

VITE = ROOT / ".local" / "browser" / "node_modules" / "vite" / "bin" / "vite.js"
HOME = """
route: GET /api/home
auth: none
shape:
  hello: "'Ann'"
"""
MISTAKE = HOME.replace("\"'Ann'\"", "querry.name")
RECIPES = {
    "login": LOGIN,
    "home": HOME,
    "me": "route: GET /me\nshape: user.id\n",
    "note": "route: POST /lists/{list}/notes\nshape: path.list\n",
    "feed": """
        route: GET /api/feed
        auth: none
        deadline: 30s
        steps:
          todos: {client: todos, get: /todos, timeout: 29s, fallback: null, defer: true}
          notice: {client: notices, get: /notice, timeout: 29s, fallback: null, defer: true}
        shape:
          todos: todos
          notice: notice
        """,
}
INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>An app</title><link rel="icon" href="data:,"></head>
<body><p id="hello">…</p><script src="/api/main.js" type="module"></script></body></html>
"""
# A module may stand where paths of the layer's do.
MODULE = """
const reply = await fetch('/api/home');
const page = await reply.json();
document.querySelector('#hello').textContent = reply.ok ? `Hello, ${page.hello}.` : page.title;
"""
SIGN_IN = """async () => {
  const headers = {'Content-Type': 'application/json'};
  const body = JSON.stringify({name: 'ada'});
  return (await fetch('/api/login', {method: 'POST', headers, body})).status;
}"""
ABOUT = "GET /-/dev/project"
SOUND = answer(json={"routes": ["^/slow$", "^/cut$"], "mistakes": []})
ASK = (
    "async ([method, path]) => { const r = await fetch(path, {method}); return [r.status, await r.text()]; }"
)
BEGIN = """async () => {
  const reply = await fetch('/api/feed', {headers: {Accept: 'application/x-ndjson'}});
  window.lines = reply.body.pipeThrough(new TextDecoderStream()).getReader();
}"""
NEXT = "async () => (await window.lines.read()).value"
REST = "async () => { for (let all = '';;) { const r = await lines.read(); if (r.done) return all; all += r.value; } }"


@dataclass
class Developed:
    """A project under `bff dev --run` with Vite, and the gates before the answers of its backend."""

    root: Path
    url: str
    todos: threading.Event = field(default_factory=threading.Event)
    notice: threading.Event = field(default_factory=threading.Event)

    def write(self, recipe: str, text: str) -> None:
        path = self.root / "orchestrations" / f"{recipe}.yaml"
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(before + 10**9, before + 10**9))


@pytest.fixture(scope="module")
def vite_command(needs: Callable[..., None]) -> Callable[[int], list[str]]:
    """Vite at a port."""
    needs("chromium", "node")
    if not VITE.exists():
        missing("needs vite in .local/browser: make install-browser")
    return lambda port: [
        program("node"),
        str(VITE),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--strictPort",
    ]


def write_app(root: Path, url: str) -> None:
    """Write an app of Vite with the plugin, beside a layer of this address."""
    assert main(["--root", str(root), "add", "vite"]) == 0
    (root / "vite.config.js").write_text(
        f"import bff from './vite-plugin-bff.js';\nexport default {{plugins: [bff({{url: '{url}'}})]}};\n"
    )
    (root / "index.html").write_text(INDEX, encoding="utf-8")
    (root / "api").mkdir()
    (root / "api" / "main.js").write_text(MODULE, encoding="utf-8")


@contextmanager
def started(command: list[str], url: str, log: Path, environ: dict[str, str]) -> Iterator[None]:
    """Run a command until the block ends, which begins when somebody answers at the address."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "FLASK_"))}
    with log.open("wb") as output:
        process = start_child(command, cwd=log.parent, env={**plain, **environ}, stdout=output, stderr=output)
    try:
        until_answers(url, process, log)
        yield
    finally:
        stop_child(process)


@pytest.fixture(scope="module")
def developed(
    vite_command: Callable[[int], list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Developed]:
    folder = tmp_path_factory.mktemp("vite")
    root, port, vite_port = write_project(folder / "app", RECIPES), free_port(), free_port()
    write_app(root, f"http://127.0.0.1:{port}")
    found = Developed(root, f"http://127.0.0.1:{vite_port}")
    command = [sys.executable, "-m", "bff", "--root", str(root), "dev", "--port", str(port)]
    command += ["--run", shlex.join(vite_command(vite_port))]
    with FakeBackend() as backend:
        backend.on("GET /todos", after(found.todos, answer(json=["milk"])))
        backend.on("GET /notice", after(found.notice, answer(json="Hello")))
        environ = {"TODOS_URL": backend.url, "NOTICES_URL": backend.url, "PYTHONPATH": str(ROOT)}
        with started(command, found.url, folder / "terminal.txt", environ):
            yield found


@pytest.fixture
def layer() -> Iterator[FakeBackend]:
    """What stands where `bff dev` does, with two routes, and answers them as a test lets it."""
    with FakeBackend() as layer:
        layer.on(ABOUT, SOUND)
        yield layer


@pytest.fixture
def beside(
    layer: FakeBackend, vite_command: Callable[[int], list[str]], tmp_path: Path, browser: Browser
) -> Iterator[Page]:
    """A browser at a Vite beside that layer."""
    port = free_port()
    root, url = write_project(tmp_path / "app", {}), f"http://127.0.0.1:{port}"
    write_app(root, layer.url)
    with started([*vite_command(port), str(root)], url, tmp_path / "terminal.txt", {}):
        context = browser.new_context(base_url=url)
        page = context.new_page()
        page.goto("/")
        yield page
        context.close()


@pytest.fixture
def page(developed: Developed, browser: Browser) -> Iterator[Page]:
    """A browser of its own, at the address of Vite."""
    expect.set_options(timeout=20_000)
    context = browser.new_context(base_url=developed.url)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def test_who_signs_in_through_vite_is_who_asks(page: Page) -> None:
    expect(page.locator("#hello")).to_have_text("Hello, Ann.")
    assert page.evaluate(ASK, ["GET", "/me"])[0] == 401
    assert page.evaluate(SIGN_IN) == 200
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["domain"]) == (True, "Lax", "127.0.0.1")
    assert page.evaluate(ASK, ["GET", "/me"]) == [200, '"ada"']
    assert page.evaluate(ASK, ["POST", "/lists/a%20b/notes"]) == [200, '"a b"']


def test_a_browser_that_tells_its_origin_alone_may_write_too(developed: Developed, page: Page) -> None:
    assert page.evaluate(SIGN_IN) == 200
    for origin, status in {developed.url: 200, "http://127.0.0.1:5000": 403}.items():
        assert page.request.post("/lists/1/notes", headers={"Origin": origin}).status == status


def test_a_write_from_another_port_is_refused_although_its_cookie_comes_along(
    developed: Developed, page: Page
) -> None:
    assert page.evaluate(SIGN_IN) == 200
    form = f'<form method="post" action="{developed.url}/lists/1/notes"><button>A prize</button></form>'
    document = answer(body=form.encode(), headers={"Content-Type": "text/html"})
    with FakeBackend() as other:
        other.on("GET /", document)
        page.goto(other.url)
        with page.expect_navigation() as navigation:
            page.get_by_role("button").click()
        page.goto("about:blank")
    answered = navigation.value
    assert "cookie" in answered.request.all_headers()
    assert answered.status == 403


def test_each_line_comes_when_it_is_made(developed: Developed, page: Page) -> None:
    page.evaluate(BEGIN)
    first = {"page": {"todos": None, "notice": None}, "pending": ["todos", "notice"]}
    assert json.loads(page.evaluate(NEXT)) == first
    developed.todos.set()
    assert json.loads(page.evaluate(NEXT)) == {
        "steps": ["todos"],
        "patch": [{"op": "replace", "path": "/todos", "value": ["milk"]}],
        "pending": ["notice"],
    }
    developed.notice.set()
    assert page.evaluate(REST).endswith('{"complete":true,"partial":[]}\n')


def test_a_new_recipe_answers_at_the_next_request(developed: Developed, page: Page) -> None:
    status, text = page.evaluate(ASK, ["GET", "/new/1"])
    assert (status, "An app" in text) == (200, True)  # Vite's own answer to what it does not know
    developed.write("new", "route: GET /new/{id}\nauth: none\nshape: path.id\n")
    assert page.evaluate(ASK, ["GET", "/new/1"]) == [200, '"1"']


def test_a_mistake_stands_in_vites_overlay_until_it_is_mended(developed: Developed, page: Page) -> None:
    overlay = page.locator("vite-error-overlay")
    developed.write("home", MISTAKE)
    expect(overlay.locator(".message")).to_have_text(
        "[plugin:bff] orchestrations/home.yaml:5:10: unknown name 'querry'"
    )
    expect(overlay.locator(".file")).to_have_text(f"{developed.root}/orchestrations/home.yaml:5:10")
    expect(overlay.locator(".frame")).to_contain_text("> 5 |   hello: querry.name")
    expect(overlay.locator(".frame")).to_contain_text("^^^^^^ did you mean 'query'?")
    page.reload()
    expect(overlay).to_be_visible()
    expect(page.locator("#hello")).to_have_text("The recipes need a look")
    developed.write("home", HOME)
    expect(overlay).to_have_count(0)
    expect(page.locator("#hello")).to_have_text("Hello, Ann.")


def test_a_layer_that_is_not_there_is_told_until_it_is(layer: FakeBackend, beside: Page) -> None:
    overlay = beside.locator("vite-error-overlay")
    layer.on(ABOUT, answer(503, json={}))
    expect(overlay.locator(".message")).to_have_text(
        f"[plugin:bff] No bff dev at {layer.url}: start it, or give bff() its url."
    )
    layer.on(ABOUT, SOUND)
    expect(overlay).to_have_count(0)


def test_who_goes_away_ends_what_was_asked(layer: FakeBackend, beside: Page) -> None:
    asked, gone = threading.Event(), threading.Event()

    def slow(_: Received, wire: Wire) -> None:
        asked.set()
        wire.until_closed()
        gone.set()

    layer.on("GET /slow", slow)
    beside.evaluate(
        "() => { window.leave = new AbortController(); fetch('/slow', {signal: leave.signal}).catch(() => 0); }"
    )
    assert asked.wait(PATIENCE)
    beside.evaluate("() => leave.abort()")
    assert gone.wait(PATIENCE)


def test_a_layer_that_answers_nothing_is_a_bad_gateway(layer: FakeBackend, beside: Page) -> None:
    layer.on("GET /cut", close)
    assert beside.evaluate(ASK, ["GET", "/cut"]) == [502, ""]
