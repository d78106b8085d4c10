"""A page is the same whether the door answers it or Flask dispatches it: status, headers, body and log line."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import run_wsgi_app

from bff import clock
from bff.identity import Session, SessionSeal
from tests.fakes import FakeBackend
from tests.properties import HealthCheck, given, settings, st
from tests.web.both_ways import KEY, SETTINGS, Sent, TwoWays, got, project, read, scripted

SEAL = SessionSeal([KEY], 3600)
ETAG = '"50f5e2e1ac1b9ae5f7e0a1d2c3b4a596"'


def session(user: Any = "Ann", sealed: float = 0.0, lasts: int = 3600) -> str:
    now = clock.wall() + sealed
    return SEAL.seal(Session({"id": user}, {}, int(now) + lasts), now)


def cookie(value: str, more: str = "") -> dict[str, str]:
    return {"Cookie": f"a=b; bff-session={value}; c={more}"}


class Cut(io.BytesIO):
    """A body whose visitor left."""

    def read(self, *_: Any) -> bytes:
        raise OSError("gone")

    readinto = read  # type: ignore[assignment]


GOOD = {"Cookie": f"bff-session={session()}"}
JSON = {"Content-Type": "application/json"}
ECHO = {"method": "POST", "path": "/api/things/5", "query": "must=1", "headers": JSON}
TEXT = b'{"title": "T", "due": "2026-11-29", "parts": [{"name": "n", "more": 1}], "free": {"a": [1]}}'
CHUNKED = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
NDJSON = "application/x-ndjson"
UPLOAD = {"method": "PUT", "path": "/api/files/a.png", "headers": {"Content-Type": "image/png"}}
KINDS: dict[str, Sent] = {
    "plain": Sent(),
    "query that nobody declares": Sent(query="a=1&a=2&%FF=%FF&b"),
    "its own request id": Sent(headers={"X-Request-ID": "abc-1._Z"}),
    "a strange request id": Sent(headers={"X-Request-ID": "a b"}),
    "an empty request id": Sent(headers={"X-Request-ID": ""}),
    "a page that may be kept": Sent(path="/api/kept"),
    "a page outside of the api": Sent(path="/outside"),
    **{f"method {method}": Sent(method) for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "get")},
    "head of lines": Sent("HEAD", "/api/page", headers={"Accept": NDJSON}),
    "host with a port": Sent(headers={"Host": "app.example:8443"}),
    "host with a high port": Sent(headers={"Host": "app.example:64321"}),
    "host in capitals": Sent(headers={"Host": "APP.example."}),
    "another host": Sent(headers={"Host": "evil.example"}),
    "no host": Sent(environ={"HTTP_HOST": None}),
    "strange host": Sent(headers={"Host": "a b<>"}),
    "a websocket": Sent(headers={"Connection": "Upgrade", "Upgrade": "websocket"}),
    "an upgrade to something else": Sent(headers={"Connection": "Upgrade", "Upgrade": "h2c"}),
    "under a prefix": Sent(environ={"SCRIPT_NAME": "/app"}),
    # conditions
    "any etag": Sent(headers={"If-None-Match": "*"}),
    "another etag": Sent(headers={"If-None-Match": ETAG}),
    "an etag and a time": Sent(headers={"If-None-Match": ETAG, "If-Modified-Since": "Sun, 29 Nov 2026 00:00:00 GMT"}),
    "modified since": Sent(path="/api/headed", headers={"If-Modified-Since": "Sun, 29 Nov 2026 00:00:00 GMT"}),
    "modified before": Sent(path="/api/headed", headers={"If-Modified-Since": "Sat, 28 Nov 2026 00:00:00 GMT"}),
    "if-match alone": Sent(headers={"If-Match": ETAG}),
    "if-match as well": Sent(headers={"If-Match": ETAG, "If-None-Match": ETAG}),
    "range": Sent(headers={"Range": "bytes=0-1"}),
    # input
    "defaults": Sent(path="/api/search"),
    "what fits": Sent(path="/api/search", query="status=done&limit=5"),
    "doubled parameters": Sent(path="/api/search", query="status=done&status=open&limit=5&limit=6"),
    "empty parameters": Sent(path="/api/search", query="status=&limit=&&=&=x"),
    "escaped parameters": Sent(path="/api/search", query="%73tatus=%64one&limit=+5"),
    "wrong parameters": Sent(path="/api/search", query="status=x&limit=1000&limit=0"),
    "a number too large": Sent(path="/api/search", query="limit=99999999999999999999"),
    "a parameter that is no text": Sent(path="/api/search", query="status=%FFa&limit=%C3%28"),
    "a query that is no text": Sent(path="/api/search", query="status=\xff"),
    "a query in utf-8": Sent(path="/api/items/1", query="text=\xc3\xa9"),
    "a query of plus signs": Sent(path="/api/items/1", query="text=a+b%2Bc&tags=x&tags=&tags=y+z"),
    "semicolons": Sent(path="/api/items/1", query="text=a;tags=b"),
    "a header in latin-1": Sent(path="/api/search", headers={"X-Team": "caf\xe9"}),
    "a header in utf-8": Sent(path="/api/search", environ={"HTTP_X_TEAM": "caf\xc3\xa9"}),
    # paths
    "a hole": Sent(path="/api/items/12"),
    "a hole that does not fit": Sent(path="/api/items/x"),
    "a hole in utf-8": Sent(path="/api/named/caf\xc3\xa9/of/\xe4\xbb\xbb"),
    "a hole that is no text": Sent(path="/api/named/a\xff/of/b"),
    "a stand-in": Sent(path="/api/named/a\xef\xbf\xbd/of/b", environ={"RAW_URI": "/api/named/a%EF%BF%BD/of/b"}),
    "a hole with a space": Sent(path="/api/named/a b/of/c%20d"),
    "an empty hole": Sent(path="/api/items/"),
    "a longer path": Sent(path="/api/home/"),
    "doubled slashes": Sent(path="/api//home"),
    "dots": Sent(path="/api/named/../of/b"),
    "a backslash": Sent(path="/api\\home"),
    "encoded by the sender": Sent(environ={"RAW_URI": "/%61pi/home"}),
    "as it was sent": Sent(environ={"RAW_URI": "/api/home?a=1"}),
    "an unknown path": Sent(path="/api/unknown"),
    "the path of all pages": Sent(path="/api"),
    "a path of the app": Sent(path="/todos/7", query="a=b"),
    "a path of the app in head": Sent("HEAD", "/todos"),
    "a path of the app, compressed": Sent(path="/apiary", headers={"Accept-Encoding": "br, gzip"}),
    "a path of the app that is there": Sent(path="/app.js/more", headers={"If-None-Match": "*"}),
    "a folder": Sent(path="/img/"),
    "a folder by another name": Sent(path="/img"),
    "a file in a folder": Sent(path="/img/a.svg"),
    "a path as another system writes it": Sent(path="/c:/app.js"),
    "a path that begins with a dot": Sent(path="/.env"),
    "no path": Sent(path=""),
    # visitors
    "a stranger where one must sign in": Sent(path="/api/mine"),
    "a good session": Sent(path="/api/mine", headers=GOOD),
    "a session among cookies": Sent(path="/api/mine", headers=cookie(session(), '"x;\\"y"')),
    "an old session": Sent(path="/api/mine", headers=cookie(session(sealed=-7200))),
    "an ended session": Sent(path="/api/search", headers=cookie(session(sealed=-20, lasts=10))),
    "a session of the future": Sent(path="/api/mine", headers=cookie(session(sealed=9000))),
    "a tampered session": Sent(path="/api/search", headers=cookie(session()[:-3])),
    "a quoted session": Sent(path="/api/mine", headers=cookie(f'"{session()}"')),
    "an empty session": Sent(path="/api/mine", headers=cookie("")),
    "a session that is none": Sent(path="/api/mine", headers=cookie("x" * 5000)),
    "a bearer token": Sent(path="/api/mine", headers={"Authorization": "Bearer abc"}),
    "a basic login": Sent(path="/api/mine", headers={"Authorization": "Basic abc"}),
    "a session over tls": Sent(
        path="/api/mine", headers={"Cookie": f"__Host-bff={session()}"}, environ={"wsgi.url_scheme": "https"}
    ),
    "a change from here": Sent("POST", "/api/change", headers={**GOOD, "Sec-Fetch-Site": "same-origin"}),
    "a change from another site": Sent("POST", "/api/change", headers={**GOOD, "Sec-Fetch-Site": "cross-site"}),
    "a change from another origin": Sent("POST", "/api/change", headers={**GOOD, "Origin": "https://evil.example"}),
    "a change from its own origin": Sent("POST", "/api/change", headers={**GOOD, "Origin": "http://localhost"}),
    "a change from a listed origin": Sent("POST", "/api/change", headers={**GOOD, "Origin": "https://app.example"}),
    "a sign-in": Sent("POST", "/api/login", body=b'{"name": "Ann"}'),
    "a sign-in over tls": Sent(
        "POST", "/api/login", body=b'{"name": "Ann"}', environ={"wsgi.url_scheme": "https"}
    ),
    "a sign-in too large for a cookie": Sent("POST", "/api/login", body=b'{"name": "%s"}' % (b"a" * 5000)),
    "a sign-out": Sent("POST", "/api/logout", headers=GOOD),
    # bodies
    "a good body": Sent(**ECHO, body=TEXT),
    "a body with mistakes": Sent(**ECHO, body=b'{"title": "", "due": "x"}'),
    "a body that is no json": Sent(**ECHO, body=b"{"),
    "no body": Sent(**ECHO),
    "a body of another type": Sent(**{**ECHO, "headers": {"Content-Type": "text/plain"}}, body=TEXT),
    "a body with a charset": Sent(**{**ECHO, "headers": {"Content-Type": "Application/JSON; charset=x"}}, body=TEXT),
    "a body of a json type": Sent(**{**ECHO, "headers": {"Content-Type": "application/a+json"}}, body=TEXT),
    "a packed body": Sent(**{**ECHO, "headers": {**JSON, "Content-Encoding": "gzip"}}, body=TEXT),
    "a body too large": Sent(**ECHO, body=b'{"title": "%s"}' % (b"a" * 2_000_000)),
    "a body that is said to be too large": Sent(**ECHO, body=TEXT, environ={"CONTENT_LENGTH": "99999999"}),
    "a body that ends early": Sent(**ECHO, body=TEXT, environ={"CONTENT_LENGTH": str(len(TEXT) + 9)}),
    "a terminated body that ends early": Sent(
        **ECHO, body=TEXT, environ={"CONTENT_LENGTH": str(len(TEXT) + 9), "wsgi.input_terminated": True}
    ),
    "a body whose visitor left": Sent(**ECHO, body=TEXT, environ={"wsgi.input": Cut()}),
    "a body longer than it says": Sent(**ECHO, body=TEXT + b"more", environ={"CONTENT_LENGTH": str(len(TEXT))}),
    "a length that is no number": Sent(**ECHO, body=TEXT, environ={"CONTENT_LENGTH": "x"}),
    "a length below zero": Sent(**ECHO, body=TEXT, environ={"CONTENT_LENGTH": "-1"}),
    "a body in chunks": Sent(**ECHO, body=TEXT, environ=CHUNKED),
    "a body in chunks that nobody ends": Sent(
        **ECHO, body=TEXT, environ={**CHUNKED, "wsgi.input_terminated": None}
    ),
    "a body in chunks too large": Sent(**ECHO, body=b'{"title": "%s"}' % (b"a" * 2_000_000), environ=CHUNKED),
    "a body to a page without input": Sent("POST", "/api/nothing", body=b"x" * 10),
    # answers
    "nothing": Sent("POST", "/api/nothing"),
    "a location": Sent(path="/api/moved/\xc3\xbc"),
    "a plain location": Sent(path="/api/moved/u"),
    "headers of the recipe": Sent(path="/api/headed"),
    **{f"status {code}": Sent(path=f"/api/status/{code}") for code in (200, 201, 204, 205, 299, 304, 404, 503, 99)},
    # problems
    "a partial page": Sent(path="/api/partial"),
    "a backend that fails": Sent(path="/api/broken"),
    "a guard": Sent(path="/api/guarded"),
    "a function that raises": Sent(path="/api/raises"),
    "a write with a key": Sent("POST", "/api/write", headers={**GOOD, "Idempotency-Key": "k1"}),
    "a write with a bad key": Sent("POST", "/api/write", headers={**GOOD, "Idempotency-Key": "\x01"}),
    "a write without a key": Sent("POST", "/api/write"),
    # streams
    "lines": Sent(path="/api/page", headers={"Accept": NDJSON}),
    "lines or json": Sent(path="/api/page", headers={"Accept": f"application/json, {NDJSON}"}),
    "lines rather than json": Sent(path="/api/page", headers={"Accept": f"application/json;q=0.5, {NDJSON}"}),
    "no lines": Sent(path="/api/page", headers={"Accept": f"{NDJSON};q=0"}),
    "lines with odd weights": Sent(path="/api/page", headers={"Accept": f"{NDJSON};q=x, */*;q=0.1"}),
    "a page with lines": Sent(path="/api/page"),
    "a file": Sent(path="/api/files/a.png"),
    "a file that is cut": Sent(path="/api/files/cut.png"),
    "a part of a file": Sent(path="/api/files/a.png", headers={"Range": "bytes=0-9", "If-None-Match": ETAG}),
    "a file that is not wanted": Sent(path="/api/files/a.png", query="size=1000"),
    "an upload": Sent(**UPLOAD, body=b"png" * 1000),
    "an upload that ends early": Sent(**UPLOAD, body=b"png", environ={"CONTENT_LENGTH": "9"}),
    "an upload whose visitor left": Sent(**UPLOAD, body=b"png", environ={"wsgi.input": Cut()}),
    "an upload without a length": Sent(**UPLOAD, body=b"png", environ=CHUNKED),
    "an upload that is said to be too large": Sent(**UPLOAD, body=b"png", environ={"CONTENT_LENGTH": "9999999999"}),
    "a multipart upload without a length": Sent(
        **{**UPLOAD, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, body=b"--x--", environ=CHUNKED
    ),
    "an empty upload": Sent(**UPLOAD),
    # files of the app
    "the index": Sent(path="/"),
    "a script": Sent(path="/app.js"),
    "a script in head": Sent("HEAD", "/app.js"),
    "a compressed index": Sent(path="/", headers={"Accept-Encoding": "gzip"}),
    "a file with an id": Sent(path="/app.js", headers={"X-Request-ID": "abc"}),
    "a file that is another": Sent(path="/app.js", headers={"If-None-Match": ETAG}),
    "a file that is there": Sent(path="/", headers={"If-None-Match": "*", "Accept-Encoding": "gzip"}),
    "a file in head that is there": Sent("HEAD", "/app.js", headers={"If-None-Match": "*"}),
    "a file since some time": Sent(
        path="/app.js", headers={"If-Modified-Since": "Sun, 29 Nov 2026 00:00:00 GMT"}
    ),
    "a file and if-match": Sent(path="/app.js", headers={"If-None-Match": ETAG, "If-Match": ETAG}),
    "a file and if-match alone": Sent(path="/app.js", headers={"If-Match": ETAG}),
    "a part of a script": Sent(path="/app.js", headers={"Range": "bytes=0-3"}),
    "a script of a strange host": Sent(path="/app.js", headers={"Host": "a..b"}),
    "a script of another host": Sent(path="/app.js", headers={"Host": "evil.example"}),
    "a script without a host": Sent(path="/app.js", environ={"HTTP_HOST": None}),
    "a script by another method": Sent("POST", "/app.js"),
    # other origins and proxies
    "a listed origin": Sent(headers={"Origin": "https://app.example"}),
    "another origin": Sent(headers={"Origin": "https://evil.example"}),
    "a listed origin and a problem": Sent(path="/api/mine", headers={"Origin": "https://app.example"}),
    "a preflight": Sent(
        "OPTIONS", headers={"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    ),
    "behind a proxy": Sent(
        path="/api/mine",
        headers={
            "X-Forwarded-For": "10.0.0.1, 10.0.0.2",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "app.example",
            "Cookie": f"__Host-bff={session()}",
        },
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        yield scripted(running)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory, backend: FakeBackend) -> Mapping[str, TwoWays]:
    root = project(tmp_path_factory.mktemp("ways"))
    return {name: TwoWays(root, backend, settings) for name, settings in SETTINGS.items()}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_answer_the_same(ways: Mapping[str, TwoWays], name: str, kind: str) -> None:
    door, flask = ways[name].ask(KINDS[kind])
    assert door == flask


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_door_without_flask_answers_the_same(ways: Mapping[str, TwoWays], name: str, kind: str) -> None:
    alone, flask = ways[name].ask_alone(KINDS[kind])
    assert alone == flask


METHODS = {f"method {name}" for name in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "get")}
ODD_PATHS = {
    *("an empty hole", "a longer path", "doubled slashes", "dots", "a backslash", "encoded by the sender"),
    *("an unknown path", "the path of all pages", "no path"),
}
OF_THE_INDEX = {
    "a path of the app",
    "a path of the app in head",
    "a path of the app, compressed",
    "a path of the app that is there",
    "a folder",
    "a folder by another name",
    "a path as another system writes it",
    "a path that begins with a dot",
}
FLASKS = {
    *(
        *METHODS,
        *ODD_PATHS,
        *OF_THE_INDEX,
        "head of lines",
        "a preflight",
        "no host",
        "strange host",
        "a websocket",
    ),
    *(
        "an upgrade to something else",
        "a part of a script",
        "a script by another method",
        "a file and if-match",
        "a script of a strange host",
        "a script without a host",
        "a file and if-match alone",
    ),
}
"""What the door leaves to Flask: what is for no page, or what Flask's routing has a word on."""


