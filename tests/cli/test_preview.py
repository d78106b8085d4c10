"""`preview`: what was built answers here as on its host; and where the runtime of that is missing, one line says so."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bff.cli import main
from bff.cli.build import Wanted, build
from bff.cli.preview import environs
from bff.cli.previewing import hosts
from bff.cli.previewing.door import file_of
from bff.cli.previewing.gateway import Asked, Gateway, answer_of
from bff.cli.previewing.hosts import HOSTS, Place, host_of
from bff.errors import OperatorError
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.conftest import missing
from tests.deploy.aws_emulator import missing_parts
from tests.fakes import FakeBackend, after, answer
from tests.project import LOGIN, write_project
from tests.servers import PATIENCE, ROOT, until_answers

PAGES = {
    "page": """
        route: GET /api/page/{id}
        auth: none
        input: {query: {q: {type: string}}}
        steps:
          rows: {client: todos, get: /rows}
        shape: {id: path.id, q: query.q, rows: rows}
        """,
    "login": LOGIN,
    "mine": "route: GET /api/mine\nshape: user.id\n",
    "lines": """
        route: GET /api/lines
        auth: none
        steps:
          first: {client: todos, get: /first}
          late: {client: todos, get: /late, fallback: null, defer: true}
        shape: {first: first, late: late}
        """,
}
WSGI = "from bff import create_app\n\napp = create_app()\n"
ALONE = {"wsgi", "container"}
STREAMS = {"google", "aliyun-fc", "knative", "container", "wsgi"}
OTHERS = ["aliyun-fc", "container", "google", "knative", "wsgi"]
TARGETS = ["aws-lambda", *(pytest.param(one, marks=pytest.mark.full) for one in OTHERS)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("preview") / "project", PAGES, timeout="20s")
    (root / "requirements.txt").symlink_to(ROOT / "requirements.txt")
    (root / ".local").symlink_to(ROOT / ".local")
    (root / "wsgi.py").write_text(WSGI)
    (root / "public").mkdir()
    (root / "public" / "index.html").write_text("the app")
    (root / "public" / "app.js").write_text("export {};")
    return root


class Preview:
    """A running preview, and a visitor of it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = process
        self.log = log
        self.session = requests.Session()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=PATIENCE, **more)


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "aws-lambda" and (lacking := missing_parts()):
        missing(lacking)
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as found:
        found.on("GET /rows", answer(json=[1, 2]))
        yield found


@pytest.fixture(scope="module")
def preview(
    target: str, project: Path, backend: FakeBackend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Preview]:
    out = tmp_path_factory.mktemp(target) / "out"
    assert build(project, Wanted((), target, out)) == 0
    port, log = free_port(), out.with_name("log")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
    urls = {f"{name}_URL": backend.url for name in ("PEOPLE", "TODOS", "NOTICES")}
    command = [sys.executable, "-m", "bff", "--root", str(project), "preview", str(out), "--port", str(port)]
    with log.open("wb") as said:
        process = start_child(
            command, env={**plain, **urls, "PYTHONPATH": str(ROOT)}, stdout=said, stderr=said
        )
    try:
        until_answers(f"http://127.0.0.1:{port}/app.js", process, log)
        yield Preview(port, process, log)
    finally:
        stop_child(process)


def test_a_page_answers(preview: Preview) -> None:
    got = preview.ask("GET", "/api/page/7", params={"q": "a b&c"})
    assert (got.status_code, got.json()) == (200, {"id": "7", "q": "a b&c", "rows": [1, 2]})
    assert got.headers["X-Content-Type-Options"] == "nosniff"


def test_a_session_lives_over_plain_http(preview: Preview) -> None:
    assert preview.ask("GET", "/api/mine").status_code == 401
    signed_in = preview.ask("POST", "/api/login", json={"name": "Ada"})
    assert (signed_in.status_code, signed_in.cookies.keys()) == (200, ["bff-session"]), signed_in.text
    assert preview.ask("GET", "/api/mine").status_code == 200


def test_a_head_has_no_body(preview: Preview) -> None:
    got = preview.ask("HEAD", "/api/page/7")
    assert (got.status_code, got.content) == (200, b"")


def test_what_is_no_page_is_not_found(preview: Preview) -> None:
    assert preview.ask("GET", "/api/none").status_code == 404


