"""What goes through a page unread: the visitor's body on its way up, the backend's on its way down."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bff import clock
from bff.errors import PageError
from bff.executor import Passed, Sent
from bff.http import StreamBroke
from bff.http.stream.file_names import disposition, name_in
from bff.http.stream.media import CODINGS, OCTETS, codings_of, essence_of, manner_of, sent_up
from bff.problems import problem
from bff.settings import Settings
from bff.web.answer import Answer
from bff.web.headers import Headers, put
from bff.web.journal import Journal
from bff.web.keeping import NO_STORE
from bff.web.live import LiveBody
from bff.web.receiving import Cut, TooLong
from bff.web.request import PageRequest

SANDBOX = "sandbox; default-src 'none'"
"""The Content-Security-Policy of every body that goes through: opened as a page of its own it can do nothing."""

_PIECE = 64 * 1024
_CONDITIONS = {
    "If-None-Match": re.compile(r'(?:W/)?"[!#-~]{0,200}"|\*'),
    "If-Modified-Since": re.compile(r"[A-Za-z]{3}, [0-9A-Za-z :]{10,30}"),
    "Range": re.compile(r"bytes=(?:\d{1,18}-\d{0,18}|-\d{1,18})"),
    "If-Range": re.compile(r'(?:W/)?"[!#-~]{0,200}"|[A-Za-z]{3}, [0-9A-Za-z :]{10,30}'),
    "Last-Event-ID": re.compile(r"[ -~]{1,200}"),
}
_VALIDATORS = {
    "ETag": re.compile(r'(?:W/)?"[!#-~]{0,200}"'),
    "Accept-Ranges": re.compile(r"bytes|none"),
    "Content-Range": re.compile(r"bytes (?:\d{1,18}-\d{1,18}|\*)/(?:\d{1,18}|\*)"),
}


# --- up ----------------------------------------------------------------------------------------------------------


def sent_by(request: PageRequest, settings: Settings, deadline: float, *, is_get: bool) -> Sent:
    """What of a visitor's request goes through to the backend; raises PageError where it may not."""
    if is_get:
        found = {name: request.header(name).strip() for name in _CONDITIONS}
        passing = {name: text for name, text in found.items() if _CONDITIONS[name].fullmatch(text)}
        return Sent(settings.max_download, settings.max_reply, headers=passing)
    length = request.body_length
    chunked = "chunked" in request.header("Transfer-Encoding").lower()
    if length == 0 or (length is None and not chunked):
        return Sent(settings.max_download, settings.max_reply)
    content_type = request.header("Content-Type")
    if length is None and not essence_of(content_type).startswith("multipart/"):
        # Some servers tell nobody that such a body was cut off, and it has no last line of its own.
        raise problem("length-required", "Say how long the body is: Content-Length.")
    if length is not None and length > settings.max_upload:
        raise _too_large(settings)
    headers = _headers_up(request, content_type)
    body = _pieces_up(request, length, settings, deadline)
    return Sent(settings.max_download, settings.max_reply, body, length, sent_up(content_type), headers)


def _headers_up(request: PageRequest, content_type: str) -> dict[str, str]:
    """What a body's own headers say of it beside its type: how it is packed, and the name of a single file."""
    packed = codings_of(request.header("Content-Encoding"))
    if packed is None:
        raise problem(
            "unsupported-media-type",
            "The body is packed in a way that nobody here knows.",
            headers={"Accept-Encoding": ", ".join(sorted(CODINGS))},
        )
    found = {"Content-Encoding": packed} if packed else {}
    name = name_in(request.header("Content-Disposition"))
    if name and not essence_of(content_type).startswith("multipart/"):
        found["Content-Disposition"] = disposition("attachment", name)
    return found


def _pieces_up(
    request: PageRequest, length: int | None, settings: Settings, deadline: float
) -> Iterator[bytes]:
    """The visitor's body as it comes; raises PageError where it is too large, too slow or not whole."""
    request.bind(settings.max_upload)
    count = 0
    try:
        while piece := request.piece(_PIECE, settings.body_timeout):
            count += len(piece)
            if count > settings.max_upload:
                raise _too_large(settings)
            if clock.monotonic() > deadline:
                raise problem("upload-too-slow", "The body was not whole in time.")
            yield piece
    except TooLong as error:
        # At the bound itself nobody looks for an end.
        if length is None or count != length:
            raise _too_large(settings) from error
    except (Cut, OSError) as error:
        raise _cut() from error
    if length is not None and count < length:
        raise _cut()


def _too_large(settings: Settings) -> PageError:
    return problem(
        "body-too-large", f"The body is larger than the {settings.max_upload} bytes that this page takes."
    )


def _cut() -> PageError:
    return problem("cut-body", "The body ends too early.")


# --- down --------------------------------------------------------------------------------------------------------


def answer_with(passed: Passed, headers: Headers, request: PageRequest, journal: Journal) -> Answer:
    """The answer of what came back; `headers` are the recipe's and Cache-Control.

    Only what is listed here comes down of the backend's headers.
    """
    found = {**_down(passed), "X-Content-Type-Options": "nosniff", "Content-Security-Policy": SANDBOX}
    is_record_stream = essence_of(found.get("Content-Type", "")) == "text/event-stream"
    if is_record_stream:
        found |= {"X-Accel-Buffering": "no"}
    made: Headers = list(found.items())
    for name, value in headers:
        put(made, name, NO_STORE if is_record_stream and name == "Cache-Control" else value)
    bodiless = passed.status in (204, 304, 416)
    if passed.length is not None and not bodiless:
        made.append(("Content-Length", str(passed.length)))
    journal.bytes = 0
    if bodiless or request.method == "HEAD":
        passed.close()
        if passed.status == 416:
            made.append(("Content-Length", "0"))
        return Answer(passed.status, made, b"")
    journal.cut = True  # until its end is reached
    return Answer(passed.status, made, LiveBody(_pieces_down(passed, journal), passed.close))


def _pieces_down(passed: Passed, journal: Journal) -> Iterator[bytes]:
    """The body on its way down, with what the journal tells of it."""
    count = 0
    try:
        for piece in passed.chunks():
            count += len(piece)
            journal.bytes = count
            yield piece
    except StreamBroke as error:
        journal.broken, journal.reason, journal.cut = error.kind, error.reason, False
        # Nothing else tells a visitor that this is not the end: the server then breaks the connection.
        raise error from None
    journal.cut = False


def _down(passed: Passed) -> dict[str, str]:
    """The headers of the backend that come down, each only in the form that is known."""
    upstream = passed.headers
    found = {
        name: upstream[name.lower()]
        for name, form in _VALIDATORS.items()
        if form.fullmatch(upstream.get(name.lower(), ""))
    }
    if _is_date(upstream.get("last-modified", "")):
        found["Last-Modified"] = upstream["last-modified"]
    if passed.status not in (204, 304, 416):
        content_type = upstream.get("content-type", "").strip()
        manner = manner_of(content_type)
        found["Content-Type"] = OCTETS if manner == "unknown" else content_type
        name = name_in(upstream.get("content-disposition", ""))
        found["Content-Disposition"] = disposition("inline" if manner == "inline" else "attachment", name)
    return found


def _is_date(text: str) -> bool:
    from email.utils import parsedate_to_datetime  # a first page reads no date

    try:
        return len(text) < 40 and parsedate_to_datetime(text) is not None
    except (ValueError, TypeError):
        return False
