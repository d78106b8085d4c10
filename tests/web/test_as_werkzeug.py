"""What a page reads of a request without Werkzeug is what Werkzeug reads, whatever was sent."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, Rule
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_content_length, get_host, get_input_stream

from bff.errors import PageError
from bff.web.conditions import status_for
from bff.web.hosts import is_plain_host
from bff.web.proxies import Proxies
from bff.web.query import texts_of, undecodable_in
from bff.web.receiving import Cut, Incoming, TooLong, announced_length
from bff.web.recipe_headers import as_uri
from bff.web.request import host_of, path_of
from bff.web.routes import Routes, may_meet
from bff.web.status import STATUS_LINES
from tests.properties import example, given, settings, st

HOSTS = st.text(st.sampled_from("abZ09.-:[]_%@ /\xe5,1"), max_size=12) | st.sampled_from(
    [
        "app.example",
        "app.example:80",
        "app.example:443",
        "a:8080",
        "[::1]:80",
        "a:18999",
        "a:59999",
        "a:64999",
        "a:65535",
        "a:65536",
        "a:99999",
        "a:0",
        "a..b",
        "x" * 64,
    ]
)


@given(HOSTS | st.none(), st.sampled_from(["http", "https", "ws"]), st.sampled_from(["80", "x", "8080"]))
def test_the_host(host: str | None, scheme: str, port: str) -> None:
    environ = {"wsgi.url_scheme": scheme, "SERVER_NAME": "server", "SERVER_PORT": port}
    if host is not None:
        environ["HTTP_HOST"] = host
    assert host_of(environ) == get_host(environ)


@given(HOSTS)
@example("a" * 50 + "." + "b" * 50 + ":8080")
@example("a:18999")
@example("a:64999")
def test_a_plain_host_is_one_for_any_routing(host: str) -> None:
    if is_plain_host(host):
        environ = {
            "wsgi.url_scheme": "http", "HTTP_HOST": host, "REQUEST_METHOD": "GET", "PATH_INFO": "/",
            "SERVER_NAME": "server", "SERVER_PORT": "80",
        }  # fmt: skip
        assert Map([Rule("/", endpoint="a")]).bind_to_environ(environ).match()[0] == "a"


@given(st.text(st.sampled_from("/ab\xc3\xa9\xff%. "), max_size=8))
def test_the_path(path: str) -> None:
    assert path_of({"PATH_INFO": path}) == Request({"PATH_INFO": path, "REQUEST_METHOD": "GET"}).path


LENGTHS = st.sampled_from([None, "", "0", "5", " 5\t", "-3", "+5", "5_0", "x", "٣", "9" * 5000, "5\n"])
CODINGS = st.sampled_from([None, "chunked", "Chunked", "gzip, chunked", "gzip", '"chunked"', "chunkedx", ""])


@given(LENGTHS, CODINGS)
def test_the_length_of_a_body(length: str | None, coding: str | None) -> None:
    environ = _with(CONTENT_LENGTH=length, HTTP_TRANSFER_ENCODING=coding)
    assert announced_length(environ) == get_content_length(environ)


class Left(io.BytesIO):
    """A stream that breaks off."""

    def readinto(self, room: Any) -> int:
        raise OSError("gone")

    def read(self, _: Any = None) -> bytes:
        raise OSError("gone")


@given(
    st.binary(max_size=12),
    st.sampled_from([None, "0", "4", "12", "20"]),
    st.sampled_from([None, 1, 4, 12, 40]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 1, 3, 100]),
)
def test_the_bytes_of_a_body(
    body: bytes, length: str | None, most: int | None, terminated: bool, gone: bool, size: int | None
) -> None:
    """`size` is how much is read at once, None for all of it."""
    environ = _with(CONTENT_LENGTH=length)
    if terminated:
        environ["wsgi.input_terminated"] = True
    kind = Left if gone else io.BytesIO

    def ours() -> Any:
        incoming = Incoming(environ | {"wsgi.input": kind(body)}, most)
        return incoming.read_all() if size is None else [incoming.read(size) for _ in range(20)]

    def theirs() -> Any:
        stream = get_input_stream(environ | {"wsgi.input": kind(body)}, max_content_length=most)
        return stream.read() if size is None else [stream.read(size) for _ in range(20)]

    assert _outcome(ours) == _outcome(theirs)


def _outcome(read: Any) -> Any:
    try:
        return read()
    except (TooLong, RequestEntityTooLarge):
        return "too long"
    except (Cut, ClientDisconnected):
        return "cut"
    except OSError:
        return "broken"


TAGS = st.lists(
    st.sampled_from(
        ['"abc"', 'W/"abc"', "abc", '"x"', 'w/"abc"', "*", "", ' "abc" ', '"a', 'a"', '""', "W/", '"a,b"']
    )
).map(",".join)


@given(
    TAGS | st.text(st.sampled_from('"abc,W/* \t'), max_size=12),
    TAGS | st.none(),
    st.sampled_from(["abc", "a"]),
)
@example("*", None, "abc")
def test_what_is_told_of_etags(asked: str, wanted: str | None, etag: str) -> None:
    environ = _with(HTTP_IF_NONE_MATCH=asked, HTTP_IF_MATCH=wanted, REQUEST_METHOD="GET")
    theirs = Response(b"x", headers={"ETag": f'"{etag}"'}).make_conditional(environ)
    assert status_for(environ, f'"{etag}"') == theirs.status_code


QUERIES = st.lists(st.sampled_from([*"ab=&;+%2Fé\xc3\xff0", "%FF", "%C3%A9", "a="]), max_size=12).map("".join)


@given(QUERIES)
@example("a=1&a=2&b&=x&&")
@example("%FF=%FF&a=%C3%A9")
def test_the_parameters_of_a_query(query: str) -> None:
    query = query.encode("latin-1", "replace").decode("latin-1")
    environ = {"QUERY_STRING": query, "REQUEST_METHOD": "GET"}
    try:
        theirs = Request(environ).args
    except UnicodeDecodeError:
        with pytest.raises(PageError):
            texts_of(query)
        return
    assert texts_of(query) == {name: theirs.getlist(name) for name in theirs}
    wrong = undecodable_in(query, frozenset("ab"))
    exactly = parse_qsl(query.encode("latin-1").decode(), keep_blank_values=True, errors="surrogateescape")
    assert wrong == sorted({name for name, text in exactly if name in "ab" and not _is_text(text)} - {""})


def _is_text(text: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in text)


PLACES = st.text(st.sampled_from("/a:?#é [%]<\"'=&;@.中x"), max_size=12)


@given(PLACES)
@example("/todos/7")
@example("https://app.example/a b")
def test_where_an_answer_leads(place: str) -> None:
    try:
        theirs = iri_to_uri(place)
    except ValueError:
        with pytest.raises(ValueError):
            as_uri(place)
    else:
        assert as_uri(place) == theirs


LISTED = st.text(st.sampled_from('a1,. "\\:[]\t'), max_size=14) | st.none()


@given(LISTED, LISTED, LISTED, st.integers(1, 3))
@example("10.0.0.1, 10.0.0.2", "https", "app.example:8443", 1)
def test_what_trusted_proxies_say(
    address: str | None, scheme: str | None, host: str | None, hops: int
) -> None:
    sent = _with(
        HTTP_X_FORWARDED_FOR=address, HTTP_X_FORWARDED_PROTO=scheme, HTTP_X_FORWARDED_HOST=host,
        REMOTE_ADDR="127.0.0.1", HTTP_HOST="here", SERVER_NAME="here", SERVER_PORT="80",
    ) | {"wsgi.url_scheme": "http"}  # fmt: skip
    ours, theirs = {**sent}, {**sent}
    Proxies(hops).believe(ours)
    ProxyFix(lambda *_: [], x_for=hops, x_proto=hops, x_host=hops)(theirs, lambda *_: None)  # type: ignore[arg-type, return-value]
    assert ours == theirs


SEGMENTS = st.sampled_from(["a", "b", "{x}", "{y}", "a.b"])
ROUTES = st.lists(st.lists(SEGMENTS, min_size=1, max_size=3, unique=True), min_size=1, max_size=6)
ASKED = st.lists(st.sampled_from(["a", "b", "c", "a.b", "", "é"]), max_size=4)


@settings(max_examples=300)
@given(ROUTES, st.lists(st.sampled_from(["GET", "POST"]), min_size=6, max_size=6), ASKED)
def test_the_page_of_a_path(routes: list[list[str]], methods: list[str], asked: list[str]) -> None:
    path = "/" + "/".join(asked).strip("/")  # another form of a path is no page's
    written = ["/" + "/".join(route) for route in routes]
    pairs = list(zip(methods, written, strict=False))
    routing = Map(merge_slashes=False)
    for at, (method, route) in enumerate(pairs):
        routing.add(Rule(_rule(route), endpoint=at, methods=[method, "OPTIONS"]))
    for asked_method in ("GET", "POST"):
        found = Routes(
            (route, at) for at, (method, route) in enumerate(pairs) if method == asked_method
        ).find(path)
        try:
            theirs = routing.bind("").match(path, method=asked_method)
        except Exception:
            assert found is None
        else:
            assert found == theirs


@settings(max_examples=300)
@given(
    st.lists(SEGMENTS | st.sampled_from(["{path:z}", ""]), max_size=3, unique=True),
    st.lists(SEGMENTS, min_size=1, max_size=3, unique=True),
    ASKED,
)
def test_rules_that_never_meet_a_page_have_no_word_on_it(
    rule: list[str], page: list[str], asked: list[str]
) -> None:
    theirs, ours, path = (_rule("/" + "/".join(parts)) for parts in (rule, page, asked))
    if may_meet(theirs, "/" + "/".join(page)):
        return
    alone, both = (
        Map([Rule(text, endpoint=text) for text in texts], merge_slashes=False)
        for texts in ([ours], [theirs, ours])
    )
    if _matched(alone, path) is not None:
        assert _matched(both, path) == _matched(alone, path)


def _matched(routing: Map, path: str) -> Any:
    try:
        return routing.bind("").match(path)
    except Exception:
        return None


def _rule(route: str) -> str:
    return route.replace("{", "<").replace("}", ">")


def test_the_lines_of_all_statuses() -> None:
    for code in range(200, 600):
        assert STATUS_LINES[code] == Response(status=code).status


def _with(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
