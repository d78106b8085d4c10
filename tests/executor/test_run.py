"""Running a page: what overlaps, what waits, what is made, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import PATIENCE, FakeBackend, after, answer, hang, together

Make = Callable[..., FlaskClient]

HELPERS = """
    route: GET /api/page
    auth: none
    deadline: 10s
    steps:
      todos:
        client: todos
        get: /todos
      helpers:
        client: people
        get: /people
        batch: ids in (todo.helper_id for todo in todos)
        query:
          id: ids
        key_by: id
        fallback: {}
      notice:
        client: notices
        get: /notice
        timeout: 9s
        fallback: null
    shape:
      names:
        each: todo in todos
        item: helpers[todo.helper_id].name
      notice: notice.text
    """


def paths(backend: FakeBackend) -> list[str]:
    return [f"{request.method} {request.target}" for request in backend.requests]


def test_requests_that_wait_for_nothing_are_under_way_at_once(page: Make, backend: FakeBackend) -> None:
    all_in = threading.Barrier(3)

    def together_then(_: Any, wire: Any) -> None:
        all_in.wait(PATIENCE)
        answer(json=[])(_, wire)

    for path in ("/a", "/b", "/c"):
        backend.on(f"GET {path}", together_then)
    steps = "".join(f"  {name}:\n    client: todos\n    get: /{name}\n    timeout: 9s\n" for name in "abc")
    recipe = f"route: GET /api/page\nauth: none\ndeadline: 10s\nsteps:\n{steps}shape: [a, b, c]\n"
    assert page(recipe).get("/api/page").json == [[], [], []]


def test_a_step_starts_when_its_own_inputs_are_there_while_another_hangs(
    page: Make, backend: FakeBackend
) -> None:
    helpers_asked = threading.Event()

    def people(received: Any, wire: Any) -> None:
        helpers_asked.set()
        answer(json=[{"id": 1, "name": "Ann"}])(received, wire)

    backend.on("GET /todos", answer(json=[{"helper_id": 1}]))
    backend.on("GET /people", people)
    # The notice answers only once the helpers were asked: with waves this page would never end well.
    backend.on("GET /notice", after(helpers_asked, answer(json={})))
    found = page(HELPERS).get("/api/page")
    assert found.json == {"names": ["Ann"], "notice": None}
    assert "X-Page-Partial" not in found.headers


def test_a_hanging_request_with_a_fallback_costs_its_own_time_out(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /todos", answer(json=[]))
    backend.on("GET /notice", hang)
    begun = time.monotonic()
    found = page(HELPERS.replace("timeout: 9s", "timeout: 100ms")).get("/api/page")
    assert time.monotonic() - begun < 5  # the page's deadline is 10 s
    assert (found.status_code, found.headers["X-Page-Partial"]) == (200, "notice")


def test_a_hundred_todos_with_thirty_helpers_make_one_request_for_people(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /todos", answer(json=[{"helper_id": at % 30} for at in range(100)]))
    backend.on("GET /people", answer(json=[{"id": at, "name": f"p{at}"} for at in range(30)]))
    backend.on("GET /notice", answer(json={}))
    assert page(HELPERS).get("/api/page").json["names"] == [f"p{at % 30}" for at in range(100)]
    asked = [request.target for request in backend.requests if request.path == "/people"]
    assert asked == ["/people?" + "&".join(f"id={at}" for at in range(30))]


def test_no_helpers_make_no_request(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /todos", answer(json=[{"helper_id": None}, {"helper_id": ""}, {}]))
    backend.on("GET /notice", answer(json={}))
    assert page(HELPERS).get("/api/page").json["names"] == [None, None, None]
    assert sorted(paths(backend)) == ["GET /notice", "GET /todos"]


def test_a_batch_over_its_size_is_cut_and_its_chunks_overlap(page: Make, backend: FakeBackend) -> None:
    def people(received: Any, wire: Any) -> None:
        ids = [int(part.removeprefix("id=")) for part in received.target.partition("?")[2].split("&")]
        answer(json=[{"id": one, "name": f"p{one}"} for one in reversed(ids)])(received, wire)

    backend.on("GET /todos", answer(json=[{"helper_id": at} for at in range(120)]))
    backend.on("GET /people", together(3, people))
    backend.on("GET /notice", answer(json={}))
    assert page(HELPERS).get("/api/page").json["names"] == [f"p{at}" for at in range(120)]
    assert len([path for path in paths(backend) if "/people" in path]) == 3


def test_a_failed_chunk_fails_the_batch(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /todos", answer(json=[{"helper_id": at} for at in range(60)]))
    backend.on("GET /people", answer(404), answer(json=[]))
    backend.on("GET /notice", answer(json={}))
    found = page(HELPERS).get("/api/page")
    assert found.headers["X-Page-Partial"] == "helpers"
    assert found.json["names"] == [None] * 60


EACH = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        properties:
          ids:
            type: array
            maxItems: 100
            items: {type: integer}
    steps:
      rows:
        each: id in body.ids if id > 0
        client: todos
        get: /rows/{id}
        take: reply.body.name
        retries: 0
        fallback:
          id: id
          failed: error.kind
          status: error.status
    shape:
      rows: rows
      errors: "[failed.item for failed in errors]"
    """


