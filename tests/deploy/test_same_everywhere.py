"""What is not plain ASCII, or not plain at all, gets the same answer from every server and on every host."""

from __future__ import annotations

import json
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import unquote

import pytest

from bff.deploy import Bundler
from bff.deploy.python import running_python
from bff.testing import sign
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.conftest import missing
from tests.deploy.aws_events import Asked as Visited
from tests.deploy.aws_events import answer_of, function_url, http_api, rest_api
from tests.deploy.aws_function import AwsFunction, aws_function
from tests.deploy.azure_app import function_app
from tests.deploy.isolated import BARE, serving
from tests.deploy.small import built
from tests.project import LOGIN, write_project
from tests.servers import PATIENCE, ROOT, SESSION_KEY, until_answers

SEGMENT = """
    route: GET /api/seg/{id}
    auth: none
    shape: path.id
    """
NAME = """
    route: GET /api/name
    auth: none
    input:
      headers:
        X-Name: {type: string}
    shape: headers['X-Name']
    """
ME = """
    route: GET /api/me
    shape: user.id
    """
TEXT = """
    route: POST /api/text
    auth: none
    input:
      body:
        type: object
        properties:
          text: {type: string}
    shape: body.text
    """
HOOK = """
    route: POST /api/hook
    auth: none
    signed: {scheme: github, secret: HOOK_SECRET}
    shape: raw
    """
RECIPES = {"segment": SEGMENT, "name": NAME, "me": ME, "text": TEXT, "login": LOGIN, "hook": HOOK}
SECRETS = {"HOOK_SECRET": "a secret of tests"}
APP = "from bff import create_app\n\napp = create_app()\n"


@dataclass(frozen=True)
class Asked:
    """A request as its bytes leave the visitor."""

    method: str
    path: str
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Given:
    status: int
    body: Any
    cookie: str = ""


Ask = Callable[[Asked], Given]
TYPED = (("Content-Type", b"application/json"),)
NOT_FOUND, MALFORMED = (404, "urn:bff:problem:not-found"), (400, "urn:bff:problem:malformed-body")
UNSIGNED = (401, "urn:bff:problem:unsigned")
HALF = rb'{"text": "\ud800"}'


def signed(body: bytes, kind: str = "application/json", of: bytes | None = None) -> Asked:
    """A signed request, whose signature may be `of` another body."""
    headers = sign("github", SECRETS["HOOK_SECRET"], body if of is None else of)
    sent = ((name, text.encode()) for name, text in headers.items())
    return Asked("POST", "/api/hook", (("Content-Type", kind.encode()), *sent), body)


CASES: dict[str, tuple[Asked, tuple[int, Any]]] = {
    "chinese": (Asked("GET", "/api/seg/%E6%B5%8B"), (200, "测")),
    "accent": (Asked("GET", "/api/seg/caf%C3%A9"), (200, "café")),
    "percent": (Asked("GET", "/api/seg/a%2541"), (200, "a%41")),
    "plus": (Asked("GET", "/api/seg/a+b%2Bc%3Bd"), (200, "a+b+c;d")),
    "name in UTF-8": (Asked("GET", "/api/name", (("X-Name", "José".encode()),)), (200, "José")),
    "name in Latin-1": (Asked("GET", "/api/name", (("X-Name", "José".encode("latin-1")),)), (200, "José")),
    "name in Chinese": (Asked("GET", "/api/name", (("X-Name", "测".encode()),)), (200, "测")),
    "half a character": (Asked("POST", "/api/text", TYPED, HALF), MALFORMED),
    "no UTF-8": (Asked("POST", "/api/text", TYPED, b'{"text": "\xed\xa0\x80"}'), MALFORMED),
    "no body": (Asked("POST", "/api/text", TYPED), MALFORMED),
    "signed": (signed('{ "a":\t"测"}\r\n'.encode()), (200, '{ "a":\t"测"}\r\n')),
    "signed form": (signed(b"a=1&b=%20+", "application/x-www-form-urlencoded"), (200, "a=1&b=%20+")),
    "signed text": (signed(b" x ", "text/plain"), (200, " x ")),
    "signed and changed": (signed(b'{"a": 1}', of=b'{"a":1}'), UNSIGNED),
    "not signed": (Asked("POST", "/api/hook", TYPED, b"{}"), UNSIGNED),
    "two slashes": (Asked("GET", "//api/seg/x"), NOT_FOUND),
    "inner slashes": (Asked("GET", "/api//seg/x"), NOT_FOUND),
    "dot": (Asked("GET", "/api/./seg/x"), NOT_FOUND),
    "dots": (Asked("GET", "/x/../api/seg/x"), NOT_FOUND),
    "backslash": (Asked("GET", "/api/seg/a%5Cb"), NOT_FOUND),
    "parameter": (Asked("GET", "/api/name;x=1"), NOT_FOUND),
    "last dot": (Asked("GET", "/api/name."), NOT_FOUND),
}
NO_TEXT = ["/api/seg/%E9", "/api/seg/a%FF%FE", "/api/seg/%C3%28"]
ONLY_AS_SENT = {
    "needless": Asked("GET", "/api/se%67/x"),
    "slash": Asked("GET", "/api%2Fseg/x"),
    "slash in a value": Asked("GET", "/api/seg/a%2Fb"),
    "dots": Asked("GET", "/x/%2E%2E/api/seg/x"),
}
FOREIGN_COOKIES = ["name=José".encode(), "name=José".encode("latin-1"), "name=测; b=€".encode()]
HEADERS = (("Host", b"shop.example"), ("Connection", b"close"))


