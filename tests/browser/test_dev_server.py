"""What `bff dev` shows its author: mistakes over the page that asked, and the start page."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from clients.local.pocketbase import free_port, start_child, stop_child
from tests.project import write_project
from tests.servers import until_answers

ROOT = Path(__file__).resolve().parents[2]
HOME = """
route: GET /api/home
summary: What the first page shows.
auth: none
input:
  query:
    name:
      type: string
      default: Ann
shape:
  hello: query.name
"""
NOTE = """
route: POST /api/lists/{list}/notes
auth: none
input:
  body:
    type: object
    properties:
      title: {type: string, minLength: 3}
    required: [title]
shape:
  title: body.title
  list: path.list
"""
INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>An app</title><script src="/app.js" type="module"></script></head>
<body><main><h1>An app</h1><p id="hello">…</p><button>A button of the app</button></main></body></html>
"""
APP = """
const reply = await fetch('/api/home');
const page = await reply.json();
document.querySelector('#hello').textContent = reply.ok ? `Hello, ${page.hello}.` : page.title;
"""
MISTAKE = HOME.replace(
    "hello: query.name",
    "hello: querry.name + f' and a text that is too long for the width of any telephone that there is'",
)


@dataclass
class Developed:
    """A project under `bff dev`."""

    root: Path
    url: str

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(before + 10**9, before + 10**9))

    def reset(self) -> None:
        """As it is at first: two pages, and nothing to show them."""
        self.write("orchestrations/home.yaml", HOME)
        self.write("orchestrations/note.yaml", NOTE)
        (self.root / "public" / "index.html").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developed]:
    root = write_project(tmp_path_factory.mktemp("dev") / "project", {"home": HOME, "note": NOTE})
    port, log = free_port(), root / "terminal.txt"
    command = [sys.executable, "-m", "bff", "--root", str(root), "dev", "--port", str(port)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "FLASK_"))}
    with log.open("wb") as output:
        process = start_child(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
    try:
        until_answers(f"http://127.0.0.1:{port}/healthz", process, log)
        yield Developed(root, f"http://127.0.0.1:{port}")
    finally:
        stop_child(process)


@pytest.fixture(scope="module")
def base_url(served: Developed) -> str:
    return served.url


@pytest.fixture
def project(served: Developed) -> Developed:
    served.reset()
    return served


def test_a_mistake_stands_over_the_page_that_asked_until_it_is_mended(
    project: Developed, fresh_page: Page, serious: Callable[[], list[str]], shot: Callable[[str], None]
) -> None:
    project.write("public/index.html", INDEX)
    project.write("public/app.js", APP)
    project.write("orchestrations/home.yaml", MISTAKE)
    fresh_page.goto("/")
    dialog = fresh_page.get_by_role("dialog", name="home cannot run")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("orchestrations/home.yaml:11:10: unknown name 'querry'")
    expect(dialog).to_contain_text("did you mean 'query'?")
    expect(fresh_page.locator("#hello")).to_have_text("The recipes need a look")
    assert serious() == []
    shot("dev-overlay")

    project.write("orchestrations/home.yaml", MISTAKE.replace("querry", "quere"))
    expect(dialog).to_contain_text("unknown name 'quere'")
    project.write("orchestrations/home.yaml", HOME)
    expect(dialog).to_have_count(0)
    expect(fresh_page.locator("#hello")).to_have_text("Hello, Ann.")


ASKS = {
    "an answer that nobody reads": "await fetch('/api/home');",
    "a request of the old kind": "const asks = new XMLHttpRequest(); asks.open('GET', '/api/home'); asks.send();",
    "a script with names of its own": "const names = 1, open = 2; fetch('/api/home');",
}


@pytest.mark.parametrize("kind", ASKS)
def test_every_way_to_ask_is_seen(kind: str, project: Developed, fresh_page: Page) -> None:
    is_classic = "names" in kind
    project.write("public/index.html", INDEX.replace(' type="module"', "") if is_classic else INDEX)
    project.write("public/app.js", ASKS[kind])
    project.write("orchestrations/home.yaml", MISTAKE)
    fresh_page.goto("/")
    expect(fresh_page.get_by_role("dialog", name="home cannot run")).to_be_visible()


def test_it_is_for_the_keyboard_too(project: Developed, fresh_page: Page) -> None:
    project.write("public/index.html", INDEX)
    project.write("public/app.js", APP)
    project.write("orchestrations/home.yaml", MISTAKE)
    fresh_page.goto("/")
    dialog = fresh_page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Close")).to_be_visible()
    focused = "document.querySelector('bff-mistakes').shadowRoot.activeElement?.localName"
    seen = set()
    for _ in range(3):
        seen.add(fresh_page.evaluate(focused))
        fresh_page.keyboard.press("Tab")
    assert {"pre", "button"} <= seen
    fresh_page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    fresh_page.get_by_role("button", name="A button of the app").click()


def test_a_mistake_of_another_page_is_not_shown(project: Developed, fresh_page: Page) -> None:
    project.write("public/index.html", INDEX)
    project.write("public/app.js", APP)
    project.write("orchestrations/note.yaml", "route: [")
    fresh_page.goto("/")
    expect(fresh_page.locator("#hello")).to_have_text("Hello, Ann.")
    expect(fresh_page.get_by_role("dialog")).to_have_count(0)


def test_a_page_that_is_opened_itself_shows_its_mistakes_until_they_are_mended(
    project: Developed, fresh_page: Page, serious: Callable[[], list[str]], shot: Callable[[str], None]
) -> None:
    project.write("orchestrations/home.yaml", MISTAKE)
    fresh_page.goto("/api/home")
    expect(fresh_page.get_by_role("heading", name="home cannot run")).to_be_visible()
    expect(fresh_page.locator("pre strong")).to_have_text(
        "orchestrations/home.yaml:11:10: unknown name 'querry'"
    )
    assert serious() == []
    shot("dev-broken-page")
    project.write("orchestrations/home.yaml", HOME)
    expect(fresh_page.get_by_text('{"hello":"Ann"}')).to_be_visible()
    fresh_page.goto("about:blank")  # JSON has no width of its own


def test_the_start_page_lists_the_pages_and_tries_them(
    project: Developed, fresh_page: Page, serious: Callable[[], list[str]], shot: Callable[[str], None]
) -> None:
    fresh_page.goto("/")
    expect(fresh_page.get_by_role("heading", name="2 pages")).to_be_visible()
    home = fresh_page.get_by_role("form", name="GET /api/home")
    home.get_by_label("name").fill("Bo")
    home.get_by_role("button", name="Try").click()
    entry = fresh_page.get_by_role("listitem").filter(has=home)
    expect(entry.get_by_role("status")).to_contain_text("200 in")
    expect(entry.locator(".answer")).to_have_text('{\n  "hello": "Bo"\n}')

    note = fresh_page.get_by_role("form", name="POST /api/lists/{list}/notes")
    note.get_by_label("list").fill("a b")
    note.get_by_label("body").fill('{"title": "Milk"}')
    note.get_by_role("button", name="Try").click()
    entry = fresh_page.get_by_role("listitem").filter(has=note)
    expect(entry.locator(".answer")).to_have_text('{\n  "title": "Milk",\n  "list": "a b"\n}')
    assert serious() == []
    shot("dev-start")


def test_the_start_page_follows_what_breaks_and_is_mended(
    project: Developed, fresh_page: Page, serious: Callable[[], list[str]], shot: Callable[[str], None]
) -> None:
    project.write("orchestrations/home.yaml", MISTAKE)
    fresh_page.goto("/")
    expect(fresh_page.get_by_text("unknown name 'querry'")).to_be_visible()
    assert serious() == []
    shot("dev-start-broken")
    project.write("orchestrations/home.yaml", HOME)
    expect(fresh_page.get_by_text("unknown name 'querry'")).to_have_count(0)
    expect(fresh_page.get_by_role("form", name="GET /api/home")).to_be_visible()
