"""GraphQL documents: what is posted, what an answer means, and what of a mutation may be done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.executor.recipes import Make, paths, recipe_of
from tests.fakes import FakeBackend, answer, close

QUERY = recipe_of(
    """
    film:
      client: people
      graphql: |
        query Film($id: ID!, $year: Int) {
          film(id: $id, year: $year) { title }
        }
      variables:
        id: path.id
        year: null
      retries: 1
    """,
    "film.film.title",
    route="GET /api/page/{id}",
)
SENT = {
    "query": "query Film($id: ID!, $year: Int) {\n  film(id: $id, year: $year) { title }\n}\n",
    "variables": {"id": "7", "year": None},
}
GOOD = answer(json={"data": {"film": {"title": "M"}}})
NO = [{"message": "secret words", "path": ["film"]}]


def sent(backend: FakeBackend) -> list[Any]:
    return [json.loads(one.body) for one in backend.requests]


def test_a_query_posts_its_document_and_variables_and_gives_data(
    page: Make, backend: FakeBackend, ways: dict[str, str]
) -> None:
    backend.on("POST /graphql", GOOD)
    assert page(QUERY, ways).get("/api/page/7").json == "M"
    assert sent(backend) == [SENT]
    assert backend.requests[0].headers["content-type"] == "application/json"


def test_a_query_is_asked_again(page: Make, backend: FakeBackend, ways: dict[str, str]) -> None:
    backend.on("POST /graphql", answer(503), GOOD)
    assert page(QUERY, ways).get("/api/page/7").json == "M"
    assert len(backend.requests) == 2


def test_equal_queries_are_one_request_and_one_can_be_kept(page: Make, backend: FakeBackend) -> None:
    step = "{client: people, graphql: '{ films { title } }'}"
    steps = f"\n    one: {step}\n    other: {step}\n"
    backend.on("POST /graphql", answer(json={"data": {"films": []}}))
    assert page(recipe_of(steps, "[one, other]")).get("/api/page").json == [{"films": []}, {"films": []}]
    assert len(backend.requests) == 1
    kept = page(QUERY.replace("retries: 1", "cache: 1m"))
    backend.on("POST /graphql", GOOD)
    assert [kept.get(f"/api/page/{number}").json for number in (7, 7, 8)] == ["M", "M", "M"]
    assert len(backend.requests) == 3


@pytest.mark.parametrize(
    ("script", "status", "failure"),
    [
        (answer(json={"data": None, "errors": NO}), 502, "status"),
        (answer(json={"data": {"film": {"title": "M"}}, "errors": NO}), 502, "status"),
        (answer(json={"errors": NO}), 502, "status"),
        (answer(400, json={"errors": NO}), 422, "status"),
        (answer(401, json={"errors": NO}), 502, "status"),
        (answer(json={}), 502, "bad-reply"),
        (answer(json={"film": {"title": "M"}}), 502, "bad-reply"),
        (answer(json=[]), 502, "bad-reply"),
        (answer(body=b""), 502, "bad-reply"),
        (answer(body=b"<html>"), 502, "not-json"),
    ],
)
def test_what_is_no_answer_fails_the_step(
    page: Make, backend: FakeBackend, script: Any, status: int, failure: str
) -> None:
    backend.on("POST /graphql", script)
    found = page(QUERY).get("/api/page/7")
    assert (found.status_code, found.json["failure"]) == (status, failure)
    assert "secret" not in found.text
    assert found.json["retryable"] is (status == 502)


def test_an_empty_list_of_errors_is_none(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /graphql", answer(json={"data": {"film": {"title": "M"}}, "errors": []}))
    assert page(QUERY).get("/api/page/7").json == "M"


def test_a_fallback_stands_in_for_errors(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /graphql", answer(json={"errors": NO}))
    fallback = QUERY.replace("retries: 1", "fallback: {film: {title: error.kind}}")
    found = page(fallback).get("/api/page/7")
    assert (found.json, found.headers["X-Page-Partial"]) == ("status", "film")


def test_an_ok_of_its_own_takes_a_reply_with_errors(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /graphql", answer(json={"data": {"film": {"title": "M"}}, "errors": NO}))
    own = QUERY.replace("retries: 1", "ok: reply.body.data.film is not None")
    assert page(own).get("/api/page/7").json == "M"


def test_take_sees_the_whole_reply(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /graphql", answer(json={"data": {"film": {"title": "M"}}, "extensions": {"cost": 3}}))
    own = QUERY.replace("retries: 1", "take: reply.body.extensions").replace("film.film.title", "film.cost")
    assert page(own).get("/api/page/7").json == 3


def test_each_asks_once_for_each_item_and_batch_for_each_chunk(page: Make, backend: FakeBackend) -> None:
    document = "graphql: 'query ($ids: [ID!]!) { films(ids: $ids) { id } }'"
    steps = f"""
    many:
      client: people
      {document}
      batch: some in ['a', 'b', 'c', 'a']
      batch_size: 2
      variables:
        ids: some
      take: reply.body.data.films
    single:
      client: people
      {document}
      each: one in ['d', 'e']
      variables:
        ids: "[one]"
    """
    backend.on("POST /graphql", answer(json={"data": {"films": [{"id": 1}]}}))
    found = page(recipe_of(steps, "[many, single]")).get("/api/page").json
    assert found == [[{"id": 1}] * 2, [{"films": [{"id": 1}]}] * 2]
    ids = [one["variables"]["ids"] for one in sent(backend)]
    assert sorted(ids) == [["a", "b"], ["c"], ["d"], ["e"]]


def test_a_part_of_a_page_may_have_one(page: Make, backend: FakeBackend) -> None:
    part = QUERY.replace("route: GET /api/page/{id}", "input: {path: {id: {type: string}}}").replace(
        "deadline: 10s\n", ""
    )
    whole = recipe_of(
        "\n    part: {recipe: part, with: {path: {id: path.id}}}\n", "part", route="GET /api/page/{id}"
    )
    backend.on("POST /graphql", GOOD)
    assert page({"page": whole, "part": part}).get("/api/page/7").json == "M"
    assert sent(backend) == [SENT]


# --- mutations ------------------------------------------------------------------------------------------------------

ADD = """
    added:
      client: people
      graphql: 'mutation Add($title: String!) { addFilm(title: $title) { id } }'
      variables:
        title: f"M"
      MORE
    """
TAKEN_BACK = """undo:
        graphql: 'mutation ($id: ID!) { removeFilm(id: $id) { id } }'
        variables:
          id: WHAT