OF_BOTH = pytest.mark.parametrize(
    ("name", "more"), [("plain", set()), ("full", {"another host", "a script of another host"})]
)


@OF_BOTH
def test_the_door_answers_what_is_for_a_page(ways: Mapping[str, TwoWays], name: str, more: set[str]) -> None:
    app, seen = ways[name].door, ways[name].dispatched
    found = set()
    for kind, sent in KINDS.items():
        seen.clear()
        got(app.wsgi_app, sent)
        if seen:
            found.add(kind)
    assert found == FLASKS | more


@OF_BOTH
def test_a_door_without_flask_answers_paths_of_the_app_too(
    ways: Mapping[str, TwoWays], name: str, more: set[str]
) -> None:
    seen, found = ways[name].by_flask, set()
    for kind, sent in KINDS.items():
        seen.clear()
        ways[name].ask_alone(sent)
        if seen:
            found.add(kind)
    assert found == (FLASKS - OF_THE_INDEX) | more


OF_URLLIB3 = {"a file that is cut"}
"""What breaks off within urllib3: a context manager of its own holds the error there, since Python 3.13."""


@pytest.fixture(scope="module")
def looked_at_later() -> Iterator[None]:
    """What the collector was told to leave alone it looks at once, after these tests."""
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - FLASKS - OF_URLLIB3))
def test_an_answer_leaves_nothing_for_the_collector(
    ways: Mapping[str, TwoWays], kind: str, looked_at_later: None
) -> None:
    app = ways["plain"].door
    for _ in range(2):  # what is made once is made by then
        read(app, KINDS[kind])
    gc.freeze()  # what there is by now is nothing of the answer's, and to look at all of it takes a second
    gc.disable()
    try:
        read(app, KINDS[kind])
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "{},", 'x, W/{} , "y"', "*", '"x"', "{0}x"])
@pytest.mark.parametrize("path", ["/api/home", "/api/kept", "/api/search", "/api/mine"])
def test_a_page_that_is_there_already_is_told_both_ways(
    ways: Mapping[str, TwoWays], path: str, form: str
) -> None:
    etag = dict(got(ways["plain"].flask.wsgi_app, Sent(path=path)).headers).get("ETag", '"none"')
    door, flask = ways["plain"].ask(Sent(path=path, headers={"If-None-Match": form.format(etag)}))
    assert door == flask


