"""GraphQL documents in files of the project, and what a recipe of one stands for."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from bff.explaining.types import pages_of, stats_text, types_text
from bff.expressions.tree import Constant, Mapping
from bff.recipe.check import check_folder
from bff.recipe.loader import load_project
from bff.recipe.model import Operation, Request, Variable
from tests.project import write_project

PAGE = """\
route: GET /api/films/{id}
auth: none
steps:
  film:
    client: people
    graphql: queries/film.graphql
    variables:
      id: path.id
shape: film
"""
FILM = "query Film($id: ID!, $first: Int = 3) {\n\tfilm(id: $id) { actors(first: $first) { name } }\n}\n"


INSIDE = "name it from the project's folder on: queries/orders.graphql"


def project(root: Path, document: str | None, page: str = PAGE, client: str = "") -> Path:
    write_project(root, {"page": page}, clients={"people": client})
    if document is not None:
        (root / "queries").mkdir()
        (root / "queries" / "film.graphql").write_text(document, encoding="utf-8")
    return root


def said_of(root: Path) -> list[str]:
    return [str(finding) for finding in check_folder(root)[1]]


def step_of(root: Path) -> Request:
    found, findings = load_project(root)
    assert findings == []
    step = found.recipes["page"].steps[0]
    assert isinstance(step, Request)
    return step


def test_a_document_in_a_file_is_what_is_posted(tmp_path: Path) -> None:
    step = step_of(project(tmp_path, FILM))
    assert isinstance(step.body, Mapping)
    assert (step.method, step.path.text, step.safe) == ("POST", "/graphql", True)
    assert dict(step.body.items)["query"] == Constant(FILM)
    variables = (Variable("id", "ID!", True), Variable("first", "Int", False))
    assert step.graphql == Operation("query", "Film", variables)


def test_a_document_in_the_recipe_is_the_same(tmp_path: Path) -> None:
    written = PAGE.replace("queries/film.graphql", '"{ films { title } }"').partition("    variables")[0]
    step = step_of(project(tmp_path, None, f"{written}shape: film\n"))
    assert step.body == Mapping((("query", Constant("{ films { title } }")),))
    assert step.graphql == Operation("query")


def test_the_endpoint_is_the_client_s(tmp_path: Path) -> None:
    assert step_of(project(tmp_path, FILM, client='graphql="/api/v2/graphql"')).path.text == "/api/v2/graphql"


def test_an_ok_of_its_own_stands_in_place_of_the_look_at_errors(tmp_path: Path) -> None:
    step = step_of(
        project(tmp_path, FILM, PAGE.replace("    variables", "    ok: reply.status == 200\n    variables"))
    )
    assert step.ok is not None
    assert step.graphql is not None
    assert (step.ok.written, step.graphql.judged) == ("reply.status == 200", False)


def test_a_mistake_in_a_file_has_its_place_there(tmp_path: Path) -> None:
    project(tmp_path, FILM.replace("$id)", "$ident)"))
    assert said_of(tmp_path) == [
        "queries/film.graphql:2:11: GraphQL: variable '$ident' is not defined by operation 'Film'\n"
        " film(id: $ident) { actors(first: $first) { name } }\n"
        "          ^^^^^^ did you mean '$id'?",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("queries/fil.graphql", "no file queries/fil.graphql|did you mean queries/film.graphql?"),
        ("/etc/film.graphql", f"a document is a file of the project|{INSIDE}"),
        ("queries/../../x.gql", f"a document is a file of the project|{INSIDE}"),
        ("queries/out.graphql", "queries/out.graphql leads out of the project|a document is a file of the project"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_the_project_is_told(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "elsewhere.graphql").write_text("{ films { title } }")
    root = project(tmp_path / "project", FILM, PAGE.replace("queries/film.graphql", name))
    (root / "queries" / "out.graphql").symlink_to(tmp_path / "elsewhere.graphql")
    what, hint = message.split("|")
    [said] = said_of(root)
    assert said == (
        f"orchestrations/page.yaml:6:14: {what}\n    graphql: {name}\n             {'^' * len(name)} {hint}"
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    project(tmp_path, "")
    file = tmp_path / "queries" / "film.graphql"
    file.write_bytes(b"{ films\n{ \xff } }")
    assert said_of(tmp_path) == ["queries/film.graphql:2:1: is not UTF-8 text; save the file as UTF-8"]
    file.write_bytes(b"#" * 300_000)
    assert said_of(tmp_path) == ["queries/film.graphql:1:1: has 300,000 bytes; a document may have 262,144"]
    file.write_text("{a" * 50_000)
    assert "GraphQL: document is nested too deeply" in said_of(tmp_path)[0]


def test_without_the_package_one_line_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = util.find_spec
    monkeypatch.setattr(
        "bff.recipe.loader.graphql.find_spec", lambda name: None if name == "graphql" else there(name)
    )
    page = PAGE.replace(
        "shape: film", "  again:\n    client: people\n    graphql: '{ a }'\nshape: [film, again]"
    )
    assert said_of(project(tmp_path, FILM, page)) == [
        "orchestrations/page.yaml:6:14: 'graphql' needs the package graphql-core\n"
        "    graphql: queries/film.graphql\n"
        "             ^^^^^^^^^^^^^^^^^^^^ pip install 'bff-recipes[graphql]'"
    ]


def test_an_endpoint_that_the_base_url_has_already_is_told_once(tmp_path: Path) -> None:
    page = PAGE.replace(
        "shape: film", "  again:\n    client: people\n    graphql: '{ a }'\nshape: [film, again]"
    )
    project(tmp_path, FILM, page)
    file = tmp_path / "clients" / "people.py"
    file.write_text(file.read_text().replace("http://people.test", "http://people.test/graphql"))
    assert said_of(tmp_path) == [
        "orchestrations/page.yaml:6:5: the base_url of client 'people' has the endpoint in it already\n"
        "    graphql: queries/film.graphql\n"
        "    ^^^^^^^ take /graphql from base_url, or say where it is below: Client(graphql=…); also in line 11"
    ]


def test_a_description_of_paths_says_nothing_of_documents(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    reply = {"200": {"content": {"application/json": {"schema": {"type": "array"}}}}}
    (tmp_path / "clients" / "api.json").write_text(
        str({"openapi": "3.1.0", "paths": {"/graphql": {"post": {"responses": reply}}}}).replace("'", '"')
    )
    page = PAGE.replace("shape: film", "shape: film.film.title")
    assert said_of(project(tmp_path, FILM, page, client='schema="api.json"')) == []


def test_a_type_says_that_nobody_describes_a_document(tmp_path: Path) -> None:
    page = PAGE.replace("shape: film", "shape:\n  title: film.film.title")
    pages = pages_of(project(tmp_path, FILM, page), ["page"])
    told = types_text(pages) + stats_text(pages)
    assert "nobody describes what client 'people' answers to the query Film" in told
