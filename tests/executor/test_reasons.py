"""Why something failed: in words for the visitor, in one word for the operator."""

from __future__ import annotations

import json
import logging

import pytest

from tests.executor.recipes import Make, reading, recipe_of, steps_in_log
from tests.fakes import FakeBackend, Script, answer, close, drip, half, head

EMPTY = answer(body=b"")
TEXT = answer(body=b"OK", headers={"Content-Type": "text/plain"})
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
    recipe = recipe_of(
        """
      rows:
        client: todos
        each: id in [1, 2]
        get: /row/{id}
        retries: 0
        fallback: null
        """,
        "rows",
    )
    page(recipe).get("/api/page")
    assert steps_in_log(caplog)["rows"]["reason"] == "cut-short"


def test_an_undo_that_failed_says_why(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.on("POST /row", answer(json=1))
    backend.on("DELETE /row", half)
    backend.on("GET /last", answer(500))
    recipe = recipe_of(
        """
      row:
        client: todos
        post: /row
        undo:
          delete: /row
      last:
        client: todos
        get: /last
        retries: 0
        """,
        "last",
        route="POST /api/page",
    )
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
    recipe = recipe_of(
        """
      row:
        client: todos
        get: /row
        retries: 0
        defer: true
        fallback: null
        """,
        """
      row: row
        """,
    )
    lines = page(recipe).get("/api/page", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert json.loads(lines[1])["errors"][0]["detail"] == "'row' broke its answer off."
    assert steps_in_log(caplog)["row"]["reason"] == "cut-short"


def test_a_body_that_goes_through_and_breaks_off_says_why(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    start = head(200, {"Content-Type": "text/csv", "Content-Length": "1000"})
    backend.on("GET /row", drip(start + b"half of it", pace=0.001))
    recipe = recipe_of(
        """
      row:
        client: todos
        get: /row
        """,
        deadline="600ms",
        more="pass: true",
    )
    site = page(recipe)
    with pytest.raises(Exception, match="timeout"):
        _ = site.get("/api/page").data
    line = [json.loads(record.message) for record in caplog.records if record.name == "bff.page"][-1]
    assert (line["broken"], line["reason"]) == ("timeout", "reply-timeout")
