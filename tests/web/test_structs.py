"""Pages that are made of structs and written out as structs: the same bytes, and the same bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeBackend, answer
from tests.project import BACKENDS, visitor

RECIPE = """
    route: GET /api/page
    auth: none
    steps:
      x: {client: todos, get: /x}
    shape:
      "name of all": x.name
      "名": {all: x.all, n: "count(row for row in x.rows if row['is'])"}
      rows:
        each: row in x.rows
        item: {id: row.id, of: row.deep.er, class: "row['class']"}
    """
OPEN = RECIPE.replace("x.name", "merge(x.name, x.name) or x.name")
"""The same page, of which nobody knows how deep it is."""


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield running


def asked(root: Path, backend: FakeBackend, recipe: str, reply: Any, **environ: str) -> Any:
    backend.on("GET /x", answer(json=reply))
    root.mkdir(exist_ok=True)
    urls = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
    return visitor(root, recipe, environ=urls | environ).get("/api/page")


def row(at: int) -> dict[str, Any]:
    return {
        "id": at,
        "deep": {"er": [at, {"é": "\\n"}], "no": 1},
        "class": "a",
        "is": at % 2 == 0,
        "more": "x" * 9,
    }


@pytest.mark.parametrize("rows", [0, 1, 200, 3000])
@pytest.mark.parametrize("name", ["all", None, 1.5, {"of": [1]}, 2**70, {"a": {"b": {"c": {"d": {"e": 1}}}}}])
def test_a_page_of_structs_has_the_bytes_of_one_of_mappings(
    tmp_path: Path, backend: FakeBackend, rows: int, name: Any
) -> None:
    reply = {"name": name, "all": [name, []], "rows": [row(at) for at in range(rows)]}
    found = asked(tmp_path / "a", backend, RECIPE, reply)
    assert found.status_code == 200
    expected = {
        "name of all": name,
        "名": {"all": [name, []], "n": (rows + 1) // 2},
        "rows": [{"id": one["id"], "of": one["deep"]["er"], "class": "a"} for one in reply["rows"]],
    }
    assert found.data == json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert found.data == asked(tmp_path / "b", backend, OPEN, reply).data


@pytest.mark.parametrize(
    "reply",
    [
        {"rows": [row(at) for at in range(2000)]},
        {"all": json.loads("[" * 20 + "]" * 20)},
        {"all": [[[[[]]]]]},
    ],
)
@pytest.mark.parametrize(
    "bounds", [{"BFF_MAX_ANSWER": "32 KiB"}, {"BFF_MAX_DEPTH": "30"}, {"BFF_MAX_DEPTH": "5"}]
)
def test_the_bounds_of_an_answer_are_those_of_one_of_mappings(
    tmp_path: Path, backend: FakeBackend, reply: Any, bounds: dict[str, str]
) -> None:
    one = asked(tmp_path / "a", backend, RECIPE, reply, **bounds)
    other = asked(tmp_path / "b", backend, OPEN, reply, **bounds)
    assert one.status_code == other.status_code
    assert {**one.json, "instance": ""} == {**other.json, "instance": ""}


@pytest.mark.parametrize(
    "reply", [None, [], [1], "title", 7, 1.5, {"rows": [None]}, {"rows": [[], {}]}, {"rows": {}}]
)
def test_a_reply_of_another_form_gives_the_same_page(
    tmp_path: Path, backend: FakeBackend, reply: Any
) -> None:
    one = asked(tmp_path / "a", backend, RECIPE, reply)
    other = asked(tmp_path / "b", backend, OPEN, reply)
    assert one.status_code == other.status_code
    if one.status_code == 200:
        assert one.data == other.data
