"""A project of one's own, from an empty folder to a function, with the wheel and nothing else of this repository."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from clients.local.pocketbase import start_child, stop_child
from tests.chromium import chromium
from tests.conftest import missing
from tests.deploy.aws_emulator import emulated, missing_parts
from tests.deploy.aws_events import Asked
from tests.deploy.test_newcomer import is_taken
from tests.servers import ROOT, until_answers

URL = "http://127.0.0.1:5000"
PORTS = (5000, 5001)
INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title><script src="app.js" defer></script></head>
<body><ul></ul></body></html>
"""
APP = """const answer = await fetch('/api/items');
if (answer.ok) for (const item of (await answer.json()).items) {
  document.querySelector('ul').append(Object.assign(document.createElement('li'), {textContent: item.name}));
}
"""


def kept_environ() -> dict[str, str]:
    """What of this environment a new user has, too."""
    names = ("HOME", "LANG", "TMPDIR", "PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in names if name in os.environ}


class User:
    """Somebody in an empty folder, with the programs of an environment of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / ".venv" / "bin"
        self.environ = {**kept_environ(), "PATH": f"{self.programs}:{os.environ['PATH']}"}

    def run(self, *command: str, within: str = ".") -> str:
        """What a command prints; it must end well."""
        done = subprocess.run(
            command, cwd=self.folder / within, env=self.environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def install(self) -> None:
        """The wheel, built from this clone, with what it needs from the registry."""
        wheel = [
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "--target",
            "wheel",
            "--directory",
            str(self.folder),
        ]
        subprocess.run(wheel, cwd=ROOT, check=True, capture_output=True, timeout=60)
        [path] = self.folder.glob("*.whl")
        self.run(sys.executable, "-m", "venv", ".venv")
        self.run("pip", "install", "--quiet", "--only-binary=:all:", f"{path}[serve,test]")

    @contextlib.contextmanager
    def developing(self, project: str) -> Iterator[Path]:
        """`bff dev` of a project; gives what it says in its terminal."""
        terminal = self.folder / "terminal.txt"
        with terminal.open("wb") as said:
            process = start_child(
                [str(self.programs / "bff"), "dev"],
                cwd=self.folder / project,
                env=self.environ,
                stdout=said,
                stderr=said,
            )
        try:
            until_answers(f"{URL}/", process, terminal)
            yield terminal
        finally:
            stop_child(process)


def shows(page: Page, *names: str) -> None:
    expect(page.get_by_role("listitem")).to_have_text(list(names))


@pytest.mark.full
def test_a_project_goes_from_an_empty_folder_to_a_function(
    tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("chromium")
    if (lacking := missing_parts()) is not None:
        missing(lacking)
    taken = [port for port in PORTS if is_taken(port)]
    assert taken == [], f"the documented ports must be free: {taken}"
    user = User(tmp_path)
    user.install()
    user.run("bff", "new", "shop")
    shop = tmp_path / "shop"
    items = shop / "orchestrations" / "items.yaml"
    good = items.read_text()
    with user.developing("shop") as terminal, chromium() as browser:
        page = browser.new_page()
        page.goto(f"{URL}/")
        expect(page.get_by_role("heading", name="GET /api/items", exact=True)).to_be_visible()
        (shop / "public").mkdir()
        (shop / "public" / "index.html").write_text(INDEX)
        (shop / "public" / "app.js").write_text(f"(async () => {{{APP}}})();\n")
        page.reload()
        shows(page, "Kettle", "Teapot", "Cups, a set of six")

        items.write_text(good.replace("name: item.name", "name: upper(item.name)"))
        page.reload()
        shows(page, "KETTLE", "TEAPOT", "CUPS, A SET OF SIX")

        items.write_text(good.replace("name: item.name", "name: itme.name"))
        page.reload()
        place = "orchestrations/items.yaml:37:13: unknown name 'itme'"
        expect(page.get_by_role("dialog")).to_contain_text(place)
        assert place in terminal.read_text()

        items.write_text(good)
        expect(page.get_by_role("dialog")).to_have_count(0)
        shows(page, "Kettle", "Teapot", "Cups, a set of six")

        assert user.run("bff", "explain", "items", within="shop").startswith("GET /api/items, ")
        assert re.search(r"\b5 passed\b", user.run("pytest", within="shop"))
        user.run("bff", "build", "items", "--target", "aws-lambda", "--out", "build/aws", within="shop")
        built = shop / "build" / "aws" / "items"
        with emulated(built, "aws_lambda.handler", {}, tmp_path / "work") as function:
            answer = function.ask(Asked("GET", "/api/items", "limit=1"))
    assert answer.status == 200
    assert answer.body == (b'{"items":[{"id":"1","name":"Kettle","price":39.5,"seller":"Ada"}],"errors":[]}')
