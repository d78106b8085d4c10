"""One case: a kind of step, a misbehaviour and a transport; what came of its pages, as plain JSON."""

from __future__ import annotations

import compileall
import io
import json
import logging
import re
import secrets
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import certifi
import trustme
from cryptography.fernet import Fernet
from flask import Flask

from bff import create_app
from tests.differ import descriptors, state
from tests.differ.backend import HANG, Backend, Part, Seen
from tests.differ.descriptors import PATIENCE
from tests.differ.kinds import Kind
from tests.differ.lines import Lines
from tests.differ.misbehaviours import Misbehaviour, reply
from tests.project import write_built

PROJECT = Path(__file__).parent / "project"
WELL = Misbehaviour(lambda body: [reply(body)])
SHORT, HALF, LONG = "2500ms", "4s", "10s"
"""The time of a client, which a good page keeps also where much else runs, and the longer ones that are used beside."""
SETTLES = PATIENCE
"""Seconds that what is under way after a page has to end."""
_KEY = Fernet.generate_key().decode()
_TOKEN = "the-token"
_AUTHORITY = "authority.pem"

Record = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a visitor got; `cut` where it ended before its end."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cut: bool


_LINES = Lines()
_folder: list[Path] = []
"""Where the file of who has signed the backend's certificate is, and the built pages, while they are there."""
_ASSEMBLING = threading.Lock()
"""CPython 3.11 may lose count of its depth where two threads parse at once and the collector runs (SystemError)."""


@contextmanager
def listening() -> Iterator[None]:
    """Within, the lines of pages come here and nowhere else, and nothing else is logged: pages fail on purpose."""
    layer, pages = logging.getLogger("bff"), logging.getLogger("bff.page")
    levels = layer.level, pages.level
    silent = logging.NullHandler()
    layer.addHandler(silent)
    pages.addFilter(_LINES)
    layer.setLevel(logging.CRITICAL)
    pages.setLevel(logging.INFO)
    session_cookie()  # once, before there are several threads
    try:
        with state.patience(PATIENCE), tempfile.TemporaryDirectory() as folder:
            _folder.append(Path(folder).resolve())
            _certificates()[0].cert_pem.write_to_path(f"{folder}/{_AUTHORITY}")
            yield
    finally:
        _folder.clear()
        layer.setLevel(levels[0])
        pages.setLevel(levels[1])
        layer.removeHandler(silent)
        pages.removeFilter(_LINES)


