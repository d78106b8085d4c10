"""What is kept and fresh is a step's value at once, whatever else the step says, and no call is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bff.http import Calls
from tests.executor.recipes import Make, paths, reading, recipe_of, steps_in_log
from tests.fakes import FakeBackend, answer

ROW = {"name": "one", "tags": ["a"], "none": None}
NOTED = """
seen = []

def noted(text):
    seen.append(text)
    return text

def times():
    return len(seen)
"""
BY_INPUT = "input: {query: {id: {type: string}}}"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The targets of the calls that are made, which those of what is kept are not."""
    begun: list[str] = []
    start = Calls.start

    def noting(self: Calls, client: Any, request: Any, until: float | None = None) -> Any:
        begun.append(request.target)
        return start(self, client, request, until)

    monkeypatch.setattr(Calls, "start", noting)
    return begun


def kept(rest: str = "", shape: str = "row") -> str:
    return reading(f"cache: 1m\n        {rest}", shape)


@pytest.mark.parametrize(
    ("rest", "shape", "expected"),
    [
        ("", "row", ROW),
        ("", "row.name", "one"),
        ("", "[tag for tag in row.tags]", ["a"]),
        ("take: reply.body.name", "row", "one"),
        ("take: reply.headers['x-own']", "row", "yes"),
        ("ok: reply.body.none is None", "row.name", "one"),
        ("on_status: {200: {name: reply.status}}", "row.name", 200),
        ("when: true", "row.name", "one"),
        ("timeout: 2s\n        retries: 0\n        hedge: 1s", "row.name", "one"),
    ],
)
def test_a_page_is_the_same_from_what_is_kept_and_makes_no_call(
    page: Make, backend: FakeBackend, calls: list[str], rest: str, shape: str, expected: Any
) -> None:
    backend.on("GET /row", answer(json=ROW, headers={"X-Own": "yes"}))
    site = page(kept(rest, shape))
    assert [site.get("/api/page").json for _ in range(3)] == [{"page": expected}] * 3
    assert (calls, paths(backend)) == (["/row"], ["GET /row"])


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b" ", "application/json", None),
        (b"", "application/json", None),
        (b"null", "application/json", None),
        ('"é"'.encode("latin-1"), "application/json; charset=iso-8859-1", "é"),
        ('"é"'.encode("utf-16"), "application/json", "é"),
        (b'"x"', "text/html", "x"),
    ],
)
def test_what_is_kept_is_read_as_what_comes(
    page: Make, backend: FakeBackend, calls: list[str], body: bytes, content_type: str, expected: Any
) -> None:
    backend.on("GET /row", answer(body=body, headers={"Content-Type": content_type}))
    site = page(kept())
    assert [site.get("/api/page").json for _ in range(2)] == [{"page": expected}] * 2
    assert calls == ["/row"]


@pytest.mark.parametrize(
    ("rest", "body", "failure"),
    [
        ("ok: reply.body.name == 'two'", b'{"name": "one"}', "status"),
        ("", b"<html>", "not-json"),
        ("", b"[" * 200 + b"]" * 200, "too-large"),
        ('take: "[tag for tag in reply.body.tags]"', b'{"tags": 1}', "bad-reply"),
        ("key_by: id", b'{"id": 1}', "bad-reply"),
    ],
)
def test_what_is_kept_and_of_no_use_fails_as_what_comes(
    page: Make, backend: FakeBackend, calls: list[str], rest: str, body: bytes, failure: str
) -> None:
    backend.on("GET /row", answer(body=body))
    site = page(kept(rest))
    found = [site.get("/api/page") for _ in range(2)]
    assert [(one.status_code, one.json["failure"]) for one in found] == [(502, failure)] * 2
    assert found[0].json["detail"] == found[1].json["detail"]
    assert calls == ["/row"]


def test_each_visitor_has_a_value_of_their_own(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json=ROW))
    functions = {"functions": "def spoil(row):\n    row['tags'].append('b')\n    return row\n"}
    site = page(kept(shape="spoil(row).tags"), functions=functions)
    assert [site.get("/api/page").json for _ in range(3)] == [{"page": ["a", "b"]}] * 3


def test_the_items_of_a_loop_that_are_kept_make_no_call_beside_those_that_do(
    page: Make, backend: FakeBackend, calls: list[str]
) -> None:
    recipe = recipe_of(
        """
        rows:
          client: todos
          each: id in split(query.id, ',')
          get: "/rows/{id}"
          cache: 1m
          retries: 0
          fallback: {name: error.status}
        """,
        "{names: '[row.name for row in rows]', errors: errors}",
        more=BY_INPUT,
    )
    for id in "abd":
        backend.on(f"GET /rows/{id}", answer(json={"name": id}))
    backend.on("GET /rows/c", answer(404))
    site = page(recipe)
    assert site.get("/api/page?id=a,b").json == {"names": ["a", "b"], "errors": []}
    calls.clear()
    found = site.get("/api/page?id=a,c,b,d,.,a").json
    assert found["names"] == ["a", 404, "b", "d", 400, "a"]
    assert [error["item"] for error in found["errors"]] == [4, 1]
    assert calls == ["/rows/c", "/rows/d"]


