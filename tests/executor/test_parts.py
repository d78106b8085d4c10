"""Recipes within recipes: their steps run in the page's graph."""

from __future__ import annotations

import threading
from typing import Any

from tests.executor.recipes import Make, paths
from tests.fakes import FakeBackend, after, answer

SHELL = """
    auth: none
    steps:
      me: {client: people, get: /me}
      signed_in: {require: me.id is not None, fail: {status: 401, title: f"Sign in first"}}
      notice: {client: notices, get: /notice, retries: 0, fallback: null}
    shape:
      me: me
      notice: notice.text
    """
HOME = """
    route: GET /api/page
    auth: none
    steps:
      shell: {recipe: shell}
      todos: {client: todos, get: /todos}
    shape:
      name: shell.me.name
      notice: shell.notice
      todos: todos
      errors: errors
    """


def test_the_steps_of_a_part_run_beside_those_of_the_page(page: Make, backend: FakeBackend) -> None:
    todos_asked = threading.Event()

    def todos(received: Any, wire: Any) -> None:
        todos_asked.set()
        answer(json=[1])(received, wire)

    backend.on("GET /me", after(todos_asked, answer(json={"id": 1, "name": "Ann"})))
    backend.on("GET /notice", after(todos_asked, answer(json={"text": "hi"})))
    backend.on("GET /todos", todos)
    found = page({"shell": SHELL, "page": HOME}).get("/api/page")
    assert found.json == {"name": "Ann", "notice": "hi", "todos": [1], "errors": []}


def test_a_part_is_no_page(page: Make, backend: FakeBackend) -> None:
    client = page({"shell": SHELL, "page": HOME})
    assert [str(rule) for rule in client.application.url_map.iter_rules() if "shell" in str(rule)] == []


def test_a_page_can_be_part_of_another_with_nothing_but_its_shape(page: Make, backend: FakeBackend) -> None:
    inner = "route: GET /api/inner\nauth: none\nstatus: 203\nheaders: {X-A: f'a'}\ncache: 1m\nshape: 1\n"
    outer = "route: GET /api/page\nauth: none\nsteps: {inner: {recipe: inner}}\nshape: inner\n"
    client = page({"inner": inner, "page": outer})
    own, held = client.get("/api/inner"), client.get("/api/page")
    assert (own.status_code, own.headers["X-A"], own.json) == (203, "a", 1)
    assert (held.status_code, held.headers.get("X-A"), held.json) == (200, None, 1)
    assert held.headers["Cache-Control"] == "no-cache"