@dataclass
class Case:
    """A page that is asked while its backend is well, sick, and well again."""

    kind: Kind
    misbehaviour: Misbehaviour
    transport: str
    _seen: list[Seen] = field(default_factory=list)
    _is_sick: bool = False
    _tries: int = 0
    _first_line: threading.Event = field(default_factory=threading.Event)

    def run(self) -> Record:
        """What came of it; the sent headers of each request stand in it where they are not those of a good page."""
        with ExitStack() as stack:
            tls = server_context() if self.kind.tls else None
            self._sick = stack.enter_context(Backend(self._answer, self._seen, tls))
            self._well = stack.enter_context(Backend(self._answer, self._seen))
            # What tests of before have left: their backends are gone, and the ports are ours now.
            self._of_others = descriptors.connections_to({self._sick.port, self._well.port})
            self._app = self._make_app()
            stack.callback(state.close, self._app)
            state.begin(self._app)
            return self._record()

    def _make_app(self) -> Flask:
        environ = {
            "BFF_TRANSPORT": self.transport,
            "BFF_SESSION_KEYS": _KEY,
            "BFF_MAX_REPLY": "128 KiB",
            "BFF_SERVER_TIMING": "1",
            "SICK_URL": self._sick.url,
            "WELL_URL": self._well.url,
            "AUTHORITY": str(_folder[0] / _AUTHORITY) if self.kind.tls else certifi.where(),
            **self._times(),
        }
        with _ASSEMBLING:
            return create_app(built(self.kind.page), environ=environ)

    def _times(self) -> Record:
        """What clients have for a call. A held read beside another ends by its time, after that of the other."""
        sick, held = (SHORT, HALF) if self.misbehaviour.short else (LONG, SHORT)
        return {
            "SICK_TIMEOUT": HALF if self.kind.hangs_first and sick == LONG else sick,
            "WELL_TIMEOUT": held if self.kind.page == "beside" else LONG,
        }

    def _record(self) -> Record:
        kind = self.kind
        first = None if kind.before == "fresh" else self._page(sick=False)
        if kind.before in {"closed", "noisy"}:
            self._disturb()
        found = self._page(sick=True)
        afterwards = {"next": self._page(sick=False)}
        if kind.rests:
            state.let_rest(self._app)
            afterwards["trial"] = self._page(sick=True)
            state.let_rest(self._app)
            afterwards["healed"] = self._page(sick=False)
        good = first or afterwards["next"]
        record = _whole(found) if self.misbehaviour is WELL else _beside(found, good)
        for name, page in afterwards.items():
            told = _beside(page, good)
            record[f"{name} state"] = told.pop("state")
            record[name] = "well" if told == _AS_GOOD else told
        return _without_number(record, self.misbehaviour.status)

    def _disturb(self) -> None:
        """Closes what is idle, or says something on it; both have arrived when they are done."""
        if self.kind.before == "closed":
            self._sick.hang_up()
        elif self.kind.before == "noisy":
            self._sick.say(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")

    def _page(self, *, sick: bool) -> Record:
        """Asks for the page once, and waits until nothing of it is under way any more."""
        del self._seen[:]
        self._is_sick, self._tries = sick, 0
        self._first_line.clear()
        accepted = self._sick.accepted + self._well.accepted
        if sick and self.misbehaviour.shut:
            self._sick.shut()
        request_id = secrets.token_hex(16)
        answer = self._ask(request_id)
        line = _LINES.by_request.pop(request_id)
        opened = self._until_all_is_quiet()
        if sick and self.misbehaviour.shut:
            self._sick.open()
        seen = list(self._seen)
        assert not answer.cut or kind_may_be_cut(self.kind)
        return {
            "answer": _answer(answer, request_id),
            "log": _log(line, f"{built(self.kind.page)}/"),
            "requests": _requests(seen),
            "sent": dict(sorted((f"{one.method} {one.target}", self._sent(one)) for one in seen)),
            "dials": self._sick.accepted + self._well.accepted - accepted,
            "state": state.of(self._app),
            "open": opened,
        }

    def _until_all_is_quiet(self) -> int:
        """Gives how many connections are open beside the idle ones, after these had time to end on both sides."""
        ports = {self._sick.port, self._well.port}
        until = time.monotonic() + SETTLES
        while True:
            idle = state.idle(self._app)
            at_backends = self._sick.open_connections + self._well.open_connections
            quiet = self._sick.is_quiet and self._well.is_quiet and not state.places_taken(self._app)
            if quiet and idle >= at_backends:
                opened = len(descriptors.connections_to(ports) - self._of_others)
                if opened == idle:
                    return 0
            if time.monotonic() > until:
                return len(descriptors.connections_to(ports) - self._of_others) - idle
            self._sick.pause(0.002)

    # --- the visitor ---------------------------------------------------------------------------------------------

    def _ask(self, request_id: str) -> Answer:
        kind = self.kind
        environ: dict[str, Any] = {
            "REQUEST_METHOD": kind.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/api/{kind.page}",
            "QUERY_STRING": kind.query,
            "SERVER_NAME": "app.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "app.test",
            "HTTP_X_REQUEST_ID": request_id,
            "HTTP_ACCEPT": "application/x-ndjson" if kind.lines else "application/json",
            "CONTENT_TYPE": "application/json" if kind.body else "",
            "CONTENT_LENGTH": str(len(kind.body)) if kind.body else "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(kind.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if kind.signed_in:
            environ["HTTP_COOKIE"] = session_cookie()
        return asked(self._app, environ, self._first_line if kind.lines else None)

    # --- the backends --------------------------------------------------------------------------------------------

    def _answer(self, seen: Seen) -> Iterator[Part]:
        good = _good(seen)
        if seen.target.startswith("/held") and (self._is_sick or self.kind.page == "raises"):
            yield HANG
        if seen.target.startswith("/later") and self.kind.lines:
            yield self._wait_for_first_line
        if self.kind.others:
            yield self._wait_for_all
        if not _is_of_sick(seen):
            if self._is_refused_beside:
                yield self._wait_for_refusal
            yield reply(good, status=_status(seen))
            return
        if self.kind.page == "later" and self.kind.lines:
            yield self._wait_for_first_line
        self._tries += 1
        if self._tries == 1:
            yield self._wait_for_others
        if not self._is_sick or (self.kind.once and self._tries > 1):
            yield reply(good, *self._of_good(), status=_status(seen))
            return
        if self.kind.hangs_first and self._tries == 1:
            yield HANG
        yield from self.misbehaviour.parts(good)

    def _of_good(self) -> list[str]:
        """Headers of good replies: where an old one may stand in, they are old at once."""
        return ["Cache-Control: max-age=0", 'ETag: "1"'] if self.kind.page == "stale" else []

    @property
    def _is_refused_beside(self) -> bool:
        """Whether a deferred request is refused beside the first: a thread may come to that sooner or later."""
        return self._is_sick and self.misbehaviour.shut and self.kind.page == "later"

    def _wait_for_refusal(self) -> None:
        """Until the page knows that it is refused: before its first line, as wires always do."""
        self._well.wait_until(lambda: state.failures(self._app) > 0)

    def _wait_for_first_line(self) -> None:
        self._first_line.wait(PATIENCE)

    def _wait_for_all(self) -> None:
        """Until all that goes side by side has been asked, so that each has a connection of its own."""
        self._sick.wait_for(lambda: len(self._seen) > self.kind.others)

    def _wait_for_others(self) -> None:
        """Until the page has taken in how the others ended, or the held one has been asked."""
        if self.kind.held:
            self._well.wait_for(lambda: any(one.target.startswith("/held") for one in list(self._seen)))
        if self.kind.others:
            self._sick.wait_until(self._is_alone)

    def _is_alone(self) -> bool:
        """Whether the sick request is the last; a thread lets its connection go before the page hears of its end."""
        places = sum(state.places_taken(self._app).values())
        return places <= 1 and state.idle(self._app) >= self.kind.others

    def _sent(self, seen: Seen) -> Record:
        """What a request said, without what no two requests have in common."""
        headers = dict(seen.headers)
        for name in ("x-request-id", "host"):
            assert headers.pop(name)
        left = int(headers["x-request-deadline-ms"])
        assert 0 < left <= 20_000
        headers["x-request-deadline-ms"] = headers["accept-encoding"] = "some"
        return {"headers": dict(sorted(headers.items())), "body": seen.body.decode()}


def kind_may_be_cut(kind: Kind) -> bool:
    """Whether an answer may break off: one that goes through, or one in lines."""
    return kind.page == "passing"


def asked(app: Flask, environ: Mapping[str, Any], first: threading.Event | None = None) -> Answer:
    """Asks an app as a server does; `first` is set when the first piece of the answer has come."""
    begun: list[Any] = []
    pieces: list[bytes] = []
    cut = False

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        begun[:] = [int(status.split(" ")[0]), headers]
        return pieces.append

    body = app(dict(environ), start_response)
    try:
        for piece in body:
            pieces.append(piece)
            if first is not None and piece:
                first.set()
    except Exception:
        cut = True
    finally:
        if hasattr(body, "close"):
            body.close()
    return Answer(begun[0], begun[1], b"".join(pieces), cut)


# --- what a case needs ------------------------------------------------------------------------------------------------


@cache
def _certificates() -> tuple[trustme.CA, trustme.LeafCert]:
    made = trustme.CA()
    return made, made.issue_cert("127.0.0.1")


@cache
def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _certificates()[1].configure_cert(context)
    return context


def built(page: str) -> Path:
    """A folder with one page in compiled form, which an app is made of in a third of the time."""
    folder = _folder[0] / page
    if not folder.is_dir():
        write_built(PROJECT, folder, [page])
        compileall.compile_dir(folder, quiet=1)
    return folder


@cache
def session_cookie() -> str:
    """The cookie of a visitor who has signed in, with a token for `theirs`."""
    body = json.dumps({"name": "ann", "token": _TOKEN}).encode()
    environ = {
        **dict.fromkeys(("SICK_URL", "WELL_URL"), "http://a.test"),
        **dict.fromkeys(("SICK_TIMEOUT", "WELL_TIMEOUT"), LONG),
        "AUTHORITY": certifi.where(),
        "BFF_SESSION_KEYS": _KEY,
    }
    app = create_app(PROJECT, ["login"], environ=environ)
    found = app.test_client().post("/api/login", data=body, content_type="application/json")
    assert found.status_code == 200
    return str(found.headers["Set-Cookie"]).partition(";")[0]


# --- good replies -----------------------------------------------------------------------------------------------------


def _is_of_sick(seen: Seen) -> bool:
    return "sick" in seen.target


def _status(seen: Seen) -> str:
    return "201 Created" if seen.method == "POST" else "200 OK"


def _good(seen: Seen) -> bytes:
    """What a good backend answers: a row with the last part of its path for an id, or rows."""
    path, _, query = seen.target.partition("?")
    given = parse_qs(query)
    if path == "/rows":
        return _json([_row(id) for id in given.get("id", ["a", "sick"])])
    return _json(_row(path.rpartition("/")[2]))


def _row(id: str) -> Record:
    return {"id": id, "n": 1, "title": f"title of {id} é王", "tags": ["x", 2], "more": {"never": "read"}}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# --- what is told -----------------------------------------------------------------------------------------------------


def _without_number(record: Record, status: str) -> Record:
    """A record in whose words and log lines the backend's status is no number: of most, only that is different."""
    if not status:
        return record
    text = re.sub(rf"(status[ =]){status}\b", r"\1NNN", json.dumps(record))
    return dict(json.loads(text))


_AS_GOOD = {"answer": "well", "log": "well", "requests": "well"}


def _whole(page: Record) -> Record:
    return {key: value for key, value in page.items() if value}


def _beside(page: Record, good: Record) -> Record:
    """What is different in a page from a good one; 'well' stands for what is the same."""
    told = {key: "well" if page[key] == good[key] else page[key] for key in _AS_GOOD}
    if told["answer"] != "well":
        same, headers = good["answer"]["headers"], page["answer"]["headers"]
        told["answer"] = {
            **page["answer"],
            "headers": {
                name: headers.get(name)
                for name in sorted({*headers, *same})
                if headers.get(name) != same.get(name)
            },
        }
    sent = {key: one for key, one in page["sent"].items() if good["sent"].get(key) != one}
    rest = {"sent": sent, "dials": page["dials"], "state": page["state"], "open": page["open"]}
    return told | {key: value for key, value in rest.items() if value or key == "state"}


def _answer(answer: Answer, request_id: str) -> Record:
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        if name.lower() not in {"x-request-id", "content-length"}:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    length = [value for name, value in answer.headers if name.lower() == "content-length"]
    assert length in ([], [str(len(answer.body))]) or answer.cut
    headers["Server-Timing"] = re.sub(r";dur=[0-9.]+", "", headers["Server-Timing"])
    if "Set-Cookie" in headers:
        headers["Set-Cookie"] = re.sub(r"=[^;]+(; Expires=[^;]+)?", "=…", headers["Set-Cookie"], count=1)
    if len(headers.get("Retry-After", "")) > 2:
        headers["Retry-After"] = f"about {round(int(headers['Retry-After']), -1)}"
    text = answer.body.decode(errors="backslashreplace").replace(request_id, "…")
    body = f"{text[:8]}…" if answer.cut else _body(text, headers)
    found: Record = {"status": answer.status, "headers": headers, "body": body}
    return {**found, "cut": True} if answer.cut else found


def _body(text: str, headers: Mapping[str, str]) -> Any:
    try:
        if headers.get("Content-Type") == "application/x-ndjson":
            return [json.loads(line) for line in text.splitlines()]
        body = json.loads(text)
    except ValueError:
        return text if len(text) < 500 else f"{text[:40]} … of {len(text)}"
    if isinstance(body, dict) and isinstance(errors := body.get("errors"), list):
        errors.sort(key=lambda error: error.get("item", 0))  # items fail in any order
    return body


def _log(line: Record, folder: str) -> Record:
    """A log line without what each has, and each step in a text."""
    kept = {name: value for name, value in line.items() if name not in _OF_EVERY_PAGE}
    if "cause" in line:
        kept["cause"] = line["cause"].replace(folder, "")
    if "broken" in line:  # how far it came by then is a matter of time
        del kept["bytes"]
    for name, step in line["steps"].items():
        told = (f"{key}={value}" for key, value in step.items() if key not in {"ms", "outcome"})
        kept[f"step {name}"] = " ".join([step["outcome"], *told]).replace(folder, "")
    return kept


_OF_EVERY_PAGE = {"time", "ms", "request_id", "page", "route", "method", "steps"}


def _requests(seen: list[Seen]) -> list[str]:
    """What was asked; in order where any of it writes, else how often."""
    asked = [f"{one.method} {one.target}" for one in seen]
    if all(one.method == "GET" for one in seen):
        return [f"{count} × {name}" if count > 1 else name for name, count in sorted(Counter(asked).items())]
    # What is taken back of one step goes side by side.
    undone = sum(1 for _ in takewhile(lambda name: name.startswith("DELETE /row/"), reversed(asked)))
    return [*asked[: len(asked) - undone], *sorted(asked[len(asked) - undone :])]
