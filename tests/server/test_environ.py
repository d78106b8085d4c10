"""What a WSGI app sees of an ASGI request."""

from __future__ import annotations

import pytest

from bff.server.environ import environ_of


def scope(path: bytes = b"/", *headers: tuple[bytes, bytes], query: bytes = b"") -> dict[str, object]:
    return {
        "method": "GET",
        "http_version": "1.1",
        "scheme": "http",
        "raw_path": path,
        "query_string": query,
        "server": ("127.0.0.1", "8000"),
        "client": ("203.0.113.9", "4000"),
        "headers": headers,
    }


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [
        (b"/caf%C3%A9", "/caf\xc3\xa9"),
        (b"/caf\xc3\xa9", "/caf\xc3\xa9"),
        (b"/a%2541%2f", "/a%41/"),
        (b"/%zz", "/%zz"),
    ],
)
def test_a_path_is_there_as_it_was_sent_and_decoded_to_bytes(sent: bytes, decoded: str) -> None:
    environ = environ_of(scope(sent, query=b"q=%C3%A9"))
    assert environ["PATH_INFO"] == decoded
    assert environ["RAW_URI"] == f"{sent.decode('latin-1')}?q=%C3%A9"
    assert environ["QUERY_STRING"] == "q=%C3%A9"


def test_every_byte_of_a_header_is_one_character() -> None:
    name = "José".encode()
    environ = environ_of(
        scope(b"/", (b"x-name", name), (b"cookie", b"a=" + name), (b"content-type", b"text/\xe9"))
    )
    assert environ["HTTP_X_NAME"].encode("latin-1") == name
    assert environ["HTTP_COOKIE"].encode("latin-1") == b"a=" + name
    assert environ["CONTENT_TYPE"] == "text/\xe9"


def test_headers_that_come_twice_are_joined_as_their_kind_wants_it() -> None:
    twice = [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"x"), (b"accept", b"y")]
    environ = environ_of(scope(b"/", *twice))
    assert (environ["HTTP_COOKIE"], environ["HTTP_ACCEPT"]) == ("a=1; b=2", "x,y")


def test_an_underscore_cannot_stand_for_a_hyphen() -> None:
    both = [(b"x_forwarded_for", b"1.2.3.4"), (b"x-forwarded-for", b"203.0.113.9"), (b"content_length", b"5")]
    environ = environ_of(scope(b"/", *both))
    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    assert not {"CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"} & set(environ)
