"""Replies without what a page needs: the step fails, with the path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executor.recipes import Make, recipe_of
from tests.fakes import FakeBackend, answer


def one(shape: str, more: str = "") -> str:
    steps = f"""
      row:
        client: todos
        get: /row
        retries: 0
        {more}
    """
    return recipe_of(steps, shape)


def told(found: Any) -> Any:
    """What a page gave: its body, or what its problem says of the reply."""
    if found.status_code == 200:
        return found.json
    assert (found.status_code, found.json["failure"]) == (502, "bad-reply")
    return found.json["detail"].removeprefix("'row' answered with ").removeprefix("JSON of another form: ")


OWNER = "{name: row.owner.name}"
ITEMS = "{titles: '[item.title for item in row.items]'}"
ROWS = "{titles: '[item.title for item in row]'}"


@pytest.mark.parametrize(
    ("shape", "more", "reply", "result"),
    [
        (OWNER, "", {"owner": {"name": "Ann"}}, {"name": "Ann"}),
        (OWNER, "", {"owner": {"name": 1.5}}, {"name": 1.5}),
        (OWNER, "", {"owner": {}}, {"name": None}),
        (OWNER, "", {"owner": None}, {"name": None}),
        (OWNER, "", None, {"name": None}),
        (OWNER, "", {"oner": {"name": "Ann"}}, "row.owner is absent."),
        (OWNER, "", {"owner": "Ann"}, "row.owner is not an object."),
        (OWNER, "", {"owner": []}, "row.owner is not an object."),
        (OWNER, "", [{"owner": {}}], "row is not an object."),
        (OWNER, "", "Ann", "row is not an object."),
        (OWNER, "fallback: {owner: {name: 1}}", {}, {"name": 1}),
        (OWNER, "needs: []", {}, {"name": None}),
        (OWNER, "needs: [id]", {"owner": None}, "row.id is absent."),
        (OWNER, "needs: [id]", {"owner": None, "id": None}, "row.id is null."),
        (OWNER, "needs: [id]", {"owner": None, "id": 1}, {"name": None}),
        (OWNER, "needs: [owner.name]", {"owner": None}, "row.owner is null."),
        (OWNER, "needs: [owner.name]", None, "row is null."),
        (OWNER, 'needs: ["owner.name?"]', {"owner": {"name": None}}, {"name": None}),
        (OWNER, 'needs: ["tags[*].id"]', {"owner": {}, "tags": {}}, "row.tags is not a list."),
        (OWNER, 'needs: ["tags[*].id"]', {"owner": {}, "tags": [{"id": 1}, {}]}, "row.tags[*].id is absent."),
        (OWNER, "needs: reads", {"owner": {"name": None}}, "row.owner.name is null."),
        (OWNER, "needs: reads", {"owner": None}, "row.owner is null."),
        (OWNER, "needs: reads", None, "row is null."),
        ("{n: row.n if row else 1}", "needs: reads", None, {"n": 1}),
        ("pick(row, 'id')", "needs: reads", [{"id": 1}], "row is not an object."),
        (ITEMS, "needs: reads", {"items": [None]}, "row.items[*] is null."),
        (ROWS, "needs: reads\n        take: '[x for x in reply.body]'", [{}], "row[*].title is null."),
        (OWNER, "needs: reads\n        take: reply.body.data", None, "reply.body is null."),
        (OWNER, "needs: [owner]\n        take: reply.body.data", None, "reply.body is null."),
        (OWNER, "needs: [owner]\n        take: reply.body.a.b", {"a": None}, "reply.body.a is null."),
        (OWNER, "needs: [owner]\n        take: reply.body.rows[0]", {"rows": []}, "row is null."),
        (
            OWNER,
            "needs: [owner]\n        take: reply.body.rows[0]",
            {"rows": [{"owner": {"name": "Ann"}}, {"owner": None}]},
            {"name": "Ann"},
        ),
        (OWNER, "ok: reply.body.fine", {"fine": True}, "row.owner is absent."),
        (OWNER, "take: reply.body.data", {"data": {}}, "reply.body.data.owner is absent."),
        (OWNER, "take: pick(reply.body, 'x')\n        needs: [owner]", {"x": 1}, "row.owner is absent."),
        (OWNER, "on_status: {200: {x: 1}}", {}, {"name": None}),
        (OWNER, "cache: 1m", {}, "row.owner is absent."),
        (ITEMS, "", {"items": [{"title": "a"}, {}, None]}, {"titles": ["a", None, None]}),
        (ITEMS, "", {"items": None}, {"titles": []}),
        (ITEMS, "", {}, "row.items is absent."),
        (ITEMS, "", {"items": {}}, "row.items is not a list."),
        (ITEMS, "", {"items": ["a"]}, "row.items[*] is not an object."),
        ("{titles: '[item.title for item in row]'}", "", {"error": "x"}, "row is not a list."),
        (
            "{titles: '[item.title for item in row]'}",
            "take: reply.body.items",
            {},
            "reply.body.items is absent.",
        ),
        ("{whole: row, name: row.owner.name}", "", {"x": 1}, "row.owner is absent."),
        ("{a: row.a.name.first}", "key_by: id", [{"id": "a"}], "row[*].name is absent."),
        ("{a: row.a.name}", "key_by: id", [1], "row[*] is not an object."),
        (
            "{a: row.a.name}",
            "key_by: of.id",
            [{"of": {"id": "a"}, "name": "x"}, {"of": None, "name": "y"}, {"name": "z"}, {"of": 1}],
            {"a": "x"},
        ),
        ("{a: row.a.name}", "key_by: of.id", [1], "row[*] is not an object."),
        ("{a: '[one.of.id for one in row]'}", "each: n in [1]", {}, "row[*].of is absent."),
        ("{a: '[one.of.id for one in row]'}", "batch: n in [1]", [{}], "row[*].of is absent."),
    ],
)
def test_a_reply_has_what_the_page_needs_or_its_step_fails(
    page: Make, backend: FakeBackend, shape: str, more: str, reply: Any, result: Any
) -> None:
    backend.on("GET /row", answer(json=reply))
    client = page(one(shape, more))
    assert told(client.get("/api/page")) == result
    assert told(client.get("/api/page")) == result


@pytest.mark.parametrize(
    "more",
    [
        "",
        "key_by: id",
        "ok: reply.status == 200",
        "take: reply.body",
        "cache: 1m",
        "each: n in [1]",
        "batch: n in [1]",
    ],
)
def test_nothing_is_no_reply_in_which_members_are_read(page: Make, backend: FakeBackend, more: str) -> None:
    backend.on("GET /row", answer(200, body=b""))
    shape = "{name: row.a.name}" if more in ("", "key_by: id", "cache: 1m") else "{name: 'row[0].name'}"
    assert told(page(one(shape, more)).get("/api/page")) == "nothing."


def test_a_body_that_only_needs_read_is_read(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /row", answer(json={}), answer(200, body=b""), answer(json={"id": 1}))
    steps = "\n      row: {client: todos, post: /row, needs: [id]}\n"
    client = page(recipe_of(steps, "{x: 1}", route="POST /api/page"))
    results = [told(client.post("/api/page", json={})) for _ in range(3)]
    assert results == ["row.id is absent.", "nothing.", {"x": 1}]


def test_a_write_that_is_made_of_a_reply_is_not_sent_without_what_it_needs(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /row", answer(json={}))
    steps = """
      row: {client: todos, get: /row, retries: 0}
      made: {client: todos, post: /made, body: {of: row.owner.id}}
    """
    found = page(recipe_of(steps, "{x: 1}", route="POST /api/page")).post("/api/page", json={})
    assert told(found) == "row.owner is absent."
    assert [request.path for request in backend.requests] == ["/row"]


@pytest.mark.parametrize("take", ["", "take: merge(reply.body, {})"])
def test_a_reply_beside_2xx_that_ok_accepts_is_held_to_nothing(
    page: Make, backend: FakeBackend, take: str
) -> None:
    backend.on("GET /row", answer(400, json={"code": "taken"}), answer(json={"code": "taken"}))
    client = page(one(OWNER, f"ok: reply.body.code == 'taken'\n        needs: [id]\n        {take}"))
    assert [told(client.get("/api/page")) for _ in range(2)] == [{"name": None}, "row.id is absent."]