def test_a_guard_of_a_part_ends_the_page(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /me", answer(json={}))
    backend.on("GET /notice", answer(json={}))
    backend.on("GET /todos", answer(json=[]))
    found = page({"shell": SHELL, "page": HOME}).get("/api/page")
    assert (found.status_code, found.json["title"], found.json["step"]) == (
        401,
        "Sign in first",
        "shell.signed_in",
    )


def test_a_required_step_of_a_part_ends_the_page(page: Make, backend: FakeBackend) -> None:
    backend.on("GET /me", answer(404))
    backend.on("GET /notice", answer(json={}))
    backend.on("GET /todos", answer(json=[]))
    found = page({"shell": SHELL, "page": HOME}).get("/api/page")
    assert (found.status_code, found.json["step"]) == (404, "shell.me")


def test_a_step_of_a_part_that_fell_back_names_itself_and_the_fields_of_the_page(
    page: Make, backend: FakeBackend
) -> None:
    backend.on("GET /me", answer(json={"id": 1, "name": "Ann"}))
    backend.on("GET /notice", answer(500))
    backend.on("GET /todos", answer(json=[]))
    found = page({"shell": SHELL, "page": HOME}).get("/api/page")
    assert found.headers["X-Page-Partial"] == "shell.notice"
    (error,) = found.json["errors"]
    assert (error["step"], error["fields"]) == ("shell.notice", ["notice"])


def test_a_part_that_is_skipped_asks_nothing_and_is_null(page: Make, backend: FakeBackend) -> None:
    part = """
    auth: none
    input: {path: {id: {type: string}}}
    steps:
      a: {client: todos, get: "/a/{path.id}"}
      b: {client: todos, when: a.more, get: /b}
      never: {require: a.id == path.id, fail: {status: 409}}
    shape: {a: a.id, b: b.id}
    """
    outer = """
    route: GET /api/page
    auth: none
    input: {query: {id: {type: string}}}
    steps:
      part: {recipe: part, when: query.id, with: {path: {id: query.id}}}
    shape: {part: part, a: part.a}
    """
    backend.on("GET /a/7", answer(json={"id": "7", "more": True}))
    backend.on("GET /a/8", answer(json={"id": "8", "more": False}))
    backend.on("GET /b", answer(json={"id": 9}))
    client = page({"part": part, "page": outer})
    assert client.get("/api/page").json == {"part": None, "a": None}
    assert paths(backend) == []
    assert client.get("/api/page?id=7").json == {"part": {"a": "7", "b": 9}, "a": "7"}
    assert client.get("/api/page?id=8").json == {"part": {"a": "8", "b": None}, "a": "8"}


def test_one_recipe_can_be_a_part_twice_and_in_another_part(page: Make, backend: FakeBackend) -> None:
    one = """
    auth: none
    input: {path: {id: {type: string}}}
    steps:
      read: {client: todos, get: "/a/{path.id}", take: reply.body.x}
    shape: read
    """
    two = """
    auth: none
    input: {query: {from: {type: string}}}
    steps:
      read: {recipe: one, with: {path: {id: "query['from']"}}}
      again: {recipe: one, with: {path: {id: str(read)}}}
    shape: [read, again]
    """
    outer = """
    route: GET /api/page
    auth: none
    steps:
      a: {recipe: two, with: {query: {from: "'1'"}}}
      b: {recipe: one, with: {path: {id: "str(a[1])"}}}
      read: {value: 5}
    shape: {a: a, b: b, read: read}
    """
    for number in range(1, 5):
        backend.on(f"GET /a/{number}", answer(json={"x": number + 1}))
    found = page({"one": one, "two": two, "page": outer}).get("/api/page")
    assert found.json == {"a": [2, 3], "b": 4, "read": 5}
    assert paths(backend) == ["GET /a/1", "GET /a/2", "GET /a/3"]


def test_functions_of_one_name_stay_those_of_their_recipe(page: Make) -> None:
    functions = {
        "one": "def who(x):\n    return f'one {x}'\n",
        "two": "def who(x):\n    return f'two {x}'\n",
        "page": "def who(x):\n    return f'page {x}'\n",
        "functions": "def all_of(x):\n    return f'all {x}'\n",
    }
    recipes = {
        "one": "auth: none\nshape: who(all_of(1))\n",
        "two": "auth: none\nsteps: {one: {recipe: one}}\nshape: [one, who(2)]\n",
        "page": (
            "route: GET /api/page\nauth: none\nsteps: {two: {recipe: two}, one: {recipe: one}}\n"
            "shape: [two, one, who(all_of(3))]\n"
        ),
    }
    found = page(recipes, functions=functions).get("/api/page")
    assert found.json == [["one all 1", "two 2"], "one all 1", "page all 3"]


def test_loops_batches_and_replies_in_a_part_work_as_in_a_page(page: Make, backend: FakeBackend) -> None:
    part = """
    auth: none
    input: {query: {ids: {type: array, items: {type: integer}}, add: {type: integer, default: 10}}}
    steps:
      todos:
        client: todos
        each: id in query.ids if id
        get: /todo/{id}
        retries: 0
        on_status: {404: "{'id': id, 'owner': query.add}"}
        take: reply.body
        fallback:
          id: id
          kind: error.kind
      people:
        client: people
        batch: ids in (todo.owner for todo in todos)
        get: /people
        query: {id: ids}
        take: reply.body.rows
        key_by: id
    shape:
      each: todo in todos
      item:
        id: todo.id
        kind: todo.kind
        owner: people[todo.owner].name
    """
    outer = """
    route: GET /api/page
    auth: none
    steps: {part: {recipe: part, with: {query: {ids: [1, 2, 3]}}}}
    shape: part
    """
    backend.on("GET /todo/1", answer(json={"id": 1, "owner": 7}))
    backend.on("GET /todo/2", answer(404, json={}))
    backend.on("GET /todo/3", answer(500, json={}))
    backend.on("GET /people", answer(json={"rows": [{"id": 7, "name": "Ann"}, {"id": 10, "name": "Lin"}]}))
    found = page({"part": part, "page": outer}).get("/api/page")
    assert found.json == [
        {"id": 1, "kind": None, "owner": "Ann"},
        {"id": 2, "kind": None, "owner": "Lin"},
        {"id": 3, "kind": "status", "owner": None},
    ]
    assert found.headers["X-Page-Partial"] == "part.todos"


def test_writes_of_a_part_stand_where_the_part_is_written(page: Make, backend: FakeBackend) -> None:
    part = """
    auth: none
    steps:
      made: {client: todos, post: /made}
      read: {client: todos, get: /read}
    shape: read
    """
    outer = """
    route: POST /api/page
    auth: none
    steps:
      before: {client: todos, get: /before}
      part: {recipe: part}
      after: {client: todos, get: /after}
      last: {client: todos, post: /last}
    shape: [part, before, after, last]
    """
    for path in ("GET /before", "POST /made", "GET /read", "GET /after", "POST /last"):
        backend.on(path, answer(json=1))
    assert page({"part": part, "page": outer}).post("/api/page").json == [1, 1, 1, 1]
    asked = paths(backend)
    assert (asked[:2], set(asked[2:4]), asked[4]) == (
        ["GET /before", "POST /made"],
        {"GET /read", "GET /after"},
        "POST /last",
    )


def test_a_page_that_fails_after_a_write_of_a_part_says_so(page: Make, backend: FakeBackend) -> None:
    part = "auth: none\nsteps:\n  made: {client: todos, post: /made}\nshape: made\n"
    outer = (
        "route: POST /api/page\nauth: none\nsteps:\n  part: {recipe: part}\n"
        "  after: {client: todos, get: /after, retries: 0}\nshape: [part, after]\n"
    )
    backend.on("POST /made", answer(json=1))
    backend.on("GET /after", answer(500))
    found = page({"part": part, "page": outer}).post("/api/page")
    assert (found.status_code, found.json["step"], found.json["done"]) == (502, "after", ["part.made"])


def test_a_part_can_be_a_second_source(page: Make, backend: FakeBackend) -> None:
    part = "auth: none\nsteps:\n  read: {client: notices, get: /second}\nshape: read\n"
    outer = """
    route: GET /api/page
    auth: none
    steps:
      first: {client: notices, get: /first, retries: 0, fallback: null}
      second: {recipe: part, when: first is None}
    shape: default(first, second)
    """
    backend.on("GET /first", answer(500))
    backend.on("GET /second", answer(json=2))
    found = page({"part": part, "page": outer}).get("/api/page")
    assert (found.json, found.headers.get("X-Page-Partial")) == (2, None)


def test_what_a_page_goes_over_in_a_part_must_be_a_list(page: Make, backend: FakeBackend) -> None:
    part = "auth: none\nsteps:\n  read: {client: todos, get: /read}\nshape: {rows: read.rows}\n"
    outer = "route: GET /api/page\nauth: none\nsteps: {part: {recipe: part}}\nshape: '[row.id for row in part.rows]'\n"
    backend.on("GET /read", answer(json={"rows": {"error": 1}}))
    found = page({"part": part, "page": outer}).get("/api/page")
    assert (found.status_code, found.json["failure"], found.json["step"]) == (502, "bad-reply", "part")


def test_the_deadline_is_the_pages(page: Make, backend: FakeBackend) -> None:
    inner = """
    route: GET /api/inner
    auth: none
    deadline: 60s
    steps: {read: {client: todos, get: /read, retries: 0}}
    shape: read
    """
    outer = "route: GET /api/page\nauth: none\ndeadline: 5s\nsteps: {part: {recipe: inner}}\nshape: part\n"
    backend.on("GET /read", answer(json=1))
    page({"inner": inner, "page": outer}).get("/api/page")
    assert int(backend.requests[0].headers["x-request-deadline-ms"]) <= 5000


def test_a_write_of_a_part_is_taken_back_when_the_page_fails_below_it(
    page: Make, backend: FakeBackend
) -> None:
    part = """
    auth: none
    input: {query: {kind: {type: string}}}
    steps:
      made:
        client: todos
        post: /made
        idempotency_key: f"{query.kind}-1"
        undo:
          delete: /made/{made.id}
          query: {kind: query.kind}
    shape: made.id
    """
    outer = """
    route: POST /api/page
    auth: none
    steps:
      part: {recipe: part, with: {query: {kind: "'note'"}}}
      last: {client: todos, post: /last}
    shape: [part, last]
    """
    backend.on("POST /made", answer(json={"id": 7}))
    backend.on("DELETE /made/7", answer(204))
    backend.on("POST /last", answer(500))
    found = page({"part": part, "page": outer}).post("/api/page")
    assert (found.status_code, found.json["step"], found.json["undone"]) == (502, "last", ["part.made"])
    assert paths(backend)[-1] == "DELETE /made/7?kind=note"
