"""The headers that a recipe may send to a backend, set on its answer and read from the visitor."""

from __future__ import annotations

from bff.expressions.tree import Mapping
from bff.http import (
    FORBIDDEN_REQUEST_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    check_header,
    is_of_the_way,
    may_not_go_up,
)
from bff.recipe.check.page import Page
from bff.recipe.model import Marks, Request

# Answers of the layer itself; a recipe that wrote them would undo what they are for.
_OWN_RESPONSE_HEADERS = {
    "cache-control": "write cache: 60s",
    "expires": "write cache: 60s",
    "pragma": "write cache: 60s",
    "etag": "the layer makes it",
    "last-modified": "the layer makes an ETag",
    "vary": "the layer makes it",
    "content-type": "a page is application/json, or as its format says",
    "server-timing": "the layer makes it",
}
_TO_SHARED_CACHES = frozenset({"surrogate-control", "edge-control", "x-accel-expires"})
_TO_SERVERS_BEFORE = ("x-accel-", "x-sendfile", "x-lighttpd-", "x-litespeed-", "x-reproxy-")


def _why_not_set(name: str) -> str | None:
    """Why a recipe cannot set a header of this name, in lower case, on its answer; None where it can."""
    if name in _TO_SHARED_CACHES or name.endswith("cache-control"):
        # What obeys it keeps a private page for everybody, whatever Cache-Control says beside it.
        return "write cache: {max_age: 60s, shared_max_age: 60s}"
    if name.startswith(_TO_SERVERS_BEFORE):
        return "servers before the app act on it, and nobody else sees it"
    if name in FORBIDDEN_RESPONSE_HEADERS:
        return "it is a matter of the whole app"
    return None


_TELLS_THE_WAY = "Client(forwarded_headers=True) tells a backend by which way its visitor came"
_ANYBODY = f"anybody may write it; {_TELLS_THE_WAY}"
_VISITORS_TOKENS = {"authorization", "cookie", "proxy-authorization"}


def check_headers(page: Page) -> None:
    """Say the names of headers that a recipe may not send, set or read."""
    for step in page.requests:
        for request in (step, step.undo):
            if request is None:
                continue
            client = page.client(request)
            own = client.auth_header if client is not None else None
            _check_request_headers(page, request.headers, request.marks, own)
            if step.idempotency_key is not None:
                _check_key_header(page, request)
    _check_answer_headers(page)
    for parameter in page.recipe.input.headers:
        if parameter.name.lower() in _VISITORS_TOKENS:
            mark = page.recipe.marks.key(f"input.headers.{parameter.name}")
            page.say(mark, f"a recipe cannot read the header '{parameter.name}'", "auth says who may ask")
        elif is_of_the_way(parameter.name.lower()):
            mark = page.recipe.marks.key(f"input.headers.{parameter.name}")
            page.say(
                mark,
                f"a recipe cannot read the header '{parameter.name}'",
                _ANYBODY,
            )
        else:
            _check_form(page, parameter.name, page.recipe.marks, f"input.headers.{parameter.name}")


def _check_request_headers(page: Page, headers: Mapping | None, marks: Marks, own: str | None) -> None:
    for name, _ in headers.items if headers is not None else ():
        mark = marks.key(f"headers.{name}")
        lower = name.lower()
        if lower == own or lower == "authorization":
            page.say(mark, f"a recipe cannot send the header '{name}'", "it is the client's: Client(auth=…)")
        elif lower in FORBIDDEN_REQUEST_HEADERS:
            page.say(mark, f"a recipe cannot send the header '{name}'", "the layer makes it")
        elif may_not_go_up(lower):
            page.say(mark, f"a recipe cannot send the header '{name}'", _TELLS_THE_WAY)
        else:
            _check_form(page, name, marks, f"headers.{name}")


def _check_key_header(page: Page, request: Request) -> None:
    for name, _ in request.headers.items if request.headers is not None else ():
        if name.lower() == "idempotency-key":
            mark = request.marks.key(f"headers.{name}")
            page.say(mark, f"'{name}' beside idempotency_key", "the layer sends it; leave it out")


def _check_answer_headers(page: Page) -> None:
    headers = page.recipe.headers
    for name, _ in headers.items if headers is not None else ():
        mark = page.recipe.marks.key(f"headers.{name}")
        lower = name.lower()
        if lower in _OWN_RESPONSE_HEADERS:
            page.say(mark, f"a recipe cannot set the header '{name}'", _OWN_RESPONSE_HEADERS[lower])
        elif (why := _why_not_set(lower)) is not None:
            page.say(mark, f"a recipe cannot set the header '{name}'", why)
        else:
            _check_form(page, name, page.recipe.marks, f"headers.{name}")


def _check_form(page: Page, name: str, marks: Marks, key: str) -> None:
    try:
        check_header(name, "")
    except ValueError as error:
        page.say(marks.key(key), str(error), "letters, digits and -")