def test_files_and_what_the_app_routes_are_there(preview: Preview) -> None:
    assert preview.ask("GET", "/app.js").text == "export {};"
    assert preview.ask("GET", "/some/place").text == "the app"


def test_lines_come_one_by_one_where_the_host_sends_them(
    preview: Preview, backend: FakeBackend, target: str
) -> None:
    go_on = threading.Event()
    backend.on("GET /first", answer(json=1))
    backend.on("GET /late", after(go_on, answer(json=2)))
    accept = {"Accept": "application/x-ndjson"}
    if target not in STREAMS:  # it holds an answer until it is whole
        go_on.set()
        assert preview.ask("GET", "/api/lines", headers=accept).content.count(b"2") >= 1
        return
    with preview.ask("GET", "/api/lines", headers=accept, stream=True) as got:
        lines = got.iter_lines(chunk_size=1)
        assert json.loads(next(lines))["page"]["first"] == 1
        go_on.set()
        assert b"2" in b"".join(lines)


def test_it_says_where_it_is_and_that_sessions_end_with_it(preview: Preview, target: str) -> None:
    said = preview.log.read_text()
    host = next(host for host in HOSTS if host.target == target)
    what = "the app" if host.single else "4 pages"
    assert f"{preview.url}/ has {what} as built for {target}, under {host.runtime}; Ctrl-C ends it\n" in said
    assert said.count("BFF_SESSION_KEYS is not set: sessions end with the preview\n") == 1


def test_a_function_has_keys_and_store_where_its_pages_need_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = {
        "hook": ("SECRET", "BFF_STATE_URL", "BFF_SESSION_KEYS"),
        "mine": ("BFF_SESSION_KEYS",),
        "open": (),
    }
    for name, variables in lists.items():
        (tmp_path / name).mkdir()
        lines = ["# What it takes.", *(f"{variable}=" for variable in variables), ""]
        (tmp_path / name / ".env.example").write_text("\n".join(lines))
    monkeypatch.setenv("BFF_STATE_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("BFF_SESSION_KEYS", "a key")
    found = environs([tmp_path / name for name in lists])
    settings = {"BFF_STATE_URL", "BFF_SESSION_KEYS"}
    assert {one.name: settings & environ.keys() for one, environ in found.items()} == {
        name: settings & {*variables} for name, variables in lists.items()
    }


# --- where it cannot -------------------------------------------------------------------------------------------------


def place(folder: Path) -> Place:
    return Place(folder, folder, folder, 1, 2)


LACKING = {
    "aws-lambda": (
        "AWS's runtime is not installed: python -m pip install awslambdaric aws-sam-cli"
        "  (its emulator aws-lambda-rie is in aws-sam-cli)"
    ),
    "google": "Google's runtime is not installed: python -m pip install functions-framework",
    "azure": "Azure's runtime is not installed: npm install --global azure-functions-core-tools@4",
}


@pytest.mark.parametrize("target", LACKING)
def test_a_runtime_that_is_missing_is_one_line_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setattr(hosts, "find_spec", lambda name: None)
    monkeypatch.setattr(hosts.shutil, "which", lambda name: None)
    host = next(host for host in HOSTS if host.target == target)
    with pytest.raises(OperatorError) as raised:
        host.start(place(tmp_path))
    assert str(raised.value) == LACKING[target]


def test_azure_starts_by_func(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts.shutil, "which", lambda name: f"/bin/{name}")
    (tmp_path / ".built").touch()
    (tmp_path / "function_app.py").touch()
    host, functions = host_of(tmp_path)
    assert (host.target, functions) == ("azure", [tmp_path])
    assert host.start(place(tmp_path)).command == ["/bin/func", "start", "--port", "1"]


def test_layers_are_among_what_aws_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_emulator", lambda root: "rie")
    monkeypatch.setattr(hosts, "_python_with", lambda module, root: "python")
    for name in ("b-2", "a-1"):
        (tmp_path / "lambda-layers" / name / "python").mkdir(parents=True)
    environ = hosts.HOSTS[0].start(place(tmp_path)).environ
    assert environ["PYTHONPATH"] == ":".join(
        str(tmp_path / "lambda-layers" / name / "python") for name in ("a-1", "b-2")
    )


def test_a_folder_that_build_did_not_write_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"bff: {tmp_path} is no folder that `bff build` has written\n"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("home.zip", "holds archives: build it without --zip to see it here"),
        ("other", "holds no function that could be run here"),
    ],
)
def test_a_folder_without_functions_says_why(tmp_path: Path, file: str, said: str) -> None:
    (tmp_path / ".built").touch()
    (tmp_path / file).touch()
    with pytest.raises(OperatorError) as raised:
        host_of(tmp_path)
    assert str(raised.value) == f"{tmp_path} {said}"


