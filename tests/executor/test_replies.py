"""What a page makes of replies that are empty, cut, or not in the form that they say: and what its log says of it."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend, Script, answer, close, drip, flood, gzipped, half, hang, head

Make = Callable[..., FlaskClient]
EMPTY = answer(body=b"")
TEXT = answer(body=b"OK", headers={"Content-Type": "text/plain"})


UNDONE = """
    route: POST /api/page
    auth: none
    steps:
      row:
        client: todos
        post: /row
        undo:
          delete: /row/{row.id}
      last:
        client: todos
        get: /last
    shape: last
    """


@pytest.fixture(params=["sockets", "threads"])
def ways(request: pytest.FixtureRequest) -> dict[str, str]:
    """The setting for each transport."""
    return {"BFF_TRANSPORT": request.param}


def steps_in_log(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, Any]]:
    """What the page's line says of each step, without times."""
    lines = [json.loads(record.message) for record in caplog.records if record.name == "bff.page"]
    steps: dict[str, dict[str, Any]] = lines[-1]["steps"]
    return {name: {key: part for key, part in step.items() if key != "ms"} for name, step in steps.items()}


# --- what is empty -----------------------------------------------------------------------------------------------


def reading(rest: str, shape: str, verb: str = "get") -> str:
    return f"""
    route: {"GET" if verb == "get" else "POST"} /api/page
    auth: none
    steps:
      row:
        client: todos
        {verb}: /row
        {rest}
    shape:
      page: {json.dumps(shape)}
    """


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
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      row:
        client: todos
        get: /row
      view:
        value:
          of: row
      again:
        value: view
    shape: again.of.name
    """
    assert page(recipe).get("/api/page").json["failure"] == "bad-reply"
    assert page(recipe.replace("again.of.name", "again.of")).get("/api/page").json is None


def test_a_status_that_brings_nothing_can_be_said_to(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(204))
    recipe = reading("on_status: {204: null}", "row.name")
    assert page(recipe).get("/api/page").json == {"page": None}


def test_an_empty_item_falls_back_alone(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row/1", EMPTY)
    backend.on("GET /row/2", answer(json={"name": "two"}))
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      rows:
        client: todos
        each: id in [1, 2]
        get: /row/{id}
        fallback:
          name: error.kind
    shape: "[row.name for row in rows]"
    """
    found = page(recipe).get("/api/page")
    assert (found.json, found.headers["X-Page-Partial"]) == (["bad-reply", "two"], "rows")


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


# --- what nobody reads -------------------------------------------------------------------------------------------


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


# --- charsets ----------------------------------------------------------------------------------------------------


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


# --- asking again ------------------------------------------------------------------------------------------------

MAY_BE_DONE: dict[str, tuple[Script, str]] = {
    "not JSON": (TEXT, "not-json"),
    "half a JSON": (answer(body=b'{"a"'), "not-json"),
    "too deep": (answer(body=b"[" * 101 + b"]" * 101), "too-large"),
    "too large": (flood(50 * 2**20, announced=True), "too-large"),
    "nothing": (EMPTY, "bad-reply"),
    "no answer": (close, "refused"),
    "half an answer": (half, "refused"),
    "no HTTP": (drip(b"SSH-2.0\r\n\r\n", pace=0.001), "refused"),
    "late": (hang, "timeout"),
    "500": (answer(500), "status"),
    "502": (answer(502), "status"),
    "504": (answer(504), "status"),
}
KEYS = {"no key": "", "its own key": "idempotency_key: true", "a key": "idempotency_key: f'abc'"}


def writing(key: str) -> str:
    return reading(f"{key or 'retries: 0'}\n        timeout: 1s", "row.id", "post")


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize(("script", "kind"), MAY_BE_DONE.values(), ids=MAY_BE_DONE.keys())
def test_a_write_that_may_have_happened_is_never_called_retryable(
    page: Make, backend: FakeBackend, script: Script, kind: str, key: str
) -> None:
    backend.on("POST /row", script)
    found = page(writing(key)).post("/api/page")
    assert (found.json["failure"], found.json["retryable"]) == (kind, False)


@pytest.mark.parametrize("script", [answer(503), answer(429)], ids=["503", "429"])
def test_a_write_that_was_refused_may_be_asked_for_again(
    page: Make, backend: FakeBackend, script: Script
) -> None:
    backend.on("POST /row", script)
    assert page(writing("")).post("/api/page").json["retryable"] is True


def test_a_write_that_was_not_sent_may_be_asked_for_again(page: Make, ways: dict[str, str]) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        recipe = writing("").replace("1s", "2s")
        found = page(recipe, environ={"TODOS_URL": url, **ways}).post("/api/page")
    assert (found.json["failure"], found.json["retryable"]) == ("refused", True)