def test_a_page_too_many_is_turned_away_both_ways(tmp_path: Path, backend: FakeBackend) -> None:
    ways = TwoWays(project(tmp_path), backend, SETTINGS["full"] | {"BFF_MAX_PAGES": "1"})
    under_way = [run_wsgi_app(app.wsgi_app, Sent(path="/api/files/a.png").made()) for app in ways.apps]
    door, flask = ways.ask(Sent(headers={"Origin": "https://app.example"}))
    assert door == flask
    assert (door.status, door.log) == ("503 SERVICE UNAVAILABLE", [])
    for pieces, _, _ in under_way:
        pieces.close()  # type: ignore[attr-defined]
    door, flask = ways.ask(Sent())
    assert door == flask
    assert door.status == "200 OK"
    shed = 'bff_pages_total{outcome="shed",page="home"} 1.0'
    assert [shed in got(app.wsgi_app, Sent(path="/metrics")).body.decode() for app in ways.apps] == [
        True,
        True,
    ]


def test_one_request_too_many_is_told_both_ways(tmp_path: Path, backend: FakeBackend) -> None:
    ways = TwoWays(project(tmp_path), backend, {})
    answers = [ways.ask(Sent(path="/api/rated")) for _ in range(2)]
    assert [door == flask for door, flask in answers] == [True, True]
    assert [door.status[:3] for door, _ in answers] == ["200", "429"]


LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
PATHS = st.sampled_from(
    [
        "/api/home",
        "/api/search",
        "/api/mine",
        "/api/things/5",
        "/api/items/7",
        "/api/change",
        "/outside",
        "/app.js",
        "/",
    ]
)
ODD = st.lists(
    st.sampled_from(
        ["/api", "/items", "/named", "/of", "/a", "/", "//", "/..", "/é", "\xc3\xa9", "/%", "\xff"]
    )
)
QUERIES = st.lists(
    st.sampled_from(
        ["status=", "open", "done", "&", "limit=", "5", "text=", "tags=", "%20", "+", "%FF", "\xc3", "must=1"]
    )
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_HOST": st.sampled_from(["localhost", "LOCALHOST:80", "a..b", "x y", "", "[::1]"]) | LATIN,
        "HTTP_COOKIE": LATIN
        | st.sampled_from([f"bff-session={session()}", f'bff-session="{session()}"; a', "a=b;;"]),
        "HTTP_AUTHORIZATION": st.sampled_from(["Bearer x", "Basic x", "bearer", ""]),
        "HTTP_IF_NONE_MATCH": LATIN | st.sampled_from(["*", ETAG]),
        "HTTP_IF_MODIFIED_SINCE": LATIN,
        "HTTP_IF_MATCH": st.sampled_from(["*", ETAG]),
        "HTTP_ACCEPT_ENCODING": LATIN | st.just("gzip"),
        "HTTP_X_REQUEST_ID": LATIN,
        "HTTP_X_TEAM": LATIN,
        "HTTP_ORIGIN": st.sampled_from(["http://localhost", "https://app.example", "null"]),
        "HTTP_SEC_FETCH_SITE": st.sampled_from(["same-origin", "cross-site"]),
        "HTTP_X_FORWARDED_FOR": LATIN,
        "HTTP_X_FORWARDED_HOST": LATIN,
        "HTTP_X_FORWARDED_PROTO": st.sampled_from(["https", "http", "x, https"]),
        "HTTP_IDEMPOTENCY_KEY": LATIN,
        "CONTENT_TYPE": LATIN | st.sampled_from(["application/json", "text/json"]),
        "CONTENT_LENGTH": st.sampled_from(["0", "2", "x", "-1", "99"]),
        "wsgi.input_terminated": st.just(True),
        "wsgi.url_scheme": st.sampled_from(["https", "http"]),
        "RAW_URI": LATIN | st.sampled_from(["/api/home", "/api/items/7?a=1", "/api//home"]),
        "SCRIPT_NAME": st.just("/app"),
    },
)


@pytest.mark.parametrize("name", SETTINGS)
def test_both_ways_answer_whatever_is_sent_the_same(ways: Mapping[str, TwoWays], name: str) -> None:
    @settings(suppress_health_check=[*HealthCheck])
    @given(
        st.sampled_from(["GET", "GET", "POST", "HEAD", "PUT"]),
        PATHS | ODD.map("".join),
        QUERIES.map("".join),
        HEADERS,
        st.sampled_from([b"", b"{}", TEXT, b"\xff"]),
    )
    def check(method: str, path: str, query: str, environ: dict[str, Any], body: bytes) -> None:
        path = path.encode("latin-1", "replace").decode("latin-1")
        sent = Sent(method, path, query, {}, body, environ)
        door, flask = ways[name].ask(sent)
        assert door == flask
        assert ways[name].ask_alone(sent) == (door, flask)

    check()
