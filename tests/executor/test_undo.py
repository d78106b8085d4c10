"""Taking writes back: which, in what order, and what the problem says of it."""

from __future__ import annotations

import json
import logging
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from bff import create_app
from bff.errors import OperatorError
from tests.executor.recipes import Make, paths
from tests.executor.undoing import ONE, TWO, lists, write_two
from tests.fakes import PATIENCE, FakeBackend, after, answer
from tests.project import write_project


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

    monkeypatch.setattr("bff.web.answer.Answers.whole", mistaken)
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
