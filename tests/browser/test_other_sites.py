"""What pages of other sites, and of siblings on the same host, can make a visitor's browser do: nothing."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

PAGE = """<!doctype html><title>A prize for you</title><script>
const tries = [];
const app = "{app}";
async function attempt(method, path, options) {{
  try {{
    const answer = await fetch(app + path, {{ method, ...options }});
    tries.push([method, path, answer.type, answer.status]);
  }} catch (refused) {{
    tries.push([method, path, "refused", 0]);
  }}
}}
</script>
<form id=out method=post action="{app}/api/logout"></form>
<form id=in method=post enctype="text/plain" action="{app}/api/login">
  <input name='{{"email":"eve@example.com","password":"' value='pass"}}'></form>"""


@pytest.fixture
def other_page(base_url: str) -> Iterator[int]:
    """The port of a server that shows the page above."""

    class Prize(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.format(app=base_url).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Prize)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


# `localhost` is another site than 127.0.0.1; another port of 127.0.0.1 is a sibling, which gets the cookie along.
@pytest.fixture(params=["localhost", "127.0.0.1"], ids=["another site", "a sibling"])
def elsewhere(request: pytest.FixtureRequest, other_page: int, browser: Any, page: Page) -> Iterator[Page]:
    """A second tab of the visitor's browser, on the other page. Its own complaints are what is expected."""
    tab = page.context.new_page()
    tab.goto(f"http://{request.param}:{other_page}/")
    yield tab
    tab.close()


def is_as_before(page: Page, title: str) -> bool:
    home = page.request.get("/api/home")
    return bool(home.ok) and [todo["title"] for todo in home.json()["todos"]] == [title]


def test_a_script_of_another_page_changes_and_reads_nothing(
    elsewhere: Page, page: Page, make_todo: Callable[..., dict[str, Any]]
) -> None:
    todo = make_todo("Mine")
    calls = [
        ("POST", "/api/todos", '{"title": "Theirs"}'),
        ("POST", "/api/todos/remove", f'{{"ids": ["{todo["id"]}"]}}'),
        ("POST", "/api/logout", ""),
        ("GET", "/api/home", None),
    ]
    for mode, (method, path, body) in itertools.product(("no-cors", "cors"), calls):
        options = {"mode": mode, "credentials": "include", **({"body": body} if body is not None else {})}
        elsewhere.evaluate(
            "([method, path, options]) => attempt(method, path, options)", [method, path, options]
        )
    seen = elsewhere.evaluate("tries")
    assert len(seen) == 2 * len(calls)
    # An opaque answer has no status and no body that a script could see.
    assert {(kind, status) for _, _, kind, status in seen} <= {("opaque", 0), ("refused", 0)}
    assert is_as_before(page, "Mine")


def test_a_form_of_another_page_signs_nobody_out_or_in(
    elsewhere: Page, page: Page, base_url: str, make_todo: Callable[..., dict[str, Any]]
) -> None:
    make_todo("Mine")
    for form in ("out", "in"):
        with elsewhere.expect_navigation() as navigation:
            elsewhere.evaluate(f"document.getElementById('{form}').submit()")
        answer = navigation.value
        assert answer is not None and answer.status == 403
        assert answer.json()["type"] == "urn:bff:problem:other-site"
        assert urlsplit(elsewhere.url).netloc == urlsplit(base_url).netloc
        assert is_as_before(page, "Mine"), form
        elsewhere.go_back()


def test_another_page_cannot_frame_the_app(elsewhere: Page, base_url: str) -> None:
    with elsewhere.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
        elsewhere.evaluate(
            """(app) => {
                const frame = document.createElement("iframe");
                frame.src = app;
                document.body.append(frame);
            }""",
            base_url,
        )
