"""What a fallback sees of the reply that failed: all of it, and null where none came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bff import create_app
from bff.plan.planning import plan_folder
from tests.executor.recipes import Make, reading, recipe_of, steps_in_log
from tests.fakes import FakeBackend, answer, hang
from tests.project import write_built, write_project

FUNCTIONS = {
    "functions": """
        def boom(value):
            raise ValueError("secret")
    """
}
SEEN = "fallback: \"[reply.status, reply.headers['x-why'], reply.body, error.kind]\""
WHY = {"X-Why": "rain"}


def falling_back(more: str = "", timeout: str = "") -> str:
    return reading(f"{SEEN}\n        {more}\n        {timeout}", "row")


@pytest.mark.parametrize(
    ("reply", "more", "seen"),
    [
        (answer(409, json={"at": 3}, headers=WHY), "", [409, "rain", {"at": 3}, "status"]),
        (answer(500, json=[1], headers=WHY), "", [500, "rain", [1], "status"]),
        (answer(404, body=b"<h1>", headers=WHY), "", [404, "rain", None, "status"]),
        (answer(404, headers=WHY), "", [404, "rain", None, "status"]),
        (answer(200, body=b"{", headers=WHY), "", [200, "rain", None, "not-json"]),
        (answer(200, json={"e": 1}, headers=WHY), "ok: not reply.body.e", [200, "rain", {"e": 1}, "status"]),
        (
            answer(200, json={"e": 1}, headers=WHY),
            "take: reply.body.rows[0].id",
            [200, "rain", {"e": 1}, "bad-reply"],
        ),
        (answer(200, json={"e": 1}, headers=WHY), "key_by: id", [200, "rain", {"e": 1}, "bad-reply"]),
        (
            answer(200, json={"e": 1}, headers=WHY),
            "take: boom(reply.body)",
            [200, "rain", {"e": 1}, "function"],
        ),
    ],
)
@pytest.mark.parametrize("kept", ["", "cache: 1m"])
def test_it_sees_status_headers_and_body_whatever_is_wrong_with_them(
    page: Make, backend: FakeBackend, reply: Any, more: str, seen: Any, kept: str, ways: dict[str, str]
) -> None:
    backend.on("GET /row", reply)
    site = page(falling_back(more, f"retries: 0\n        {kept}"), environ=ways, functions=FUNCTIONS)
    assert [site.get("/api/page").json for _ in range(2)] == [{"page": seen}] * 2


def test_a_body_that_is_nested_too_deeply_is_null(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(404, body=b"[" * 2000 + b"]" * 2000))
    assert page(falling_back()).get("/api/page").json == {"page": [404, None, None, "status"]}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ("timeout: 50ms\n        retries: 0", "timeout"),
        ("query: {q: boom(1)}", "function"),
        ("when: boom(1)", "function"),
    ],
)
def test_where_none_came_it_is_null(
    page: Make, backend: FakeBackend, more: str, kind: str, ways: dict[str, str]
) -> None:
    backend.on("GET /row", hang)
    recipe = reading(f"fallback: '[reply, reply.status, reply.body.x, error.kind]'\n        {more}", "row")
    found = page(recipe, environ=ways, functions=FUNCTIONS).get("/api/page").json
    assert found == {"page": [None, None, None, kind]}


def test_a_refused_connection_and_a_reply_that_is_too_large_give_null(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /row", answer(body=b" " * 3000 + b"1"))
    recipe = reading("fallback: '[reply is None, error.kind]'", "row")
    environ = {"BFF_MAX_REPLY": "2000"}
    assert page(recipe, environ=environ).get("/api/page").json == {"page": [True, "too-large"]}
    refused = page(recipe, environ={"TODOS_URL": "http://127.0.0.1:9"})
    assert refused.get("/api/page").json == {"page": [True, "refused"]}


def test_under_each_it_is_the_items_own(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row/1", answer(409, json={"n": "one"}))
    backend.on("GET /row/2", answer(json=2))
    backend.on("GET /row/3", answer(200, body=b"{"))
    backend.on("GET /row/4", answer(410, json={"n": "four"}))
    steps = """
      rows:
        client: todos
        each: id in [1, 2, '..', 3, 4]
        concurrency: 1
        get: /row/{id}
        fallback: [id, reply.status, reply.body.n]
    """
    found = page(recipe_of(steps, "rows")).get("/api/page").json
    assert found == [[1, 409, "one"], 2, ["..", None, None], [3, 200, None], [4, 410, "four"]]


def test_of_a_batch_it_is_that_of_the_chunk_that_failed(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows/1", answer(json=[1]))
    backend.on("GET /rows/2", answer(422, json={"why": "two"}))
    steps = """
      rows:
        client: todos
        batch: ids in [1, 2]
        batch_size: 1
        get: /rows/{ids[0]}
        fallback: [reply.status, reply.body.why]
    """
    assert page(recipe_of(steps, "rows")).get("/api/page").json == [422, "two"]


def test_of_what_the_replies_of_a_batch_give_together_it_is_null(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows/1", answer(json=[1]))
    backend.on("GET /rows/2", answer(json={"no": "list"}))
    steps = """
      rows:
        client: todos
        batch: ids in [1, 2]
        batch_size: 1
        get: /rows/{ids[0]}
        fallback: [reply, error.kind]
    """
    assert page(recipe_of(steps, "rows")).get("/api/page").json == [None, "bad-reply"]


def test_of_a_chunk_that_had_no_reply_it_is_null_though_others_had_one(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /rows/1", answer(json=[1]))
    steps = """
      rows:
        client: todos
        batch: ids in [1, 2]
        batch_size: 1
        get: "/rows/{1 if ids[0] == 1 else boom(1)}"
        fallback: [reply, error.kind]
    """
    found = page(recipe_of(steps, "rows"), functions=FUNCTIONS).get("/api/page").json
    assert found == [None, "function"]


@pytest.mark.parametrize("each", ["", "each: id in [1]"])
def test_it_never_makes_an_empty_page_of_what_a_backend_says(
    page: Make, backend: FakeBackend, each: str
) -> None:
    backend.on("GET /row", answer(404, json={"items": {"error": "no"}}))
    shape = "[item.id for item in row.items]" if not each else "[x.id for one in row for x in one.items]"
    recipe = reading(f"{each}\n        fallback: reply.body", shape)
    found = page(recipe).get("/api/page")
    assert (found.status_code, found.json["failure"], found.json["step"]) == (502, "bad-reply", "row")
    path = "row.items" if not each else "row[*].items"
    assert found.json["detail"] == f"'row' answered with JSON of another form: {path} is not a list."


def test_needs_are_nothing_to_the_reply_that_failed(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(404, json={}))
    recipe = reading("needs: [owner.name]\n        fallback: reply.body.owner.name", "row")
    assert page(recipe).get("/api/page").json == {"page": None}


def test_a_function_that_fails_after_a_write_leaves_it_done(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("POST /row", answer(201, json={"id": 7}))
    backend.on("DELETE /row/7", answer(204))
    steps = """
      row:
        client: todos
        post: /row
        take: boom(reply.body)
        fallback: {id: reply.body.id, kind: error.kind}
        {undo}
    """
    plain = recipe_of(steps.replace("{undo}", ""), "row", route="POST /api/page")
    found = page(plain, functions=FUNCTIONS).post("/api/page")
    assert (found.status_code, found.json) == (200, {"id": 7, "kind": "function"})
    line = steps_in_log(caplog)["row"]
    assert line["cause"].startswith("function boom: ValueError at ")
    undo = 'undo: {delete: "/row/{reply.body.id}"}'
    guard = "\n      kept: {require: row.kind is None, fail: {status: 409}}"
    guarded = steps.replace("{undo}", undo + guard)
    found = page(recipe_of(guarded, "row", route="POST /api/page"), functions=FUNCTIONS).post("/api/page")
    assert (found.status_code, found.json["undone"], found.json["done"]) == (409, ["row"], [])


def test_a_page_in_compiled_form_sees_the_same(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(409, json={"at": 3}, headers=WHY))
    root = write_built(write_project(tmp_path / "recipes", {"page": falling_back()}), tmp_path / "built")
    site = create_app(root, environ={"TODOS_URL": backend.url}).test_client()
    assert site.get("/api/page").json == {"page": [409, "rain", {"at": 3}, "status"]}


@pytest.mark.parametrize(
    ("fallback", "reads"), [("reply.body.why", True), ("error.kind", False), ("'reply'", False)]
)
def test_only_a_fallback_that_reads_it_keeps_a_step_from_the_short_way(
    fallback: str, reads: bool, tmp_path: Path
) -> None:
    write_project(tmp_path, {"page": reading(f'fallback: "{fallback}"', "row")})
    (step,) = plan_folder(tmp_path).plans["page"].requests
    assert step.falls_back_on_reply is reads
