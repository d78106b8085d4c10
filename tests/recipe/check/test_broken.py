"""Broken recipes, each with all that `check` prints about it: place, line, carets, cure.

`broken/*.txt` hold the cases: `=== title`, the recipe, `--->`, the whole output.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bff.recipe.check import check_folder

HERE = Path(__file__).parent


def _cases() -> Iterator[tuple[str, str, str]]:
    for path in sorted((HERE / "broken").glob("*.txt")):
        for case in re.split(r"(?m)^=== ", path.read_text("utf-8"))[1:]:
            title, _, rest = case.partition("\n")
            recipe, _, printed = rest.partition("--->\n")
            yield f"{path.stem}: {title}", recipe, printed.strip("\n")


CASES = list(_cases())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clients and functions that the recipes name; each test writes its own page.yaml."""
    return Path(shutil.copytree(HERE / "project", tmp_path_factory.mktemp("broken") / "project"))


@pytest.mark.parametrize(("recipe", "printed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_broken_recipe_is_told_what_is_wrong_where_and_how_to_cure_it(
    recipe: str, printed: str, project: Path
) -> None:
    (project / "orchestrations" / "page.yaml").write_text(recipe, encoding="utf-8")

    _, findings = check_folder(project)

    assert "\n".join(map(str, findings)).replace("orchestrations/", "") == printed


def test_every_case_has_a_title_of_its_own() -> None:
    titles = [case[0] for case in CASES]
    assert len(titles) == len(set(titles)) >= 100
