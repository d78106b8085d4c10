"""Functions of a project that raise, wherever a recipe calls them: whose failure that is, and what is given back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.executor.recipes import Make
from tests.fakes import FakeBackend, answer, hang

FUNCTIONS = {
    "functions": """
        from decimal import Decimal

        def boom(*given):
            raise ValueError("secret")

        def leave(*given):
            raise SystemExit("secret")

        def interrupt(*given):
            raise KeyboardInterrupt

        def end(*given):
            raise GeneratorExit

        def price(*given):
            return Decimal("1.10")
    """
}
AT = "orchestrations/functions.py:5"
PLAIN = """
    route: GET /api/page
    auth: none
    steps:
      found:
        client: todos
        get: /found
        {key}
        fallback: error
    shape:
      found: found
      errors: errors
    """


def page_with(key: str) -> str:
    return PLAIN.replace("{key}", key)


@pytest.mark.parametrize(
    "key",
    [
        "take: boom(reply.body)",
        "on_status: {404: boom(reply)}",
        "ok: boom(reply)",
        "when: boom(1)",
        "query: {q: boom(1)}",
        "headers: {X-Q: boom(1)}",
        "batch: id in boom(1)",
    ],
)
def test_a_function_that_raises_for_a_step_is_the_failure_of_that_step(
    key: str, page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /found", answer(404 if "404" in key else 200, json=[]))
    found = page(page_with(key), functions=FUNCTIONS).get("/api/page")
    assert found.status_code == 200
    assert found.headers["X-Page-Partial"] == "found"
    assert found.json["found"] == {"status": 500, "kind": "function"}
    assert [{**entry, "instance": None} for entry in found.json["errors"]] == [
        {
            "type": "urn:bff:problem:internal",
            "title": "Something went wrong on our side",
            "status": 500,
            "detail": "'found' could not be made: a function of this page failed.",
            "instance": None,
            "step": "found",
            "retryable": False,
            "kind": "function",
            "fields": ["found"],
        }
    ]
    line = line_of(caplog)
    assert line["steps"]["found"]["outcome"] == "fallback"
    assert line["steps"]["found"]["cause"].startswith("function boom: ValueError at /")
    assert line["steps"]["found"]["cause"].endswith(AT)
    assert "secret" not in caplog.text + found.text


def test_a_path_and_a_body_that_a_function_does_not_make_are_failures_too(
    page: Make, backend: FakeBackend
) -> None:
    recipe = """
        route: POST /api/page
        auth: none
        steps:
          one:
            client: todos
            post: /one
            body: {a: boom(1)}
            fallback: "'no one'"
          two:
            client: todos
            get: /two/{boom(1)}
            fallback: "'no two'"
        shape: [one, two]
        """
    found = page(recipe, functions=FUNCTIONS).post("/api/page")
    assert (found.status_code, found.json) == (200, ["no one", "no two"])
    assert backend.requests == []


def test_a_function_that_raises_for_one_item_is_the_failure_of_that_item(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /item/1", answer(json=1))
    backend.on("GET /item/2", answer(json=2))
    recipe = """
        route: GET /api/page
        auth: none
        steps:
          found:
            client: todos
            get: /item/{item}
            each: item in [1, 2]
            take: boom(item) if item == 2 else reply.body
            fallback: error.kind
        shape: found
        """
    found = page(recipe, functions=FUNCTIONS).get("/api/page")
    assert (found.status_code, found.json) == (200, [1, "function"])
    assert found.headers["X-Page-Partial"] == "found"
    assert line_of(caplog)["steps"]["found"]["cause"].endswith(AT)


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ("found: {client: todos, get: /found, take: boom(1)}", "found"),
        ("found: {client: todos, get: /found, take: boom(1), fallback: boom(2)}", "found"),
        ("found: {client: todos, get: '/{id}', each: id in boom(1), fallback: null}", "found"),
        ("found: {value: boom(1)}", "found"),
        ("found: {when: boom(1), value: 1}", "found"),
        ("found: {require: boom(1), fail: {status: 403}}", "found"),
        ("found: {require: false, fail: {status: 403, detail: boom(1)}}", "found"),
    ],
)
def test_a_function_that_raises_where_no_fallback_is_left_ends_the_page_with_its_place(
    steps: str, step: str, page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /found", answer(json=[]))
    shape = 1 if "require" in steps else "found"
    recipe = f"route: GET /api/page\nauth: none\nsteps:\n  {steps}\nshape: {shape}\n"
    found = page(recipe, functions=FUNCTIONS).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")
    assert found.json["step"] == step
    line = line_of(caplog)
    assert line["step"] == step
    assert line["cause"].endswith(AT)


def test_a_result_that_is_no_json_is_told_in_the_log_with_its_cure(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /found", answer(json=[]))
    found = page(page_with("take: price(1)"), functions=FUNCTIONS).get("/api/page")
    assert found.status_code == 200
    assert line_of(caplog)["steps"]["found"]["cause"].split(" at ")[0] == "function price: returned Decimal"
    assert line_of(caplog)["steps"]["found"]["cause"].endswith(
        "functions.py:16; return float(…) for a number or str(…) for a text"
    )


def test_a_write_whose_reply_no_function_can_read_was_done_all_the_same(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("POST /made", answer(201, json={"id": 1}))
    backend.on("DELETE /made", answer(204))
    recipe = """
        route: POST /api/page
        auth: none
        steps:
          made:
            client: todos
            post: /made
            take: boom(reply.body)
            undo:
              delete: /made
          after: {client: todos, get: /after}
        shape: [made, after]
        """
    found = page(recipe, functions=FUNCTIONS).post("/api/page")
    assert found.status_code == 500
    assert (found.json["undone"], found.json["done"]) == (["made"], [])


@pytest.mark.parametrize("function", ["leave", "interrupt", "end"])
@pytest.mark.parametrize("where", ["value", "take", "shape"])
def test_what_a_function_raises_gives_back_every_place(
    function: str, where: str, page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /found", answer(json=[]))
    backend.on("GET /hangs", hang)
    call = f"{function}(1)"
    take = f"take: {call}" if where == "take" else "take: reply.body"
    value = call if where == "value" else "1"
    hanging = "" if where == "shape" else "  other: {client: todos, get: /hangs}\n"
    recipe = (
        f"route: GET /api/page\nauth: none\nsteps:\n{hanging}  found: {{client: todos, get: /found, {take}}}\n"
        f"  made: {{value: {value}, when: found is not None}}\n"
        f"shape: [{'other, ' if hanging else ''}made, found, {call if where == 'shape' else 1}]\n"
    )
    bounds = {"BFF_MAX_PAGES": "2", "BFF_THREADS": "20"}
    visitor = page(recipe, functions=FUNCTIONS, environ=bounds, clients={"todos": "concurrency=2"})
    for _ in range(5):
        with visitor.get("/api/page") as found:
            assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")


def line_of(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [
        json.loads(record.getMessage()) for record in caplog.records if record.name == "bff.page"
    ]
    return lines[-1]
