"""Asks one page of a project as a visitor would, in this process: its real backends, no server."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cryptography.fernet import Fernet
from msgspec import Struct
from msgspec.structs import replace

from bff import clock, jsontext
from bff.errors import OperatorError
from bff.identity import Session, SessionSeal
from bff.plan.model import Plan
from bff.recipe.model import Recipe
from bff.text import nearest
from bff.web.answer import Answer
from bff.web.app import flask_app
from bff.web.assembly import load_site
from bff.web.frame import Frame
from bff.web.identity import COOKIE
from bff.web.journal import Journal, operator
from bff.web.request import key_of

_HOLE = re.compile(r"\{([^}]*)\}")
_SECONDS = 3600.0
_DEVELOPING = {"FLASK_RUN_FROM_CLI": "true"}
"""Then a page that keeps answers needs no store."""


class Visitor(Struct, frozen=True):
    """Somebody who has signed in: what expressions see as `user`, and a token for each client that forwards one."""

    user: Any
    tokens: Mapping[str, str] = {}


class Called(Struct, frozen=True):
    """What a page answered, and its journal; `body` is whole, `hints` are what its author may have meant."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    journal: Journal
    hints: tuple[str, ...] = ()


def visitor_of(text: str) -> Visitor:
    """The visitor of a file: `{"user": …, "tokens": {"CLIENT": "…"}}`; raises OperatorError for another one."""
    try:
        found = jsontext.decode(text.encode())
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found.keys() <= {"user", "tokens"} or "user" not in found:
        raise OperatorError('--as takes a file like {"user": {"id": "1"}, "tokens": {"people": "a token"}}')
    tokens = found.get("tokens", {})
    if not isinstance(tokens, dict) or not all(isinstance(token, str) for token in tokens.values()):
        raise OperatorError('--as: "tokens" is a mapping of texts, one for each client that forwards a token')
    return Visitor(found["user"], tokens)


def ask_page(
    root: Path,
    page: str,
    query: Sequence[tuple[str, str]],
    body: bytes | None,
    visitor: Visitor | None,
    environ: Mapping[str, str],
) -> Called:
    """Asks a page; what is named in `query` and in the page's path is put there.

    Raises AuthorError or OperatorError with all that is wrong with the page.
    """
    operator.addHandler(logging.NullHandler())  # else its lines would go out beside the answer
    environ = {**environ, **_DEVELOPING}
    # With the keys of the environment, what the page seals for itself is opened by the next call.
    key = environ.get("BFF_SESSION_KEYS", "").partition(",")[0].strip() or Fernet.generate_key().decode()
    environ["BFF_SESSION_KEYS"] = environ.get("BFF_SESSION_KEYS") or key
    made = load_site(root, [page], environ, None)
    asked = made.site.pages[page]
    recipe = asked.recipe
    if body is None and (recipe.input.body is not None or recipe.signed is not None):
        body = b""  # the page says that it takes one
    frame = _Heard(made.frame)
    cookie = None if visitor is None else cookie_of(visitor, key)
    request = environ_of(recipe, query, body, cookie)
    signing = _sign(request, recipe, body or b"", environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        started.append((status, headers))

    pieces = flask_app(replace(made, frame=frame)).wsgi_app(request, start_response)
    try:
        whole = b"".join(pieces)
    finally:
        if (close := getattr(pieces, "close", None)) is not None:
            close()
    status, headers = started[-1]
    hints = (*signing, *_unknown(recipe, query), *_unreached(asked.plan, frame.journal))
    if status.startswith("401") and visitor is None and recipe.auth != "none":
        hints += ("--as FILE says who asks",)
    return Called(int(status[:3]), tuple(headers), whole, frame.journal, hints)


def _sign(
    request: dict[str, Any], recipe: Recipe, body: bytes, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Sign a request as its page wants it, by the first of its secrets; says so."""
    if recipe.signed is None:
        return ()
    from bff.testing.signing import signed_headers  # few pages are for who signs

    name = recipe.signed.secrets[0]
    message = f"msg_{token_hex(8)}"  # each call is news of its own
    for header, value in signed_headers(recipe.signed, environ[name], body, message=message).items():
        request[key_of(header)] = value
    return (f"signed with {name}, as {recipe.signed.scheme} signs",)


def _unknown(recipe: Recipe, query: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The names of a query that no page reads are left out in silence, as a visitor's are."""
    known = [*_HOLE.findall(recipe.path), *(parameter.name for parameter in recipe.input.query)]
    for name in dict.fromkeys(name for name, _ in query):
        if name not in known:
            near = nearest(name, known)
            meant = f"; did you mean {near}?" if near else ""
            yield f"-q {name}: {recipe.file} declares no {name!r}{meant}"


def _unreached(plan: Plan, journal: Journal) -> Iterator[str]:
    """Where the backends are that could not be reached."""
    clients = {step.name: step.client for step in plan.requests}
    for name, trace in journal.traces.items():
        if name in clients and trace.failure is not None and trace.failure.kind == "refused":
            address = urlsplit(clients[name].url(""))
            where = f"{address.scheme}://{address.netloc}"
            yield f"{name}: clients/{clients[name].name}.py asks {where}; is it running there?"


def environ_of(
    recipe: Recipe, query: Sequence[tuple[str, str]], body: bytes | None, cookie: str | None
) -> dict[str, Any]:
    """The WSGI environ of a request for a page; raises OperatorError where its path lacks something."""
    holes = set(_HOLE.findall(recipe.path))
    given = {name: value for name, value in query if name in holes}
    lacking = sorted(holes - given.keys())
    if lacking:
        near = nearest(lacking[0], [name for name, _ in query])
        meant = f" ({near!r} was given)" if near else ""
        raise OperatorError(f"{recipe.path} needs {lacking[0]}: -q {lacking[0]}=…{meant}")
    sent = _HOLE.sub(lambda hole: quote(given[hole[1]], safe=""), recipe.path)
    text = urlencode([(name, value) for name, value in query if name not in holes])
    found = {
        "REQUEST_METHOD": recipe.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _HOLE.sub(lambda hole: given[hole[1]].encode().decode("latin-1"), recipe.path),
        "RAW_URI": f"{sent}?{text}" if text else sent,
        "QUERY_STRING": text,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": True,
    }
    if body is not None:
        found |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    if cookie is not None:
        found["HTTP_COOKIE"] = cookie
    return found


class _Heard(Frame):
    """A frame that keeps the journal of the page, and writes no line."""

    def __init__(self, frame: Frame) -> None:
        vars(self).update(vars(frame))
        self.journal = Journal("", clock.monotonic())

    def tell(self, method: str, answer: Answer, journal: Journal) -> None:
        self.journal = journal


def cookie_of(visitor: Visitor, key: str) -> str:
    """The session cookie of a visitor, sealed with a key; it lasts an hour."""
    now = clock.wall()
    session = Session(visitor.user, visitor.tokens, int(now + _SECONDS))
    return f"{COOKIE.plain}={SessionSeal([key], _SECONDS).seal(session, now)}"