"""
LAST = "last: {client: todos, get: /last, retries: 0}\n"
ADDED = answer(json={"data": {"addFilm": {"id": "f1"}}})


def adding(more: str = "retries: 0", last: str = "") -> str:
    shape = "[added, last]" if last else "added"
    return recipe_of(ADD.replace("MORE", more) + f"{last}", shape, route="POST /api/page")


def test_a_mutation_is_a_write_that_is_never_repeated_unasked(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /graphql", answer(503))
    found = page(adding("timeout: 2s")).post("/api/page")
    assert (found.status_code, len(backend.requests)) == (502, 1)
    backend.on("POST /graphql", close)
    found = page(adding("timeout: 2s")).post("/api/page")
    assert (found.json["unknown"], found.json["retryable"], len(backend.requests)) == (["added"], False, 2)


def test_a_mutation_with_a_key_is_sent_again_with_the_same(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /graphql", answer(503), ADDED)
    assert page(adding('idempotency_key: f"k"\n      retries: 1')).post("/api/page").status_code == 200
    first, second = (one.headers["idempotency-key"] for one in backend.requests)
    assert first == second


@pytest.mark.parametrize(
    ("body", "unknown", "retryable"),
    [
        ({"errors": NO}, None, True),
        ({"errors": NO, "data": None}, ["added"], False),
        ({"errors": NO, "data": {"addFilm": {"id": "f1"}}}, ["added"], False),
    ],
)
def test_a_mutation_that_was_begun_may_be_done(
    page: Make, backend: FakeBackend, body: Any, unknown: list[str] | None, retryable: bool
) -> None:
    backend.on("POST /graphql", answer(json=body))
    found = page(adding()).post("/api/page")
    assert (found.status_code, found.json["failure"]) == (502, "status")
    assert (found.json.get("unknown"), found.json["retryable"]) == (unknown, retryable)
    assert "secret" not in found.text


def test_a_mutation_that_may_be_done_is_taken_back_where_its_undo_needs_no_reply(
    page: Make, backend: FakeBackend
) -> None:
    backend.on(
        "POST /graphql",
        answer(json={"errors": NO, "data": None}),
        answer(json={"data": {"removeFilm": None}}),
    )
    found = page(adding(TAKEN_BACK.replace("WHAT", 'f"M"'), LAST)).post("/api/page")
    assert (found.json["unknown"], found.json["undone"]) == (["added"], ["added"])
    assert sent(backend)[1]["variables"] == {"id": "M"}


@pytest.mark.parametrize(
    ("reply", "listed"),
    [
        (answer(json={"data": {"removeFilm": {"id": "f1"}}}), "undone"),
        (answer(json={"data": None, "errors": NO}), "undo_failed"),
        (answer(json={"errors": NO}), "undo_failed"),
        (answer(json={}), "undo_failed"),
        (answer(body=b"<html>"), "undo_failed"),
        (answer(500), "undo_failed"),
    ],
)
def test_a_mutation_is_taken_back_by_another_that_has_no_errors(
    page: Make, backend: FakeBackend, reply: Any, listed: str
) -> None:
    backend.on("POST /graphql", ADDED, reply)
    backend.on("GET /last", answer(500))
    recipe = adding(TAKEN_BACK.replace("WHAT", "added.addFilm.id"), LAST)
    found = page(recipe).post("/api/page")
    assert {name: found.json[name] for name in ("done", "undone", "undo_failed", "unknown")} == {
        **{name: [] for name in ("done", "undone", "undo_failed", "unknown")},
        listed: ["added"],
    }
    assert paths(backend) == ["POST /graphql", "GET /last", "POST /graphql"]
    assert sent_id(backend) == {"id": "f1"}
    assert "secret" not in found.text


def sent_id(backend: FakeBackend) -> Any:
    return json.loads(backend.requests[-1].body)["variables"]