def test_a_port_that_is_taken_is_said(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(project, Wanted(("page",), "google", tmp_path / "out")) == 0
    capsys.readouterr()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--root", str(project), "preview", str(tmp_path / "out"), "--port", str(port)]) == 2
    assert capsys.readouterr().err == f"bff: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_function_that_cannot_start_is_a_502_and_the_others_go_on(project: Path, tmp_path: Path) -> None:
    out, port = tmp_path / "out", free_port()
    assert build(project, Wanted(("page", "mine"), "google", out)) == 0
    (out / "mine" / "main.py").write_text("raise SystemExit('no')\n")
    log = tmp_path / "log"
    command = [sys.executable, "-m", "bff", "--root", str(project), "preview", str(out), "--port", str(port)]
    with log.open("wb") as said:
        process = start_child(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=said, stderr=said)
    try:
        until_answers(f"http://127.0.0.1:{port}/", process, log)
        assert requests.get(f"http://127.0.0.1:{port}/api/mine", timeout=PATIENCE).status_code == 502
        assert requests.get(f"http://127.0.0.1:{port}/api/page/1", timeout=PATIENCE).status_code != 404
        assert "bff: mine ended with status 1\n" in log.read_text()
    finally:
        stop_child(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_all_that_it_has_started(project: Path, tmp_path: Path, number: signal.Signals) -> None:
    out, port, log = tmp_path / "out", free_port(), tmp_path / "log"
    assert build(project, Wanted(("page",), "knative", out)) == 0
    command = [sys.executable, "-m", "bff", "--root", str(project), "preview", str(out), "--port", str(port)]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        until_answers(f"http://127.0.0.1:{port}/", process, log)
        requests.get(f"http://127.0.0.1:{port}/api/page/1", timeout=PATIENCE)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    finally:
        stop_child(process)
    ours = [path for path in Path("/proc").glob("[0-9]*") if _runs_in(path, out)]
    assert ours == []


def _runs_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").resolve().is_relative_to(folder)
    except OSError:
        return False


# --- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/", 200, b"index"),
        ("GET", "/a%20b.txt", 200, b"a"),
        ("GET", "/deep/link", 200, b"index"),
        ("GET", "/../secret", 200, b"index"),
        ("GET", "/%2e%2e/secret", 200, b"index"),
        ("GET", "//etc/passwd", 200, b"index"),
        ("GET", "/%00", 200, b"index"),
        ("GET", "/link", 200, b"index"),
        ("GET", "/api/none", 404, b'{"message":"Not Found"}'),
        ("POST", "/", 404, b'{"message":"Not Found"}'),
    ],
)
def test_nothing_outside_the_folder_of_files_is_given(
    tmp_path: Path, method: str, path: str, status: int, body: bytes
) -> None:
    folder = tmp_path / "public"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folder / "index.html").write_text("index")
    (folder / "a b.txt").write_text("a")
    (folder / "link").symlink_to(tmp_path / "secret")
    found = file_of(folder, Asked(method, path))
    assert (found.status, found.body) == (status, body)


def test_text_that_is_no_utf_8_goes_in_base64() -> None:
    asked = Asked("POST", "/a", headers=(("Content-Type", "text/plain"),), body=b"\xff")
    event = Gateway("h", "127.0.0.1", "http", "8000").event(asked)
    assert (event["body"], event["isBase64Encoded"]) == ("/w==", True)
    assert event["headers"]["x-forwarded-proto"] == "http"
    assert answer_of({"statusCode": 200, "body": "/w==", "isBase64Encoded": True}).body == b"\xff"


def test_a_body_of_no_length_is_refused(preview: Preview, target: str) -> None:
    if target in ALONE:
        pytest.skip("its own server answers")
    address = ("127.0.0.1", int(preview.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(b"POST /api/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 411 ")
