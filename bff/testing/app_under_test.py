"""Where faults are tried: a server on a real socket for every case of a process, and the app of one page on it."""

from __future__ import annotations

import atexit
import itertools
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from bff import clock
from bff.http import Client, ForwardedToken, SocketTransport, StreamBroke, Transport
from bff.http.gate import Gate
from bff.identity.session import Session, SessionSeal
from bff.plan.model import PlannedPages, PlannedRequest, PlannedUntil
from bff.plan.planning import plan_folder
from bff.problems import CONTENT_TYPE
from bff.recipe.model import Recipe
from bff.testing.lines import assembled
from bff.testing.samples import GivenInput
from bff.testing.scenario import SESSION_KEY, raw_body, wire_texts
from bff.testing.server import FakeBackend, Received, Script, answer
from bff.testing.signing import with_signature
from bff.testing.tables import rows_in
from bff.testing.upstream import PICTURE
from bff.web.app import create_app
from bff.web.lines import MEDIA_TYPE
from bff.web.site import Page

_KEY_HEADER = "idempotency-key"
_DEVELOPING = {"FLASK_RUN_FROM_CLI": "true"}
"""Then a page that keeps answers starts without a store, and each of its visits runs."""
_AIM = 1.5
"""Seconds that a page with a longer deadline gets."""
_LEAST_TIMEOUT = 0.25


class FaultServer(FakeBackend):
    """Answers `/CASE/STEP/…` by the script of that case and step, and knows who asked for what."""

    def __init__(self) -> None:
        super().__init__()
        self._cases: dict[str, Mapping[str, Script]] = {}
        self._asked: dict[str, list[tuple[str, int]]] = {}
        self._numbers = itertools.count(1)
        self._noting = threading.Lock()

    def open_case(self, scripts: Mapping[str, Script]) -> str:
        """A case with a script for each step; gives its name."""
        with self._noting:
            name = f"c{next(self._numbers)}"
            self._cases[name] = scripts
            self._asked[name] = []
        return name

    def close_case(self, case: str) -> None:
        with self._noting:
            del self._cases[case], self._asked[case]
        self.requests.clear()

    def asked(self, case: str) -> Counter[str]:
        """The steps that were asked, in order, each as often as it was."""
        with self._noting:
            return Counter(step for step, _ in self._asked[case])

    def begin_anew(self, case: str, ended: str | None = None) -> None:
        """Forgets what was asked, and closes the idle connections over which a step was."""
        with self._noting:
            numbers = {number for name, number in self._asked[case] if name == ended}
            self._asked[case].clear()
        self.hang_up(numbers)

    def script_of(self, received: Received) -> Script:
        _, case, step, *_ = received.target.split("/", 3)
        with self._noting:
            scripts = self._cases.get(case, {})
            if case in self._asked:
                self._asked[case].append((step, received.connection))
        return scripts.get(step, answer(404))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all cases of a process share; `closed` is a URL where nobody listens."""

    server: FaultServer
    transport: Transport
    closed: str


def addresses_of_backends() -> tuple[str, str]:
    """The addresses of backends, which are nobody's business."""
    found = surroundings()
    return found.server.url, found.closed


@cache
def surroundings() -> Surroundings:
    """The process's own, started when they are first asked for; their threads are daemons and end with it."""
    server = FaultServer()
    server.__enter__()
    unheard = socket.socket()
    unheard.bind(("127.0.0.1", 0))
    atexit.register(unheard.close)
    closed = f"http://127.0.0.1:{unheard.getsockname()[1]}"
    return Surroundings(server, SocketTransport(), closed)


