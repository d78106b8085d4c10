"""`pages`: one read for each page of a list, by a cursor or an address, and the rows of all of them together."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from bff import create_app
from bff.http import Reply
from tests.clock import Clock
from tests.executor.recipes import Make, paths, recipe_of, steps_in_log
from tests.fakes import FakeBackend, Received, Wire, after, answer, hang, together
from tests.http.calling import OnClock
from tests.project import write_project

CURSOR = "{as: cursor, next: reply.body.next}"
SHAPE = '{rows: rows, errors: "[[one.step, one.kind, one.status] for one in errors]"}'


def listing(pages: str = CURSOR, *keys: str, get: str = "/rows", shape: str = SHAPE, **more: Any) -> str:
    """A page of one list, whose cursor is sent in the query unless other keys say how."""
    said = [key.partition(":")[0] for key in keys]
    of_step = [f"pages: {pages}", *keys]
    of_step += [] if "take" in said else ["take: reply.body.items"]
    of_step += ["query: {after: cursor}"] if "as: cursor" in pages and "query" not in said else []
    lines = "\n        ".join(of_step)
    steps = f"""
      rows:
        client: todos
        get: {get}
        retries: 0
        {lines}
    """
    return recipe_of(steps, shape, **more)


def part(items: Any, following: Any = None, **more: Any) -> Any:
    return answer(json={"items": items, "next": following, **more})


def problem(found: Any) -> tuple[int, str, str, str]:
    return (
        found.status_code,
        found.json["type"].rpartition(":")[2],
        found.json["failure"],
        found.json["detail"],
    )


# --- cursors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [None, "", False])
def test_the_rows_of_all_pages_are_one_list(
    page: Make, backend: FakeBackend, ways: dict[str, str], end: Any
) -> None:
    backend.on("GET /rows", part([1, 2], "b c"), part([], "d"), part(None, "e"), part([3], end))
    found = page(listing(), ways).get("/api/page")
    assert found.json == {"rows": [1, 2, 3], "errors": []}
    assert paths(backend) == [
        "GET /rows",
        "GET /rows?after=b%20c",
        "GET /rows?after=d",
        "GET /rows?after=e",
    ]


def test_one_page_is_one_request(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", answer(json={"items": [{"id": 1}]}))
    assert page(listing()).get("/api/page").json["rows"] == [{"id": 1}]
    assert paths(backend) == ["GET /rows"]


def test_a_cursor_may_be_counted_and_stand_in_a_path(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows/1", part(["a", "b"]))
    backend.on("GET /rows/2", part(["c"]))
    pages = "{as: number, first: 1, next: number + 1 if len(reply.body.items) == 2 else null}"
    assert page(listing(pages, get="/rows/{number}")).get("/api/page").json["rows"] == ["a", "b", "c"]


def test_a_cursor_is_known_in_headers_body_take_and_status(page: Make, backend: FakeBackend) -> None:
    following = {"null": part([1], {"id": 7}), '{"id":7}': part([2], [8]), "[8]": answer(410)}

    def script(received: Received, wire: Wire) -> None:
        after = json.loads(received.body)["after"]
        assert received.headers["x-after"] == str(after is None)
        following[json.dumps(after, separators=(",", ":"))](received, wire)

    backend.on("POST /rows", script)
    steps = """
      rows:
        client: todos
        post: /rows
        safe: true
        headers:
          X-After: "'True' if cursor == null else 'False'"
        body:
          after: cursor
        take: "[[row, cursor] for row in reply.body.items]"
        on_status:
          410: "[['over', cursor]]"
        pages: {as: cursor, next: reply.body.next}
    """
    found = page(recipe_of(steps, "rows")).get("/api/page")
    assert found.json == [[1, None], [2, {"id": 7}], ["over", [8]]]


def test_the_first_value_may_be_the_visitors(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([2], "3"), part([3]))
    recipe = listing(
        "{as: cursor, first: query.start, next: reply.body.next}",
        more="input: {query: {start: {type: string}}}",
    )
    assert page(recipe).get("/api/page?start=2").json["rows"] == [2, 3]
    assert paths(backend) == ["GET /rows?after=2", "GET /rows?after=3"]


def test_rows_can_be_looked_up_by_a_field_when_all_are_there(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([{"id": 1, "name": "a"}], 2), part([{"id": 5, "name": "b"}]))
    found = page(listing(CURSOR, "key_by: id", shape="{five: \"rows['5'].name\", one: \"rows['1'].name\"}"))
    assert found.get("/api/page").json == {"five": "b", "one": "a"}


# --- addresses ------------------------------------------------------------------------------------------------------


def addressed(page: Make, backend: FakeBackend, *following: Any, base: str = "/v1") -> Any:
    """What comes of a list whose pages name these addresses, of a client whose base URL has a path."""
    backend.on("GET /v1/rows", *(part([at], one) for at, one in enumerate(following)))
    recipe = listing("{next: reply.body.next}", "query: {size: 50}", "headers: {X-Own: f'own'}")
    return page(recipe, {"TODOS_URL": f"{backend.url}{base}"}).get("/api/page")


def test_of_an_address_path_and_query_alone_are_used(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /v1/rows/more", part([9]))
    found = addressed(
        *(page, backend),
        "https://other.example:99/v1/rows?page=2&q=%C3%A9#top",
        "//third.example/v1/rows?page=3",
        "/v1/rows?page=ä 4",
        "?page=5",
        "rows?page=6",
        "rows/more",
    )
    assert found.json["rows"] == [0, 1, 2, 3, 4, 5, 9]
    assert paths(backend) == [
        "GET /v1/rows?size=50",
        "GET /v1/rows?page=2&q=%C3%A9",
        "GET /v1/rows?page=3",
        "GET /v1/rows?page=%C3%A4%204",
        "GET /v1/rows?page=5",
        "GET /v1/rows?page=6",
        "GET /v1/rows/more",
    ]
    assert {request.headers["x-own"] for request in backend.requests} == {"own"}


@pytest.mark.parametrize(
    "address",
    [
        "/rows?page=2",
        "/v1/../admin",
        "/v1/%2e%2E/admin",
        "/v1/..;a=b/admin",
        "/v1/a%2f..%2f..%2fadmin",
        "/v1\\..\\admin",
        "/v10/rows",
        "../rows",
        "javascript:alert(1)",
        "http:/v1/rows?page=2",
        "http://[::1/v1/rows",
        "file:///v1/rows",
        "/v1/" + "a" * 8_000,
        "/v1/%zz/../x",
        7,
        True,
        ["/v1/rows?page=2"],
        {"href": "/v1/rows?page=2"},
    ],
)
def test_an_address_that_leads_elsewhere_is_a_bad_reply(
    page: Make, backend: FakeBackend, address: Any
) -> None:
    found = addressed(page, backend, address)
    detail = "'rows' answered with an address of its next page that its client does not ask."
    assert problem(found) == (502, "backend-failed", "bad-reply", detail)
    assert paths(backend) == ["GET /v1/rows?size=50"]


def test_an_address_below_a_client_without_a_path_may_be_any_path(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], "//x/other?a"))
    backend.on("GET /other", part([2], "http://x"))
    backend.on("GET /", part([3]))
    assert page(listing("{next: reply.body.next}")).get("/api/page").json["rows"] == [1, 2, 3]


def test_addresses_may_stand_in_headers_and_lists(page: Make, backend: FakeBackend) -> None:
    links = {"links": [{"rel": "self", "href": "x"}, {"rel": "next", "href": "?page=2"}], "items": [1]}
    backend.on("GET /rows", answer(json=links), answer(json={"links": None, "items": [2]}))
    pages = "{next: \"[link.href for link in reply.body.links if link.rel == 'next'][0]\"}"
    assert page(listing(pages)).get("/api/page").json["rows"] == [1, 2]
    backend.on(
        "GET /rows",
        answer(json={"items": [1]}, headers={"X-Next": "?page=2"}),
        answer(json={"items": [2]}),
    )
    pages = "{next: \"reply.headers['x-next']\"}"
    assert page(listing(pages)).get("/api/page").json["rows"] == [1, 2]


# --- how it ends otherwise -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "status", "failure"),
    [
        (answer(500), 502, "status"),
        (answer(404), 404, "status"),
        (answer(body=b"<html>"), 502, "not-json"),
        (answer(json={"next": None, "items": {"error": 1}}), 502, "bad-reply"),
        (answer(json={"next": None, "items": "text"}), 502, "bad-reply"),
        (answer(body=b""), 502, "bad-reply"),
    ],
)
def test_a_later_page_that_fails_drops_all(
    page: Make, backend: FakeBackend, script: Any, status: int, failure: str
) -> None:
    backend.on("GET /rows", part([1], 2), script)
    found = page(listing()).get("/api/page")
    assert (found.status_code, found.json["failure"], found.json["step"]) == (status, failure, "rows")


def test_a_fallback_stands_for_the_whole_list(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), answer(500))
    found = page(listing(CURSOR, "fallback: '[error.status, error.kind]'")).get("/api/page")
    assert found.json == {"rows": [500, "status"], "errors": [["rows", "status", 502]]}
    assert found.headers["X-Page-Partial"] == "rows"


@pytest.mark.parametrize("value", ["[]", "null", "['over']"])
def test_an_answer_by_its_status_ends_the_list_and_is_added(
    page: Make, backend: FakeBackend, value: str
) -> None:
    backend.on("GET /rows", part([1], 2), answer(404, json={"items": [9], "next": 3}))
    found = page(listing(CURSOR, f'on_status: {{404: "{value}"}}')).get("/api/page")
    assert found.json["rows"] == ([1, "over"] if "over" in value else [1])
    assert len(backend.requests) == 2


def test_an_answer_by_its_status_that_is_no_list_is_a_bad_reply(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), answer(404, json={"message": "over"}))
    found = page(listing(CURSOR, "on_status: {404: reply.body}")).get("/api/page")
    assert problem(found)[2:] == (
        "bad-reply",
        "'rows' answered with JSON of another form: rows is not a list.",
    )


def test_each_reply_is_judged_and_taken_by_itself(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2, ok=True), part([2], 3, ok=True), part([3], ok=False))
    found = page(listing(CURSOR, "ok: reply.body.ok", "take: '[2 * row for row in reply.body.items]'"))
    assert problem(found.get("/api/page"))[2:] == ("status", "'rows' answered with a failure.")
    backend.on("GET /rows", part([1], 2, ok=True), part([2], ok=True))
    assert found.get("/api/page").json["rows"] == [2, 4]


def test_each_request_has_its_own_retries(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", answer(503), part([1], 2), answer(503), part([2]))
    recipe = listing().replace("retries: 0", "retries: 1")
    assert page(recipe).get("/api/page").json["rows"] == [1, 2]
    assert len(backend.requests) == 4


@pytest.mark.parametrize(
    ("pages", "following"),
    [
        (CURSOR, ["b", "b"]),
        (CURSOR, ["b", "c", "b"]),
        ("{as: cursor, first: f'a', next: reply.body.next}", ["b", "a"]),
        ("{next: reply.body.next}", ["?p=2", "?p=2"]),
        ("{next: reply.body.next}", ["/rows"]),
        ("{as: cursor, next: reply.body.next}", [7, "7"]),
        ("{as: cursor, next: reply.body.next}", [{"a": [1]}, {"a": [1]}]),
    ],
)
def test_what_was_asked_for_before_is_a_bad_reply(
    page: Make, backend: FakeBackend, pages: str, following: list[Any]
) -> None:
    backend.on("GET /rows", *(part([at], one) for at, one in enumerate([*following, "more"])))
    found = page(listing(pages)).get("/api/page")
    detail = "'rows' answered with a page of its list that was asked for before."
    assert problem(found) == (502, "backend-failed", "bad-reply", detail)
    assert len(backend.requests) <= len(following)


def test_a_cursor_that_cannot_be_in_a_path_is_the_backends_fault(page: Make, backend: FakeBackend) -> None:
    recipe = listing(
        "{as: cursor, first: query.start, next: reply.body.next}",
        "query: {}",
        get="/rows/{cursor}",
        more="input: {query: {start: {type: string}}}",
    )
    for following in ("a/b", "..", ["x"]):
        backend.on("GET /rows/1", part([1], following))
        found = page(recipe).get("/api/page?start=1")
        assert (found.status_code, found.json["failure"]) == (502, "unsent")
    assert page(recipe).get("/api/page?start=a%2Fb").status_code == 400
    assert page(recipe).get("/api/page").json["rows"] is None


def test_more_pages_than_may_be_read_fail_the_step(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", *(part([at], at) for at in range(9)))
    found = page(listing("{as: cursor, next: reply.body.next, most: 3}")).get("/api/page")
    detail = "'rows' has more pages than the 3 that may be read."
    assert problem(found) == (500, "over-bound", "limit", detail)
    assert len(backend.requests) == 3


def test_a_list_that_stops_says_so_and_is_not_kept(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bff.page")
    backend.on("GET /rows", *(part([at], at) for at in range(9)))
    recipe = listing("{as: cursor, next: reply.body.next, most: 3, then: stop}", more="cache: 60s")
    found = page(recipe).get("/api/page")
    assert found.json == {"rows": [0, 1, 2], "errors": [["rows", "limit", 500]]}
    assert found.headers["X-Page-Partial"] == "rows"
    assert found.headers["Cache-Control"] == "no-store"
    assert steps_in_log(caplog)["rows"]["requests"] == 3


def test_a_list_that_has_just_as_many_pages_as_may_be_read_is_whole(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), part([2], 3), part([3]))
    recipe = listing("{as: cursor, next: reply.body.next, most: 3, then: stop}")
    found = page(recipe).get("/api/page")
    assert found.json == {"rows": [1, 2, 3], "errors": []}
    assert "X-Page-Partial" not in found.headers


def test_a_cursor_that_never_ends_is_stopped_by_the_requests_of_the_page(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /rows", *(part([at], at) for at in range(30)))
    recipe = listing("{as: cursor, next: reply.body.next, most: 250}")
    found = page(recipe, {"BFF_MAX_REQUESTS": "12"}).get("/api/page")
    assert problem(found)[:3] == (500, "over-bound", "limit")
    assert len(backend.requests) == 12


def test_the_bytes_of_all_pages_are_those_of_one_page(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", *(part(["x" * 400_000], at) for at in range(30)))
    recipe = listing("{as: cursor, next: reply.body.next, most: 250}", shape="{count: len(rows)}")
    environ = {"BFF_MAX_REPLY": "500000", "BFF_MAX_REPLIES": "1000000"}
    found = page(recipe, environ).get("/api/page")
    assert problem(found)[:3] == (500, "over-bound", "limit")
    assert len(backend.requests) == 3


# --- time -----------------------------------------------------------------------------------------------------------


def reply(items: Any, following: Any) -> Reply:
    raw = b'{"items": %d, "next": %d}' % (items, following)
    return Reply(
        200, {"content-type": "application/json"}, raw.replace(b": ", b": [", 1).replace(b",", b"],", 1)
    )


class Slow(OnClock):
    """Each of whose tries takes a while of the clock."""

    def start(self, request: Any) -> Any:
        flight = super().start(request)
        self.clock.go_on(0.4)
        return flight


def test_all_requests_together_have_the_time_of_the_list(tmp_path: Path) -> None:
    clock = Clock()
    try:
        transport = Slow(clock, *(reply(at, at) for at in range(9)))
        recipe = listing("{as: cursor, next: reply.body.next, within: 1s}", "timeout: 900ms", deadline="5s")
        root = write_project(tmp_path, {"page": recipe})
        found = create_app(root, environ={}, transport=transport).test_client().get("/api/page")
        until = [flight.request.until - clock.monotonic for flight in transport.flights]
    finally:
        clock.close()
    assert problem(found) == (504, "backend-timeout", "timeout", "'rows' did not answer in time.")
    assert [round(left - until[0], 3) for left in until] == [0.0, 0.1, 0.1]


def test_a_list_ends_with_its_page_where_it_says_nothing(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), hang)
    found = page(listing(CURSOR, "fallback: []", deadline="400ms")).get("/api/page")
    assert (found.json["rows"], found.headers["X-Page-Partial"]) == ([], "rows")


# --- beside other keys ------------------------------------------------------------------------------------------------


EACH = """
  ids:
    client: people
    get: /ids
  rows:
    each: id in ids
    client: todos
    get: /rows/{id}
    query: {after: cursor}
    retries: 0
    take: reply.body.items
    pages: {as: cursor, first: "f'first of {id}'", next: reply.body.next}
