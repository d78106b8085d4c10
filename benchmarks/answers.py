"""Looks at what the peers answer before anything is measured: equal pages, and the same work where that is said."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import fixtures, lineup
from benchmarks.lineup import HOME, Page
from benchmarks.servers import Answer, Server

_STRONG = re.compile(r'"[^"]{16,}"')
# The page's deadline is three seconds; a busy machine may be late.
_DEADLINE = (2.5, 6.0)
# Seconds without a line after which none is to come.
_QUIET = 0.3


def pages_of(work: str) -> list[Page]:
    """All pages that a peer has to have; the bare form is the home page alone."""
    if work == "bare":
        return [HOME]
    fans = [lineup.fan(calls) for calls in fixtures.FAN_OUTS]
    sizes = [lineup.size(kilobytes) for kilobytes in fixtures.SIZES_KB]
    return [HOME, *fans, *sizes, lineup.listed("batch"), lineup.listed("one-by-one")]


def problems_of(server: Server, *, pages: list[Page] | None = None) -> list[str]:
    """What is wrong with a peer, a line for each; empty where all is well."""
    found = [
        f"{server.peer.name} ({server.work}), {page.name} {dict(page.input)}: {problem}"
        for page in (pages_of(server.work) if pages is None else pages)
        for problem in _wrong_page(server, page)
    ]
    if server.work == "same" and not found:
        found = [f"{server.peer.name} (same): {problem}" for problem in _missing_work(server)]
    return found


def _wrong_page(server: Server, page: Page) -> Iterator[str]:
    answer = server.ask(page)
    if answer.status != 200:
        yield f"status {answer.status}"
        return
    try:
        given = server.target(page).page_of(json.loads(answer.body))
    except (ValueError, LookupError, TypeError):
        yield f"no page in {answer.body[:80]!r}"
        return
    if difference := first_difference(page.expected, given):
        yield difference


def first_difference(expected: Any, given: Any, at: str = "$") -> str | None:
    """Where two JSON values differ first, and how; None where they are equal. 1 and 1.0 and true are not equal."""
    if type(expected) is not type(given):
        return f"{at} is {_shown(given)}, not {_shown(expected)}"
    if isinstance(expected, dict):
        if expected.keys() != given.keys():
            return f"{at} has the keys {sorted(given)}, not {sorted(expected)}"
        pairs = [(f"{at}.{key}", expected[key], given[key]) for key in expected]
    elif isinstance(expected, list):
        if len(expected) != len(given):
            return f"{at} has {len(given)} items, not {len(expected)}"
        pairs = [(f"{at}[{number}]", one, given[number]) for number, one in enumerate(expected)]
    else:
        return None if expected == given else f"{at} is {_shown(given)}, not {_shown(expected)}"
    found = (first_difference(one, other, place) for place, one, other in pairs)
    return next((difference for difference in found if difference), None)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def promises(server: Server, page: Page) -> Iterator[str]:
    """What should stand around a page and does not: ETag and 304, a total, a line in the log."""
    answer = server.ask(page)
    etag = answer.headers.get("etag", "")
    if not _STRONG.fullmatch(etag):
        yield f"no strong ETag: {etag!r}"
    again = server.ask(page, {"If-None-Match": etag})
    if again.status != 304 or again.body:
        yield f"If-None-Match is answered {again.status} with {len(again.body)} bytes"
    if not re.search(r"(^|, )total;dur=[\d.]+", answer.headers.get("server-timing", "")):
        yield "no total in Server-Timing"
    yield from _missing_lines(server, page)


def _missing_work(server: Server) -> Iterator[str]:
    """What the form `same` promises and does not do."""
    yield from promises(server, HOME)
    for what, refused, statuses in _REFUSED:
        status = refused(server).status
        if status not in statuses:
            yield f"{what} is answered {status}"
    begun = time.monotonic()
    status = server.ask(HOME, {"Cookie": server.sign_in(fixtures.HANGS)}).status
    took = time.monotonic() - begun
    if status != 504 or not _DEADLINE[0] <= took <= _DEADLINE[1]:
        yield f"a backend that never answers: {status} after {took:.1f} s, not 504 after 3 s"


def _with_input(server: Server, **given: str) -> Answer:
    return server.ask(Page(HOME.name, {**HOME.input, **given}, None))


_REFUSED: list[tuple[str, Callable[[Server], Answer], set[int]]] = [
    ("a request without a session", lambda server: server.ask(HOME, {"Cookie": "a=b"}), {401}),
    (
        "a session that was tampered with",
        lambda server: server.ask(HOME, {"Cookie": _tampered(server.cookie)}),
        {401},
    ),
    ("an unknown status", lambda server: _with_input(server, status="lost"), {400, 422}),
    ("a limit over 100", lambda server: _with_input(server, limit="101"), {400, 422}),
]


def _tampered(cookie: str) -> str:
    """The cookie with another letter in its middle."""
    middle = (cookie.index("=") + len(cookie)) // 2
    return cookie[:middle] + ("A" if cookie[middle] != "A" else "B") + cookie[middle + 1 :]


def _missing_lines(server: Server, page: Page) -> Iterator[str]:
    """One JSON line for each page, and no more."""
    before = _settled_lines(server)
    for _ in range(3):
        server.ask(page)
    written = _settled_lines(server) - before
    if written != 3:
        yield f"{written} lines in the log for 3 pages"


def _settled_lines(server: Server) -> int:
    """The lines of pages so far; a line may be written after its answer."""
    seen, since = _lines(server), time.monotonic()
    while time.monotonic() - since < _QUIET:
        time.sleep(0.02)
        if (now := _lines(server)) != seen:
            seen, since = now, time.monotonic()
    return seen


def _lines(server: Server) -> int:
    return sum(1 for line in server.log.read_bytes().splitlines() if _is_page_line(line))


def _is_page_line(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and {"route", "status", "ms"} <= found.keys()
