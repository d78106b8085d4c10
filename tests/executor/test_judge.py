"""What a reply becomes: a value, a failure, or the fault of its backend."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executor.recipes import Make, recipe_of
from tests.fakes import FakeBackend, answer


def one(extra: str) -> str:
    steps = f"""
      row:
        client: todos
        get: /row
        retries: 0
        {extra}
    """
    return recipe_of(steps, "{row: row}")


@pytest.mark.parametrize(
    ("extra", "reply", "row"),
    [
        ("take: reply.body.items", answer(json={"items": [1]}), [1]),
        ("take: reply.headers['x-total-count']", answer(json=[], headers={"X-Total-Count": "12"}), "12"),
        ("take: reply.status", answer(201, json={}), 201),
        (
            "key_by: id",
            answer(json=[{"id": 7}, {"id": None}, {"id": True}]),
            {"7": {"id": 7}, "true": {"id": True}},
        ),
        (
            "key_by: of.id",
            answer(json=[{"of": {"id": 7}}, {"of": None}, {"of": 1}, {}, {"of": {"id": [1]}}]),
            {"7": {"of": {"id": 7}}},
        ),
        ("on_status:\n          404: null", answer(404), None),
        ("on_status:\n          404: reply.body.code", answer(404, json={"code": 209}), 209),
        ("on_status:\n          404: reply.body.code", answer(404, body=b"<html>"), None),
        ("ok: not reply.body.error", answer(json={"x": 1}), {"x": 1}),
        ("ok: reply.status == 418", answer(418, json={"x": 1}), {"x": 1}),
        ('fallback: f"gone"', answer(500), "gone"),
        ("fallback: error", answer(503), {"status": 503, "kind": "status"}),
        ("fallback: error.kind", answer(body=b"<html>"), "not-json"),
        ("when: false", answer(500), None),
        ("", answer(204), None),
        ("", answer(body=b""), None),
        ("take: reply.body", answer(body=b""), None),
    ],
)
def test_a_reply_becomes_a_value(page: Make, backend: FakeBackend, extra: str, reply: Any, row: Any) -> None:
    backend.on("GET /row", reply)
    found = page(one(extra)).get("/api/page")
    assert (found.status_code, found.json) == (200, {"row": row})


def test_ok_turns_a_200_with_an_error_into_a_failure(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"error": "no such thing"}))
    found = page(one("ok: not reply.body.error")).get("/api/page")
    assert (found.status_code, found.json["detail"]) == (502, "'row' answered with a failure.")


@pytest.mark.parametrize(
    ("shape", "body", "path"),
    [
        ("[x for x in row]", {"error": "x"}, "row"),
        ("count(x for x in row.items)", {"items": {"a": 1}}, "row.items"),
        (
            "[y for x in row.items for y in x.tags]",
            {"items": [{"tags": []}, {"tags": "a"}]},
            "row.items[*].tags",
        ),
    ],
)
def test_what_is_iterated_and_no_list_is_502_with_its_path(
    page: Make, backend: FakeBackend, shape: str, body: Any, path: str
) -> None:
    backend.on("GET /row", answer(json=body))
    found = page(one("").replace("row: row", f'row: "{shape}"')).get("/api/page")
    assert found.status_code == 502
    assert found.json["detail"] == f"'row' answered with JSON of another form: {path} is not a list."
    assert found.json["failure"] == "bad-reply"


def test_what_is_iterated_may_be_null(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"items": None}))
    found = page(one("").replace("row: row", 'row: "[x for x in row.items]"')).get("/api/page")
    assert found.json == {"row": []}


def test_a_bad_reply_falls_back(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"items": 5}))
    recipe = one("fallback: null").replace("row: row", 'row: "[x for x in row.items]"')
    found = page(recipe).get("/api/page")
    assert (found.json, found.headers["X-Page-Partial"]) == ({"row": []}, "row")