def over_socket(port: int) -> Ask:
    def ask(asked: Asked) -> Given:
        length = (("Content-Length", str(len(asked.body)).encode()),) if asked.method == "POST" else ()
        head = [f"{asked.method} {asked.path} HTTP/1.1".encode()]
        head += [name.encode() + b": " + value for name, value in (*HEADERS, *asked.headers, *length)]
        with create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + asked.body)
            found = b""
            while piece := connection.recv(65536):
                found += piece
        top, _, body = found.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        cookies = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("set-cookie:")]
        return Given(int(lines[0].split()[1]), json.loads(body), cookies[0] if cookies else "")

    return ask


def text_of(raw: bytes) -> str:
    """A header as a gateway hands it on."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def by_events(function: AwsFunction, form: Callable[[Visited], dict[str, Any]]) -> Ask:
    def ask(asked: Asked) -> Given:
        headers = tuple((name, text_of(value)) for name, value in asked.headers)
        event = form(Visited(asked.method, asked.path, headers=headers))
        if asked.body:
            event |= {"body": b64encode(asked.body).decode(), "isBase64Encoded": True}
        answer = answer_of(function.hand(event))
        cookies = answer.all("set-cookie")
        return Given(answer.status, json.loads(answer.body), cookies[0] if cookies else "")

    return ask


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("everywhere") / "pages", RECIPES)
    (root / "wsgi.py").write_text(APP)
    shutil.copy(ROOT / "requirements.txt", root)
    return root


@pytest.fixture(scope="module")
def bundler(root: Path) -> Bundler:
    return Bundler(root, running_python(), "x86_64")


@contextmanager
def started(root: Path, log: Path, port: int, *command: str, path: str = "") -> Iterator[Ask]:
    environ = {"PATH": os.environ["PATH"], "BFF_SESSION_KEYS": SESSION_KEY, **SECRETS}
    environ["PYTHONPATH"] = f"{ROOT}:{path}"
    with log.open("wb") as output:
        process = start_child([*command], cwd=root, env=environ, stdout=output, stderr=output)
    try:
        until_answers(f"http://127.0.0.1:{port}/healthz", process, log)
        yield over_socket(port)
    finally:
        stop_child(process)


SERVERS = ("bff serve", "flask run", "gunicorn", "google", "azure", "http api", "function url", "rest api")
SENT_SEEN = ("bff serve", "flask run", "gunicorn", "google", "azure")


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Ask]]:
    """The name of a server or host, and what asks it."""
    name, folder, port = str(request.param), tmp_path_factory.mktemp("server"), free_port()
    log = folder / "log"
    with ExitStack() as running:
        if name in ("bff serve", "flask run", "gunicorn"):
            ask = running.enter_context(_server(name, root, log, port))
        else:
            ask = running.enter_context(_host(name, request.getfixturevalue("bundler"), folder, port))
        yield name, ask
        if log.exists():
            assert "Traceback" not in log.read_text()


def _server(name: str, root: Path, log: Path, port: int) -> Any:
    if name == "bff serve":
        return started(
            root, log, port, sys.executable, "-m", "bff", "serve", "--port", str(port), "--drain", "0s"
        )
    if name == "flask run":
        return started(
            root, log, port, sys.executable, "-m", "flask", "--app", "wsgi", "run", "--port", str(port)
        )
    program = ROOT / ".local" / "hosts-venv" / "bin" / "gunicorn"
    if not program.is_file():
        missing("needs gunicorn: make install-hosts")
    site = str(Path(pytest.__file__).parents[1])
    options = ("--threads", "4", "--bind", f"127.0.0.1:{port}", "wsgi:app")
    return started(root, log, port, str(program), *options, path=site)


@contextmanager
def _host(name: str, bundler: Bundler, folder: Path, port: int) -> Iterator[Ask]:
    variables, log = {"BFF_SESSION_KEYS": SESSION_KEY, **SECRETS}, folder / "log"
    if name == "google":
        out = built(bundler, "google", folder / "out", group="pages") / "pages"
        start = [*BARE, "-m", "functions_framework", "--source", "main.py", "--target", "page"]
        with serving(out, [*start, "--host", "127.0.0.1", "--port", str(port)], port, variables, log):
            yield over_socket(port)
    elif name == "azure":
        out = built(bundler, "azure", folder / "out")
        with function_app(out, **variables) as app:

            def ask(asked: Asked) -> Given:
                headers = {key: text_of(value) for key, value in asked.headers}
                answer = app.ask(asked.method, f"https://shop.example{asked.path}", headers, asked.body)
                cookies = answer.all("Set-Cookie")
                return Given(answer.status, json.loads(answer.body), cookies[0] if cookies else "")

            yield ask
    else:
        out = built(bundler, "aws-lambda", folder / "out", group="pages") / "pages"
        form = {"http api": http_api, "function url": function_url, "rest api": rest_api}[name]
        with aws_function(out, log, **variables) as function:
            yield by_events(function, form)


def seen(given: Given) -> tuple[int, Any]:
    return given.status, given.body["type"] if given.status >= 400 else given.body


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_the_same(server: tuple[str, Ask], case: str) -> None:
    asked, expected = CASES[case]
    if (server[0], case) == ("flask run", "two slashes"):
        expected = (200, "x")  # Python's http.server has made one of them
    assert seen(server[1](asked)) == expected


@pytest.mark.parametrize("case", ONLY_AS_SENT)
def test_a_path_by_another_name_is_no_page_where_it_is_seen_as_it_was_sent(
    server: tuple[str, Ask], case: str
) -> None:
    name, ask = server
    if name in SENT_SEEN:
        assert seen(ask(ONLY_AS_SENT[case])) == NOT_FOUND
    else:
        assert unquote(ONLY_AS_SENT[case].path) != ONLY_AS_SENT[case].path  # AWS has decoded it before


@pytest.mark.parametrize("path", NO_TEXT)
def test_bytes_of_a_path_that_are_no_text_are_refused_where_they_are_seen(
    server: tuple[str, Ask], path: str
) -> None:
    name, ask = server
    if name in SENT_SEEN:
        assert seen(ask(Asked("GET", path))) == (400, "urn:bff:problem:invalid-input")
    else:
        assert ask(Asked("GET", path)).status < 500  # what AWS decodes it may have replaced


@pytest.mark.parametrize("foreign", FOREIGN_COOKIES)
def test_a_foreign_cookie_signs_nobody_out(server: tuple[str, Ask], foreign: bytes) -> None:
    ask = server[1]
    signed_in = ask(Asked("POST", "/api/login", TYPED, b'{"name": "lin"}'))
    own = signed_in.cookie.partition(";")[0].encode()
    for cookie in (own + b"; " + foreign, foreign + b"; " + own):
        assert seen(ask(Asked("GET", "/api/me", (("Cookie", cookie),)))) == (200, "lin")


FOREIGN_EVENTS = {
    "schedule": ({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, 200),
    "scheduler": ({"source": "aws.scheduler", "detail": "{}"}, 200),
    "warm-up": ({"source": "serverless-plugin-warmup"}, 200),
    "warmer": ({"warmer": True, "concurrency": 1}, 200),
    "nothing": (None, 400),
    "empty": ({}, 400),
    "list": ([1], 400),
    "text": ("x", 400),
    "queue": ({"Records": [{"eventSource": "aws:sqs", "body": "x"}]}, 400),
    "half of a request": ({"version": "2.0", "rawPath": "/api/name"}, 400),
    "no path": ({"httpMethod": "GET", "headers": None}, 400),
    "unknown version": ({"version": "9.0", "httpMethod": "GET", "path": "/api/name"}, 400),
    "bad base64": ({**http_api(Visited("POST", "/api/text")), "body": "%%%", "isBase64Encoded": True}, 400),
    "base64 that is none": ({**http_api(Visited("POST", "/api/text")), "body": "é", "isBase64Encoded": True}, 400),
    "half a character": ({**http_api(Visited("POST", "/api/text", headers=(("content-type", "application/json"),))),
                          "body": '"\ud800"', "isBase64Encoded": False}, 400),
    "decoded path": ({**rest_api(Visited("GET", "/api/seg/x")), "path": "/api/seg/测"}, 200),
    "no headers": ({**http_api(Visited("GET", "/api/name")), "headers": None}, 200),
}  # fmt: skip


def test_an_event_that_no_visitor_sent_is_answered_quietly(bundler: Bundler, tmp_path: Path) -> None:
    out = built(bundler, "aws-lambda", tmp_path / "out", group="pages") / "pages"
    with aws_function(out, tmp_path / "log", BFF_SESSION_KEYS=SESSION_KEY, **SECRETS) as function:
        found = {name: function.hand(event)["statusCode"] for name, (event, _) in FOREIGN_EVENTS.items()}
        assert found == {name: status for name, (_, status) in FOREIGN_EVENTS.items()}
        assert "Traceback" not in function.said()
