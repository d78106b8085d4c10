"""Taking writes back: which, in what order, in what time, and what the problem says of it."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from bff import create_app
from bff.errors import OperatorError
from bff.http import Reply, Try
from tests.fakes import PATIENCE, FakeBackend, Received, Wire, after, answer, close, hang
from tests.project import write_project
from tests.properties import HealthCheck, given, settings, st

Make = Callable[..., FlaskClient]
LISTS = ("done", "undone", "undo_failed", "unknown")

TWO = """
    route: POST /api/page
    auth: none
    deadline: 10s
    steps:
      first:
        client: todos
        post: /first
        undo:
          delete: /first/{first.id}
      second:
        client: people
        post: /second
        undo:
          client: notices
          post: /second/undo
          query:
            after: first.id
          headers:
            X-Status: str(reply.status)
          body:
            id: reply.body.id
      last:
        client: todos
        get: /last
        retries: 0
    shape: last
    """


def paths(backend: FakeBackend) -> list[str]:
    return [f"{request.method} {request.target}" for request in backend.requests]


def lists(found: Any) -> list[list[str]]:
    return [found.json[name] for name in LISTS]


def write_two(backend: FakeBackend) -> None:
    backend.on("POST /first", answer(201, json={"id": "f1"}))
    backend.on("POST /second", answer(201, json={"id": "s1"}))
    backend.on("DELETE /first/f1", answer(204))
    backend.on("POST /second/undo", answer(json={}))


def test_writes_are_taken_back_newest_first_when_a_later_step_fails(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    backend.on("GET /last", answer(500))
    found = page(TWO).post("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "last")
    assert lists(found) == [[], ["first", "second"], [], []]
    assert paths(backend)[2:] == ["GET /last", "POST /second/undo?after=f1", "DELETE /first/f1"]
    undo = backend.requests[3]
    assert (undo.json(), undo.headers["x-status"]) == ({"id": "s1"}, "201")


def test_a_page_that_goes_well_takes_nothing_back(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    backend.on("GET /last", answer(json=7))
    assert page(TWO).post("/api/page").json == 7
    assert paths(backend) == ["POST /first", "POST /second", "GET /last"]


def test_a_later_write_that_is_refused_takes_the_earlier_back(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    backend.on("POST /second", answer(409))
    found = page(TWO).post("/api/page")
    assert found.status_code == 409
    assert lists(found) == [[], ["first"], [], []]
    assert paths(backend) == ["POST /first", "POST /second", "DELETE /first/f1"]


def test_an_undo_that_fails_is_told_and_keeps_no_other_from_running(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    backend.on("GET /last", answer(404))
    backend.on("POST /second/undo", answer(503))
    found = page(TWO).post("/api/page")
    assert lists(found) == [[], ["first"], ["second"], []]
    # An undo that is neither safe nor keyed is sent once.
    assert paths(backend).count("POST /second/undo?after=f1") == 1


@pytest.mark.parametrize(("status", "outcome"), [(404, "undone"), (410, "undone"), (403, "undo_failed")])
def test_what_a_delete_does_not_find_any_more_is_undone(
    page: Make, backend: FakeBackend, status: int, outcome: str
) -> None:
    write_two(backend)
    backend.on("POST /second", answer(409))
    backend.on("DELETE /first/f1", answer(status))
    assert page(TWO).post("/api/page").json[outcome] == ["first"]


ENDINGS = {
    ("a guard", 409, "requirement-failed"): """
      last:
        require: first.id == 'other'
        fail: {status: 409}
    shape: first
    """,
    ("a function that raises", 500, "internal"): """
      seen:
        value: broken(first.id)
      last: {client: todos, get: "/last/{seen}"}
    shape: [seen, last]
    """,
    ("a bound of expressions", 500, "over-bound"): """
      seen:
        value: "[x + y + z for x in range(1000) for y in range(1000) for z in range(1000)]"
      last: {client: todos, get: "/last/{len(seen)}"}
    shape: last
    """,
    ("a value of another form", 502, "backend-failed"): """
      seen:
        value: first.rows
      last: {client: todos, get: "/last", when: "len([x for x in seen]) == 1"}
    shape: last
    """,
    ("a shape that raises", 500, "internal"): """
      last: {client: todos, get: /last}
    shape: [last, broken(first.id)]
    """,
    ("a status that is none", 500, "internal"): """
      last: {client: todos, get: /last}
    status: first.id
    shape: last
    """,
    ("an answer over its bound", 500, "over-bound"): """
      last: {client: todos, get: /last}
    shape: "[last, ['' if x < 0 else 'xxxxxxxxxxxxxxxxxxxxxxxx' for x in range(1000)]]"
    """,
}
ONE = """
    route: POST /api/page
    auth: none
    steps:
      first:
        client: todos
        post: /first
        undo:
          delete: /first/{first.id}