def test_the_chunks_of_a_batch_that_are_kept_make_no_call(
    page: Make, backend: FakeBackend, calls: list[str]
) -> None:
    recipe = recipe_of(
        """
        rows:
          client: todos
          batch: ids in split(query.id, ',')
          batch_size: 2
          get: /rows
          query: {id: ids}
          key_by: id
          cache: 1m
        """,
        "{a: rows.a.n, c: rows.c.n}",
        more=BY_INPUT,
    )
    backend.on("GET /rows", *(answer(json=[{"id": id, "n": n}]) for id, n in (("a", 1), ("c", 2), ("c", 3))))
    site = page(recipe)
    found = [site.get(f"/api/page?id={ids}").json for ids in ("a,b", "a,b,c", "a,b,c", "a,b,c,d")]
    assert found == [{"a": 1, "c": None}, {"a": 1, "c": 2}, {"a": 1, "c": 2}, {"a": 1, "c": 3}]
    assert calls == ["/rows?id=a&id=b", "/rows?id=c", "/rows?id=c&id=d"]


def test_what_is_kept_counts_among_the_bytes_of_a_page(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json="x" * 700))
    steps = "row: {client: todos, get: /row, cache: 1m}\nsame: {client: todos, get: /row, cache: 1m}\n"
    one = recipe_of("one: {client: todos, get: /row, cache: 1m}\n", "len(one)", route="GET /api/one")
    both = recipe_of(steps, "[len(row), len(same)]", route="GET /api/both")
    site = page({"one": one, "both": both}, environ={"BFF_MAX_REPLIES": "1000"})
    assert [site.get("/api/one").json for _ in range(2)] == [700, 700]
    found = site.get("/api/both")
    assert (found.status_code, found.json["failure"]) == (500, "limit")


def test_the_log_counts_a_read_that_is_kept(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /row", answer(json=ROW))
    site = page(kept())
    told = []
    with caplog.at_level("INFO", logger="bff.page"):
        for _ in range(2):
            site.get("/api/page")
            told.append(steps_in_log(caplog))
    assert told == [{"row": {"outcome": "ok", "requests": 1}}] * 2


def test_what_a_kept_reply_says_of_keeping_is_the_answers_too(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json=ROW, headers={"Cache-Control": "max-age=7"}))
    site = page(reading("cache: 1m", "row.name") + "cache: 1m\n")
    [first, second] = [site.get("/api/page").headers["Cache-Control"] for _ in range(2)]
    assert first == "private, max-age=7"
    assert second in ("private, max-age=7", "private, max-age=6")


def test_a_read_that_is_not_kept_works_out_its_target_once(page: Make, backend: FakeBackend) -> None:
    recipe = recipe_of(
        """
        row: {client: todos, get: "/rows/{noted(query.id)}", cache: 1m}
        """,
        "[row, times()]",
        more=BY_INPUT,
    )
    backend.on("GET /rows/a", answer(json="kept"))
    site = page(recipe, functions={"functions": NOTED})
    assert [site.get("/api/page?id=a").json for _ in range(3)] == [["kept", 1], ["kept", 2], ["kept", 3]]


def test_a_read_with_a_header_of_its_own_shares_nothing_with_one_without(
    page: Make, backend: FakeBackend, calls: list[str]
) -> None:
    backend.on("GET /row", answer(json=1), answer(json=2))
    steps = (
        "row: {client: todos, get: /row, cache: 1m}\n"
        "own: {client: todos, get: /row, headers: {X-Own: f'a'}, cache: 1m}\n"
    )
    site = page(recipe_of(steps, "[row, own]"))
    found = [sorted(site.get("/api/page").json) for _ in range(2)]
    assert found == [[1, 2]] * 2
    assert paths(backend) == ["GET /row"] * 2
    assert calls == ["/row"] * 3  # the one with a header is a call, which finds what is kept


@pytest.mark.parametrize("more", ["", "cache: 1m"])
def test_a_step_in_no_loop_fails_without_the_number_of_an_item(
    page: Make, backend: FakeBackend, more: str
) -> None:
    recipe = recipe_of(
        f"""
        row:
          client: todos
          get: "/rows/{{query.id}}"
          fallback: null
          {more}
        """,
        "{row: row, errors: errors}",
        more=BY_INPUT,
    )
    [error] = page(recipe).get("/api/page?id=.").json["errors"]
    assert (error["kind"], "item" in error) == ("unsent", False)
