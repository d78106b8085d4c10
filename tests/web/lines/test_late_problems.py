"""What goes wrong after the first line, when a status can no more be given, and what the lines may cost."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from bff.testing.lines import assembled
from tests.fakes import FakeBackend, after, answer
from tests.web.lines.pages import LINES, PAGE, PEOPLE, Make


def test_a_problem_after_the_first_line_is_the_last_line(page: Make, backend: FakeBackend) -> None:
    """A value has no fallback: where it has no list to go over, the page ends, with or without lines."""
    hanging = threading.Event()
    wrong = answer(json={"text": {"upstream": "words"}})
    backend.on("GET /notice", after(hanging, wrong))
    shown = "      shown:\n        value: notice.text\n    shape:"
    client = page(
        PAGE.replace("notice: notice.text", "notice: '[one for one in shown]'").replace("    shape:", shown)
    )
    with client.get("/api/page", headers=LINES) as found:
        next(found.response)
        hanging.set()
        last = list(map(json.loads, found.response))[-1]
        request_id = found.headers["X-Request-ID"]
    whole = client.get("/api/page")
    assert (whole.status_code, last) == (502, {"problem": {**whole.json, "instance": request_id}})


def test_a_bound_after_the_first_line_is_a_last_line_with_the_problem(
    page: Make, backend: FakeBackend
) -> None:
    hanging = threading.Event()
    secret = "upstream" * 400
    backend.on("GET /notice", after(hanging, answer(json={"text": secret})))
    with page(environ={"BFF_MAX_ANSWER": "2000"}).get("/api/page", headers=LINES) as found:
        arriving = iter(found.response)
        next(arriving)
        hanging.set()
        rest = list(arriving)
        request_id = found.headers["X-Request-ID"]
    assert json.loads(rest[-1]) == {
        "problem": {
            "type": "urn:bff:problem:over-bound",
            "title": "This page is too large to make",
            "status": 500,
            "detail": "Making this page took more than it is allowed to.",
            "instance": request_id,
        }
    }
    assert b"upstream" not in b"".join(rest)


def test_the_bytes_of_all_lines_are_bounded_together(page: Make, backend: FakeBackend) -> None:
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json={"text": "x" * 600})))
    backend.on("GET /todos", answer(json=[{"id": "y" * 600}]))
    client = page(environ={"BFF_MAX_ANSWER": "1000"})
    with client.get("/api/page", headers=LINES) as found:
        next(found.response)
        hanging.set()
        assert "over-bound" in list(map(bytes.decode, found.response))[-1]


def test_an_unforeseen_error_after_the_first_line_is_a_problem_without_its_words(
    page: Make, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret words")

    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json={"text": "hi"})))
    with page().get("/api/page", headers=LINES) as found:
        next(found.response)
        monkeypatch.setattr("bff.web.lines.changes", broken)
        hanging.set()
        last = list(map(bytes.decode, found.response))[-1]
    assert json.loads(last)["problem"]["type"] == "urn:bff:problem:internal"
    assert "secret" not in last


FUNCTION = "def loud(value):\n    return value['text'].upper()\n"


def test_a_function_that_cannot_do_with_null_leaves_the_page_null_until_it_can(
    page: Make, backend: FakeBackend
) -> None:
    hanging = threading.Event()
    backend.on("GET /notice", after(hanging, answer(json={"text": "hello"})))
    backend.on("GET /people", after(hanging, answer(json=PEOPLE)))
    recipe = PAGE.replace("notice: notice.text", "notice: loud(notice)")
    with page(recipe, functions={"page": FUNCTION}).get("/api/page", headers=LINES) as found:
        arriving = iter(found.response)
        begun = next(arriving)
        hanging.set()
        rest = b"".join(arriving)
    assert json.loads(begun) == {"page": None, "pending": ["people", "notice"]}
    together = assembled((begun + rest).decode())
    assert (together.page["notice"], together.complete) == ("HELLO", True)


def test_the_lines_spend_twice_the_work_of_a_page_at_most(page: Make, backend: FakeBackend) -> None:
    """Where the drafts have used up theirs, the rest comes at once: the whole page has a budget of its own."""
    hanging = threading.Event()
    todos = [{"id": at, "owner": "a"} for at in range(200)]
    backend.on("GET /todos", answer(json=todos))
    backend.on("GET /people", after(hanging, answer(json=PEOPLE)))
    backend.on("GET /notice", after(hanging, answer(json={"text": "Hello"})))
    client = page(environ={"BFF_MAX_WORK": "6000"})
    with client.get("/api/page", headers=LINES) as found:
        begun = next(found.response)
        hanging.set()
        rest = b"".join(found.response)
    assert assembled((begun + rest).decode()).page == client.get("/api/page").json