"""


@pytest.mark.parametrize("ending", ENDINGS, ids=[name for name, _, _ in ENDINGS])
def test_however_the_page_ends_what_was_written_is_taken_back(
    page: Make, backend: FakeBackend, ending: tuple[str, int, str]
) -> None:
    backend.on("POST /first", answer(json={"id": "f1", "rows": "none"}))
    backend.on("GET /last", answer(json={}))
    backend.on("DELETE /first/f1", answer(204))
    functions = {"functions": "def broken(x):\n    raise RuntimeError('boom')\n"}
    recipe = ONE.lstrip("\n") + ENDINGS[ending]
    found = page(recipe, functions=functions, environ={"BFF_MAX_ANSWER": "16 KiB"}).post("/api/page")
    _, status, kind = ending
    assert (found.status_code, found.json["type"]) == (status, f"urn:bff:problem:{kind}")
    assert lists(found) == [[], ["first"], [], []]
    assert paths(backend)[-1] == "DELETE /first/f1"


def test_a_mistake_of_our_own_takes_back_what_was_written_too(
    page: Make, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("bff.web.views.make_answer", mistaken)
    write_two(backend)
    backend.on("GET /last", answer(json={}))
    found = page(TWO).post("/api/page")
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")
    assert lists(found) == [[], ["first", "second"], [], []]
    assert "secret" not in found.text


def test_a_write_without_an_undo_stands_and_is_told(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /first", answer(json={"id": "f1"}))
    backend.on("POST /kept", answer(json={"id": "k1"}))
    backend.on("DELETE /first/f1", answer(204))
    recipe = (
        ONE
        + """
      kept: {client: todos, post: /kept}
      last: {client: todos, get: /last}
    shape: [kept, last]
    """
    )
    assert lists(page(recipe).post("/api/page")) == [["kept"], ["first"], [], []]


@pytest.mark.parametrize(
    ("extra", "script", "expected"),
    [
        # Answered outside 2xx and accepted: it was there already, so it is not ours to take away.
        ("on_status: {409: {id: \"'f1'\"}}", answer(409), None),
        ("ok: reply.status == 409", answer(409, json={"id": "f1"}), None),
        # 2xx, and the recipe says that it is no success.
        ("ok: not reply.body.errors", answer(200, json={"id": "f1", "errors": ["no"]}), None),
        # 2xx through on_status is done.
        ("on_status: {202: {id: \"'f1'\"}}", answer(202), "undone"),
        # Done, with a body that nobody can read: the step falls back, the write has happened.
        ("fallback: {id: \"'f1'\"}", answer(201, body=b"<html>"), "undone"),
    ],
)
def test_what_counts_as_done(
    page: Make, backend: FakeBackend, extra: str, script: Any, expected: str | None
) -> None:
    backend.on("POST /first", script)
    backend.on("DELETE /first/f1", answer(204))
    recipe = ONE + f"        {extra}\n      last: {{client: todos, get: /last}}\n    shape: [first, last]\n"
    found = page(recipe).post("/api/page")
    assert found.status_code in (404, 502)
    if expected is None:
        assert not set(LISTS) & set(found.json)
        assert not any(path.startswith("DELETE") for path in paths(backend))
    else:
        assert found.json[expected] == ["first"]


UNKNOWN = """
    route: POST /api/page
    auth: none
    input:
      body:
        type: object
        properties:
          id: {type: string}
    steps:
      first:
        client: todos
        post: /first
        timeout: 300ms
        body: body
        undo:
          delete: /first/{WHAT}
      last: {client: todos, get: /last}
    shape: [first, last]
    """


@pytest.mark.parametrize("script", [hang, close])
def test_an_unknown_write_is_taken_back_where_its_undo_needs_no_reply(
    page: Make, backend: FakeBackend, script: Any
) -> None:
    backend.on("POST /first", script)
    backend.on("DELETE /first/mine", answer(204))
    found = page(UNKNOWN.replace("WHAT", "body.id")).post("/api/page", json={"id": "mine"})
    assert lists(found) == [[], ["first"], [], ["first"]]
    assert paths(backend) == ["POST /first", "DELETE /first/mine"]


@pytest.mark.parametrize("what", ["first.id", "reply.body.id", "default(reply.body.id, body.id)"])
def test_an_unknown_write_is_left_alone_where_its_undo_needs_the_reply(
    page: Make, backend: FakeBackend, what: str
) -> None:
    backend.on("POST /first", hang)
    found = page(UNKNOWN.replace("WHAT", what)).post("/api/page", json={"id": "mine"})
    assert lists(found) == [[], [], [], ["first"]]
    assert paths(backend) == ["POST /first"]


def test_a_write_that_never_left_is_neither_done_nor_unknown(page: Make, backend: FakeBackend) -> None:
    found = page(UNKNOWN.replace("WHAT", "body.id"), environ={"TODOS_URL": "http://127.0.0.1:9"}).post(
        "/api/page", json={"id": "mine"}
    )
    assert (found.status_code, found.json["failure"]) == (502, "refused")
    assert not set(LISTS) & set(found.json)


EACH = """
    route: POST /api/page
    auth: none
    deadline: 10s
    steps:
      made:
        each: title in ['a', 'b', 'c', 'd']
        concurrency: CONCURRENCY
        client: todos
        post: /made
        timeout: 9s
        body:
          title: title
        undo:
          delete: /made/{made.id}
          query:
            title: title
            status: reply.status
    shape: made
    """


def test_the_finished_items_of_an_each_are_taken_back_newest_first(page: Make, backend: FakeBackend) -> None:
    def make(received: Received, wire: Wire) -> None:
        title = received.json()["title"]
        answer(500 if title == "d" else 201, json={"id": f"id-{title}"})(received, wire)

    backend.on("POST /made", make)
    for title in "abc":
        backend.on(f"DELETE /made/id-{title}", answer(204))
    found = page(EACH.replace("CONCURRENCY", "1")).post("/api/page")
    assert (found.status_code, found.json["step"]) == (502, "made")
    assert lists(found) == [[], ["made"], [], []]
    assert found.json["items"] == {"made": {"undone": 3}}
    assert paths(backend)[4:] == [f"DELETE /made/id-{title}?title={title}&status=201" for title in "cba"]


def test_the_undos_of_an_each_run_side_by_side_as_its_requests_did(page: Make, backend: FakeBackend) -> None:
    side_by_side = threading.Barrier(3)

    def make(received: Received, wire: Wire) -> None:
        title = received.json()["title"]
        answer(500 if title == "d" else 201, json={"id": "x"})(received, wire)

    def unmake(received: Received, wire: Wire) -> None:
        side_by_side.wait(PATIENCE)
        answer(204)(received, wire)

    backend.on("POST /made", make)
    backend.on("DELETE /made/x", unmake)
    assert page(EACH.replace("CONCURRENCY", "4")).post("/api/page").json["items"] == {"made": {"undone": 3}}


def test_the_items_of_an_each_are_counted_by_what_became_of_them(page: Make, backend: FakeBackend) -> None:
    def make(received: Received, wire: Wire) -> None:
        title = received.json()["title"]
        if title == "d":
            close(received, wire)
        else:
            answer(201, json={"id": title})(received, wire)

    backend.on("POST /made", make)
    backend.on("DELETE /made/a", answer(204))
    backend.on("DELETE /made/b", answer(500))
    backend.on("DELETE /made/c", answer(204))
    found = page(EACH.replace("CONCURRENCY", "1")).post("/api/page")
    assert lists(found) == [[], ["made"], ["made"], ["made"]]
    assert found.json["items"] == {"made": {"undone": 2, "undo_failed": 1, "unknown": 1}}


def test_undos_have_two_seconds_of_their_own_after_the_page_is_over(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    backend.on("GET /last", hang)
    found = page(TWO.replace("deadline: 10s", "deadline: 400ms")).post("/api/page")
    assert (found.status_code, found.json["step"]) == (504, "last")
    assert lists(found) == [[], ["first", "second"], [], []]
    left = [int(request.headers["x-request-deadline-ms"]) for request in backend.requests[3:]]
    assert all(300 < milliseconds <= 2000 for milliseconds in left)


def test_a_hanging_undo_takes_its_share_of_the_time_and_not_that_of_the_others(
    page: Make, backend: FakeBackend
) -> None:
    write_two(backend)
    backend.on("GET /last", answer(500))
    backend.on("POST /second/undo", hang)
    begun = time.monotonic()
    clients = dict.fromkeys(("people", "todos", "notices"), 'timeout="9s"')
    found = page(TWO, clients=clients).post("/api/page")
    assert lists(found) == [[], ["first"], ["second"], []]
    assert time.monotonic() - begun < 2.5


def test_a_write_under_way_when_the_page_ends_is_waited_for_and_taken_back(
    page: Make, backend: FakeBackend
) -> None:
    asked = threading.Event()

    def written(received: Received, wire: Wire) -> None:
        asked.set()
        # Answers only when the read beside it has ended the page.
        failed.wait(PATIENCE)
        answer(201, json={"id": "f1"})(received, wire)

    def fails(received: Received, wire: Wire) -> None:
        asked.wait(PATIENCE)
        failed.set()
        answer(500)(received, wire)

    failed = threading.Event()
    backend.on("POST /first", written)
    backend.on("GET /beside", fails)
    backend.on("DELETE /first/f1", answer(204))
    recipe = """
    route: POST /api/page
    auth: none
    deadline: 10s
    steps:
      beside:
        client: people
        get: /beside
        timeout: 9s
        retries: 0
        fallback: broken(error.status)
      first:
        client: todos
        post: /first
        timeout: 9s
        undo:
          delete: /first/{first.id}
      last: {client: todos, get: /last}
    shape: [beside, first, last]
    """
    functions = {"functions": "def broken(x):\n    raise RuntimeError('boom')\n"}
    found = page(recipe, functions=functions).post("/api/page")
    assert found.status_code == 500
    assert lists(found) == [[], ["first"], [], []]


@dataclass(eq=False)
class Landed:
    """A try that has its outcome from the start."""

    outcome: Reply
    sent: bool = True
    held: bool = False


class AllAtOnce:
    """A transport whose tries end together, in the order that they were started."""

    def __init__(self, replies: dict[str, Reply]) -> None:
        self.replies = replies
        self.asked: list[str] = []

    def start(self, request: Try) -> Landed:
        line = f"{request.method} {request.url.partition('.test')[2]}"
        self.asked.append(line)
        return Landed(self.replies[line])

    def wait(self, started: Collection[Any], until: float) -> list[Any]:
        return list(started)

    def abandon(self, started: Any) -> None:
        raise AssertionError("nothing is given up here")


def test_a_write_that_ended_together_with_what_ends_the_page_is_taken_back(tmp_path: Path) -> None:
    recipe = """
    route: POST /api/page
    auth: none
    steps:
      beside:
        client: people
        get: /beside
        retries: 0
        fallback: broken(error.status)
      first:
        client: todos
        post: /first
        undo:
          delete: /first/{reply.body.id}
      last: {client: todos, get: /last}
    shape: [beside, first, last]
    """
    transport = AllAtOnce(
        {
            "GET /beside": Reply(500),
            "POST /first": Reply(201, raw=b'{"id": "f1"}'),
            "DELETE /first/f1": Reply(204),
        }
    )
    functions = {"functions": "def broken(x):\n    raise RuntimeError('boom')\n"}
    root = write_project(tmp_path, {"page": recipe}, functions=functions)
    found = create_app(root, environ={}, transport=transport).test_client().post("/api/page")
    assert found.status_code == 500
    assert lists(found) == [[], ["first"], [], []]
    assert transport.asked == ["GET /beside", "POST /first", "DELETE /first/f1"]


def test_an_undo_that_cannot_be_made_is_failed_and_unsent(page: Make, backend: FakeBackend) -> None:
    backend.on("POST /first", answer(json={}))
    recipe = ONE + "      last: {client: todos, get: /last}\n    shape: last\n"
    found = page(recipe).post("/api/page")
    assert lists(found) == [[], [], ["first"], []]
    assert paths(backend) == ["POST /first", "GET /last"]


def test_undos_are_in_the_log_and_in_server_timing_without_values(
    page: Make, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("POST /first", answer(json={"id": "secret"}))
    backend.on("DELETE /first/secret", answer(500))
    recipe = ONE + "      last: {client: todos, get: /last}\n    shape: last\n"
    with caplog.at_level(logging.INFO, "bff"):
        found = page(recipe, environ={"BFF_SERVER_TIMING": "1"}).post("/api/page")
    line = json.loads(next(r.getMessage() for r in caplog.records if r.name == "bff.page"))
    assert (line["steps"]["undo.first"]["outcome"], line["steps"]["undo.first"]["requests"]) == ("failed", 1)
    assert line["written"]["undo_failed"] == ["first"]
    assert "undo.first;dur=" in found.headers["Server-Timing"]
    assert "secret" not in caplog.text and "secret" not in found.text


def test_a_client_that_only_an_undo_asks_is_made_ready_at_the_start(
    tmp_path: Path, backend: FakeBackend
) -> None:
    root = write_project(tmp_path, {"page": TWO})
    (root / "clients" / "notices.py").write_text(
        'from bff import Client, env\n\nclient = Client(base_url=env("NOWHERE_URL"))\n'
    )
    with pytest.raises(OperatorError, match="NOWHERE_URL"):
        create_app(root, environ={})


def test_a_recipe_within_a_recipe_takes_back_what_it_has_written(page: Make, backend: FakeBackend) -> None:
    part = """
    summary: no page of its own
    auth: none
    input:
      query:
        kind: {type: string, default: plain}
    steps:
      made:
        each: row in ['a', 'b']
        concurrency: 1
        client: todos
        post: /made
        idempotency_key: row
        body: idempotency_key
        undo:
          delete: /made/{made.id}/{row}/{query.kind}
      kept:
        client: todos
        put: /kept/{digest(idempotency_key, 3)}
        idempotency_key: true
        undo:
          delete: /kept/{idempotency_key}
    shape: [made, kept]
    """
    whole = """
    route: POST /api/page
    auth: none
    steps:
      part: {recipe: part}
      last: {client: todos, get: /last}
    shape: [part, last]
    """
    backend.on("POST /made", answer(201, json={"id": "m"}))
    for row in "ab":
        backend.on(f"DELETE /made/m/{row}/plain", answer(204))
    found = page({"page": whole, "part": part}).post("/api/page")
    # The PUT is answered with 404: refused, so it is neither done nor undone.
    assert (found.status_code, found.json["step"]) == (404, "part.kept")
    assert lists(found) == [[], ["part.made"], [], []]
    assert paths(backend)[-2:] == ["DELETE /made/m/b/plain", "DELETE /made/m/a/plain"]


def test_the_undo_of_a_keyed_write_is_repeated_with_a_key_of_its_own(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("POST /first", answer(json={"id": "f1"}))
    backend.on("DELETE /first/f1", answer(503), answer(204))
    recipe = ONE + "        idempotency_key: true\n      last: {client: todos, get: /last}\n    shape: last\n"
    assert lists(page(recipe).post("/api/page")) == [[], ["first"], [], []]
    written, _, first, second = (request.headers.get("idempotency-key") for request in backend.requests)
    assert first is not None and first == second
    assert first != written


def test_an_undo_goes_out_with_the_token_of_its_own_client_only(page: Make, backend: FakeBackend) -> None:
    clients = {"notices": 'headers={"X-Own": "notices"}', "people": 'headers={"X-Own": "people"}'}
    write_two(backend)
    backend.on("GET /last", answer(500))
    page(TWO, clients=clients).post("/api/page")
    undo = next(request for request in backend.requests if request.path == "/second/undo")
    assert undo.headers["x-own"] == "notices"


def test_the_undo_runs_although_the_visitor_has_gone(page: Make, backend: FakeBackend) -> None:
    write_two(backend)
    gone = threading.Event()
    backend.on("GET /last", after(gone, answer(500)))
    server = make_server("127.0.0.1", 0, page(TWO).application, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        with socket.create_connection(server.server_address[:2], PATIENCE) as visitor:
            visitor.sendall(b"POST /api/page HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            assert backend.wait_for_requests(3)
        gone.set()
        assert backend.wait_for_requests(5)
    finally:
        server.shutdown()
        server.server_close()
    assert paths(backend)[3:] == ["POST /second/undo?after=f1", "DELETE /first/f1"]


# --- the order, whatever the recipe ---------------------------------------------------------------------------------

_ANSWERS = ("done", "refused", "unsettled", "accepted")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.lists(st.tuples(st.sampled_from(_ANSWERS), st.booleans(), st.booleans()), min_size=1, max_size=6)
)
def test_undos_mirror_the_writes_that_were_done(
    page: Make, backend: FakeBackend, kinds: list[tuple[str, bool, bool]]
) -> None:
    """Each write is done, refused, lost or accepted outside 2xx; has an undo or not; and that undo works or not."""
    backend.requests.clear()
    steps = []
    done, undone, undo_failed, unknown, sent = [], [], [], [], []
    for place, (kind, has_undo, works) in enumerate(kinds):
        name = f"w{place}"
        script = {
            "done": answer(201, json={"id": name}),
            "refused": answer(409),
            "unsettled": close,
            "accepted": answer(418),
        }[kind]
        backend.on(f"POST /{name}", script)
        backend.on(f"DELETE /{name}/{name}", answer(204 if works else 500))
        undo = f"        undo: {{delete: '/{name}/{{{name}.id}}'}}\n" if has_undo else ""
        steps.append(
            f"      {name}:\n        client: todos\n        post: /{name}\n        fallback: null\n"
            f"        on_status: {{418: null}}\n{undo}"
        )
        if kind == "unsettled":
            unknown.append(name)
        elif kind == "done" and has_undo:
            sent.append(name)
            (undone if works else undo_failed).append(name)
        elif kind == "done":
            done.append(name)
    recipe = (
        "    route: POST /api/page\n    auth: none\n    deadline: 10s\n    steps:\n"
        + "".join(steps)
        + "      last: {client: todos, get: /last}\n    shape: last\n"
    )
    found = page(recipe).post("/api/page")
    assert found.status_code == 404
    if done or undone or undo_failed or unknown:
        assert lists(found) == [done, undone, undo_failed, unknown]
    else:
        assert not set(LISTS) & set(found.json)
    undos = [request.path for request in backend.requests if request.method == "DELETE"]
    assert undos == [f"/{name}/{name}" for name in reversed(sent)]
