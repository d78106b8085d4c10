"""What a page says of its writes when it ends badly after them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clock import Clock, too_late
from tests.executor.recipes import Make, recipe_of
from tests.fakes import FakeBackend, answer

FUNCTIONS = {
    "functions": """
    def only_small(number):
        if number > 2:
            raise ValueError(number)
        return number
    """
}
WRITE = recipe_of(
    """
      created:
        client: todos
        post: /todos
        body:
          title: f"new"
    """,
    route="POST /api/page",
)


def problem_of(answered: Any) -> dict[str, Any]:
    assert answered.content_type == "application/problem+json"
    found: dict[str, Any] = answered.json
    return found


@pytest.mark.parametrize(
    "rest",
    [
        "status: created.missing\nshape: 1\n",
        'headers:\n  X-Title: f"{created.title}\\u0007"\nshape: 1\n',
        'shape: "[x for y in range(1000) for x in range(1000) for z in range(1000)]"\n',
        "shape: only_small(3)\n",
    ],
    ids=["status", "header", "bound", "function"],
)
def test_a_page_that_cannot_be_made_says_what_was_written(
    page: Make, backend: FakeBackend, rest: str
) -> None:
    backend.on("POST /todos", answer(json={"title": "new"}))
    found = problem_of(page(WRITE + rest, functions=FUNCTIONS).post("/api/page"))
    assert (found["status"], found["done"], found["unknown"]) == (500, ["created"], [])


def test_writes_in_flight_when_the_page_ends_are_unknown(
    page: Make, backend: FakeBackend, clock: Clock
) -> None:
    backend.on("POST /todos", too_late(clock, 1))
    recipe = recipe_of(
        """
          created:
            each: number in [1, 2, 3]
            client: todos
            post: /todos
            timeout: 500ms
            body:
              number: only_small(number)
        """,
        "1",
        route="POST /api/page",
    )
    found = problem_of(page(recipe, functions=FUNCTIONS).post("/api/page"))
    assert (found["status"], found["done"], found["unknown"]) == (500, [], ["created"])


def test_a_write_whose_ok_says_no_is_not_done(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /todos", answer(json={"error": "full"}))
    recipe = WRITE + "    ok: reply.body.error is None\nshape: 1\n"
    found = problem_of(page(recipe).post("/api/page"))
    assert found["status"] == 502
    assert "done" not in found


def test_a_write_is_done_even_if_its_reply_cannot_be_read(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /todos", answer(json={"number": 9}))
    recipe = WRITE + "    take: only_small(reply.body.number)\nshape: 1\n"
    found = problem_of(page(recipe, functions=FUNCTIONS).post("/api/page"))
    assert (found["status"], found["done"]) == (500, ["created"])


def test_the_problem_of_a_guard_is_bounded(page: Make) -> None:
    levels = "".join(
        f'          v{at}:\n            value: "[{", ".join([f"v{at - 1}" if at else "1"] * 20)}]"\n'
        for at in range(8)
    )
    recipe = recipe_of(
        f"""
{levels}
          never:
            require: false
            fail:
              status: 403
              errors: v7
        """,
        "1",
    )
    found = problem_of(page(recipe).get("/api/page"))
    assert (found["status"], found["type"]) == (500, "urn:bff:problem:over-bound")


def test_a_retry_after_that_is_a_date_reaches_the_visitor(page: Make, backend: FakeBackend) -> None:
    late = answer(json={}, status=429, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})
    backend.on("GET /x", late)
    recipe = recipe_of("\n  x: {client: todos, get: /x, retries: 0}", "x")
    answered = page(recipe).get("/api/page")
    assert (answered.status_code, answered.headers["Retry-After"]) == (429, "999999")


def test_a_guard_is_no_second_source(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /x", answer(json={}, status=500))
    recipe = recipe_of(
        """
          first:
            client: todos
            get: /x
            fallback: null
          guarded:
            when: first is None
            require: true
            fail:
              status: 400
        """,
        "first",
    )
    assert page(recipe).get("/api/page").headers["X-Page-Partial"] == "first"
