"""Steps whose replies are no JSON, in the fault matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bff.plan.formats import FormatDecoder
from bff.recipe.model import BodyFormat
from bff.testing import Matrix, matrix_of
from bff.testing.encodings import as_format, body_in
from tests.project import write_project

PAGE = """
route: GET /api/page
auth: none
deadline: 400ms
steps:
  prices:
    client: todos
    get: /prices
    format: {csv: {delimiter: ";"}}
    needs: ["[*].price"]
    key_by: id
  names:
    client: todos
    get: /names
    format: {csv: {header: [id, name], quote: null}}
    fallback: "[{'name': reply.body.message}]"
  log: {client: todos, get: /log, format: ndjson}
  note: {client: todos, get: /note, format: text, fallback: "f'{reply.status} {reply.body}'"}
  token: {client: todos, get: /token, format: form, needs: [access_token]}
  given: {client: todos, get: /given, format: csv}
shape:
  prices: "[float(one.price) for one in values(prices)]"
  names: "[one.name for one in names]"
  log: "[one.at for one in log]"
  note: note
  token: token.access_token
  given: "[one.a for one in given]"
"""
FILE = "replies: {given: 'a,b\\n1,2\\n', token: {body: {access_token: x}}}"
LEFT_OUT = {"form", "null", "nulls", "{}", "[]", "text"}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    root = write_project(tmp_path_factory.mktemp("formats"), {"page": PAGE})
    (root / "tests" / "pages").mkdir(parents=True)
    (root / "tests" / "pages" / "page.yaml").write_text(FILE)
    return matrix_of(root)


def test_every_step_is_asked_with_the_faults_of_its_format(matrix: Matrix) -> None:
    assert matrix.unreached == []
    found: dict[str | None, set[str]] = {}
    for case in matrix.cases:
        found.setdefault(case.step, set()).add(str(case.fault))
    assert found[None] == {"None"}
    for step in ("prices", "names", "log", "note", "token", "given"):
        assert {
            "refused",
            "hangs",
            "500",
            "empty",
            "half",
            "cut",
            "charset",
            "10MB",
            "drip",
            "stale",
        } <= found[step]
        assert ("HTML" in found[step]) is (step != "note")
        assert found[step].isdisjoint(LEFT_OUT)
    of_keys = {name for names in found.values() for name in names if " " in name}
    assert of_keys == {"missing [*].price"}


def test_it_is_green_and_says_what_a_visitor_gets(matrix: Matrix) -> None:
    verdicts = matrix.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}
    got = {(case.step, str(case.fault)): (one.status, one.partial) for case, one in verdicts.items()}
    for fault in ("HTML", "half", "charset", "missing [*].price"):
        assert got["prices", fault] == (502, False)
    for fault in ("HTML", "half", "charset"):
        assert got["names", fault] == (200, True)
        assert got["log", fault] == got["token", fault] == (502, False)
    assert got["note", "charset"] == (200, True)
    assert got["names", "empty"] == got["note", "empty"] == got["log", "empty"] == (200, False)
    assert got["prices", "empty"] == (502, False)


def test_it_turns_red_where_a_body_of_another_format_is_taken(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FormatDecoder, "read", lambda *_: [])
    [case] = [case for case in matrix.cases if str(case) == "page-log-HTML"]
    assert case.run_once().problems


@pytest.mark.parametrize(
    ("form", "value", "kept", "raw"),
    [
        (BodyFormat("csv"), [{"a": 1, "b": None}, {"c": True}, 7], [
            {"a": "1", "b": None, "c": None}, {"a": None, "b": None, "c": "true"},
        ], b"a,b,c\r\n1,,\r\n,,true\r\n"),
        (BodyFormat("csv", ";", None, ("a",)), [{"a": "x", "b": 1}], [{"a": "x"}], b"x\r\n"),
        (BodyFormat("csv"), None, [], b"id\r\n"),
        (BodyFormat("text"), 7, "7", b"7"),
        (BodyFormat("text"), {"a": 1}, "", b""),
        (BodyFormat("ndjson"), [{"a": 1}, 2], [{"a": 1}, 2], b'{"a":1}\n2\n'),
        (BodyFormat("form"), {"a": 1, "b": [1]}, {"a": "1"}, b"a=1"),
        (BodyFormat("form"), [1], {}, b""),
    ],
)  # fmt: skip
def test_a_guessed_value_is_made_one_that_its_format_can_hold(
    form: BodyFormat, value: Any, kept: Any, raw: bytes
) -> None:
    assert as_format(value, form) == kept
    assert body_in(form, kept) == raw


def test_a_project_of_its_own_needs_no_file(tmp_path: Path) -> None:
    write_project(
        tmp_path,
        {
            "page": "route: GET /api/a\nauth: none\nsteps: {a: {client: todos, get: /a, format: csv}}\nshape: a\n"
        },
    )
    assert matrix_of(tmp_path).unreached == []
