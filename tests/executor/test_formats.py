"""Pages that read bodies which are no JSON, and that send texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bff import create_app
from bff.plan import formats
from tests.executor.recipes import Make, reading, recipe_of, steps_in_log
from tests.fakes import FakeBackend, answer, chunked, gzipped, half, in_turn
from tests.project import write_built, write_project

CSV_TYPE = {"Content-Type": "text/csv; charset=utf-8"}
CSV = answer(body=b"id,name\r\n1,Ann\r\n2\r\n", headers=CSV_TYPE)
ROWS = [{"id": "1", "name": "Ann"}, {"id": "2", "name": None}]
NOTHING = answer(body=b"")
ERROR = answer(404, json={"code": 7}, headers={"Content-Type": "application/json"})
NO_TOKEN = answer(body=b"error=secret")
KLINGON = answer(body=b"a", headers={"Content-Type": "text/csv; charset=secret"})


def told(found: Any) -> Any:
    """What a page gave: its body, or status, failure and detail of its problem."""
    if found.status_code == 200:
        return found.json["page"]
    return found.status_code, found.json["failure"], found.json["detail"].removeprefix("'row' answered ")


@pytest.mark.parametrize("chosen", ["sockets", "threads"])
@pytest.mark.parametrize("cached", ["retries: 0", "cache: 1m"])
def test_rows_are_objects_whose_cells_are_texts(
    page: Make, backend: FakeBackend, chosen: str, cached: str
) -> None:
    backend.on("GET /row", CSV)
    site = page(reading(f"format: csv\n        {cached}", "row"), {"BFF_TRANSPORT": chosen})
    for _ in range(2):
        assert told(site.get("/api/page")) == ROWS
    assert len(backend.requests) == (1 if cached == "cache: 1m" else 2)


@pytest.mark.parametrize(
    ("rest", "body", "shape", "result"),
    [
        ("format: {csv: {delimiter: ';'}}", b"a;b\n1;2\n", "row[0].b", "2"),
        ("format: {csv: {header: [x, y]}}", b"1,2\n3\n", "[one.y for one in row]", ["2", None]),
        ('format: {csv: {delimiter: "\\t", quote: null}}', b'a\n"1\n', "row[0].a", '"1'),
        ("format: csv\n        key_by: a", b"a,b\n1,2\n", "row['1'].b", "2"),
        ("format: csv\n        take: reply.body[0]", b"a,b\n1,2\n", "row.b", "2"),
        ("format: csv\n        batch: ids in ['1', '2']", b"a\n1\n", "sum(int(one.a) for one in row)", 1),
        ("format: text", "é\r\n".encode(), "row", "é\r\n"),
        ("format: text", b"", "row", ""),
        ("format: ndjson", b'{"a": 1}\n{"a": 2}\n', "[one.a for one in row]", [1, 2]),
        ("format: ndjson", b"", "row", []),
        ("format: form", b"access_token=x&scope=", "row", {"access_token": "x", "scope": ""}),
        ("format: form\n        take: reply.body.access_token", b"access_token=x", "row", "x"),
    ],
)
def test_each_format_gives_its_values(
    page: Make, backend: FakeBackend, rest: str, body: bytes, shape: str, result: Any
) -> None:
    backend.on("GET /row", answer(body=body))
    assert told(page(reading(rest, shape)).get("/api/page")) == result


def test_items_of_a_loop_are_read_each_by_itself(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row/1", answer(body=b"a\n1\n"))
    backend.on("GET /row/2", answer(body=b"a,a\n"))
    steps = """
      row:
        client: todos
        get: /row/{x}
        each: x in ['1', '2']
        format: csv
        fallback: []
    """
    found = page(recipe_of(steps, "{page: row}")).get("/api/page")
    assert (found.json["page"], found.headers["X-Page-Partial"]) == ([[{"a": "1"}], []], "row")


@pytest.mark.parametrize("script", [chunked(b"id,na", b"me\r\n1", b",Ann\r\n2"), answer(
    body=gzipped(b"id,name\r\n1,Ann\r\n2"), headers={"Content-Encoding": "gzip"},
)])  # fmt: skip
def test_rows_come_in_pieces_and_packed(page: Make, backend: FakeBackend, script: Any) -> None:
    backend.on("GET /row", script)
    assert told(page(reading("format: csv", "row")).get("/api/page")) == ROWS


def test_a_charset_is_as_declared(page: Make, backend: FakeBackend) -> None:
    latin = answer(
        body="name\r\nJosé\r\n".encode("latin-1"), headers={"Content-Type": "text/csv; charset=latin1"}
    )
    backend.on("GET /row", latin)
    assert told(page(reading("format: csv", "row")).get("/api/page")) == [{"name": "José"}]


@pytest.mark.parametrize(
    ("rest", "script", "result"),
    [
        ("csv", answer(body=b"a,b\n1,2,3\n"), "with a row that is longer than its header."),
        ("csv", answer(body=b"a,a\n"), "with two columns of one name."),
        ("csv", answer(body=b'a\n"cut'), "with something else than CSV."),
        ("csv", answer(json={"error": "secret"}), "with something else than CSV."),
        ("csv", answer(body=b"<h1>secret</h1>"), "with something else than CSV."),
        ("csv", answer(body=b"a\n\xff"), "with what is not in its charset."),
        ("csv", KLINGON, "in a charset that nobody knows."),
        ("csv", NOTHING, "with nothing."),
        ("csv", answer(204), "with nothing."),
        ("text", answer(body=b"\xff"), "with what is not in its charset."),
        ("ndjson", answer(body=b'{"a": 1}\n{"a":'), "with a line that is not JSON."),
        ("form", answer(body=b"a=1&a=2"), "with two values of one name."),
        ("csv\n        needs: ['[*].price']", CSV, "with a csv of another form: row[*].price is absent."),
        ("csv\n        needs: ['[*].name']", CSV, "with a csv of another form: row[*].name is null."),
        ("form\n        needs: [token]", NO_TOKEN, "with a form of another form: row.token is absent."),
    ],
)  # fmt: skip
def test_what_is_not_of_the_format_is_a_bad_reply(
    page: Make, backend: FakeBackend, rest: str, script: Any, result: str
) -> None:
    backend.on("GET /row", script)
    found = page(reading(f"format: {rest}", "[one for one in row]" if "csv" in rest else "[row]")).get(
        "/api/page"
    )
    assert told(found) == (502, "bad-reply", result)
    assert "secret" not in found.text


@pytest.mark.parametrize(
    ("format_", "body"),
    [("csv", b"a" + b"\n1" * 100_001), ("ndjson", b"1\n" * 100_001), ("form", b"&" * 2000)],
)
def test_more_than_is_read_is_too_large(page: Make, backend: FakeBackend, format_: str, body: bytes) -> None:
    backend.on("GET /row", answer(body=body))
    assert told(page(reading(f"format: {format_}", "row")).get("/api/page"))[:2] == (502, "too-large")


def test_a_fallback_stands_in_and_the_log_says_why(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /row", answer(body=b"a,a\n"))
    caplog.set_level("INFO", "bff")
    found = page(reading("format: csv\n        fallback: []", "row")).get("/api/page")
    assert (found.json, found.headers["X-Page-Partial"]) == ({"page": []}, "row")
    assert steps_in_log(caplog)["row"]["reason"] == "columns"


def test_a_reply_that_breaks_off_is_tried_again(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", in_turn(half, CSV))
    assert told(page(reading("format: csv\n        retries: 1", "row")).get("/api/page")) == ROWS


# --- what sees the body ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "script", "result"),
    [
        ("on_status: {404: reply.body.code}", ERROR, 7),
        ("on_status: {404: 'reply.body[0].code'}", answer(404, body=b"code\r\n7\r\n", headers=CSV_TYPE), "7"),
        ("on_status: {404: reply.body.code}", answer(404, json={"code": 7}), 7),
        ("fallback: reply.body.code", answer(500, json={"code": 7}), 7),
        ("fallback: '[reply.body]'", answer(body=b"a,a"), [None]),
        ("fallback: 'reply.body[0].code'", answer(500, body=b"code\n7"), "7"),
        ("on_status: {404: '[reply.body]'}", answer(404, body=b"code,code\r\n"), [None]),
        ("on_status: {404: reply.status}", answer(404, body=b"\xff"), 404),
        ("ok: reply.status == 200 and reply.body[0].id == '1'", CSV, ROWS),
        ("ok: reply.status == 200 and reply.body[0].id == '2'", CSV, (502, "status", "with a failure.")),
        ("ok: reply.status == 200", CSV, ROWS),
    ],
)  # fmt: skip
def test_ok_and_on_status_see_the_body_as_its_format_and_errors_that_say_so_as_json(
    page: Make, backend: FakeBackend, rest: str, script: Any, result: Any
) -> None:
    backend.on("GET /row", script)
    assert told(page(reading(f"format: csv\n        {rest}", "row")).get("/api/page")) == result


@pytest.mark.parametrize(
    ("rest", "script", "result"),
    [
        ("take: reply.status", CSV, 200),
        ("take: reply.headers['content-type']", CSV, "text/csv; charset=utf-8"),
        ("ok: reply.status == 200\n        take: reply.status", CSV, 200),
        ("on_status: {404: reply.status}", answer(404, body=b"a"), 404),
        ("on_status: {404: null}", answer(404, body=b"a"), None),
        ("fallback: reply.status", answer(500, body=b"a"), 500),
    ],
)
def test_a_body_is_decoded_only_where_somebody_reads_it(
    page: Make, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, rest: str, script: Any, result: Any
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("nobody reads it")

    monkeypatch.setattr(formats.FormatDecoder, "freely", never)
    backend.on("GET /row", script)
    assert told(page(reading(f"format: csv\n        {rest}", "row")).get("/api/page")) == result


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("on_status: {404: reply.status}", 404),
        ("fallback: reply.status", 500),
        ("ok: reply.status == 404\n        take: reply.status", 404),
    ],
)
def test_json_is_not_decoded_either_where_nobody_reads_it(
    page: Make, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, rest: str, status: int
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("nobody reads it")

    monkeypatch.setattr("bff.http.messages.decode", never)
    backend.on("GET /row", answer(status, json={"code": 7}))
    assert told(page(reading(rest, "row")).get("/api/page")) == status


def test_an_undo_sees_the_body_as_its_format(page: Make, backend: FakeBackend) -> None:
    steps = """
      row:
        client: todos
        post: /row
        text: "'x'"
        format: form
        undo:
          delete: /row/{reply.body.id}
          text: reply.body.id
      last:
        client: todos
        get: /last
    """
    backend.on("POST /row", answer(body=b"id=7"))
    backend.on("GET /last", answer(500))
    backend.on("DELETE /row/7", answer(204))
    found = page(recipe_of(steps, "last", route="POST /api/page")).post("/api/page")
    assert found.json["undone"] == ["row"]
    assert (backend.requests[-1].target, backend.requests[-1].body) == ("/row/7", b"7")


# --- what is asked for and sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "arguments", "accept"),
    [
        ("format: csv", "", "text/csv, */*;q=0.5"),
        ("format: text", "", "text/plain, */*;q=0.5"),
        ("format: ndjson", "", "application/x-ndjson, */*;q=0.5"),
        ("format: form", "", "application/x-www-form-urlencoded, */*;q=0.5"),
        ("format: text\n        headers: {accept: \"'text/html'\"}", "", "text/html"),
        ("format: csv", "headers={'accept': 'text/x'}", "text/x"),
        ("retries: 0", "", "application/json"),
    ],
)
def test_a_step_asks_for_what_it_reads(
    page: Make, backend: FakeBackend, rest: str, arguments: str, accept: str
) -> None:
    backend.on("GET /row", answer(json=[]))
    page(reading(rest, "row"), clients={"todos": arguments}).get("/api/page")
    assert backend.requests[0].headers["accept"] == accept


SENDING = "POST /api/page"


@pytest.mark.parametrize(
    ("rest", "content_type"),
    [
        ("text: body.note", "text/plain; charset=utf-8"),
        ("text: body.note\n        headers: {content-type: \"'application/xml'\"}", "application/xml"),
    ],
)
def test_a_text_is_sent_as_it_is(page: Make, backend: FakeBackend, rest: str, content_type: str) -> None:
    backend.on("POST /row", answer(json=1))
    site = page(writing(rest))
    assert site.post("/api/page", json={"note": 'é "\r\n'}).json == {"page": 1}
    [sent] = backend.requests
    assert (sent.body, sent.headers["content-type"]) == ('é "\r\n'.encode(), content_type)


def writing(rest: str) -> str:
    steps = f"""
      row:
        client: todos
        post: /row
        {rest}
    """
    return recipe_of(
        steps, "{page: row}", route=SENDING, more="input: {body: {type: object, properties: {note: true}}}"
    )


@pytest.mark.parametrize("note", [None, 7, ["a"], {"a": 1}])
def test_what_is_no_text_is_not_sent(page: Make, backend: FakeBackend, note: Any) -> None:
    found = page(writing("text: body.note")).post("/api/page", json={"note": note})
    assert (found.status_code, found.json["failure"]) == (400, "unsent")
    assert found.json["detail"] == "'row' was not asked: what it sends as its text is none."
    assert backend.requests == []


def test_what_a_backend_gives_that_is_no_text_is_its_failure(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /note", answer(json={"note": 7}))
    steps = """
      note: {client: todos, get: /note}
      row: {client: todos, post: /row, text: note.note}
    """
    found = page(recipe_of(steps, "row", route=SENDING)).post("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "unsent")


def test_an_empty_text_is_one(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", answer(json=1))
    page(writing("text: body.note")).post("/api/page", json={"note": ""})
    assert (backend.requests[0].body, backend.requests[0].headers["content-length"]) == (b"", "0")


def test_a_number_of_a_line_that_cannot_be_held_is_not_written(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /lines", answer(body=b"1e999\n"))
    steps = """
      lines: {client: todos, get: /lines, format: ndjson}
      row: {client: todos, post: /row, body: lines}
    """
    found = page(recipe_of(steps, "row", route=SENDING)).post("/api/page")
    assert (found.status_code, found.json["step"], found.json["failure"]) == (502, "lines", "bad-reply")


# --- in compiled form ------------------------------------------------------------------------------------------------


def test_a_built_page_reads_formats_and_sends_texts_as_its_recipe_does(
    tmp_path: Path, backend: FakeBackend
) -> None:
    steps = """
      rows: {client: todos, get: /rows, format: {csv: {delimiter: ";", header: [id, name]}}, needs: ["[*].id"]}
      lines: {client: todos, get: /lines, format: ndjson, take: "reply.body[0]"}
      sent: {client: todos, post: /sent, text: "rows[0].name", format: form}
    """
    backend.on("GET /rows", answer(body=b"1;Ann\n"))
    backend.on("GET /lines", answer(body=b"[1]\n"))
    backend.on("POST /sent", answer(body=b"ok=yes"))
    root = write_project(
        tmp_path / "recipes", {"page": recipe_of(steps, "[rows, lines, sent]", route=SENDING)}
    )
    built = write_built(root, tmp_path / "built")
    answers = [
        create_app(one, environ={"TODOS_URL": backend.url}).test_client().post("/api/page")
        for one in (root, built)
    ]
    assert [json.loads(found.data) for found in answers] == [
        [[{"id": "1", "name": "Ann"}], [1], {"ok": "yes"}]
    ] * 2
    assert [one.body for one in backend.requests if one.target == "/sent"] == [b"Ann", b"Ann"]