def test_each_makes_a_request_per_item_side_by_side_with_results_in_order(
    page: Make, backend: FakeBackend
) -> None:
    for at in range(1, 6):
        backend.on(f"GET /rows/{at}", answer(json={"name": f"n{at}"}))
    found = page(EACH).post("/api/page", json={"ids": [3, 1, -1, 5, 2, 4]})
    assert found.json == {"rows": ["n3", "n1", "n5", "n2", "n4"], "errors": []}


def test_each_runs_no_more_at_a_time_than_it_may(page: Make, backend: FakeBackend) -> None:
    together_now, most, lock = 0, 0, threading.Lock()

    def row(received: Any, wire: Any) -> None:
        nonlocal together_now, most
        with lock:
            together_now += 1
            most = max(most, together_now)
        answer(json={"name": "x"})(received, wire)
        with lock:
            together_now -= 1

    for at in range(1, 21):
        backend.on(f"GET /rows/{at}", row)
    recipe = EACH.replace("client: todos", "client: todos\n        concurrency: 3")
    assert page(recipe).post("/api/page", json={"ids": list(range(1, 21))}).json["rows"] == ["x"] * 20
    assert most <= 3


def test_the_fallback_of_each_is_per_item_and_sees_the_item_and_the_error(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /rows/1", answer(json={"name": "n1"}))
    backend.on("GET /rows/2", answer(404))
    found = page(EACH).post("/api/page", json={"ids": [1, 2]})
    assert found.json == {"rows": ["n1", {"id": 2, "failed": "status", "status": 404}], "errors": [1]}
    assert found.headers["X-Page-Partial"] == "rows"


def test_each_over_null_makes_no_request(page: Make, backend: FakeBackend) -> None:
    assert page(EACH).post("/api/page", json={}).json == {"rows": [], "errors": []}
    assert backend.requests == []


def test_each_over_too_many_items_is_refused_unsent(page: Make, backend: FakeBackend) -> None:
    found = page(EACH, environ={"BFF_MAX_EACH": "2"}).post("/api/page", json={"ids": [1, 2, 3]})
    assert found.status_code == 422
    assert found.json == {
        "type": "urn:bff:problem:too-many-items",
        "title": "This asks for too much at once",
        "status": 422,
        "detail": "'rows' goes over 3 items; one step may go over 2.",
        "instance": found.headers["X-Request-ID"],
        "step": "rows",
        "failure": "limit",
        "retryable": False,
    }
    assert backend.requests == []


def test_each_over_too_many_items_of_a_backend_is_our_own_problem(page: Make, backend: FakeBackend) -> None:
    recipe = """
        route: GET /api/page
        auth: none
        steps:
          ids: {client: todos, get: /ids}
          rows: {each: id in ids, client: todos, get: "/rows/{id}"}
        shape: rows
        """
    backend.on("GET /ids", answer(json=[1, 2, 3]))
    found = page(recipe, environ={"BFF_MAX_EACH": "2"}).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:over-bound")
    assert found.json["title"] == "This page is too large to make"


def test_a_page_over_its_requests_fails(page: Make, backend: FakeBackend) -> None:
    for at in range(1, 6):
        backend.on(f"GET /rows/{at}", answer(json={"name": "x"}))
    found = page(EACH, environ={"BFF_MAX_REQUESTS": "3"}).post("/api/page", json={"ids": [1, 2, 3, 4, 5]})
    kinds = [row["failed"] for row in found.json["rows"] if isinstance(row, dict)]
    assert kinds == ["limit", "limit"]


def hole(verb: str) -> str:
    return f"""
    route: POST /api/page
    auth: none
    input:
      query:
        id: {{type: string}}
    steps:
      row:
        client: todos
        {verb}: /rows/{{query.id}}/part
    shape:
      row: row
    """


@pytest.mark.parametrize("query", ["", "?id="])
def test_a_read_with_an_empty_path_hole_is_not_made_and_is_null(
    page: Make, backend: FakeBackend, query: str
) -> None:
    found = page(hole("get")).post(f"/api/page{query}")
    assert (found.status_code, found.json) == (200, {"row": None})
    assert backend.requests == []


@pytest.mark.parametrize("query", ["", "?id="])
def test_a_write_with_an_empty_path_hole_is_400_unsent(page: Make, backend: FakeBackend, query: str) -> None:
    found = page(hole("delete")).post(f"/api/page{query}")
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert backend.requests == []


@pytest.mark.parametrize("text", [".", "..", "a/b", "a\\b", "%2F/", "a\nb", "a\x00b", "a\x7fb", "\x85"])
@pytest.mark.parametrize("verb", ["get", "delete"])
def test_a_value_cannot_leave_its_path_segment(
    page: Make, backend: FakeBackend, verb: str, text: str
) -> None:
    found = page(hole(verb)).post("/api/page", query_string={"id": text})
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert backend.requests == []


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("待办", "/rows/%E5%BE%85%E5%8A%9E/part"),
        ("a?b#c", "/rows/a%3Fb%23c/part"),
        ("%2e%2e", "/rows/%252e%252e/part"),
        ("...", "/rows/.../part"),
        ("a b&c=d;e", "/rows/a%20b%26c%3Dd%3Be/part"),
    ],
)
def test_the_rest_is_percent_encoded_once(page: Make, backend: FakeBackend, text: str, sent: str) -> None:
    page(hole("get")).post("/api/page", query_string={"id": text})
    assert [request.target for request in backend.requests] == [sent]


