"""Which step waits for which."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.recipe.graph import Graph, build_graph
from bff.recipe.loader import load_recipe


def graph_of(tmp_path: Path, steps: str, method: str = "POST") -> Graph:
    path = tmp_path / "page.yaml"
    path.write_text(f"route: {method} /page\nauth: none\nsteps:\n{steps}", encoding="utf-8")
    recipe, findings = load_recipe(path, tmp_path)
    assert findings == []
    assert recipe is not None
    return build_graph(recipe)


def waits(graph: Graph) -> dict[str, str]:
    return {name: " ".join(sorted(graph.waits_for[name])) for name in graph.names}


def test_a_read_waits_only_for_what_it_names(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
  helpers: {client: people, get: /people, batch: "ids in [todo.by for todo in todos]", query: {id: ids}}
  me: {client: people, get: /me}
  todos: {client: todos, get: /todos}
  shown: {value: "[todo for todo in todos if todo.by == me.id]"}
""",
        "GET",
    )
    assert waits(graph) == {"helpers": "todos", "me": "", "todos": "", "shown": "me todos"}
    assert graph.cycles == ()


@pytest.mark.parametrize(
    "key",
    [
        'get: "/todos/{a.id}"', "query: {x: a.id}", "headers: {X-A: a.id}", "when: a.id", "take: a.id",
        "ok: a.id", "fallback: a.id", "on_status: {404: a.id}", "each: x in a.list", "batch: x in a.list",
    ],
)  # fmt: skip
def test_every_key_of_a_request_is_looked_at(key: str, tmp_path: Path) -> None:
    verb = "" if key.startswith("get") else "get: /todos, "
    step = key.replace(": ", ": '", 1) + "'" if "{" not in key else key
    graph = graph_of(
        tmp_path, f"  a: {{client: todos, get: /a}}\n  b: {{client: todos, {verb}{step}}}\n", "GET"
    )
    assert waits(graph) == {"a": "", "b": "a"}


def test_writes_run_in_the_order_written_and_wait_for_required_steps_and_guards_above(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
  me: {client: people, get: /me}
  notice: {client: notices, get: /notice, fallback: null}
  allowed: {require: me.admin, fail: {status: 403}}
  created: {client: todos, post: /todos}
  counted: {client: todos, get: /count}
  told: {client: notices, post: /notices, fallback: null}
  after: {value: notice.text}
""",
    )
    assert waits(graph) == {
        "me": "",
        "notice": "",
        "allowed": "me",
        "created": "allowed me",
        "counted": "created",
        "told": "counted created",
        "after": "notice told",
    }


def test_a_safe_post_is_a_read(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        "  a: {client: todos, post: /search, safe: true}\n  b: {client: todos, post: /search, safe: true}\n",
    )
    assert waits(graph) == {"a": "", "b": ""}


def test_an_undo_may_look_at_its_own_step(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
  me: {client: people, get: /me}
  made: {client: todos, post: /todos, undo: {delete: "/todos/{made.id}/{me.id}"}}
""",
    )
    assert graph.reads["made"] == {"me"}
    assert graph.cycles == ()


def test_upstream_is_all_that_a_value_is_made_of(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        "  a: {client: todos, get: /a}\n  b: {value: a.x}\n  c: {value: b.x}\n  d: {client: todos, get: /d}\n",
    )
    assert graph.upstream("c") == {"a", "b", "c"}


def test_a_knot_of_steps_is_told_once_by_its_shortest_way(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        "  a: {value: '[b, c]'}\n  b: {value: c.x}\n  c: {value: '[a, b]'}\n  d: {value: d.x}\n",
    )
    assert [cycle.names for cycle in graph.cycles] == [("a", "c"), ("d",)]


def test_a_cycle_through_a_barrier_names_the_step_to_move(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
  todo: {client: todos, get: "/todos/{created.id}"}
  created: {client: todos, post: /todos}
""",
    )
    (cycle,) = graph.cycles
    assert cycle.message == "a cycle: todo → created → todo"
    assert cycle.hint == "created is a write: it waits for todo, written above it; move todo below"
    assert (cycle.step, cycle.reads) == ("todo", "created")
