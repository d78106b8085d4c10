"""What the development server tells a tool beside it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.dev.conftest import GOOD, Project
from tests.dev.test_sound import BAD

BY_HAND = """
from bff import create_app

app = create_app(__file__.rpartition("/")[0])
for path in ("/reports/<int:year>.csv", "/files/<path:name>", "/any-thing/<name>", "/<path:rest>"):
    app.add_url_rule(path, path, lambda **holes: "by hand")
"""


def told(client: FlaskClient) -> Any:
    answer = client.get("/-/dev/project")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    return answer.json


def is_ours(client: FlaskClient, path: str) -> bool:
    return any(re.search(route, path) for route in told(client)["routes"])


def test_the_paths_of_recipes_are_the_layers_and_files_are_not(project: Project) -> None:
    client = project.start(good=GOOD.replace("/api/good", "/lists/{list}/a-b/{row}"))
    assert "^/lists/[^/]+/a\\-b/[^/]+/?$" in told(client)["routes"]
    for path in ("/lists/1/a-b/2", "/lists/1/a-b/2/", "/healthz", "/api", "/api/nobody"):
        assert is_ours(client, path)
    for path in (
        "/",
        "/index.html",
        "/lists",
        "/lists/1/a-b/2/3",
        "/src/lists/1/a-b/2",
        "/apis",
        "/src/api/x",
    ):
        assert not is_ours(client, path)


def test_a_new_recipe_is_told_at_once_and_a_removed_one_no_more(project: Project) -> None:
    client = project.start(good=GOOD)
    assert not is_ours(client, "/new")
    project.write("orchestrations/new.yaml", GOOD.replace("/api/good", "/new"))
    assert is_ours(client, "/new")
    (project.root / "orchestrations" / "new.yaml").unlink()
    assert not is_ours(client, "/new")


def test_the_path_of_a_page_that_cannot_run_is_the_layers(project: Project) -> None:
    client = project.start(good=GOOD, bad=BAD.replace("/api/bad", "/bad"))
    assert is_ours(client, "/bad")


def test_views_by_hand_are_the_layers_unless_they_begin_with_a_hole(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(project.root)
    project.write("wsgi.py", BY_HAND)
    client = project.start(good=GOOD)
    for path in ("/reports/2026.csv", "/files/a/b", "/any-thing/x"):
        assert is_ours(client, path)
    for path in ("/reports/a/b.csv", "/any-thing/x/y", "/anything/x", "/src/main.js"):
        assert not is_ours(client, path)


def test_each_mistake_is_told_once_with_its_place_and_its_line(project: Project) -> None:
    bad = BAD.replace("nothing", "nothin")
    part = {"file": "orchestrations/bad.yaml", "line": 4, "column": 8}
    client = project.start(bad=bad, more=GOOD)
    [mistake] = told(client)["mistakes"]
    frame = mistake.pop("frame")
    assert mistake == {**part, "message": "orchestrations/bad.yaml:4:8: unknown name 'nothin'"}
    assert re.fullmatch(r"> 4 \| shape: nothin\n    \|        \^{6} .*\n", frame), frame


def test_a_mistake_of_a_client_is_told_once_for_all_its_pages(project: Project) -> None:
    asks = "route: GET /api/{}\nauth: none\nsteps:\n  todos: {{client: todos, get: /todos}}\nshape: todos\n"
    client = project.start(one=asks.format("one"), two=asks.format("two"))
    project.write("clients/todos.py", "client = 1 +\n")
    assert [mistake["file"] for mistake in told(client)["mistakes"]] == ["clients/todos.py"]


def test_a_missing_variable_has_no_place(project: Project) -> None:
    asks = "route: GET /api/one\nauth: none\nsteps:\n  todos: {client: bare, get: /todos}\nshape: todos\n"
    project.write(
        "clients/bare.py", "from bff import Client, env\n\nclient = Client(base_url=env('BARE_URL'))\n"
    )
    assert told(project.start(one=asks))["mistakes"] == [
        {"message": "client bare: the environment variable BARE_URL is not set (base_url)"}
    ]


def test_nothing_is_told_of_pages_that_run(project: Project) -> None:
    assert told(project.start(good=GOOD))["mistakes"] == []