GUARDED = """
    route: POST /api/page
    auth: none
    steps:
      row:
        client: todos
        get: /row
      open:
        require: row.open
        fail:
          status: 409
          title: f"Too late"
          detail: f"{row.name} is closed."
          errors:
            - pointer: f"#/body"
              detail: f"closed"
      changed:
        client: todos
        post: /row
        body:
          done: true
    shape:
      changed: changed
    """


def test_a_guard_that_holds_lets_the_write_through(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"open": True}))
    backend.on("POST /row", answer(json={"id": 1}))
    assert page(GUARDED).post("/api/page").json == {"changed": {"id": 1}}
    assert paths(backend) == ["GET /row", "POST /row"]


@pytest.mark.parametrize("value", [False, None, 1, "true", [True], {}])
def test_a_guard_that_is_not_exactly_true_ends_the_page_before_the_write(
    page: Make, backend: FakeBackend, value: Any
) -> None:
    backend.on("GET /row", answer(json={"open": value, "name": "Tea"}))
    found = page(GUARDED).post("/api/page")
    assert found.status_code == 409
    problem = {name: member for name, member in found.json.items() if name != "instance"}
    assert problem == {
        "type": "urn:bff:problem:requirement-failed",
        "title": "Too late",
        "status": 409,
        "detail": "Tea is closed.",
        "step": "open",
        "errors": [{"pointer": "#/body", "detail": "closed"}],
    }
    assert paths(backend) == ["GET /row"]


WRITES = """
    route: POST /api/page
    auth: none
    steps:
      before:
        client: todos
        get: /before
      first:
        client: todos
        post: /first
        body: {}
      second:
        client: todos
        post: /second
        body: {}
      after:
        client: todos
        get: /after
        retries: 0
    shape: [before.x, first.x, second.x, after.x]
    """


def test_writes_run_in_the_order_written_and_reads_below_wait_for_them(
    page: Make, backend: FakeBackend
) -> None:
    for method, path in (("GET", "before"), ("POST", "first"), ("POST", "second"), ("GET", "after")):
        backend.on(f"{method} /{path}", answer(json={"x": path}))
    assert page(WRITES).post("/api/page").json == ["before", "first", "second", "after"]
    assert paths(backend) == ["GET /before", "POST /first", "POST /second", "GET /after"]


