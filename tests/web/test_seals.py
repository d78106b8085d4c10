"""Pages with cursors of their own: for their visitor alone, on every instance, from recipes and built."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import responses
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from responses import matchers

from bff import create_app
from bff.cli import main
from bff.errors import OperatorError
from bff.recipe.check import check_folder
from bff.testing import matrix_of
from tests.project import LOGIN, write_built, write_project

KEY = Fernet.generate_key().decode()
PAGE = """
    route: GET /page
    auth: optional
    input:
      query:
        cursor: {type: string, maxLength: 2048}
    steps:
      todos:
        client: todos
        get: /todos
        query:
          after: unseal(query.cursor).after
    shape:
      titles: "[todo.title for todo in todos.items]"
      next: "seal({'after': todos.last, 'by': 'title'} if todos.last else null)"
    """
OTHER = """
    route: GET /other
    auth: optional
    input: {query: {cursor: {type: string}}}
    shape: {found: unseal(query.cursor)}
    """
OPEN = """
    route: GET /open
    auth: none
    input: {query: {cursor: {type: string}, long: {type: string}}}
    cache: {max_age: 60s, shared_max_age: 60s}
    shape: {found: unseal(query.cursor), next: "seal([1, query.long])"}
    """
PAGES = {"page": PAGE, "other": OTHER, "open": OPEN, "login": LOGIN}


@pytest.fixture(params=["recipes", "built"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The pages as they stand, and in compiled form."""
    root = write_project(tmp_path / "recipes", PAGES)
    return write_built(root, tmp_path / "built") if request.param == "built" else root


def instance(root: Path, keys: str = KEY) -> FlaskClient:
    return create_app(root, environ={"BFF_SESSION_KEYS": keys}).test_client()


def signed_in(client: FlaskClient, name: str) -> FlaskClient:
    assert client.post("/api/login", json={"name": name}).status_code == 200
    return client


def play(after: str | None, items: list[str], last: str | None) -> None:
    query = {} if after is None else {"after": after}
    responses.get(
        "http://todos.test/todos",
        json={"items": [{"title": title} for title in items], "last": last},
        match=[matchers.query_param_matcher(query)],
    )


@responses.activate
def test_the_next_page_is_where_this_one_ended_also_on_another_instance(root: Path) -> None:
    play(None, ["a"], "1")
    play("1", ["b"], None)
    first = instance(root).get("/page").get_json()
    assert first["titles"] == ["a"]
    second = instance(root).get("/page", query_string={"cursor": first["next"]}).get_json()
    assert second == {"titles": ["b"], "next": None}


@responses.activate
def test_the_same_page_is_not_modified(root: Path) -> None:
    play(None, ["a"], "1")
    site = instance(root)
    tag = site.get("/page").headers["ETag"]
    assert site.get("/page", headers={"If-None-Match": tag}).status_code == 304


@responses.activate
def test_a_cursor_is_the_visitors_and_the_pages_own(root: Path) -> None:
    play(None, ["a"], "1")
    play("1", ["b"], None)
    ann, bob = signed_in(instance(root), "ann"), signed_in(instance(root), "bob")
    cursor = ann.get("/page").get_json()["next"]
    for other in (bob, instance(root)):
        assert other.get("/page", query_string={"cursor": cursor}).get_json()["titles"] == ["a"]
    again = signed_in(instance(root), "ann")
    assert again.get("/page", query_string={"cursor": cursor}).get_json()["titles"] == ["b"]
    assert ann.get("/other", query_string={"cursor": cursor}).get_json() == {"found": None}
    assert ann.get("/other", query_string={"cursor": cursor[:-1] + "A"}).get_json() == {"found": None}


def test_keys_rotate(root: Path) -> None:
    newer = Fernet.generate_key().decode()
    cursor = instance(root).get("/open").get_json()["next"]
    asked = {"query_string": {"cursor": cursor}}
    assert instance(root, f"{newer},{KEY}").get("/open", **asked).get_json()["found"] == [1, None]
    assert instance(root, newer).get("/open", **asked).get_json()["found"] is None


def test_where_nobody_signs_in_a_cursor_is_for_everybody_and_the_page_is_kept_for_all(root: Path) -> None:
    answer = signed_in(instance(root), "ann").get("/open")
    assert answer.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    cursor = answer.get_json()["next"]
    found = signed_in(instance(root), "bob").get("/open", query_string={"cursor": cursor})
    assert found.get_json()["found"] == [1, None]


def test_what_is_too_long_to_be_sealed_is_no_page_and_its_text_is_nowhere(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="bff"):
        answer = instance(root).get("/open", query_string={"long": "secret" * 400})
    assert (answer.status_code, answer.get_json()["type"]) == (500, "urn:bff:problem:over-bound")
    assert "secret" not in answer.text + caplog.text
    assert "over the bound: what seal(…) is given (2 kB, once it is sealed)" in caplog.text


@pytest.mark.parametrize("cursor", ["x", "A" * 3000, "%00", "🙂", "é" * 50, "....", "null", "[]"])
def test_what_nobody_sealed_is_null(root: Path, cursor: str) -> None:
    answer = instance(root).get("/open", query_string={"cursor": cursor})
    assert answer.get_json()["found"] is None


def test_a_start_without_keys_says_so_in_one_line(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"open": OPEN})
    with pytest.raises(OperatorError) as raised:
        create_app(root, environ={})
    assert str(raised.value).startswith(
        "BFF_SESSION_KEYS is not set, and orchestrations/open.yaml needs it; make"
    )
    assert "\n" not in str(raised.value)


def test_the_development_server_makes_itself_a_key(tmp_path: Path) -> None:
    site = create_app(
        write_project(tmp_path, {"open": OPEN}), environ={"FLASK_RUN_FROM_CLI": "true"}
    ).test_client()
    cursor = site.get("/open").get_json()["next"]
    assert site.get("/open", query_string={"cursor": cursor}).get_json()["found"] == [1, None]


def test_a_page_that_seals_for_who_has_signed_in_is_not_kept_for_everybody(tmp_path: Path) -> None:
    recipe = OPEN.replace("auth: none", "auth: optional")
    _, findings = check_folder(write_project(tmp_path, {"open": recipe}))
    assert list(map(str, findings)) == [
        "orchestrations/open.yaml:5:23: a shared cache of a private page\n"
        "cache: {max_age: 60s, shared_max_age: 60s}\n"
        "                      ^^^^^^^^^^^^^^ the shape reads who asks, by seal(…)"
    ]


def test_a_constant_that_is_too_long_is_told(tmp_path: Path) -> None:
    recipe = f"""
        route: GET /page
        auth: none
        shape: [seal('{"a" * 1518}'), seal('{"a" * 1519}')]
        """
    _, findings = check_folder(write_project(tmp_path, {"page": recipe}))
    [told] = findings
    assert (told.message, told.hint) == (
        "what is sealed is longer than 2 kB",
        "seal what names it, such as an id",
    )
    assert (told.place.line, told.length) == (4, 1521)


def test_the_matrix_knows_what_a_page_seals(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"page": PAGE})
    problems = {str(case): verdict.problems for case, verdict in matrix_of(root).run().items()}
    assert {name: found for name, found in problems.items() if found} == {}
    assert problems


def test_explain_says_why_it_is_one_visitors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = PAGE.replace("get: /todos\n", "get: /todos\n        cache: 1m\n")
    root = write_project(tmp_path, {"page": recipe})
    assert main(["--root", str(root), "explain", "page"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "todos reads who asks, by unseal(…) (query, line" in said
    assert "the shape reads who asks, by seal(…)" in said
