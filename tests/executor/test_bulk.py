"""Bulk writes: chunks in order, what of each was done, and how that is told and taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clock import Clock, too_late
from tests.executor.recipes import Make, recipe_of
from tests.fakes import FakeBackend, answer, close

INPUT = """
    input:
      body:
        type: object
        properties:
          rows: {type: array, maxItems: 40}
    """
LISTS = ("done", "undone", "undo_failed", "unknown")


def bulk(more: str = "", shape: str = "1", last: str = "", size: int = 2) -> str:
    """A page that writes the rows that it is sent, so many at once."""
    steps = f"""
    rows:
      client: todos
      post: /bulk
      batch: some in body.rows
      batch_size: {size}
      body: some
{more}
{last}
    """
    return recipe_of(steps, shape, route="POST /api/page", more=INPUT)


def key(text: str) -> str:
    return f"      {text}"


LAST = "    last: {client: notices, get: /last, retries: 0}"
FAILED = key('failed: "[one.id for one in reply.body if one.status >= 400]"')
UNDO = key("undo: {client: people, post: /undo, body: some}")


def sent(backend: FakeBackend, path: str = "/bulk") -> list[Any]:
    return [json.loads(one.body) for one in backend.requests if one.path == path]


def told(**ids: int) -> Any:
    return answer(207, json=[{"id": name, "status": status} for name, status in ids.items()])


def page_of(found: Any) -> dict[str, Any]:
    """What a problem says of its writes."""
    return {name: found.json[name] for name in (*LISTS, "items") if found.json.get(name)}


# --- chunks ---------------------------------------------------------------------------------------------------------


def test_ids_go_in_chunks_without_null_and_doubles(
    page: Make, backend: FakeBackend, ways: dict[str, str]
) -> None:
    backend.on("POST /bulk", answer(204))
    found = page(bulk(), ways).post("/api/page", json={"rows": ["a", None, "b", "a", "", "c", 7, "7"]})
    assert found.json == 1
    assert sent(backend) == [["a", "b"], ["c", 7]]


def test_rows_are_kept_as_they_are_also_equal_ones(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(204))
    rows = [{"sku": "a"}, {"sku": "a"}, None, {"sku": "b"}]
    page(bulk()).post("/api/page", json={"rows": rows})
    assert sent(backend) == [[{"sku": "a"}, {"sku": "a"}], [{"sku": "b"}]]


def test_a_chunk_is_sent_when_the_one_before_it_is_answered(page: Make, backend: FakeBackend) -> None:
    under_way, most = 0, 0

    def one_at_a_time(received: Any, wire: Any) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        assert len(backend.requests) == json.loads(received.body)[0]
        under_way -= 1
        answer(204)(received, wire)

    backend.on("POST /bulk", one_at_a_time)
    rows = list(range(1, 31))
    assert page(bulk(size=1)).post("/api/page", json={"rows": rows}).status_code == 200
    assert (sent(backend), most) == ([[row] for row in rows], 1)


def test_no_items_are_no_request(page: Make, backend: FakeBackend) -> None:
    assert page(bulk(shape="rows")).post("/api/page", json={"rows": []}).json == []
    assert page(bulk(shape="rows")).post("/api/page", json={}).json == []
    assert backend.requests == []


def test_the_lists_of_the_replies_are_joined(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(json=[{"id": 1}, {"id": 2}]), answer(json=[{"id": 3}]))
    found = page(bulk(shape='"[one.id for one in rows]"')).post("/api/page", json={"rows": [1, 2, 3]})
    assert found.json == [1, 2, 3]


@pytest.mark.parametrize("script", [answer(204), answer(json={"count": 2}), answer(200, body=b"OK")])
def test_what_nobody_reads_may_be_anything(page: Make, backend: FakeBackend, script: Any) -> None:
    backend.on("POST /bulk", script)
    assert page(bulk()).post("/api/page", json={"rows": [1, 2, 3]}).status_code == 200


def test_what_is_read_must_be_a_list(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(json={"count": 2}))
    found = page(bulk(shape="rows")).post("/api/page", json={"rows": [1]})
    assert (found.status_code, found.json["failure"]) == (502, "bad-reply")
    assert page_of(found) == {"done": ["rows"], "items": {"rows": {"done": 1}}}


# --- a chunk that fails as a whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "status", "expected"),
    [
        (answer(422), 422, {"done": 2, "failed": 2, "failed_at": [2, 3], "unsent": 1}),
        (close, 502, {"done": 2, "unknown": 2, "unsent": 1}),
    ],
)
def test_no_chunk_is_sent_after_one_that_fails(
    page: Make, backend: FakeBackend, script: Any, status: int, expected: dict[str, Any]
) -> None:
    backend.on("POST /bulk", answer(204), script)
    found = page(bulk()).post("/api/page", json={"rows": [1, 2, 3, 4, 5]})
    assert (found.status_code, found.json["retryable"]) == (status, False)
    assert found.json["done"] == ["rows"]
    assert found.json["items"] == {"rows": expected}
    assert sent(backend) == [[1, 2], [3, 4]]


def test_a_chunk_that_the_deadline_cuts_off_is_unknown_and_the_rest_unsent(
    page: Make, backend: FakeBackend, clock: Clock
) -> None:
    backend.on("POST /bulk", too_late(clock, 1))
    recipe = bulk().replace("deadline: 10s", "deadline: 500ms")
    found = page(recipe).post("/api/page", json={"rows": [1, 2, 3]})
    assert found.status_code == 504
    assert page_of(found) == {"unknown": ["rows"], "items": {"rows": {"unknown": 2, "unsent": 1}}}


def test_a_chunk_that_cannot_be_made_is_unsent(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk/a", answer(204))
    recipe = bulk(size=1).replace("post: /bulk", 'post: "/bulk/{some[0].path}"')
    rows = [{"path": "a"}, {"path": "x/y"}, {"path": "c"}]
    found = page(recipe).post("/api/page", json={"rows": rows})
    assert (found.status_code, found.json["failure"]) == (400, "unsent")
    assert page_of(found) == {"done": ["rows"], "items": {"rows": {"done": 1, "unsent": 2}}}


# --- items that fail ------------------------------------------------------------------------------------------------


def test_items_that_failed_fail_the_step_and_are_told_by_their_places(
    page: Make, backend: FakeBackend, ways: dict[str, str]
) -> None:
    backend.on("POST /bulk", told(a=201, b=201), told(c=409, d=201))
    rows = ["a", "a", None, "b", "c", "d", "e"]
    found = page(bulk(FAILED), ways).post("/api/page", json={"rows": rows})
    assert found.json == {
        "type": "urn:bff:problem:backend-failed",
        "title": "A backend failed",
        "status": 502,
        "detail": "'rows' answered that 1 of 2 items failed.",
        "instance": found.json["instance"],
        "step": "rows",
        "failure": "status",
        "retryable": False,
        "done": ["rows"],
        "undone": [],
        "undo_failed": [],
        "unknown": [],
        "items": {"rows": {"done": 3, "failed": 1, "failed_at": [4], "unsent": 1}},
    }
    assert len(backend.requests) == 2


def test_where_no_item_failed_the_value_is_as_ever(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", told(a=201, b=201))
    found = page(bulk(FAILED, '"[one.id for one in rows]"')).post("/api/page", json={"rows": ["a", "b"]})
    assert found.json == ["a", "b"]


def test_a_chunk_of_which_nothing_was_done_is_not_done(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", told(a=503, b=503))
    found = page(bulk(FAILED + "\n" + UNDO)).post("/api/page", json={"rows": ["a", "b", "c"]})
    assert found.json["retryable"] is True
    assert page_of(found) == {"items": {"rows": {"failed": 2, "failed_at": [0, 1], "unsent": 1}}}
    assert sent(backend, "/undo") == []


def test_a_reply_without_a_body_says_that_nothing_failed(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(204))
    assert page(bulk(FAILED)).post("/api/page", json={"rows": ["a"]}).json == 1


BY_PLACE = "[i for i in range(len(some)) if reply.body.items[i].index.status >= 300]"


@pytest.mark.parametrize(
    ("failed", "reply", "rows"),
    [
        # A list of {id, status}.
        ("[x.id for x in reply.body if x.status >= 400]", [{"id": "b", "status": 409}], "abc"),
        # Elasticsearch's _bulk: in the order of the rows.
        (BY_PLACE, {"items": [{"index": {"status": code}} for code in (201, 409, 201)]}, "rows"),
        # Microsoft Graph's $batch: by the ids that the body gave the requests, in any order.
        (
            "[int(x.id) for x in reply.body.responses if x.status >= 400]",
            {"responses": [{"id": "2", "status": 201}, {"id": "1", "status": 404}]},
            "rows",
        ),
        # A list of ids, also where rows were sent.
        ("reply.body.failed", {"failed": ["b"]}, "abc"),
        ("[row for row in some if row.id in reply.body.failed]", {"failed": ["b"]}, "rows"),
        # Twice is once, and a number is an id where the items are no rows.
        ("reply.body", [11, "11", 11], "numbers"),
        ("reply.body", [{"item": "b", "status": 500, "words": "secret"}], "abc"),
    ],
)  # fmt: skip
def test_the_forms_in_which_backends_tell(
    page: Make, backend: FakeBackend, failed: str, reply: Any, rows: str
) -> None:
    given: dict[str, list[Any]] = {
        "abc": ["a", "b", "c"],
        "rows": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
        "numbers": [10, 11, 12],
    }
    backend.on("POST /bulk", answer(207, json=reply))
    found = page(bulk(key(f'failed: "{failed}"'), size=3)).post("/api/page", json={"rows": given[rows]})
    assert found.json["items"] == {"rows": {"done": 2, "failed": 1, "failed_at": [1]}}
    assert "secret" not in found.text


def test_of_two_equal_rows_one_may_fail(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(json=[{"id": "a"}]), answer(json=[{"id": "a"}, {"id": "a"}]))
    recipe = bulk(key("failed: reply.body"))
    for failed_at in ([0], [0, 1]):
        found = page(recipe).post("/api/page", json={"rows": [{"id": "a"}, {"id": "a"}]})
        assert found.json["items"]["rows"]["failed_at"] == failed_at


@pytest.mark.parametrize(
    ("statuses", "status", "kind"),
    [
        ([409, 500], 409, "conflict"),
        ([500, 409], 502, "backend-failed"),
        ([None, 422], 422, "unprocessable"),
        (["409", 7], 502, "backend-failed"),
    ],
)
def test_the_page_has_the_first_status_that_is_told(
    page: Make, backend: FakeBackend, statuses: list[Any], status: int, kind: str
) -> None:
    reply = [{"item": name, "status": code} for name, code in zip("ab", statuses, strict=True)]
    backend.on("POST /bulk", answer(207, json=reply))
    found = page(bulk(key("failed: reply.body"))).post("/api/page", json={"rows": ["a", "b"]})
    assert (found.status_code, found.json["type"]) == (status, f"urn:bff:problem:{kind}")


@pytest.mark.parametrize(
    "raw", [b'[{"id": 1e400}]', b"[" + b"9" * 300 + b"]", b'["\\ud800"]', b'[{"a": [[[1]]]}]']
)
def test_what_no_item_can_be_is_no_item_either(page: Make, backend: FakeBackend, raw: bytes) -> None:
    backend.on("POST /bulk", answer(207, body=raw, headers={"Content-Type": "application/json"}))
    found = page(bulk(key("failed: reply.body"))).post("/api/page", json={"rows": ["a", {"b": 1}]})
    assert (found.status_code, found.json["failure"]) in ((502, "bad-reply"), (502, "not-json"))


def test_a_thousand_rows_that_failed_are_told_apart_in_time(page: Make, backend: FakeBackend) -> None:
    rows = [{"id": at, "words": ["w"] * 20} for at in range(1000)]
    backend.on("POST /bulk", answer(207, json=rows[::-1]))
    recipe = bulk(key("failed: reply.body"), size=1000).replace("maxItems: 40", "maxItems: 1000")
    found = page(recipe).post("/api/page", json={"rows": rows})
    assert found.json["items"]["rows"] == {"failed": 1000, "failed_at": list(range(1000))}


@pytest.mark.parametrize("reply", [["z"], "b", {"b": 1}, [7], [None], [["a"]], [{"item": "z"}]])
def test_what_is_no_item_of_the_chunk_is_a_bad_reply_of_a_write_that_is_done(
    page: Make, backend: FakeBackend, reply: Any
) -> None:
    backend.on("POST /bulk", answer(207, json={"failed": reply}))
    found = page(bulk(key("failed: reply.body.failed"))).post("/api/page", json={"rows": ["a", "b", "c"]})
    assert (found.status_code, found.json["failure"], found.json["retryable"]) == (502, "bad-reply", False)
    assert found.json["detail"] == "'rows' answered with JSON of another form: failed is of another kind."
    assert page_of(found) == {"done": ["rows"], "items": {"rows": {"done": 2, "unsent": 1}}}


def test_a_reply_without_the_list_that_is_gone_over_is_a_bad_reply(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(200, json={"error": "secret"}))
    recipe = bulk(key('failed: "[x.id for x in reply.body.items]"'))
    found = page(recipe).post("/api/page", json={"rows": ["a"]})
    assert found.json["detail"] == ("'rows' answered with JSON of another form: rows.items is absent.")
    assert found.json["done"] == ["rows"]


def test_a_status_that_is_an_answer_is_not_looked_at(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", told(a=409))
    recipe = bulk(FAILED + "\n" + key("on_status: {207: [1]}"), "rows")
    assert page(recipe).post("/api/page", json={"rows": ["a"]}).json == [1]


def test_a_function_that_fails_leaves_the_write_done(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", told(a=200))
    functions = {"functions": "def broken(x):\n    raise ValueError(x)\n"}
    found = page(bulk(key("failed: broken(reply.body)")), functions=functions).post(
        "/api/page", json={"rows": ["a"]}
    )
    assert (found.status_code, found.json["failure"], found.json["done"]) == (500, "function", ["rows"])


# --- a page that goes on --------------------------------------------------------------------------------------------


def test_a_fallback_stands_in_and_errors_name_the_items(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", told(a=201, b=409))
    recipe = bulk(
        FAILED + "\n" + key("fallback: error.kind"),
        "\n      value: rows\n      errors: errors\n      places: '[place for one in errors for place in one.items]'\n",
    )
    found = page(recipe).post("/api/page", json={"rows": ["a", "b", "c"]})
    assert (found.status_code, found.headers["X-Page-Partial"]) == (200, "rows")
    assert found.json["places"] == [1]
    assert found.json["value"] == "status"
    [error] = found.json["errors"]
    assert (error["step"], error["kind"], error["items"], error["retryable"]) == (
        "rows",
        "status",
        [1],
        False,
    )


# --- taking back ----------------------------------------------------------------------------------------------------


def test_what_was_done_of_a_chunk_is_taken_back_and_no_more(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", told(a=201, b=201), told(c=409, d=201))
    backend.on("POST /undo", answer(204))
    found = page(bulk(FAILED + "\n" + UNDO)).post("/api/page", json={"rows": ["a", "b", "c", "d", "e"]})
    assert sent(backend, "/undo") == [["d"], ["a", "b"]]
    assert page_of(found) == {
        "undone": ["rows"],
        "items": {"rows": {"undone": 3, "failed": 1, "failed_at": [2], "unsent": 1}},
    }


def test_an_undo_knows_the_value_of_its_own_chunk(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(json=[1, 2]), answer(json=[3]))
    backend.on("POST /undo", answer(204), answer(500))
    backend.on("GET /last", answer(500))
    undo = key("undo: {client: people, post: /undo, body: rows}")
    found = page(bulk(undo, "[rows, last]", LAST)).post("/api/page", json={"rows": ["a", "b", "c"]})
    assert sent(backend, "/undo") == [[3], [1, 2]]
    assert page_of(found) == {
        "undone": ["rows"],
        "undo_failed": ["rows"],
        "items": {"rows": {"undone": 1, "undo_failed": 2}},
    }


# --- keys -----------------------------------------------------------------------------------------------------------


def test_each_chunk_has_a_key_of_its_own_that_is_the_same_next_time(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(204))
    site = page(bulk(key('idempotency_key: f"order"')))
    for _ in range(2):
        site.post("/api/page", json={"rows": ["a", "b", "c"]})
    keys = [one.headers["idempotency-key"] for one in backend.requests]
    assert keys[:2] == keys[2:]
    assert len(set(keys)) == 2


def test_a_chunk_with_a_key_is_sent_again_by_itself(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /bulk", answer(204), answer(503), answer(204))
    recipe = bulk(key('idempotency_key: f"order"') + "\n" + key("retries: 1"))
    assert page(recipe).post("/api/page", json={"rows": ["a", "b", "c"]}).status_code == 200
    first, second, again = (one.headers["idempotency-key"] for one in backend.requests)
    assert first != second == again
    assert sent(backend) == [["a", "b"], ["c"], ["c"]]


def test_a_mutation_may_go_in_chunks(page: Make, backend: FakeBackend) -> None:
    steps = """
    rows:
      client: todos
      graphql: "mutation ($rows: [RowInput!]!) { add(rows: $rows) { failed } }"
      batch: some in body.rows
      batch_size: 2
      variables:
        rows: some
      failed: reply.body.data.add.failed
    """
    backend.on("POST /graphql", answer(json={"data": {"add": {"failed": [1]}}}))
    found = page(recipe_of(steps, "1", route="POST /api/page", more=INPUT)).post(
        "/api/page", json={"rows": [{"n": 1}, {"n": 2}, {"n": 3}]}
    )
    assert page_of(found)["items"] == {"rows": {"done": 1, "failed": 1, "failed_at": [1], "unsent": 1}}


def test_what_was_all_taken_back_may_be_asked_for_again(page: Make, backend: FakeBackend) -> None:
    recipe = bulk(key("failed: reply.body") + "\n" + UNDO)
    for status, retryable in ((None, True), (503, True), (500, False), (409, False)):
        backend.on("POST /bulk", answer(207, json=[{"item": "a", "status": status}]))
        backend.on("POST /undo", answer(204))
        found = page(recipe).post("/api/page", json={"rows": ["a", "b"]})
        assert (found.json["undone"], found.json["retryable"]) == (["rows"], retryable)


def test_a_part_of_a_page_may_write_in_chunks(page: Make, backend: FakeBackend) -> None:
    part = bulk(FAILED).replace("route: POST /api/page", "").replace("deadline: 10s", "")
    whole = recipe_of(
        "\n    part: {recipe: part, with: {body: body}}\n", "1", route="POST /api/page", more=INPUT
    )
    backend.on("POST /bulk", told(a=201, b=409))
    found = page({"page": whole, "part": part}).post("/api/page", json={"rows": ["a", "b", "c"]})
    assert page_of(found) == {
        "done": ["part.rows"],
        "items": {"part.rows": {"done": 1, "failed": 1, "failed_at": [1], "unsent": 1}},
    }
