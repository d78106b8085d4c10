"""Whether a page that failed may be asked for again."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from tests.executor.recipes import Make, reading, recipe_of
from tests.fakes import FakeBackend, Script, answer, close, drip, flood, half, hang

EMPTY = answer(body=b"")
TEXT = answer(body=b"OK", headers={"Content-Type": "text/plain"})
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
    "302": (answer(302, headers={"Location": "/row/1"}), "status"),
    "303": (answer(303, headers={"Location": "/row/1"}), "status"),
    "304": (answer(304), "status"),
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
    recipe = recipe_of(
        f"""
      row:
        client: todos
        post: /row
        {undo}
      last:
        client: todos
        get: /last
        retries: 0
        """,
        "last",
        route="POST /api/page",
    )
    found = page(recipe).post("/api/page")
    assert (found.json["step"], found.json["retryable"]) == ("last", retryable)


def test_a_write_that_fell_back_says_so_too(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", half)
    recipe = recipe_of(
        """
      row:
        client: todos
        post: /row
        fallback: null
        """,
        "errors",
        route="POST /api/page",
    )
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
    recipe = recipe_of(
        """
      row:
        client: todos
        put: /row
        """,
        route="PUT /api/page",
        deadline="600ms",
        more="pass: true",
    )
    found = page(recipe).put("/api/page", data=b"abc", content_type="image/png")
    assert (found.status_code, found.json["retryable"], found.json[lists]) == (status, False, ["row"])
