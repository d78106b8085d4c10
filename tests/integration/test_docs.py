"""What the docs show is true: recipes load, keys, functions and settings are all there."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import pytest
import responses
from cryptography.fernet import Fernet

from bff import create_app
from bff.errors import AuthorError
from bff.expressions.functions import FUNCTIONS
from bff.keys import KEYS
from bff.problems import PROBLEMS
from bff.settings import settings_table
from tests.test_imports import ORDER

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
RECIPES = [
    pytest.param(block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"^```yaml recipe\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.S | re.M), 1
    )
]

PARTS = {
    name: text
    for page in PAGES
    for name, text in re.findall(
        r"^```yaml part (\w+)\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.S | re.M
    )
}


@pytest.mark.parametrize("text", RECIPES)
def test_a_recipe_in_the_docs_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "orchestrations").mkdir()
    held = {name: part for name, part in PARTS.items() if f"recipe: {name}\n" in text}
    for name, shown in {"shown": text, **held}.items():
        (tmp_path / "orchestrations" / f"{name}.yaml").write_text(shown, encoding="utf-8")
    (tmp_path / "clients").symlink_to(ROOT / "clients")
    create_app(tmp_path, environ={"BFF_SESSION_KEYS": Fernet.generate_key().decode()})


def test_a_whole_recipe_in_the_docs_is_marked_as_one() -> None:
    for page in PAGES:
        blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.S | re.M)
        assert [block for block in blocks if block.startswith("route:")] == [], page


@responses.activate
def test_the_view_by_hand_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "clients.md").read_text("utf-8")
    [code] = re.findall(r"^```python\n(from bff import create_app\n.*?)^```", text, re.S | re.M)
    (tmp_path / "wsgi.py").write_text(code, encoding="utf-8")
    for folder in ("clients", "orchestrations"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("TODOS_URL", "http://todos.test")
    rows = {"items": [{"title": "给植物浇水", "status": "open"}]}
    responses.get("http://todos.test/api/collections/todos/records?perPage=500", json=rows)

    app = runpy.run_path(str(tmp_path / "wsgi.py"))["app"]

    assert app.test_client().get("/api/todos.csv").text == 'title,status\n"给植物浇水",open'


def test_the_mistake_in_the_readme_is_what_check_prints(tmp_path: Path) -> None:
    [shown] = re.findall(
        r"^```\n(orchestrations/home\.yaml:.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.S | re.M
    )
    recipe = (ROOT / "orchestrations" / "home.yaml").read_text("utf-8")
    (tmp_path / "orchestrations").mkdir()
    (tmp_path / "orchestrations" / "home.yaml").write_text(
        recipe.replace("owner: people[todo.owner]", "owner: peopel[todo.owner]"), encoding="utf-8"
    )
    shutil.copy(ROOT / "orchestrations" / "shell.yaml", tmp_path / "orchestrations")
    (tmp_path / "clients").symlink_to(ROOT / "clients")
    with pytest.raises(AuthorError) as caught:
        create_app(tmp_path, environ={})
    assert f"{caught.value}\n" == shown


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    names = {key.name for table, keys in KEYS.items() if table != "deploy" for key in keys}
    assert {name for name in names if not re.search(rf"`{name}[`:]|\b{name}:", text)} == set()


def test_what_is_not_run_yet_is_said_to_be_so() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    section = text.partition("\n## Keys that are not run yet\n")[2]
    told = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (.*?) \|", section, re.M))))
    assert told - {"with"} == {key.name for keys in KEYS.values() for key in keys if not key.runs}


def test_the_direction_of_imports_is_documented() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    [listed] = re.findall(r"\n\n(`text` · .*?)\n\n", text, re.S)
    assert re.findall(r"`([a-z]+)/?`", listed) == ORDER


def test_every_function_is_documented() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    section = text.partition("\n## Functions\n")[2].partition("\n## ")[0]
    assert {name for name in FUNCTIONS if not re.search(rf"\b{name}\b", section)} == set()


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    rows = [f"| `{name}` | `{default}` | {doc} |" for name, default, doc in settings_table()]
    assert [row for row in rows if row not in text] == []


def test_the_page_has_words_only_for_problems_that_exist() -> None:
    text = (ROOT / "public" / "words.js").read_text("utf-8")
    block = re.search(r"PROBLEMS = \{(.*?)\};", text, re.S)
    assert block is not None
    ours = {"offline", "slow", "unreadable"}
    named = set(re.findall(r'^  "?([a-z-]+)"?:', block[1], re.M))
    assert named - ours <= set(PROBLEMS)


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", (ROOT / page).read_text("utf-8"))
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []
