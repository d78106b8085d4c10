"""The cookies of a request."""

from __future__ import annotations

import pytest
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import EnvironBuilder

from bff.web.cookies import cookies_of


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "bff-session=a",
        "other=1; bff-session=a; bff-session=b",
        'bff-session="a\\073b"',
        " bff-session = a ;;=; x",
        "å=ä".encode().decode("latin1"),
    ],
)
def test_cookies_are_those_that_flask_finds(sent: str | None) -> None:
    environ = EnvironBuilder("/", headers={} if sent is None else {"Cookie": sent}).get_environ()
    ours, flasks = Request({**environ}), Request({**environ})
    assert cookies_of(ours) == flasks.cookies
    assert type(cookies_of(ours)) is type(flasks.cookies)
    assert ours.cookies is cookies_of(ours)


def test_a_request_class_of_the_project_says_what_its_cookies_are() -> None:
    class Own(Request):
        cookies = ImmutableMultiDict({"bff-session": "own"})  # type: ignore[assignment]

    found = cookies_of(Own(EnvironBuilder("/", headers={"Cookie": "bff-session=a"}).get_environ()))
    assert found["bff-session"] == "own"
