"""`python -m bff build`: what it writes and prints, and that what it writes runs by itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bff.cli import main
from bff.cli.building.folder import LIST
from bff.deploy import TARGETS, Bundler
from bff.deploy.python import running_python
from bff.plan.compiled import FILE
from tests.project import write_project

ROOT = Path(__file__).resolve().parents[2]
PAGE = """
    route: GET /page
    auth: none
    steps:
      todos:
        client: todos
        get: /todos
        fallback: []
    shape: loud(f"{len(todos)} todos")
    """
MINE = """
    route: GET /mine
    shape: user.id
    """
LOUD = """
    from orchestrations import _words

    def loud(text):
        return text.upper() + _words.END
    """
CLIENT = """
from bff import ApiKey, Client, env
from clients._shared import TIMEOUT

client = Client(base_url=env("TODOS_URL"), auth=ApiKey("X-Key", env("TODOS_KEY")), timeout=TIMEOUT)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two pages, modules that import others, and files."""
    root = write_project(tmp_path / "project", {"page": PAGE, "mine": MINE}, functions={"page": LOUD})
    (root / "clients" / "todos.py").write_text(CLIENT)
    (root / "clients" / "_shared.py").write_text("TIMEOUT = '2s'\n")
    (root / "orchestrations" / "_words.py").write_text("END = '!'\n")
    (root / "public").mkdir()
    (root / "public" / "index.html").write_text("<title>Todos</title>")
    (root / "requirements.txt").write_text("flask==3.1.3\n")
    return root


def built(project: Path, *arguments: str) -> tuple[int, Path]:
    out = project.parent / "out"
    return main(["--root", str(project), "build", "--out", str(out), *arguments]), out


def files_of(folder: Path) -> set[str]:
    """The files of a folder without the engine and without bytecode."""
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {LIST}
    return {path for path in paths if not path.startswith("bff/") and "__pycache__" not in path}


def test_a_page_brings_its_modules_and_what_they_import(project: Path) -> None:
    status, out = built(project, "page")
    assert status == 0
    assert files_of(out) == {
        *(".env.example", FILE, "clients/_shared.py", "clients/todos.py"),
        *("orchestrations/_words.py", "orchestrations/page.py", "requirements.txt", "wsgi.py"),
    }
    assert (out / ".env.example").read_text() == (
        "# What page takes from the environment; what has a default may be left out.\n"
        "TODOS_KEY=\nTODOS_URL=\n"
    )


def test_variables_of_all_arguments_are_listed_and_a_page_is_started_without_them(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "clients" / "todos.py").write_text(
        "from requests.auth import HTTPBasicAuth\nfrom bff import Client, env\n"
        'client = Client(env("TODOS_URL"), auth=HTTPBasicAuth("ann", env("TODOS_PASSWORD")), verify=env("TODOS_CA"),\n'
        '    timeout=env("TODOS_TIMEOUT", default="2s"), retries=env("TODOS_RETRIES"))\n'
    )
    status, out = built(project, "page")
    assert status == 0
    assert (out / ".env.example").read_text().splitlines()[1:] == [
        "TODOS_CA=",
        "TODOS_PASSWORD=",
        "TODOS_RETRIES=",
        "# TODOS_TIMEOUT=2s",
        "TODOS_URL=",
    ]
    printed = capsys.readouterr().out
    assert "TODOS_CA" in printed and "fails" not in printed


def test_all_bring_every_client_and_the_files(project: Path) -> None:
    status, out = built(project, "--all")
    assert status == 0
    assert files_of(out) == {
        *(".env.example", FILE, "clients/_shared.py", "clients/notices.py", "clients/people.py"),
        *("clients/todos.py", "orchestrations/_words.py", "orchestrations/page.py", "public/index.html"),
        *("requirements.txt", "wsgi.py"),
    }
    assert (out / ".env.example").read_text().splitlines()[1:] == [
        "BFF_SESSION_KEYS=",
        "# NOTICES_URL=http://notices.test",
        "# PEOPLE_URL=http://people.test",
        "TODOS_KEY=",
        "TODOS_URL=",
    ]


def test_all_bring_the_views_that_the_project_adds(project: Path) -> None:
    (project / "views.py").write_text(
        "def add_to(app):\n    app.add_url_rule('/by-hand', view_func=lambda: 'hand')\n"
    )
    (project / "wsgi.py").write_text("import views, bff\napp = bff.create_app()\nviews.add_to(app)\n")
    _, out = built(project, "--all")
    ask = "import wsgi; print(wsgi.app.test_client().get('/by-hand').text)"
    keys = Fernet.generate_key().decode()
    done = run_in(out, "-c", ask, TODOS_URL="http://127.0.0.1:9", TODOS_KEY="k", BFF_SESSION_KEYS=keys)
    assert done.stdout.splitlines()[-1] == "hand", done.stderr


def test_it_prints_what_it_wrote_and_what_must_be_set(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = built(project, "page")
    printed, told = capsys.readouterr()
    lines = re.sub(r"[\d.]+ (B|KiB|MiB|ms|files)", r"_ \1", printed).splitlines()
    assert [re.sub(r" +", " ", line).strip() for line in lines] == [
        "_ B .env.example",
        "_ MiB bff/ (_ files)",
        "_ B clients/ (_ files)",
        "_ B orchestrations/ (_ files)",
        f"_ KiB {FILE}",
        "_ B requirements.txt",
        "_ B wsgi.py",
        "",
        "function files size start",
        f"page {len([path for path in out.rglob('*') if path.is_file()]) - 1} _ MiB _ ms",
        "",
        "variable value functions",
        "TODOS_KEY must be set page",
        "TODOS_URL must be set page",
    ]
    assert re.fullmatch(rf"1 page for wsgi in {out}: \d+ files, 2\.\d MiB, \d+\.\d s\n", told)


def test_it_runs_by_itself(project: Path) -> None:
    _, out = built(project, "page")
    ask = (
        "import bff, wsgi, sys; from werkzeug.test import Client; "
        "print(bff.__file__, Client(wsgi.app).get('/page').json, 'flask' in sys.modules)"
    )
    done = run_in(out, "-c", ask, TODOS_URL="http://127.0.0.1:9", TODOS_KEY="k")
    assert done.stdout.splitlines()[-1] == f"{out / 'bff' / '__init__.py'} 0 TODOS! False"


def run_in(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "PYTHON"))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=plain | environ, capture_output=True, text=True)


def test_without_its_pages_it_ends_with_one_line(project: Path) -> None:
    _, out = built(project, "page")
    (out / FILE).unlink()
    done = run_in(out, "-c", "import wsgi", TODOS_URL="http://127.0.0.1:9", TODOS_KEY="k")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The app cannot start: {out / FILE} is missing: "
        "the folder that `python -m bff build` writes belongs together\n"
    )


def test_a_command_for_recipes_says_that_there_are_none(project: Path) -> None:
    _, out = built(project, "page")
    done = run_in(out, "-m", "bff", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bff: this command is for recipes, and in this folder are pages that were built\n"


def test_the_same_project_makes_the_same_folder(project: Path) -> None:
    need = TARGETS["wsgi"].need
    first, again = (Bundler(project, running_python(), "x86_64").bundle(None, need).files for _ in range(2))
    assert first == again


def test_an_earlier_build_is_written_anew(project: Path) -> None:
    built(project, "--all")
    status, out = built(project, "mine")
    assert status == 0
    assert files_of(out) == {".env.example", FILE, "requirements.txt", "wsgi.py"}


def test_what_somebody_put_into_an_earlier_build_stays(project: Path) -> None:
    _, out = built(project, "--all")
    (out / ".env").write_text("TODOS_KEY=k")
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("dear")
    assert built(project, "mine")[0] == 0
    assert built(project, "mine")[0] == 0
    assert files_of(out) == {".env", ".env.example", FILE, "notes/mine.txt", "requirements.txt", "wsgi.py"}
    assert (out / ".env").read_text() == "TODOS_KEY=k"


def test_what_somebody_put_where_a_file_goes_is_not_written_over(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = built(project, "mine")
    (out / "clients").mkdir()
    (out / "clients" / "todos.py").write_text("mine")
    capsys.readouterr()
    assert built(project, "page")[0] == 2
    assert capsys.readouterr().err == (
        f"bff: {out / 'clients' / 'todos.py'} was not written by `build`, which would write it now: move it away\n"
    )
    assert (out / "clients" / "todos.py").read_text() == "mine"


def test_what_build_did_not_write_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = project.parent / "out"
    out.mkdir()
    (out / "letters.txt").write_text("dear")
    assert built(project, "page")[0] == 2
    assert capsys.readouterr().err == (
        f"bff: {out} holds something that `build` did not write: name another folder with --out\n"
    )
    assert [path.name for path in out.iterdir()] == ["letters.txt"]
    assert main(["--root", str(project), "build", "--all", "--out", str(project)]) == 2
    assert (project / "orchestrations" / "page.yaml").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "build takes the names of pages, or --all"),
        (["page", "--all"], "build takes the names of pages, or --all"),
        (["page", "--target", "moon"], f"no target moon; there are: {', '.join(TARGETS)}"),
        (["pag"], "no recipe orchestrations/pag.yaml; did you mean page?  there are: mine, page"),
    ],
)
def test_a_wrong_use_is_one_line(
    arguments: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert built(project, *arguments)[0] == 2
    assert capsys.readouterr() == ("", f"bff: {message}\n")


def test_a_mistake_in_a_recipe_builds_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "orchestrations" / "mine.yaml").write_text("route: GET /mine\nauth: none\nshape: you\n")
    status, out = built(project, "mine")
    assert (status, out.exists()) == (1, False)
    assert capsys.readouterr().out.startswith("orchestrations/mine.yaml:3:8: unknown name 'you'")


def test_the_todo_app_runs_as_it_is_built(tmp_path: Path) -> None:
    assert main(["--root", str(ROOT), "build", "--all", "--out", str(tmp_path / "out")]) == 0
    ask = "import wsgi; print(*[wsgi.app.test_client().get(path).status_code for path in ('/', '/api/home')])"
    done = run_in(tmp_path / "out", "-c", ask, BFF_SESSION_KEYS=Fernet.generate_key().decode())
    assert done.stdout.splitlines()[-1] == "200 401", done.stderr