def test_a_read_that_failed_may_be_asked_for_again(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", TEXT)
    found = page(reading("retries: 0", "row")).get("/api/page")
    assert (found.json["failure"], found.json["retryable"]) == ("not-json", True)


@pytest.mark.parametrize(
    ("undo", "retryable"),
    [("", False), ("undo: {delete: /row}", True), ("undo: {delete: /gone}", False)],
    ids=["done", "undone", "undo failed"],
)
def test_a_page_that_has_written_is_retryable_only_where_that_is_undone(
    page: Make, backend: FakeBackend, undo: str, retryable: bool
) -> None:
    backend.on("POST /row", answer(json={"id": 1}))
    backend.on("GET /last", answer(503))
    backend.on("DELETE /row", answer(204))
    backend.on("DELETE /gone", answer(500))
    recipe = f"""
    route: POST /api/page
    auth: none
    steps:
      row:
        client: todos
        post: /row
        {undo}
      last:
        client: todos
        get: /last
        retries: 0
    shape: last
    """
    found = page(recipe).post("/api/page")
    assert (found.json["step"], found.json["retryable"]) == ("last", retryable)


def test_a_write_that_fell_back_says_so_too(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", half)
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      row:
        client: todos
        post: /row
        fallback: null
    shape: errors
    """
    entry = page(recipe).post("/api/page").json[0]
    assert (entry["kind"], entry["retryable"]) == ("refused", False)


@pytest.mark.parametrize(
    ("script", "lists", "status"),
    [
        (close, "unknown", 502),
        (answer(body=b"<p>", headers={"Content-Type": "text/html"}), "done", 502),
        (hang, "unknown", 504),
    ],
    ids=["no answer", "a page", "late"],
)
def test_an_upload_that_may_have_happened_is_not_retryable(
    page: Make, backend: FakeBackend, script: Script, lists: str, status: int
) -> None:
    backend.on("PUT /row", script)
    recipe = """
    route: PUT /api/page
    auth: none
    pass: true
    deadline: 600ms
    steps:
      row:
        client: todos
        put: /row
    """
    found = page(recipe).put("/api/page", data=b"abc", content_type="image/png")
    assert (found.status_code, found.json["retryable"], found.json[lists]) == (status, False, ["row"])


# --- why ---------------------------------------------------------------------------------------------------------

WHY: dict[str, tuple[Script, str, str]] = {
    "no answer": (close, "no-reply", "'row' ended the connection without an answer."),
    "half an answer": (half, "cut-short", "'row' broke its answer off."),
    "no HTTP": (
        drip(b"220 mail.test ESMTP\r\n\r\n", pace=0.001),
        "not-http",
        "'row' answered with something else than HTTP.",
    ),
    "two lengths": (
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", pace=0.001),
        "two-lengths",
        "'row' answered with something else than HTTP.",
    ),
    "a coding that is none": (
        answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
        "coding",
        "'row' answered in an encoding that cannot be read.",
    ),
}


@pytest.mark.parametrize(("script", "reason", "detail"), WHY.values(), ids=WHY.keys())
def test_a_failure_is_told_to_the_visitor_in_words_and_to_the_operator_in_one(
    page: Make,
    backend: FakeBackend,
    ways: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    script: Script,
    reason: str,
    detail: str,
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("GET /row", script)
    found = page(reading("retries: 0", "row"), environ=ways).get("/api/page")
    assert (found.status_code, found.json["failure"], found.json["detail"]) == (502, "refused", detail)
    assert steps_in_log(caplog)["row"] == {
        "outcome": "failed",
        "requests": 1,
        "kind": "refused",
        "reason": reason,
    }
    assert "127.0.0.1" not in caplog.text


def test_a_status_is_told_as_it_is(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("GET /row", answer(503))
    page(reading("retries: 0\n        fallback: null", "row")).get("/api/page")
    assert steps_in_log(caplog)["row"] == {
        "outcome": "fallback",
        "requests": 1,
        "kind": "status",
        "status": 503,
    }


def test_of_items_the_first_failure_is_told(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("GET /row/1", answer(json=1))
    backend.on("GET /row/2", half)
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      rows:
        client: todos
        each: id in [1, 2]
        get: /row/{id}
        retries: 0
        fallback: null
    shape: rows
    """
    page(recipe).get("/api/page")
    assert steps_in_log(caplog)["rows"]["reason"] == "cut-short"


def test_an_undo_that_failed_says_why(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("POST /row", answer(json=1))
    backend.on("DELETE /row", half)
    backend.on("GET /last", answer(500))
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      row:
        client: todos
        post: /row
        undo:
          delete: /row
      last:
        client: todos
        get: /last
        retries: 0
    shape: last
    """
    page(recipe).post("/api/page")
    steps = steps_in_log(caplog)
    assert steps["undo.row"] == {
        "outcome": "failed",
        "requests": 1,
        "kind": "refused",
        "reason": "cut-short",
    }
    assert steps["last"]["status"] == 500
    assert "kind" not in steps["row"]


def test_a_part_that_comes_later_says_why(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("GET /row", half)
    recipe = """
    route: GET /api/page
    auth: none
    steps:
      row:
        client: todos
        get: /row
        retries: 0
        defer: true
        fallback: null
    shape:
      row: row
    """
    lines = page(recipe).get("/api/page", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert json.loads(lines[1])["errors"][0]["detail"] == "'row' broke its answer off."
    assert steps_in_log(caplog)["row"]["reason"] == "cut-short"


def test_a_body_that_goes_through_and_breaks_off_says_why(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    start = head(200, {"Content-Type": "text/csv", "Content-Length": "1000"})
    backend.on("GET /row", drip(start + b"half of it", pace=0.001))
    recipe = """
    route: GET /api/page
    auth: none
    pass: true
    deadline: 600ms
    steps:
      row:
        client: todos
        get: /row
    """
    site = page(recipe)
    with pytest.raises(Exception, match="timeout"):
        _ = site.get("/api/page").data
    line = [json.loads(record.message) for record in caplog.records if record.name == "bff.page"][-1]
    assert (line["broken"], line["reason"]) == ("timeout", "reply-timeout")