def test_a_required_read_above_that_fails_keeps_the_write_from_being_sent(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /before", answer(404))
    assert page(WRITES).post("/api/page").status_code == 404
    assert paths(backend) == ["GET /before"]


def test_a_page_that_fails_after_writes_says_what_was_done(page: Make, backend: FakeBackend) -> None:
    for method, path in (("GET", "before"), ("POST", "first"), ("POST", "second")):
        backend.on(f"{method} /{path}", answer(json={}))
    backend.on("GET /after", answer(500))
    found = page(WRITES).post("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "after")
    assert (found.json["done"], found.json["unknown"]) == (["first", "second"], [])


def test_a_write_whose_reply_never_comes_is_unknown_and_not_repeated(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /before", answer(json={}))
    backend.on("POST /first", hang)
    found = page(WRITES.replace("post: /first", "post: /first\n        timeout: 200ms")).post("/api/page")
    assert (found.status_code, found.json["step"]) == (504, "first")
    assert (found.json["done"], found.json["unknown"]) == ([], ["first"])
    assert paths(backend) == ["GET /before", "POST /first"]


def test_a_post_that_only_reads_is_no_barrier(page: Make, backend: FakeBackend) -> None:
    script = together(2, answer(json={"x": 1}))
    backend.on("POST /a", script)
    backend.on("POST /b", script)
    recipe = """
    route: GET /api/page
    auth: none
    deadline: 15s
    steps:
      a:
        client: todos
        post: /a
        safe: true
        timeout: 14s
        body: {}
      b:
        client: todos
        post: /b
        safe: true
        timeout: 14s
        body: {}
    shape: [a.x, b.x]
    """
    assert page(recipe).get("/api/page").json == [1, 1]


ONE = """
    route: GET /api/page
    auth: none
    steps:
      row:
        client: todos
        get: /row
        retries: 0
        {extra}
    shape:
      row: row
    """


def one(extra: str) -> str:
    return ONE.replace("{extra}", extra)


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
    backend.on("GET /row", answer(json={}))
    found = page(one("").replace("row: row", 'row: "[x for x in row.items]"')).get("/api/page")
    assert found.json == {"row": []}


def test_a_bad_reply_falls_back(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={"items": 5}))
    recipe = one("fallback: null").replace("row: row", 'row: "[x for x in row.items]"')
    found = page(recipe).get("/api/page")
    assert (found.json, found.headers["X-Page-Partial"]) == ({"row": []}, "row")


def test_form_and_headers_go_out_as_written(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /token", answer(json={"ok": True}))
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      token:
        client: todos
        post: /token
        headers:
          X-Flag: true
          X-None: null
        form:
          grant_type: f"password"
          scope: ["'a b'", "'c'"]
          none: null
    shape: token.ok
    """
    assert page(recipe).post("/api/page").json is True
    (request,) = backend.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=password&scope=a+b&scope=c"
    assert request.headers["x-flag"] == "true" and "x-none" not in request.headers


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "待办"])
def test_a_header_cannot_be_split(page: Make, backend: FakeBackend, text: str) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    input:
      query:
        name: {type: string}
    steps:
      row:
        client: todos
        get: /row
        headers:
          X-Name: query.name
    shape: row
    """
    found = page(recipe).post("/api/page", query_string={"name": text})
    assert (found.status_code, found.json["type"]) == (400, "urn:bff:problem:unsent")
    assert backend.requests == []


def test_the_page_deadline_and_request_id_go_to_the_backend(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /row", answer(json={}))
    page(one("")).get("/api/page", headers={"X-Request-ID": "r-1"})
    (request,) = backend.requests
    assert request.headers["x-request-id"] == "r-1"
    assert 0 < int(request.headers["x-request-deadline-ms"]) <= 3000


def test_a_project_function_that_raises_is_500_with_its_place_in_the_log(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = "route: GET /api/page\nauth: none\nshape: broken(1)\n"
    functions = {"functions": "def broken(x):\n    raise RuntimeError('hush')\n"}
    found = page(recipe, functions=functions).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")
    assert "hush" not in found.text
    assert "functions.py:2" in caplog.text


def test_an_answer_over_its_bound_is_500_and_the_log_says_which(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = "route: GET /api/page\nauth: none\nshape: '[range(1000) for i in range(1000)]'\n"
    found = page(recipe, environ={"BFF_MAX_ANSWER": "64 KiB"}).get("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:over-bound")
    assert "over the bound: answer" in caplog.text
