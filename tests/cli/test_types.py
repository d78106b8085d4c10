"""`types`: what it prints, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.cli import main
from tests.recipe.types.shop import write_shop

TYPES = """\
page  GET /api/page
{
  labels: string[],
  summary: {longest: string | null, kinds: ("open" | "done")[], more?: {[key]: integer}},
  other: unknown,
}
"""
STATS = """\
page: 4 of 5 fields typed
  other
    function 'anything' does not say what it gives
    cure: def anything(…) -> …: a hint says it
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", "13_hints")


def run(root: Path, *arguments: str) -> int:
    return main(["--root", str(root), "types", *arguments])


@pytest.mark.parametrize("pages", [(), ("page",)])
def test_the_type_of_each_page_is_printed(
    pages: tuple[str, ...], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(root, *pages) == 0
    assert capsys.readouterr() == (TYPES, "")


def test_stats_say_why_a_field_is_unknown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "--stats") == 0
    assert capsys.readouterr() == (STATS, "")


def test_more_unknown_fields_than_may_be_are_a_failure(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(root, "--stats", "--max-unknown", "1") == 0
    assert run(root, "--stats", "--max-unknown", "0") == 1
    assert capsys.readouterr() == (STATS * 2, "1 field unknown, at most 0 may be\n")


def test_several_pages_are_counted_together(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = root / "orchestrations" / "other.yaml"
    other.write_text("route: GET /api/other\nauth: none\nshape:\n  a: 1\n  errors: errors\n")
    passing = root / "orchestrations" / "passing.yaml"
    passing.write_text(
        "route: GET /api/file\nauth: none\npass: true\nsteps:\n  file:\n    client: unheard\n    get: /file\n"
    )
    assert run(root, "--stats") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "other: 12 of 12 fields typed"
    assert lines[-1] == "all 3 pages: 16 of 17 fields typed"
    assert run(root, "passing") == 0
    assert capsys.readouterr().out == "passing  GET /api/file\na body that goes through as it is\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pag"], "bff: no page 'pag'; did you mean page?  there are: page\n"),
        (
            ["--max-unknown", "x"],
            "Error: Invalid value for '--max-unknown': 'x' is not a valid integer range.\n",
        ),
    ],
)
def test_wrong_usage_is_2(
    arguments: list[str], said: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(root, *arguments) == 2
    assert capsys.readouterr().err.endswith(said)


def test_a_project_with_mistakes_has_no_types(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = root / "orchestrations" / "page.yaml"
    page.write_text(page.read_text().replace("todo.title", "todo.titel"))
    assert run(root) == 1
    assert "todo has no field 'titel'" in capsys.readouterr().out
