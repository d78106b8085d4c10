"""What the docs show is true: recipes load, keys, functions and settings are all there."""

from __future__ import annotations

import base64
import json
import re
import runpy
import shutil
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import responses

from bff import create_app
from bff.errors import AuthorError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.functions import FUNCTIONS
from bff.expressions.parse import parse
from bff.http import OutgoingRequest
from bff.http.sender import Sender
from bff.problems import PROBLEMS
from bff.recipe.keys import KEYS
from bff.settings import settings_table
from clients.local.pocketbase import Backend
from tests.fakes import FakeBackend, answer
from tests.integration.conftest import signed_in
from tests.servers import ROOT, environ_of
from tests.test_imports import ORDER

READMES = ["README.md", "README.zh.md"]
PAGES = [
    *READMES,
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "hosts").glob("*.md")),
]


def _blocks(page: str, language: str, begin: str = "") -> list[str]:
    """The code blocks of a page in a language that begin with a text."""
    text = (ROOT / page).read_text("utf-8")
    blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.S | re.M)
    return [block for written, block in blocks if written == language and block.startswith(begin)]


SIGNED = {"STRIPE_SECRET": "whsec_test", "SHOP_SECRET": "a secret", "BFF_STATE_URL": "redis://redis.test"}
"""What pages for who signs take from the environment."""
RECIPES = [
    pytest.param(block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(_blocks(page, "yaml recipe"), 1)
]

PARTS = {
    name: text
    for page in PAGES
    for name, text in re.findall(
        r"^```yaml part (\w+)\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.S | re.M
    )
}


EXAMPLES = [
    pytest.param(*re.split(r" +→ ", line), id=line)
    for page in PAGES
    for block in _blocks(page, "text examples")
    for line in block.splitlines()
]


@pytest.mark.parametrize(("expression", "gives"), EXAMPLES)
def test_an_expression_in_the_docs_gives_what_stands_beside_it(expression: str, gives: str) -> None:
    evaluation = Evaluation(work=10_000, memory=100_000, now=datetime(2026, 11, 15, 20, 30, tzinfo=UTC))
    assert compile_tree(parse(expression))({}, evaluation) == json.loads(gives)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with this project's clients and the one that the docs begin with."""
    (tmp_path / "clients").mkdir()
    for file in (ROOT / "clients").glob("*.py"):
        (tmp_path / "clients" / file.name).symlink_to(file)
    for file in (ROOT / "clients").glob("*.yaml"):  # a schema is none where a link leads elsewhere
        (tmp_path / "clients" / file.name).write_bytes(file.read_bytes())
    [holidays] = _blocks("docs/clients.md", "python", "# clients/holidays.py")
    (tmp_path / "clients" / "holidays.py").write_text(holidays, encoding="utf-8")
    (tmp_path / "orchestrations").mkdir()
    return tmp_path


@pytest.mark.parametrize("text", RECIPES)
def test_a_recipe_in_the_docs_runs(text: str, project: Path) -> None:
    held = {name: part for name, part in PARTS.items() if re.search(rf"(recipe: |- ){name}\b", text)}
    for name, shown in {"shown": text, **held}.items():
        (project / "orchestrations" / f"{name}.yaml").write_text(shown, encoding="utf-8")
    create_app(project, environ=environ_of("http://backend.test", **SIGNED))


def test_a_whole_recipe_in_the_docs_is_marked_as_one() -> None:
    assert {page: _blocks(page, "yaml", "route:") for page in PAGES} == {page: [] for page in PAGES}


@pytest.mark.backend
@pytest.mark.parametrize("readme", READMES)
def test_the_recipe_of_the_readme_makes_the_page_of_the_readme(
    readme: str, project: Path, seeded_backend: Backend
) -> None:
    [recipe], [page] = _blocks(readme, "yaml recipe"), _blocks(readme, "json")
    # A notice that comes late under load is no part of what is asked here.
    recipe = recipe.replace("timeout: 300ms", "timeout: 2s")
    (project / "orchestrations" / "home.yaml").write_text(recipe, encoding="utf-8")
    (project / "orchestrations" / "login.yaml").symlink_to(ROOT / "orchestrations" / "login.yaml")
    app = create_app(project, environ=environ_of(seeded_backend.url))
    lin = signed_in(app.test_client(), "lin")
    assert lin.get("/api/home?q=re").get_json() == json.loads(page)


@responses.activate
def test_the_view_by_hand_in_the_docs_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = _blocks("docs/clients.md", "python", "from bff import create_app\n")
    (project / "wsgi.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("TODOS_URL", "http://todos.test")
    responses.get("http://todos.test/api/health", json={"code": 200, "message": "API is healthy."})

    app = runpy.run_path(str(project / "wsgi.py"))["app"]

    assert app.test_client().get("/status").get_json() == {"backend": "API is healthy."}


def test_the_test_of_a_page_in_the_docs_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    [code] = _blocks("docs/testing.md", "python", "import responses\n")
    names: dict[str, Any] = {}
    exec(code, names)
    names["test_a_page_lives_without_its_notice"]()


@pytest.mark.parametrize("readme", READMES)
def test_the_mistake_in_the_readme_is_what_check_prints(readme: str, project: Path) -> None:
    [shown] = _blocks(readme, "", "orchestrations/home.yaml:")
    recipe = (ROOT / "orchestrations" / "home.yaml").read_text("utf-8")
    (project / "orchestrations" / "home.yaml").write_text(
        recipe.replace("owner: people[todo.owner]", "owner: peopel[todo.owner]"), encoding="utf-8"
    )
    shutil.copy(ROOT / "orchestrations" / "shell.yaml", project / "orchestrations")
    with pytest.raises(AuthorError) as caught:
        create_app(project, environ={})
    assert f"{caught.value}\n" == shown


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").glob("*")), ids=lambda path: path.name)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < 200_000
    assert any(f"images/{picture.name}" in (ROOT / page).read_text("utf-8") for page in PAGES)


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    names = {key.name for keys in KEYS.values() for key in keys}
    assert {name for name in names if not re.search(rf"`{name}[`:]|\b{name}:", text)} == set()


def test_the_direction_of_imports_is_documented() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    [listed] = re.findall(r"\n\n(`clock` · .*?)\n\n", text, re.S)
    assert re.findall(r"`([a-z]+)/?`", listed) == ORDER


def test_every_function_is_documented() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    section = text.partition("\n## Functions\n")[2].partition("\n## ")[0]
    assert {name for name in FUNCTIONS if not re.search(rf"\b{name}\b", section)} == set()


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    rows = [f"| `{name}` | `{default}` | {doc} |" for name, default, doc in settings_table()]
    assert [row for row in rows if row not in text] == []


def test_the_app_has_words_for_every_problem_and_for_no_other() -> None:
    text = (ROOT / "public" / "texts.js").read_text("utf-8")
    worded = set(re.findall(r'^  "problem\.([a-z-]+)":', text, re.M))
    assert worded - {"offline", "slow", "unreadable", "unknown"} == set(PROBLEMS)


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(r"(?:\]\(|src=\")(?!https?:)([^)\s\"]+)", text)
    assert [link for link in links if not _is_there(ROOT / page, link)] == []


def _is_there(page: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not heading or heading in _headings(target))


def _headings(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_token_of_the_docs_is_fetched_once_and_sent() -> None:
    [code] = _blocks("docs/clients.md", "python", "# clients/billing.py")
    with FakeBackend() as backend:
        backend.on("POST /token", answer(json={"access_token": "t1", "expires_in": 60}))
        backend.on("GET /a", answer(json=1))
        names: dict[str, Any] = {}
        exec(code, names)
        settings = {
            "URL": backend.url,
            "TOKEN_URL": f"{backend.url}/token",
            "NAME": "shop",
            "PASSWORD": "secret",
        }
        client = names["client"]
        client.resolve({f"BILLING_{name}": value for name, value in settings.items()})
        for _ in range(2):
            assert Sender().send(client, "GET", OutgoingRequest("/a"), monotonic() + 10, "").status == 200
    asked = [(request.target, request.headers["authorization"]) for request in backend.requests]
    assert asked == [
        ("/token", f"Basic {base64.b64encode(b'shop:secret').decode()}"),
        ("/a", "Bearer t1"),
        ("/a", "Bearer t1"),
    ]
