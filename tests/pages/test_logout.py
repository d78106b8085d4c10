"""`logout.yaml`: the cookie goes, and no backend hears of it."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.pages.backends import Backends


def test_it_takes_the_cookie_away(backends: Backends, visitor: FlaskClient) -> None:
    page = visitor.post("/api/logout")
    assert (page.status_code, page.data) == (204, b"")
    [cookie] = page.headers.getlist("Set-Cookie")
    assert cookie.startswith("bff-session=;") and "Max-Age=0" in cookie
    assert visitor.get("/api/home").status_code == 401
    assert backends.calls() == []


def test_a_stranger_may_sign_out(backends: Backends, stranger: FlaskClient) -> None:
    assert stranger.post("/api/logout").status_code == 204
    assert backends.calls() == []


def test_another_site_signs_nobody_out(backends: Backends, visitor: FlaskClient) -> None:
    page = visitor.post("/api/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, page.json["type"]) == (403, "urn:bff:problem:other-site")
    assert "Set-Cookie" not in page.headers


def test_a_link_signs_nobody_out(visitor: FlaskClient) -> None:
    page = visitor.get("/api/logout")
    assert (page.status_code, page.json["type"]) == (405, "urn:bff:problem:method-not-allowed")
    assert "Set-Cookie" not in page.headers
