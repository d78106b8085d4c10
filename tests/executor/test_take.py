"""What `take` makes of a reply, whether it reads more of it than the body or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bff.plan.planning import plan_folder
from tests.executor.recipes import Make, reading, recipe_of
from tests.fakes import FakeBackend, answer
from tests.project import write_project

BODY = {"name": "one", "rows": [{"id": 1}, {"id": 2}]}
FUNCTIONS = {
    "functions": """
        def shown(reply):
            return sorted(reply)

        def boom(value):
            raise ValueError("secret")
    """
}
TAKES: dict[str, tuple[Any, bool]] = {
    "reply.body": (BODY, True),
    "reply.body.name": ("one", True),
    "reply['body']['name']": ("one", True),
    "[one.id for one in reply.body.rows]": ([1, 2], True),
    "len(reply.body)": (2, True),
    "1": (1, True),
    "[reply.body for id in [1]][0].name": ("one", True),
    "reply.status": (200, False),
    "reply.body.name if reply.status == 200 else None": ("one", False),
    "reply.headers['x-own'] + reply.body.name": ("yesone", False),
    "[part.status for part in [reply]][0]": (200, False),
    "[reply][0].status": (200, False),
    "shown(reply)": (["body", "headers", "status"], False),
    "[reply[key] for key in ['status']][0]": (200, False),
    "(reply if reply.body else reply).status": (200, False),
}


def taking(take: str, more: str = "") -> str:
    return reading(f'take: "{take}"\n        {more}', "row")


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("more", ["", "cache: 1m", "on_status: {404: null}"])
def test_it_sees_the_whole_reply_wherever_that_comes_from(
    page: Make, backend: FakeBackend, take: str, more: str, ways: dict[str, str]
) -> None:
    backend.on("GET /row", answer(json=BODY, headers={"X-Own": "yes"}))
    site = page(taking(take, more), environ=ways, functions=FUNCTIONS)
    assert [site.get("/api/page").json for _ in range(2)] == [{"page": TAKES[take][0]}] * 2


@pytest.mark.parametrize("take", TAKES)
def test_the_plan_says_whether_it_reads_the_body_alone(tmp_path: Path, take: str) -> None:
    write_project(tmp_path, {"page": taking(take)}, functions=FUNCTIONS)
    (step,) = plan_folder(tmp_path).plans["page"].requests
    assert step.takes_body is TAKES[take][1]


@pytest.mark.parametrize(
    ("take", "body", "told"),
    [
        ("[one.id for one in reply.body.rows]", {"rows": 1}, (502, "bad-reply")),
        ("boom(reply.body)", BODY, (500, "function")),
    ],
)
@pytest.mark.parametrize("more", ["", "cache: 1m", "on_status: {404: null}"])
def test_what_it_makes_nothing_of_fails_the_same_way(
    page: Make, backend: FakeBackend, take: str, more: str, body: Any, told: tuple[int, str]
) -> None:
    backend.on("GET /row", answer(json=body))
    site = page(taking(take, more), functions=FUNCTIONS)
    for _ in range(2):
        found = site.get("/api/page")
        assert (found.status_code, found.json["failure"], found.json["step"]) == (*told, "row")


def test_in_a_loop_it_knows_the_item_and_fails_by_itself(page: Make, backend: FakeBackend) -> None:
    recipe = recipe_of(
        """
        rows:
          client: todos
          each: id in [1, 2]
          get: "/rows/{id}"
          take: "[id, [one.id for one in reply.body.rows]]"
          fallback: [id, error.kind]
        """,
        "{rows: rows, items: '[one.item for one in errors]'}",
    )
    backend.on("GET /rows/1", answer(json=BODY))
    backend.on("GET /rows/2", answer(json={"rows": 1}))
    assert page(recipe).get("/api/page").json == {"rows": [[1, [1, 2]], [2, "bad-reply"]], "items": [1]}