_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: the page's deadline and each request's own time-out; other times are as many times as long."""

    deadline: float
    timeouts: Mapping[str, float]
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What the visitor got; `seconds` is how long it took, `cut` says that the body `raw` broke off.

    Status 0 is a page in lines that was cut.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any
    seconds: float
    raw: bytes = b""
    cut: bool = False


class Visit:
    """A visitor of one page in an app of its own, whose backends are at given addresses."""

    def __init__(self, root: Path, name: str) -> None:
        with _making:  # `ast` of Python 3.11 must not be used by two threads at a time
            app = create_app(root, [name], environ=environment(root), transport=surroundings().transport)
        self._site = app.extensions["bff"]
        self._app = app
        self.page: Page = self._site.pages[name]

    def move(self, addresses: Mapping[str, str], times: Times) -> None:
        """Let each step ask its own address, by clients that nobody has used yet, and shorten what it waits."""
        page = self.page
        gates = {client.name: Gate(client.concurrency) for client in page.plan.clients}

        def moved(client: Client, name: str) -> Client:
            found = client.at(addresses[name])
            found.gate = gates[client.name]
            if found.signs and not type(found.auth).__module__.startswith("requests."):
                found.auth = None  # code of the project may ask elsewhere, for a token
            return found

        steps = tuple(
            replace(
                step,
                client=moved(step.client, step.name),
                timeout=times.timeouts[step.name],
                repeats=_shortened(step.repeats, times.factor),
                undo=None
                if step.undo is None
                else replace(step.undo, client=moved(step.undo.client, f"undo.{step.name}")),
            )
            if isinstance(step, PlannedRequest)
            else step
            for step in page.plan.steps
        )
        recipe = replace(page.recipe, deadline=times.deadline)
        plan = replace(page.plan, recipe=recipe, steps=steps)
        self._site.pages[page.recipe.name] = replace(page, recipe=recipe, plan=plan)

    def ask(self, request: GivenInput, user: Any, *, in_lines: bool = False) -> Answered:
        """Ask for the page as a browser of ours does, in one piece or in lines that are put together."""
        recipe = self.page.recipe
        visitor = self._app.test_client()
        if recipe.auth != "none":
            visitor.set_cookie("bff-session", _cookie(self.page, user))
        headers = [(name, text) for name, value in request.headers.items() for text in wire_texts(value)]
        options: dict[str, Any] = {"json": request.body} if recipe.input.body is not None else {}
        if recipe.signed is not None:
            raw, secret = raw_body(recipe, request), next(iter(recipe.signed.stand_ins.values()))
            options = {"data": raw, "content_type": "application/json"}
            headers = with_signature(recipe.signed, secret, raw, headers)
        if recipe.passes and recipe.method != "GET":
            options = {"data": PICTURE, "content_type": "image/png"}
        begun = clock.monotonic()
        found = visitor.open(
            path_of(recipe, request),
            method=recipe.method,
            query_string=[
                (name, text) for name, value in request.query.items() for text in wire_texts(value)
            ],
            headers=[
                ("Sec-Fetch-Site", "same-origin"),
                ("Accept", MEDIA_TYPE if in_lines else "application/json"),
                *headers,
            ],
            **options,
        )
        raw, cut = _body_of(found)
        seconds = clock.monotonic() - begun
        if found.mimetype == MEDIA_TYPE:
            return _put_together(found, seconds)
        answered = found.get_json(silent=True) if raw and not cut else None
        if found.mimetype == "text/csv" and recipe.format is not None:
            answered = rows_in(self.page.plan, raw)
        texts = {name: ", ".join(found.headers.getlist(name)) for name in found.headers.keys()}  # noqa: SIM118
        return Answered(found.status_code, texts, raw.decode("utf-8", "replace"), answered, seconds, raw, cut)


class PageUnderTest:
    """A page of a project, in apps that one case at a time has for itself, and others after it."""

    def __init__(self, root: Path, name: str) -> None:
        self._root, self._name = root, name
        self._idle: list[Visit] = [Visit(root, name)]
        self.page = self._idle[0].page

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """A visitor's app, for as long as it is needed."""
        try:
            visit = self._idle.pop()
        except IndexError:
            visit = Visit(self._root, self._name)
        yield visit
        if not _remembers(self.page.recipe):
            self._idle.append(visit)


def _shortened(
    repeats: PlannedPages | PlannedUntil | None, factor: float
) -> PlannedPages | PlannedUntil | None:
    """How a step is asked again, with other times."""
    match repeats:
        case PlannedPages(within=float() as within):
            return replace(repeats, within=within * factor)
        case PlannedUntil(every=every, within=within):
            return replace(repeats, every=every * factor, within=within * factor)
    return repeats


def _remembers(recipe: Recipe) -> bool:
    """Whether an app knows a visitor again: it counts visits, or keeps answers by the key of a request."""
    return recipe.rate_limit is not None or any(
        one.name.lower() == _KEY_HEADER for one in recipe.input.headers
    )


def _body_of(found: Any) -> tuple[bytes, bool]:
    """The body of an answer as far as it came, and whether it broke off."""
    pieces: list[bytes] = []
    try:
        for piece in found.iter_encoded():
            pieces.append(piece)
    except StreamBroke:
        return b"".join(pieces), True
    finally:
        found.close()
    raw = b"".join(pieces)
    found.set_data(raw)
    return raw, False


def _put_together(found: Any, seconds: float) -> Answered:
    """The answer that the lines make, as if it had come in one piece."""
    page = assembled(found.text)
    of_parts = {"X-Page-Partial": page.partial, "X-Page-Stale": page.stale}
    headers = {name: value for name, value in found.headers.items() if name not in of_parts}
    if page.problem is not None:
        headers["Content-Type"] = CONTENT_TYPE
        return Answered(page.problem["status"], headers, found.text, page.problem, seconds)
    headers |= {name: ", ".join(steps) for name, steps in of_parts.items() if steps}
    status = found.status_code if page.complete else 0
    return Answered(status, headers, found.text, page.page, seconds)


@cache
def environment(root: Path) -> Mapping[str, str]:
    """An environment with a session key of our own and everything that the clients of a project want."""
    found = {"BFF_SESSION_KEYS": SESSION_KEY, **_DEVELOPING}
    planned = plan_folder(root)
    for client in planned.clients.values():
        found |= client.stand_ins
    for plan in planned.plans.values():
        found |= {} if plan.recipe.signed is None else plan.recipe.signed.stand_ins
    return found


def scaled(page: Page, stretch: float) -> Times:
    """The times of a page under test: in the proportions that its recipe says, its deadline at most 1.5 s."""
    deadline = page.recipe.deadline
    factor = min(1.0, _AIM / deadline) * stretch
    timeouts = {
        step.name: max(_LEAST_TIMEOUT, factor * (step.timeout or step.client.timeout))
        for step in page.plan.steps
        if isinstance(step, PlannedRequest)
    }
    return Times(deadline * factor, timeouts, factor)


def _cookie(page: Page, user: Any) -> str:
    names = [client.auth.name for client in page.plan.clients if isinstance(client.auth, ForwardedToken)]
    now = clock.wall()
    session = Session(user, {name: f"token-of-{name}" for name in names}, int(now) + 3600)
    return SessionSeal([SESSION_KEY], 3600.0).seal(session, now)


def path_of(recipe: Recipe, request: GivenInput) -> str:
    """The path of a page with its parameters filled in."""
    return "".join(_path_parts(recipe.path, request.path))


def _path_parts(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    for part in path.split("{"):
        name, closed, rest = part.partition("}")
        yield quote(str(values[name]), safe="") + rest if closed else part
