"""Pages in compiled form: the same bytes each time, and clear words where they cannot be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import responses
from cryptography.fernet import Fernet
from flask.testing import FlaskClient

from bff import create_app
from bff.deploy.python import running_python
from bff.errors import AuthorError, OperatorError
from bff.plan.compiled import ANY_PYTHON, FILE, VERSION, compile_pages
from bff.plan.planning import plan_folder
from tests.project import write_built, write_project

ROOT = Path(__file__).resolve().parents[2]
HERE = running_python()
PAGE = """
    route: GET /page
    auth: none
    input:
      query:
        name:
          type: string
          maxLength: 20
    steps:
      todos:
        client: todos
        get: /todos
        query:
          filter: f"name = {quote(query.name)}"
      helped:
        recipe: part
        with:
          query:
            status: "'open'"
    shape:
      todos:
        each: todo in todos
        item:
          title: shout(todo.title)
          days: todo.due - 1
      helped: helped
    """
PART = """
    route: GET /part
    auth: none
    input:
      query:
        status:
          type: string
          enum: [open, done]
          required: true
    steps:
      people:
        client: people
        get: /people
        query:
          status: query.status
    shape:
      each: [person in people, "name in [person.name]"]
      let:
        loud: shout(name)
      item: loud
    """
SHOUT = """
    def shout(text):
        return text.upper() + "!"
    """
LOUDER = """
    def shout(text):
        return text.upper() + "!!"
    """


def project(folder: Path) -> Path:
    """A project with functions, a part within a page, and a filter language."""
    write_project(
        folder,
        {"page": PAGE, "part": PART},
        clients={"todos": 'quote=lambda text: f"<{text}>", filters={"filter"}'},
        functions={"functions": SHOUT, "part": LOUDER},
    )
    return folder


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return write_built(project(tmp_path / "recipes"), tmp_path / "built")


@pytest.mark.parametrize("form", ["recipes", "built", "built for any Python"])
def test_functions_parts_and_filters_work_as_in_recipes(form: str, tmp_path: Path) -> None:
    root = project(tmp_path / "recipes")
    if form != "recipes":
        planned, root = plan_folder(root), write_built(root, tmp_path / "built")
        if form == "built for any Python":
            (root / FILE).write_bytes(compile_pages(planned, lambda source: source, ANY_PYTHON).content)
    site = create_app(root, environ={}).test_client()
    todos = [{"title": "a", "due": 3}, {"title": "b"}]
    with responses.RequestsMock() as backends:
        backends.get("http://todos.test/todos?filter=name+%3D+%3Cann%3E", json=todos)
        backends.get("http://people.test/people?status=open", json=[{"name": "lin"}])
        found = site.get("/page?name=ann")
    assert found.json == {
        "todos": [{"title": "A!", "days": 2}, {"title": "B!", "days": None}],
        "helped": ["LIN!!"],
    }
    assert site.get("/part?status=half").json["errors"] == [
        {"pointer": "#/query/status", "detail": 'is not one of "open" or "done"', "rule": "enum"}
    ]


def test_the_same_project_makes_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    ask = (
        "import hashlib, sys, pathlib; from bff.plan.compiled import compile_pages; "
        "from bff.plan.planning import plan_folder; "
        "from bff.deploy.python import running_python; here = running_python(); "
        "compiled = compile_pages(plan_folder(pathlib.Path(sys.argv[1])), here.encode, here.head); "
        "print(hashlib.sha256(compiled.content).hexdigest())"
    )
    found = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", ask, str(ROOT)]
        environ = os.environ | {"PYTHONHASHSEED": seed}
        found.add(subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True).stdout)
    assert len(found) == 1


def test_recipes_are_never_hidden_by_what_was_built_of_them(tmp_path: Path) -> None:
    root = write_built(project(tmp_path), tmp_path)
    (root / "orchestrations" / "page.yaml").write_text("route: GET /page\nauth: none\nshape: \"'new'\"\n")
    assert create_app(root, environ={}).test_client().get("/page").json == "new"


def _of_another_python(content: bytes) -> bytes:
    return re.sub(rb"for .*?\n", b"for cpython-399 0000\n", content, count=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _of_another_python,
            "{file} holds bff pages {version} for cpython-399 0000, and only {head} can run here: "
            "build it with this Python",
        ),
        (
            lambda content: re.sub(rb"^bff pages \d+ ", b"bff pages 0 ", content, count=1),
            "{file} holds {older}, and only {head} can run here: build it with this Python",
        ),
        (lambda content: b"PK\x03\x04" + content, "{file} was not written by `python -m bff build`"),
        (lambda content: b"", "{file} was not written by `python -m bff build`"),
    ],
)
def test_what_cannot_be_read_is_one_line(change: Callable[[bytes], bytes], message: str, built: Path) -> None:
    file = built / FILE
    head = file.read_bytes().partition(b"\n")[0].decode()
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(OperatorError) as raised:
        create_app(built, environ={})
    older = head.replace(f"pages {VERSION}", "pages 0")
    assert str(raised.value) == message.format(file=file, head=head, older=older, version=VERSION)


@pytest.mark.parametrize("name", ["clients/people.py", "orchestrations/functions.py"])
def test_a_module_that_was_left_behind_is_one_line(name: str, built: Path) -> None:
    (built / name).unlink()
    with pytest.raises(OperatorError) as raised:
        create_app(built, environ={})
    assert str(raised.value) == (
        f"{built / name} is missing: the folder that `python -m bff build` writes belongs together"
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("clients/people.py", "", "clients/people.py holds no client: build the pages again"),
        ("orchestrations/part.py", "", "orchestrations/part.py has no function shout: build the pages again"),
    ],
)
def test_a_module_that_is_not_what_was_built_is_one_line(
    name: str, text: str, message: str, built: Path
) -> None:
    _replace(built / name, text)
    with pytest.raises(OperatorError) as raised:
        create_app(built, environ={})
    assert str(raised.value) == message


def test_a_mistake_in_a_module_has_its_place(built: Path) -> None:
    _replace(built / "clients" / "people.py", "1 / 0\n")
    with pytest.raises(AuthorError) as raised:
        create_app(built, environ={})
    assert str(raised.value) == ("clients/people.py:1:1: ZeroDivisionError: division by zero\n1 / 0\n^^^^^")


def test_what_a_session_lacks_is_logged_with_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = "route: POST /login\nauth: none\nsession:\n  user: 1\n  expires: int('1')\nshape: null\n"
    root = write_built(write_project(tmp_path / "recipes", {"login": recipe}), tmp_path / "built")
    site = create_app(root, environ={"BFF_SESSION_KEYS": Fernet.generate_key().decode()}).test_client()
    assert site.post("/login", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 500
    assert "orchestrations/login.yaml:3:1: session: 'expires' is no time to come" in caplog.text


def test_an_app_of_some_of_the_pages_has_no_other(built: Path) -> None:
    site: FlaskClient = create_app(built, ["part"], environ={}).test_client()
    assert (site.get("/part").status_code, site.get("/page").status_code) == (400, 404)
    with pytest.raises(OperatorError) as raised:
        create_app(built, ["pages"], environ={})
    assert str(raised.value) == (
        f"no page pages in {built / FILE}; did you mean page?  there are: page, part"
    )


def test_one_page_needs_no_client_but_its_own(tmp_path: Path) -> None:
    part = compile_pages(plan_folder(project(tmp_path), ["part"]), HERE.encode, HERE.head)
    assert (part.clients, part.functions) == (("people",), ("part",))
    whole = compile_pages(plan_folder(tmp_path), HERE.encode, HERE.head)
    assert (whole.clients, whole.functions) == (("notices", "people", "todos"), ("functions", "part"))


def _replace(path: Path, text: str) -> None:
    """Writes a module anew, without the bytecode that nobody would look at again."""
    path.write_text(text)
    for code in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        code.unlink()
