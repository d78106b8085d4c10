"""What the development server adds to an app: answers for pages that cannot run, the overlay, the start page, lines."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from bff.dev.lines import line_of
from bff.dev.neighbour import description
from bff.dev.pages import DevPages, Down
from bff.dev.start_page import document, start_page
from bff.jsontext import encode
from bff.problems import problem
from bff.settings import DEFAULT_CSP
from bff.web.dispatched import response_of
from bff.web.journal import page_of
from bff.web.problems import is_api, problem_answer
from bff.web.site import Site

OWN = "/-/dev/"
"""Where the server answers for itself; nothing of a project is there."""
MARK = "bff-mistake"
"""The name in Server-Timing by which the overlay knows that an answer is a mistake, and whose."""
_FILES = {"dev.css": "text/css", "overlay.js": "text/javascript", "start.js": "text/javascript"}
# Before any other script, since it watches what they ask.
_SCRIPT = f'<script src="{OWN}overlay.js"></script>'.encode()
_PUBLIC = frozenset({"public.index", "public.file"})
_UNCHANGED = (
    *("HTTP_ACCEPT_ENCODING", "HTTP_RANGE", "HTTP_IF_RANGE"),
    *("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"),
)
_BEGIN = re.compile(rb"<head(?:\s[^>]*)?>|<!doctype[^>]*>(?!.*<head[\s>])", re.IGNORECASE | re.DOTALL)
# A script without an address; one whose type is JSON is data.
_INLINE = re.compile(rb"<script(?![^>]*(?:\ssrc\s*=|json))[^>]*>", re.IGNORECASE)
_BLOCKED = "a script in the HTML does not run: put it into a file, <script src=…>, or set BFF_CSP"


def watch(app: Flask, pages: DevPages, write: Callable[[str], None]) -> None:
    """Add all of it to an app, whose pages are loaded by `pages`."""
    site: Site = app.extensions["bff"]
    has_index = (site.root / "public" / "index.html").is_file

    @app.before_request
    def answer_instead() -> Response | None:
        if request.path.startswith(OWN):
            return None
        if (down := _down(site, pages)) is not None:
            g.down = down[0].name
            return _mistakes(down)
        if request.endpoint in _PUBLIC and _wants_document():  # as it is written: the script is put into it
            for name in _UNCHANGED:
                request.environ.pop(name, None)
        if request.endpoint == "public.index" and not has_index():
            return _unkept(start_page(pages))
        return None

    @app.after_request
    def finish(response: Response) -> Response:
        if request.endpoint in _PUBLIC and response.mimetype == "text/html" and not g.get("down"):
            body = _inject(response)
            if pages.csp == DEFAULT_CSP and _INLINE.search(body):
                write(f"{quote(request.path)}: {_BLOCKED}")
        if not (g.journal.page or request.path.startswith(OWN) or _is_part_of_a_document(response)):
            what = g.get("down") or f"{request.method} {quote(request.path)}"
            write(line_of(response.status_code, what, g.journal.milliseconds))
        return response

    @app.get(f"{OWN}mistakes")
    def mistakes() -> Response:
        found = {name: down.texts for name, down in pages.down.items()}
        return _unkept(encode(found), "application/json")

    @app.get(f"{OWN}project")
    def project() -> Response:
        rules = ((rule.endpoint, rule.rule) for rule in app.url_map.iter_rules())
        return _unkept(encode(description(site, pages, rules)), "application/json")

    @app.get(f"{OWN}<name>")
    def own_file(name: str) -> Response:
        if name not in _FILES:
            raise problem("not-found", "There is no such page.")
        content = (Path(__file__).parent / "files" / name).read_bytes()
        return _unkept(content, _FILES[name])


def _unkept(content: bytes | str, kind: str = "text/html", status: int = 200) -> Response:
    return Response(content, status, {"Cache-Control": "no-store"}, mimetype=kind)


def _wants_document() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _is_part_of_a_document(response: Response) -> bool:
    """Whether this is a script, style or picture that came well: an app has dozens, among which a line is lost."""
    is_file = request.endpoint == "public.file" and response.mimetype != "text/html"
    return is_file and response.status_code < 400


def _down(site: Site, pages: DevPages) -> list[Down] | None:
    """The pages that cannot run and would answer this request; None where that is another's, or nobody's."""
    if request.method == "OPTIONS":
        return None
    found = pages.find(request.method, request.path)
    if found is not None:
        down, is_exact = found
        other = site.pages.get(page_of(request.endpoint or ""))
        if other is None or (is_exact and down.route != (other.recipe.method, other.recipe.path)):
            return [down]
    if isinstance(request.routing_exception, NotFound) and is_api(request.path):
        return pages.anywhere or None
    return None


def _mistakes(down: list[Down]) -> Response:
    """What `check` says of pages, as a document for a browser and as a problem for a program."""
    names = ", ".join(one.name for one in down)
    detail = "\n".join(dict.fromkeys(text for one in down for text in one.texts))
    if _wants_document():
        response = _unkept(_as_document(names, down), status=503)
    else:
        headers = {"Cache-Control": "no-store"}
        response = response_of(problem_answer(problem("recipes-broken", detail, headers=headers), None))
    response.headers["Server-Timing"] = f'{MARK};desc="{names}"'
    return response


def _as_document(names: str, down: list[Down]) -> str:
    texts = dict.fromkeys(text for one in down for text in one.texts)
    listed = "".join(f'<pre class="mistake" tabindex="0">{html.escape(text)}</pre>' for text in texts)
    body = (
        f'<main><h1>{html.escape(names)} cannot run</h1><div data-mistakes="{html.escape(names)}">{listed}</div>'
        "<p>This page loads anew when the file is mended.</p></main>"
    )
    return document("The recipes need a look", body, "overlay.js")


def _inject(response: Response) -> bytes:
    """Put the overlay's script into a document, and give the document without it; empty where it is not sent."""
    if response.status_code != 200 or response.direct_passthrough or "Content-Encoding" in response.headers:
        return b""
    body = response.get_data()
    begin = _BEGIN.search(body)
    at = begin.end() if begin else 0
    response.set_data(body[:at] + _SCRIPT + body[at:])
    for name in ("ETag", "Last-Modified", "Accept-Ranges"):
        response.headers.pop(name, None)
    response.headers["Cache-Control"] = "no-store"
    return body
