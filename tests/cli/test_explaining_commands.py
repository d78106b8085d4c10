"""`routes`, `explain`, `graph` and `eval`: what they print where, and their exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bff.cli import main
from tests.explaining.project import RECIPES, write_ten

ROUTES = """\
method  path                  page           who may ask
GET     /api/board            join           anybody, by name if signed in
GET     /api/hello            shape          anybody
GET     /api/holidays/{year}  one_read       anybody
GET     /api/newest           chain          who has signed in
POST    /api/orders           writes         who has signed in
POST    /api/plans/{id}       all            who has signed in
GET     /api/shop             shop           anybody, by name if signed in
GET     /api/some             each           who has signed in
GET     /api/start            parts          who has signed in
GET     /api/weather          second_source  anybody
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ten(tmp_path_factory.mktemp("ten"))


def run(root: Path, *arguments: str) -> int:
    return main(["--root", str(root), *arguments])


def test_routes_are_a_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "routes") == 0
    assert capsys.readouterr() == (ROUTES, "")


def test_explain_prints_its_text(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "explain", "join") == 0
    assert capsys.readouterr() == ((RECIPES / "04_join.txt").read_text("utf-8"), "")


def test_graph_prints_svg_unless_mermaid_is_asked_for(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "graph", "join") == 0
    assert capsys.readouterr().out.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="')
    assert run(root, "graph", "join", "--format", "mermaid") == 0
    assert capsys.readouterr() == ((RECIPES / "04_join.mmd").read_text("utf-8"), "")


@pytest.mark.parametrize("command", ["explain", "graph"])
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("jon", "no recipe orchestrations/jon.yaml; did you mean join?  there are: "),
        ("frame", "frame is no page of its own, but a part of: parts\n"),
    ],
)
def test_only_a_page_can_be_explained(
    root: Path, capsys: pytest.CaptureFixture[str], command: str, page: str, said: str
) -> None:
    assert run(root, command, page) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith(f"bff: {said}")) == ("", True)


@pytest.mark.parametrize("arguments", [["routes"], ["explain", "page"], ["graph", "page"]])
def test_a_mistake_is_told_as_check_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (tmp_path / "orchestrations").mkdir()
    (tmp_path / "orchestrations" / "page.yaml").write_text("route: GET /p\nauth: none\nshape: x\n")
    assert run(tmp_path, *arguments) == 1
    assert capsys.readouterr().out == (
        "orchestrations/page.yaml:3:8: unknown name 'x'\nshape: x\n"
        '       ^ a text is written f"x"; here are: path, query, headers, body, user\n'
    )


def test_the_bounds_of_the_environment_are_those_that_are_told(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BFF_MAX_REQUESTS", "300")
    assert run(root, "explain", "join") == 0
    assert (
        "\n  together  300  which is all that a page may make (BFF_MAX_REQUESTS)\n" in capsys.readouterr().out
    )


def test_eval_works_an_expression_out_over_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"todos": [{"done": True}, {"done": False}]}))
    assert run(tmp_path, "eval", "count(todo for todo in todos if todo.done)", "--data", str(data)) == 0
    assert capsys.readouterr() == ("1\n", "")


def test_a_mistake_of_an_expression_is_1_and_has_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "eval", "1 + usr.id") == 1
    assert capsys.readouterr() == (
        "expression:1:5: unknown name 'usr'\n1 + usr.id\n    ^^^ did you mean 'user'?  "
        "here are: path, query, headers, body, user\n",
        "",
    )


def test_what_a_page_could_not_compute_is_1_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "eval", "[1 for a in range(1000) for b in range(1000) for c in range(1000)]") == 1
    assert capsys.readouterr().out == "over the bound: work of a page's expressions (BFF_MAX_WORK)\n"


def test_data_that_is_not_there_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.json"
    assert run(tmp_path, "eval", "1", "--data", str(path)) == 2
    assert capsys.readouterr() == ("", f"bff: {path}: No such file or directory\n")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["explain"], "Missing argument 'PAGE'."),
        (
            ["graph", "join", "--format", "png"],
            "Invalid value for '--format': 'png' is not one of 'svg', 'mermaid'.",
        ),
        (["eval"], "Missing argument 'EXPRESSION'."),
    ],
)
def test_wrong_usage_is_2(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], wrong: str
) -> None:
    assert run(root, *arguments) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"Error: {wrong}"
