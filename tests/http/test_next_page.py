"""Addresses of further pages: what of them a client asks for."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from bff.http import check_path
from bff.http.next_page import target_of_next
from tests.properties import given, st


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/v1/rows?page=2", "/rows?page=2"),
        ("https://api.example/v1/rows?page=2#top", "/rows?page=2"),
        ("http://user:word@other.example:1/v1/rows", "/rows"),
        ("//other.example/v1/rows", "/rows"),
        ("?page=2", "/rows/all?page=2"),
        ("", "/rows/all"),
        ("next?a=b%20c&d", "/rows/next?a=b%20c&d"),
        ("/v1", "/"),
        ("/v1/", "/"),
        ("/v1/a b/é?q=a b", "/a%20b/%C3%A9?q=a%20b"),
        ("/v1//rows", "//rows"),
        ("/v1/a%2Fb", "/a%2Fb"),
        ("/v1/...", "/..."),
        ("/v1/..a", "/..a"),
        ("/v1/50%?q=50%", "/50%25?q=50%25"),
        ("HTTPS://x/v1/rows", "/rows"),
    ],
)
def test_path_and_query_below_the_base_are_asked_for(address: str, target: str) -> None:
    assert target_of_next(address, "/rows/all?page=1", "/v1") == target


@pytest.mark.parametrize(
    "address",
    [
        "/rows",
        "/v10/rows",
        "/V1/rows",
        "https://api.example",
        "https://api.example/rows",
        "..",
        "../rows",
        "./rows",
        "/v1/../x",
        "/v1/%2E%2e/x",
        "/v1/.%2e;a/x",
        "/v1/a\\..\\x",
        "/v1/a%5C..%5Cx",
        "/v1/a%2f..%2fx",
        "mailto:ann@example.test",
        "javascript:1",
        "ftp://x/v1/rows",
        "http:/v1/rows",
        "http:rows",
        "http://[::1/v1/rows",
        "/v1/\ud800",
        "/v1/" + "a" * 8_000,
    ],
)
def test_what_could_lead_elsewhere_is_not_asked_for(address: str) -> None:
    assert target_of_next(address, "/rows/all?page=1", "/v1") is None


def test_below_a_base_without_a_path_every_path_is(address: str = "https://other.example/a/b?c") -> None:
    assert target_of_next(address, "/rows", "") == "/a/b?c"
    assert target_of_next("more", "/rows", "") == "/more"
    assert target_of_next("https://other.example", "/rows", "") == "/"


PIECES = st.lists(
    st.sampled_from(
        [*"/.?#:;%\\@&=ab \t\né", "..", "%2e", "%2F", "%5c", "//", "http://", "/v1", "v1", "2e", "[", "]"]
    ),
    max_size=12,
)


@given(PIECES.map("".join), st.sampled_from(["", "/v1", "/v1/b"]))
def test_whatever_a_backend_says_it_is_a_path_below_the_base(address: str, base: str) -> None:
    target = target_of_next(address, "/rows?page=1", base)
    if target is not None:
        check_path(target)
        path = unquote(target.partition("?")[0]).replace("\\", "/")
        assert not {"..", "."} & set(path.split("/"))