"""


def test_each_item_goes_through_a_list_of_its_own(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /ids", answer(json=["a", "b"]))
    second = together(2, part(["last"]))
    for one in ("a", "b"):
        backend.on(f"GET /rows/{one}", part([one], "2"), second)  # the lists go on side by side
    assert page(recipe_of(EACH, "rows")).get("/api/page").json == [["a", "last"], ["b", "last"]]
    assert "GET /rows/a?after=first%20of%20a" in paths(backend)


def test_a_fallback_of_an_each_is_an_items(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /ids", answer(json=["a", "b"]))
    backend.on("GET /rows/a", part([1], "2"), answer(500))
    backend.on("GET /rows/b", part([2], "2"), part([3]))
    recipe = recipe_of(f"{EACH}    fallback: '[id]'", SHAPE)
    found = page(recipe).get("/api/page")
    assert found.json == {"rows": [["a"], [2, 3]], "errors": [["rows", "status", 502]]}


def test_each_list_stops_by_itself(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /ids", answer(json=["a", "b", "c"]))
    for one in ("a", "b"):
        backend.on(f"GET /rows/{one}", part([1], "2"), part([2], "3"))
    backend.on("GET /rows/c", part([3]))
    recipe = recipe_of(
        EACH.replace("next: reply.body.next", "next: reply.body.next, most: 2, then: stop"), SHAPE
    )
    found = page(recipe).get("/api/page")
    assert found.json["rows"] == [[1, 2], [1, 2], [3]]
    assert found.json["errors"] == [["rows", "limit", 500]] * 2


def test_a_take_that_gives_no_list_names_the_item(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /ids", answer(json=["a"]))
    backend.on("GET /rows/a", part({"x": 1}))
    found = page(recipe_of(EACH, "rows")).get("/api/page")
    assert problem(found)[2:] == (
        "bad-reply",
        "'rows' answered with JSON of another form: rows[*] is not a list.",
    )


def test_each_chunk_goes_through_a_list_of_its_own(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /ids", answer(json=[1, 2, 3]))
    rows = {
        "/rows?id=1&id=2": part([{"id": 1}], "x"),
        "/rows?id=1&id=2&after=x": part([{"id": 2}]),
        "/rows?id=3": part([{"id": 3}], "y"),
        "/rows?id=3&after=y": part([]),
    }
    backend.on("GET /rows", lambda received, wire: rows[received.target](received, wire))
    steps = """
      ids:
        client: people
        get: /ids
      rows:
        client: todos
        get: /rows
        batch: some in ids
        batch_size: 2
        query: {id: some, after: cursor}
        take: reply.body.items
        key_by: id
        pages: {as: cursor, next: reply.body.next}
    """
    found = page(recipe_of(steps, '{ids: "[rows[str(id)].id for id in ids]"}')).get("/api/page")
    assert found.json == {"ids": [1, 2, 3]}


def test_each_reply_is_kept(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), part([2]))
    client = page(listing(CURSOR, "cache: 1m"))
    assert client.get("/api/page").json["rows"] == [1, 2]
    assert client.get("/api/page").json["rows"] == [1, 2]
    assert len(backend.requests) == 2


def test_an_old_reply_of_one_page_makes_the_list_old(page: Make, backend: FakeBackend) -> None:
    def script(received: Received, wire: Wire) -> None:
        (part([2]) if "after" in received.target else part([1], 2))(received, wire)

    backend.on("GET /rows", script)
    client = page(listing(CURSOR, "cache: {ttl: 1ms, stale_if_error: 1h}"))
    assert client.get("/api/page").json["rows"] == [1, 2]
    threading.Event().wait(0.01)
    backend.on("GET /rows", answer(500))
    found = client.get("/api/page")
    assert (found.json["rows"], found.headers["X-Page-Stale"]) == ([1, 2], "rows")


def test_what_one_page_says_of_being_kept_counts_for_all(page: Make, backend: FakeBackend) -> None:
    of_first = answer(json={"items": [], "next": 2}, headers={"Cache-Control": "max-age=30"})
    of_second = answer(json={"items": []}, headers={"Cache-Control": "max-age=7"})
    backend.on("GET /rows", of_first, of_second)
    found = page(listing(more="cache: 60s")).get("/api/page")
    assert found.headers["Cache-Control"] == "private, max-age=7"


def test_a_list_is_gone_through_beside_other_steps(page: Make, backend: FakeBackend) -> None:
    meeting = together(2, part([2]))
    backend.on("GET /rows", part([1], 2), meeting)
    backend.on("GET /beside", meeting)
    steps = """
      rows:
        client: todos
        get: /rows
        query: {after: cursor}
        take: reply.body.items
        pages: {as: cursor, next: reply.body.next}
      beside:
        client: notices
        get: /beside
    """
    found = page(recipe_of(steps, "{rows: rows, beside: beside.items}")).get("/api/page")
    assert found.json == {"rows": [1, 2], "beside": [2]}


def test_a_page_that_ends_asks_for_no_further_page(page: Make, backend: FakeBackend) -> None:
    asked = threading.Event()

    def second(received: Received, wire: Wire) -> None:
        asked.set()
        hang(received, wire)

    backend.on("GET /rows", part([1], 2), second)
    backend.on("GET /beside", after(asked, answer(500)))
    steps = """
      rows:
        client: todos
        get: /rows
        query: {after: cursor}
        take: reply.body.items
        pages: {as: cursor, next: reply.body.next}
      beside:
        client: notices
        get: /beside
    """
    found = page(recipe_of(steps, "{rows: rows, beside: beside.items}")).get("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "beside")
    assert len([request for request in backend.requests if request.path == "/rows"]) == 2


def test_an_equal_read_of_another_step_is_the_first_page(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), part([2]))
    steps = """
      rows:
        client: todos
        get: /rows
        query: {after: cursor}
        take: reply.body.items
        pages: {as: cursor, next: reply.body.next}
      beside:
        client: todos
        get: /rows
    """
    found = page(recipe_of(steps, "{rows: rows, beside: beside.items}")).get("/api/page")
    assert found.json == {"rows": [1, 2], "beside": [1]}
    assert len(backend.requests) == 2


def test_a_function_that_fails_on_a_later_page_fails_the_step(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), part([2], 3))
    functions = {
        "functions": "def following(body):\n    return body['next'] if body['next'] == 2 else 1 / 0\n"
    }
    recipe = listing("{as: cursor, next: following(reply.body)}")
    found = page(recipe, functions=functions).get("/api/page")
    assert (found.status_code, found.json["failure"]) == (500, "function")


def test_a_list_of_a_part_is_the_same(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([1], 2), part([2], 3), part([3]))
    inner = listing("{as: cursor, first: query.start, next: reply.body.next}", shape="rows")
    inner = inner.replace("route: GET /api/page\n", "").replace("deadline: 10s\n", "")
    inner = f"input: {{query: {{start: {{type: string}}}}}}\n{inner}"
    outer = recipe_of(
        """
          cursor:
            value: 7
          part:
            recipe: inner
            with:
              query: {start: f"a"}
        """,
        "{rows: part, cursor: cursor}",
    )
    found = page({"page": outer, "inner": inner}).get("/api/page")
    assert found.json == {"rows": [1, 2, 3], "cursor": 7}
    assert paths(backend)[0] == "GET /rows?after=a"


def test_what_the_page_reads_is_all_that_is_needed_of_each_page(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /rows", part([{"name": "a"}], 2), part([{}]))
    recipe = listing(CURSOR, "needs: ['[*].name']", shape='{names: "[row.name for row in rows]"}')
    found = page(recipe).get("/api/page")
    assert problem(found)[2:] == (
        "bad-reply",
        "'rows' answered with JSON of another form: reply.body.items[*].name is absent.",
    )
    backend.on("GET /rows", part([{"name": "a"}], 2), part([{"name": "b", "more": {"a": 1}}]))
    assert page(recipe).get("/api/page").json == {"names": ["a", "b"]}


def test_a_fallback_sees_the_reply_of_the_page_that_failed(page: Make, backend: FakeBackend) -> None:
    client = page(listing(CURSOR, "fallback: '[reply.body.why, error.kind]'", "timeout: 300ms"))
    backend.on("GET /rows", part([1], 2, why="first"), answer(409, json={"why": "second"}))
    assert client.get("/api/page").json["rows"] == ["second", "status"]
    backend.on("GET /rows", part([1], 2, why="first"), hang)
    assert client.get("/api/page").json["rows"] == [None, "timeout"]


def test_a_document_may_have_a_cursor_among_its_variables(page: Make, backend: FakeBackend) -> None:
    def films(names: list[str], end: str | None) -> Any:
        return answer(json={"data": {"films": {"nodes": names, "end": end}}})

    backend.on("POST /graphql", films(["a"], "x"), films(["b"], None))
    steps = """
      rows:
        client: todos
        graphql: "query Films($after: String) { films(after: $after) { nodes end } }"
        variables: {after: cursor}
        take: reply.body.data.films.nodes
        pages: {as: cursor, next: reply.body.data.films.end}
    """
    assert page(recipe_of(steps, "rows")).get("/api/page").json == ["a", "b"]
    assert [request.json()["variables"] for request in backend.requests] == [{"after": None}, {"after": "x"}]


def test_a_page_without_the_list_that_is_gone_over_is_no_end_of_it(page: Make, backend: FakeBackend) -> None:
    recipe = listing(shape='{names: "[row.name for row in rows]"}')
    backend.on("GET /rows", part([{"name": "a"}], 2), answer(json={"error": "busy"}))
    found = page(recipe).get("/api/page")
    assert problem(found)[2:] == (
        "bad-reply",
        "'rows' answered with JSON of another form: reply.body.items is absent.",
    )
    backend.on("GET /rows", part([{"name": "a"}], 2), answer(json={"items": None}))
    assert page(recipe).get("/api/page").json == {"names": ["a"]}


def test_pages_of_csv_are_one_table(page: Make, backend: FakeBackend) -> None:
    def table(text: str, following: str = "") -> Any:
        headers = {"Content-Type": "text/csv", **({"X-Next": following} if following else {})}
        return answer(body=text.encode(), headers=headers)

    backend.on("GET /rows", table("id;name\n1;a\n", "?p=2"), table("id;name\n2;b\n"))
    steps = """
      rows:
        client: todos
        get: /rows
        format: {csv: {delimiter: ';'}}
        key_by: id
        pages: {next: "reply.headers['x-next']"}
    """
    assert page(recipe_of(steps, "[\"rows['1'].name\", \"rows['2'].name\"]")).get("/api/page").json == [
        "a",
        "b",
    ]
