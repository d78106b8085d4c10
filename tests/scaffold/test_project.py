"""New projects: what each holds, and that it passes its own check and tests without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bff.cli import main
from bff.dev.rows import Rows
from bff.errors import OperatorError
from bff.expressions.functions import FUNCTIONS
from bff.recipe.check import check_folder
from bff.recipe.keys import KEYS
from bff.scaffold import TEMPLATES, files_of
from bff.scaffold.backend_page import name_of
from bff.scaffold.probe import Asked
from tests.conftest import ROOT

URL = "http://backend.invalid/v1/order-lines?limit=5"
FOUND = {
    "rows": Asked("http://backend.invalid", "/v1/order-lines?limit=5", "", ("id", "class", "yes", "price")),
    "rows within": Asked("http://backend.invalid", "/v1/order-lines?limit=5", "data", ("id",)),
    "one thing": Asked("http://backend.invalid", "/status", None, ("name", "up")),
    "no rows yet": Asked("http://backend.invalid", "/", "", ()),
    "an odd path": Asked("http://backend.invalid", "/a%7Bb%7D/%E4%BB%BB/@1?q=a:b", "", ("id",)),
    "a reserved word": Asked("http://backend.invalid", "/user/query", "", ("id",)),
    "trouble": Asked("http://backend.invalid", "/items", trouble="answers 401"),
}
# How the rows are found is looked at elsewhere as well; a whole project of its own is made of each where all is tested.
BACKENDS = [(template, None) for template in TEMPLATES] + [
    pytest.param("list", name, marks=() if name == "rows" else pytest.mark.full) for name in FOUND
]


def written(folder: Path, template: str, found: str | None) -> Path:
    files = files_of("shop", template, FOUND[found] if found else None)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(("template", "found"), BACKENDS)
def test_a_new_project_passes_its_own_check_and_tests(
    template: str, found: str | None, tmp_path: Path
) -> None:
    folder = written(tmp_path, template, found)
    project, findings = check_folder(folder, None)
    assert [str(finding) for finding in findings] == []
    assert project.recipes
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_formatted_and_typed_like_the_engine(template: str, tmp_path: Path) -> None:
    folder = written(tmp_path, template, None)
    for command in (["check", "--select", "E,F,I,UP,B"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--line-length", "110", "--isolated", str(folder)]
        done = subprocess.run(ruff, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_a_project_has_what_its_people_and_tools_need() -> None:
    assert list(files_of("shop", "list", None)) == [
        ".env.example",
        ".gitignore",
        ".vscode/settings.json",
        "AGENTS.md",
        "README.md",
        "backend.json",
        "clients/backend.py",
        "orchestrations/item.yaml",
        "orchestrations/items.yaml",
        "recipe.schema.json",
        "requirements.txt",
        "tests/conftest.py",
        "tests/test_items.py",
        "wsgi.py",
    ]


def test_no_hole_of_a_template_is_left_open() -> None:
    for template in TEMPLATES:
        for found in (None, FOUND["rows"]):
            files = files_of("shop", template, found)
            assert [name for name, text in files.items() if re.search(r"\{\{[a-z ]+\}\}", text)] == []


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/stats/views.json?_size=2", "views"),
        ("/v1/Order-Lines", "order_lines"),
        ("/.json", "rows"),
        ("/", "rows"),
    ],
)
def test_a_page_has_the_last_word_of_its_path(target: str, name: str) -> None:
    assert name_of(target) == name


def test_the_page_of_a_backend_is_named_after_its_rows() -> None:
    files = files_of("shop", "list", FOUND["rows"])
    assert files["orchestrations/order_lines.yaml"] == (
        "# yaml-language-server: $schema=../recipe.schema.json\n\n"
        "# What the backend had when this was written: rename, leave out, and add what the page needs.\n"
        "route: GET /api/order_lines\n"
        "auth: none\n\n"
        "steps:\n"
        "  order_lines:\n"
        "    client: backend\n"
        "    get: /v1/order-lines?limit=5\n\n"
        "shape:\n"
        "  order_lines:\n"
        "    each: row in order_lines\n"
        "    item:\n"
        '      "id": row.id\n'
        '      "class": "row[\'class\']"\n'
        '      "yes": row.yes\n'
        '      "price": row.price\n'
    )
    assert 'default="http://backend.invalid"' in files["clients/backend.py"]
    assert "backend.json" not in files


def test_a_project_begins_with_the_pins_of_the_engine() -> None:
    assert files_of("shop", "blank", None)["requirements.txt"] == (ROOT / "requirements.txt").read_text(
        "utf-8"
    )


def test_assistants_are_told_every_key_and_function() -> None:
    told = files_of("shop", "blank", None)["AGENTS.md"]
    assert all(f"`{key.name}`" in told for table in ("recipe", "request") for key in KEYS[table])
    assert all(f"`{name}`" in told for name in FUNCTIONS)


def test_the_recipe_that_assistants_are_shown_is_right(tmp_path: Path) -> None:
    folder = written(tmp_path, "list", None)
    [recipe] = re.findall(r"```yaml\n(.*?)```", (folder / "AGENTS.md").read_text("utf-8"), re.S)
    (folder / "orchestrations" / "shown.yaml").write_text(recipe, "utf-8")
    assert [str(finding) for finding in check_folder(folder, ["shown"])[1]] == []


def test_the_rows_of_a_template_are_what_its_backend_serves(tmp_path: Path) -> None:
    for template in ("list", "sign-in"):
        Rows(written(tmp_path / template, template, None) / "backend.json")


@pytest.mark.parametrize("name", ["", "1shop", "my shop", "../x", "a" * 65, "shop.py"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(OperatorError) as raised:
        files_of(name, "blank", None)
    assert str(raised.value) == (
        f"{name!r} is no name for a project: begin with a letter, and go on with letters, digits, - and _"
    )


def test_the_readme_names_extras_that_there_are() -> None:
    readme = files_of("shop", "blank", None)["README.md"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    [named] = re.findall(r"bff-recipes\[([a-z,]+)\]", readme)
    assert set(named.split(",")) <= set(extras)


def test_new_says_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "shop", "--template", "blank"]) == 0
    assert capsys.readouterr().out == (
        "shop has 11 files. What next:\n\n"
        "  cd shop\n"
        "  bff dev       # http://127.0.0.1:5000\n"
        "  bff check\n"
        "  pytest\n\n"
        "AGENTS.md is one page of how to write recipes, for a colleague or a coding assistant.\n"
    )
    assert main(["--root", "shop", "check"]) == 0


def test_new_writes_over_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "README.md").write_text("mine")
    assert main(["new", "shop"]) == 2
    assert capsys.readouterr().err == "bff: shop is there already, and holds something: name another folder\n"
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["README.md"]
