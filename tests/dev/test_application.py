"""The app of wsgi.py while it is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from werkzeug.test import Client

from bff.dev.application import DevApp, project_path
from bff.dev.asking import Visitor
from bff.dev.pages import DevPages
from bff.errors import OperatorError
from tests.dev.conftest import GOOD, Project
from tests.project import write_project

ENTRY = """
from bff import create_app
from own_views import text

app = create_app()
app.add_url_rule("/own", view_func=lambda: text())
"""
LOGIN = """
    route: POST /api/login
    auth: none
    session:
      user: {id: f"ann"}
    shape: 1
    """


@pytest.fixture
def entered(project: Project) -> Iterator[Project]:
    """A project with a wsgi.py that imports a module beside it."""
    write_project(project.root, {"good": GOOD})
    project.write("wsgi.py", ENTRY)
    project.write("own_views.py", "def text():\n    return 'one'\n")
    kept = {name: sys.modules.pop(name) for name in ("wsgi", "own_views") if name in sys.modules}
    with project_path(project.root):
        project.app = DevApp(project.root, DevPages(project.told.append), project.lines.append)
        yield project
    for name in ("wsgi", "own_views"):
        sys.modules.pop(name, None)
    sys.modules.update(kept)


def test_the_views_of_wsgi_are_served_and_followed(entered: Project) -> None:
    assert entered.app is not None
    assert entered.client.get("/own").text == "one"
    entered.write("own_views.py", "def text():\n    return 'two'\n")
    entered.app.refresh()
    assert entered.client.get("/own").text == "two"
    assert entered.client.get("/api/good").json == 1
    assert entered.lines[1] == "wsgi.py has changed; it is loaded anew"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys\nsys.exit('No.')\n", "No."),
        ("1 / 0\n", "ZeroDivisionError in wsgi.py"),
        ("app = 1\n", "OperatorError in wsgi.py"),
    ],
)
def test_where_wsgi_breaks_the_app_of_before_goes_on(entered: Project, text: str, told: str) -> None:
    assert entered.app is not None
    entered.write("wsgi.py", text)
    entered.app.refresh()
    entered.app.refresh()
    assert entered.client.get("/own").text == "one"
    assert len(entered.lines) == 2
    assert entered.lines[0].startswith(told)
    assert entered.lines[0].endswith("wsgi.py needs a look; what it was goes on")


def test_an_app_of_another_kind_is_refused(entered: Project) -> None:
    entered.write("wsgi.py", "app = 1\n")
    del sys.modules["wsgi"]
    with pytest.raises(OperatorError, match=r"^the app of wsgi\.py is none of create_app\(\)$"):
        DevApp(entered.root, DevPages(entered.told.append), entered.lines.append)


def test_recipes_are_followed_although_nobody_asks(project: Project) -> None:
    project.start(good=GOOD)
    assert project.app is not None
    project.write("orchestrations/good.yaml", GOOD.replace("shape: 1", "shape: nothing"))
    project.app.refresh()
    assert [told.down for told in project.told] == [("good",)]
    project.write("orchestrations/other.yaml", GOOD.replace("good", "other"))
    project.app.refresh()
    assert project.client.get("/api/other").json == 1
    assert project.lines == []


def test_a_session_outlives_a_load(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFF_SESSION_KEYS", Fernet.generate_key().decode())
    client = project.start(login=LOGIN, me="route: GET /api/me\nshape: user.id\n")
    assert client.post("/api/login").status_code == 200
    project.write("orchestrations/me.yaml", "route: GET /api/me\nshape: f'still {user.id}'\n")
    assert client.get("/api/me").json == "still ann"


def test_the_folder_is_where_python_looks_only_meanwhile(tmp_path: Path) -> None:
    before, folder = list(sys.path), os.getcwd()
    with project_path(tmp_path):
        assert sys.path[0] == str(tmp_path)
        assert Path.cwd() == tmp_path
    assert (sys.path, os.getcwd()) == (before, folder)


class TestAsSomebody:
    """`--as FILE`."""

    @pytest.fixture
    def client(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> Client:
        monkeypatch.setenv("BFF_SESSION_KEYS", Fernet.generate_key().decode())
        write_project(project.root, {"login": LOGIN, "me": "route: GET /api/me\nshape: user.id\n"})
        pages = DevPages(project.told.append)
        return Client(DevApp(project.root, pages, project.lines.append, Visitor({"id": "bob"})))

    def test_who_has_not_signed_in_is_the_visitor(self, client: Client) -> None:
        assert client.get("/api/me").json == "bob"
        client.set_cookie("other", "1")
        assert client.get("/api/me").json == "bob"

    def test_who_signs_in_is_that(self, client: Client) -> None:
        assert client.post("/api/login").status_code == 200
        assert client.get("/api/me").json == "ann"

    def test_a_name_that_only_leads_here_is_nobody(self, client: Client) -> None:
        assert client.get("/api/me", base_url="http://a.localhost:5000").json == "bob"
        assert client.get("/api/me", base_url="http://localhost.example.com").status_code == 401
