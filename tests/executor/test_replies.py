"""What a page makes of replies that are empty, that nobody reads, or that are not in the form that they say."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.executor.recipes import Make, reading, recipe_of, steps_in_log
from tests.fakes import FakeBackend, Script, answer, gzipped

EMPTY = answer(body=b"")
TEXT = answer(body=b"OK", headers={"Content-Type": "text/plain"})
UNDONE = recipe_of(
    """
      row:
        client: todos
        post: /row
        undo:
          delete: /row/{row.id}
      last:
        client: todos
        get: /last
    """,
    "last",
    route="POST /api/page",
)


@pytest.mark.parametrize(
    ("rest", "shape"),
    [
        ("retries: 0", "row.name"),
        ("retries: 0", "[one.name for one in row]"),
        ("retries: 0", "len([one for one in row])"),
        ("retries: 0", "row['a b']"),
        ("take: reply.body.items", "row"),
        ("take: reply.body", "row.name"),
        ('take: \'{"body": reply.body, "status": reply.status}\'', "row.body.name"),
        ("ok: not reply.body.errors", "row.name"),
        ("key_by: id", "row"),
        ("batch: ids in ['1']", "row"),
    ],
)
@pytest.mark.parametrize("script", [EMPTY, answer(204), answer(body=b" \r\n")], ids=["200", "204", "blank"])
def test_nothing_where_the_recipe_reads_something_is_a_bad_reply(
    page: Make, backend: FakeBackend, rest: str, shape: str, script: Script
) -> None:
    backend.on("GET /row", script)
    found = page(reading(rest, shape)).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "bad-reply")
    assert found.json["detail"] == "'row' answered with nothing."


@pytest.mark.parametrize(
    ("rest", "shape", "expected"),
    [
        ("retries: 0", "row", None),
        ("retries: 0", "1 if row is None else 2", 1),
        ("take: reply.status", "row", 200),
        ("take: reply.body", "row", None),
        ("take: reply.body", "row is None", True),
        ("each: x in [1]", "row", [True]),
        ("each: x in [1]", "[one for one in row]", [True]),
        ("on_status: {200: 'reply.body.name'}", "row", None),
        ("ok: reply.status < 300 or reply.body.code == 1", "row", None),
    ],
)
def test_nothing_where_the_recipe_reads_nothing_is_null(
    page: Make, backend: FakeBackend, rest: str, shape: str, expected: Any
) -> None:
    backend.on("GET /row", EMPTY)
    assert page(reading(rest, shape)).get("/api/page").json == {"page": expected}


def test_a_value_between_hides_no_reading(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", EMPTY)
    recipe = recipe_of(
        """
      row:
        client: todos
        get: /row
      view:
        value:
          of: row
      again:
        value: view
        """,
        "again.of.name",
    )
    assert page(recipe).get("/api/page").json["failure"] == "bad-reply"
    assert page(recipe.replace("again.of.name", "again.of")).get("/api/page").json is None


def test_a_status_that_brings_nothing_can_be_said_to(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(204))
    recipe = reading("on_status: {204: null}", "row.name")
    assert page(recipe).get("/api/page").json == {"page": None}


def test_an_empty_item_falls_back_alone(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row/1", EMPTY)
    backend.on("GET /row/2", answer(json={"name": "two"}))
    recipe = recipe_of(
        """
      rows:
        client: todos
        each: id in [1, 2]
        get: /row/{id}
        fallback:
          name: error.kind
        """,
        '"[row.name for row in rows]"',
    )
    found = page(recipe).get("/api/page")
    assert (found.json, found.headers["X-Page-Partial"]) == (["bad-reply", "two"], "rows")


@pytest.mark.parametrize(
    ("more", "shape", "told"),
    [
        ("", "[row, errors[0].kind]", (200, [None, "status"], None)),
        ("", "[row, len(errors)]", (200, [None, 1], None)),
        ("", "[row, [errors for one in [1]][0][0].item]", (200, [None, None], None)),
        ("status: 200 + len(errors)", "[row]", (201, [None], None)),
        ('headers: {X-Errors: "errors[0].kind"}', "[row]", (200, [None], "status")),
        ("headers: {X-Errors: \"f'{len(errors)}'\"}", "[row]", (200, [None], "1")),
        ("", "[row]", (200, [None], None)),
    ],
)
def test_errors_hold_what_fell_back_wherever_an_answer_is_made_of_them(
    page: Make, backend: FakeBackend, more: str, shape: str, told: tuple[int, Any, str | None]
) -> None:
    steps = """
      row: {client: todos, get: /row, fallback: null}
    """
    backend.on("GET /row", answer(404))
    found = page(recipe_of(steps, json.dumps(shape), more=more)).get("/api/page")
    assert (found.status_code, found.json, found.headers.get("X-Errors")) == told
    assert found.headers["X-Page-Partial"] == "row"


def test_a_reply_that_is_cut_is_no_empty_page(page: Make, backend: FakeBackend, ways: dict[str, str]) -> None:
    packed = gzipped(json.dumps([{"name": "one"}]).encode())
    backend.on("GET /row", answer(body=packed[:7], headers={"Content-Encoding": "gzip"}))
    recipe = reading("cache: {ttl: 1m}\n        retries: 0", "[one.name for one in row]")
    site = page(recipe, environ=ways)
    found = site.get("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "refused")
    assert found.json["detail"] == "'row' broke its answer off."
    backend.on("GET /row", answer(body=packed, headers={"Content-Encoding": "gzip"}))
    assert site.get("/api/page").json == {"page": ["one"]}  # nothing of the first was kept


@pytest.mark.parametrize(
    ("rest", "shape", "expected"),
    [
        ("take: reply.status", "row", 200),
        ("take: reply.headers['content-type']", "row", "text/plain"),
        ("retries: 0", "1", 1),
        ("ok: reply.status == 200", "1", 1),
    ],
)
def test_what_nobody_reads_may_be_anything(
    page: Make, backend: FakeBackend, rest: str, shape: str, expected: Any
) -> None:
    backend.on("POST /row", TEXT)
    assert page(reading(rest, shape, "post")).post("/api/page").json == {"page": expected}


@pytest.mark.parametrize(
    ("rest", "shape"),
    [
        ("retries: 0", "row"),
        ("retries: 0", "row.id"),
        ("take: reply.body.id", "1"),
        ("ok: reply.body.error is None", "1"),
    ],
)
def test_what_somebody_reads_must_be_json(page: Make, backend: FakeBackend, rest: str, shape: str) -> None:
    backend.on("POST /row", TEXT)
    found = page(reading(rest, shape, "post")).post("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "not-json")


@pytest.mark.parametrize(("last", "status"), [(answer(json=1), 200), (answer(500), 502)])
def test_what_only_an_undo_reads_is_asked_for_when_it_runs(
    page: Make, backend: FakeBackend, last: Script, status: int
) -> None:
    backend.on("POST /row", TEXT)
    backend.on("GET /last", last)
    found = page(UNDONE).post("/api/page")
    assert found.status_code == status
    assert status == 200 or (found.json["undo_failed"], found.json["retryable"]) == (["row"], False)


def test_an_undo_makes_use_of_what_nobody_else_reads(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", answer(json={"id": 7}))
    backend.on("GET /last", answer(500))
    backend.on("DELETE /row/7", answer(204))
    assert page(UNDONE).post("/api/page").json["undone"] == ["row"]


@pytest.mark.parametrize("shape", ["row", "row.name"])
@pytest.mark.parametrize(
    ("charset", "codec"), [("iso-8859-1", "latin-1"), ("utf-16", "utf-16"), ("utf-32be", "utf-32-be")]
)
def test_json_in_another_charset_is_read(
    page: Make, backend: FakeBackend, ways: dict[str, str], charset: str, codec: str, shape: str
) -> None:
    raw = json.dumps({"name": "José"}, ensure_ascii=False).encode(codec)
    backend.on("GET /row", answer(body=raw, headers={"Content-Type": f"application/json; charset={charset}"}))
    site = page(reading("retries: 0", shape), environ=ways)
    for _ in range(2):  # the first reply of a step is decoded whole
        assert site.get("/api/page").json == {"page": {"name": "José"} if shape == "row" else "José"}


def test_a_charset_that_nobody_knows_says_so(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("GET /row", answer(body=b"{}", headers={"Content-Type": "application/json; charset=klingon"}))
    found = page(reading("retries: 0", "row")).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "not-json")
    assert found.json["detail"] == "'row' answered in a charset that nobody knows."
    assert steps_in_log(caplog)["row"] == {
        "outcome": "failed",
        "requests": 1,
        "kind": "not-json",
        "reason": "charset",
    }
