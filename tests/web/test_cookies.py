"""Cookies are read and set as Werkzeug does it."""

from __future__ import annotations

import pytest
from werkzeug.http import dump_cookie
from werkzeug.sansio.http import parse_cookie

from bff.web.cookies import Cookie, value_in
from bff.web.request import PageRequest
from tests.properties import example, given, st

HOSTILE = st.text(st.sampled_from('ab=;"\\ \t,073\xe5\xffx-_\n'), max_size=30)


@given(HOSTILE, st.sampled_from(["a", "ab", "b", "x"]))
@example('a="x\\073y"; b=1', "a")
@example("a=1; a=2", "a")
@example("=;a", "a")
@example('a="', "a")
def test_the_value_of_a_cookie_is_the_one_that_werkzeug_finds(sent: str, name: str) -> None:
    assert value_in(sent, name) == parse_cookie(sent).get(name)


@pytest.mark.parametrize("scheme", ["http", "https", "wss"])
@pytest.mark.parametrize(("value", "age"), [("", 0), ("gAAAAAB-_=", 3600)])
def test_a_cookie_is_set_as_werkzeug_sets_it(value: str, age: int, scheme: str) -> None:
    cookie, secure = Cookie("__Host-a", "a"), scheme != "http"
    request = PageRequest({"wsgi.url_scheme": scheme}, "GET")
    theirs = dump_cookie(
        cookie.name(request), value, age, path="/", secure=secure, httponly=True, samesite="Lax"
    )
    assert _without_time(cookie.header(request, value, age)) == _without_time(theirs)


def test_a_cookie_has_another_name_over_tls() -> None:
    sent = {"HTTP_COOKIE": "__Host-a=1; a=2"}
    cookie = Cookie("__Host-a", "a")
    assert cookie.value(PageRequest({**sent, "wsgi.url_scheme": "https"}, "GET")) == "1"
    assert cookie.value(PageRequest({**sent, "wsgi.url_scheme": "http"}, "GET")) == "2"
    assert cookie.value(PageRequest({"wsgi.url_scheme": "http"}, "GET")) is None


def _without_time(header: str) -> list[str]:
    return [part if not part.startswith("Expires=") else part[:13] + part[-4:] for part in header.split("; ")]
