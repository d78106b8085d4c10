"""Signing in and out, who may see a page, and whose token goes where."""

from __future__ import annotations

import base64
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from bff.errors import OperatorError
from tests.clock import Clock
from tests.project import app_of
from tests.web.identity.sessions import ANY, KEY, LOGIN, OLD_KEY, TOKEN, cookie_of, sign_in, site


def test_a_sign_in_sets_a_cookie_that_only_the_layer_can_read(
    tmp_path: Path, backends: Any, clock: Clock
) -> None:
    answer = sign_in(site(tmp_path))
    assert (answer.status_code, answer.json) == (200, {"id": 7})
    cookie = answer.headers["Set-Cookie"]
    assert re.fullmatch(
        r"bff-session=[\w=-]+; Expires=[^;]+; Max-Age=28800; HttpOnly; Path=/; SameSite=Lax", cookie
    )
    assert TOKEN not in cookie and TOKEN.encode() not in base64.urlsafe_b64decode(cookie[12:].split(";")[0])
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_behind_https_the_cookie_is_bound_to_the_host(tmp_path: Path, backends: Any) -> None:
    answer = sign_in(site(tmp_path), base_url="https://app.test")
    assert answer.headers["Set-Cookie"].startswith("__Host-bff=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]
    assert "Domain" not in answer.headers["Set-Cookie"]


def test_a_signed_in_visitor_is_known_and_their_token_goes_only_to_its_client(
    tmp_path: Path, backends: Any
) -> None:
    client = site(tmp_path)
    sign_in(client)
    answer = client.get("/api/mine")
    assert answer.json == {
        "name": f"owner of Bearer {TOKEN}",
        "todos": [],
        "user": {"id": 7, "name": "Ann", "padding": None},
    }
    (todos,) = (call.request for call in backends.calls if call.request.url.startswith("http://todos.test"))
    assert "Authorization" not in todos.headers
    assert todos.url == "http://todos.test/todos?owner=7"


def test_without_a_session_a_page_is_401_and_nothing_is_asked(tmp_path: Path, backends: Any) -> None:
    answer = site(tmp_path).get("/api/mine")
    assert answer.status_code == 401
    assert answer.json["type"] == "urn:bff:problem:unauthorized"
    assert answer.json["detail"] == "Sign in to see this page."
    assert len(backends.calls) == 0


def test_an_optional_page_is_there_for_anybody(tmp_path: Path, backends: Any) -> None:
    client = site(tmp_path)
    assert client.get("/api/any").json == {"user": None}
    sign_in(client)
    assert client.get("/api/any").json["user"]["id"] == 7


def test_a_refused_sign_in_sets_no_cookie(tmp_path: Path, backends: Any) -> None:
    backends.replace("POST", "http://people.test/auth", status=400, json={})
    answer = sign_in(site(tmp_path))
    assert (answer.status_code, answer.json["detail"]) == (401, "This name and password do not fit.")
    assert "Set-Cookie" not in answer.headers


def test_a_sign_out_takes_the_cookie_away(tmp_path: Path, backends: Any) -> None:
    client = site(tmp_path)
    sign_in(client)
    answer = client.post("/api/logout")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert client.get("/api/mine").status_code == 401


@pytest.mark.parametrize("value", ["x", "", "A" * 5000, "gAAAAABlAAAA", '"quoted"'])
def test_a_cookie_that_does_not_open_is_a_clean_sign_out(tmp_path: Path, backends: Any, value: str) -> None:
    client = site(tmp_path).application.test_client(use_cookies=False)
    carried = {"Cookie": f"bff-session={value}"}
    answer = client.get("/api/mine", headers=carried)
    assert answer.status_code == 401
    assert "bff-session=;" in answer.headers["Set-Cookie"] and "Max-Age=0" in answer.headers["Set-Cookie"]
    optional = client.get("/api/any", headers=carried)
    assert optional.json == {"user": None}
    assert "Max-Age=0" in optional.headers["Set-Cookie"]


def test_a_clock_that_is_put_back_signs_nobody_out(tmp_path: Path, backends: Any, clock: Clock) -> None:
    client = site(tmp_path)
    sign_in(client)
    now = clock.wall
    for back, status in ((3600, 200), (7200, 401), (0, 200)):
        clock.wall = now - back
        found = client.get("/api/mine")
        assert (found.status_code, found.headers.get("Set-Cookie")) == (status, None), back


def test_a_cookie_of_another_key_is_a_clean_sign_out_and_of_an_old_listed_one_is_not(
    tmp_path: Path, backends: Any
) -> None:
    before = site(tmp_path, BFF_SESSION_KEYS=OLD_KEY)
    sign_in(before)
    value = cookie_of(before)
    rotated = site(tmp_path, BFF_SESSION_KEYS=f"{KEY},{OLD_KEY}")
    rotated.set_cookie("bff-session", value)
    assert rotated.get("/api/mine").status_code == 200
    dropped = site(tmp_path)
    dropped.set_cookie("bff-session", value)
    assert dropped.get("/api/mine").status_code == 401


def test_a_session_ends_when_the_recipe_says(tmp_path: Path, backends: Any, clock: Clock) -> None:
    backends.replace(
        "POST", "http://people.test/auth", json={"id": 7, "token": TOKEN, "expires": clock.wall + 100}
    )
    client = site(tmp_path)
    assert re.search(r"Max-Age=(9[0-9]|100);", sign_in(client).headers["Set-Cookie"])
    assert client.get("/api/mine").status_code == 200
    value = cookie_of(client)
    clock.go_on(101)
    client.set_cookie("bff-session", value)
    assert client.get("/api/mine").status_code == 401


def test_a_session_that_is_over_at_once_is_a_mistake_of_the_recipe(
    tmp_path: Path, backends: Any, caplog: pytest.LogCaptureFixture
) -> None:
    backends.replace("POST", "http://people.test/auth", json={"id": 7, "token": TOKEN, "expires": 1})
    answer = sign_in(site(tmp_path))
    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers
    assert "session: 'expires' is no time to come (seconds since 1970, or ISO 8601)" in caplog.text


@pytest.mark.parametrize("expires", ["found.expires_at", "now(found.expires_in)", "f'{found.id}'"])
def test_what_a_recipe_says_of_the_end_and_is_no_time_signs_nobody_in(
    expires: str, tmp_path: Path, backends: Any, caplog: pytest.LogCaptureFixture
) -> None:
    login = LOGIN.replace("default(found.expires, now(28800))", expires)
    answer = sign_in(site(tmp_path, login=login))
    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers
    assert "session: 'expires' is no time to come" in caplog.text


def test_a_session_lives_as_long_as_the_backend_says_its_token_does(
    tmp_path: Path, backends: Any, clock: Clock
) -> None:
    backends.replace("POST", "http://people.test/auth", json={"id": 7, "token": TOKEN, "expires_in": 300})
    login = LOGIN.replace("default(found.expires, now(28800))", "now(found.expires_in)")
    answer = sign_in(site(tmp_path, login=login))
    assert "; Max-Age=300;" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("token", ["", "a\r\nX-Other: b", "待办", " a", "a ", 7])
def test_a_token_that_no_header_can_carry_is_a_mistake_of_the_recipe(
    tmp_path: Path, backends: Any, caplog: pytest.LogCaptureFixture, token: Any
) -> None:
    backends.replace("POST", "http://people.test/auth", json={"id": 7, "token": token})
    answer = sign_in(site(tmp_path))
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (500, False)
    assert "session: a token is no text that a header can carry" in caplog.text


def test_a_session_over_4096_bytes_is_a_clear_error_at_the_recipe(
    tmp_path: Path, backends: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answer = sign_in(site(tmp_path), body={"padding": "x" * 4000})
    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers
    found = re.search(
        r"orchestrations/login.yaml:\d+:\d+: session: the cookie would take (\d+) bytes, ", caplog.text
    )
    assert found is not None and int(found[1]) > 4096
    assert "browsers keep 4096: put less into it" in caplog.text


def test_tokens_and_keys_are_in_no_log_line(
    tmp_path: Path, backends: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    client = site(tmp_path)
    sign_in(client)
    client.get("/api/mine")
    said = caplog.text + "".join(capfd.readouterr())
    assert "api/mine" in said
    assert TOKEN not in said and KEY not in said and cookie_of(client) not in said


def test_cached_replies_are_kept_from_other_visitors(tmp_path: Path, backends: Any) -> None:
    client = site(tmp_path)
    other = client.application.test_client()
    sign_in(client)
    backends.replace("POST", "http://people.test/auth", json={"id": 8, "token": "visitor-token-8"})
    sign_in(other)
    for _ in range(2):
        assert client.get("/api/mine").json["name"] == f"owner of Bearer {TOKEN}"
        assert other.get("/api/mine").json["name"] == "owner of Bearer visitor-token-8"


def test_pages_that_need_sessions_do_not_start_without_keys(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as raised:
        app_of(tmp_path, {"any": ANY})
    assert str(raised.value) == (
        "BFF_SESSION_KEYS is not set, and orchestrations/any.yaml needs it; make a key with: python -c "
        '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
    )


def test_the_development_server_makes_a_key_for_its_own_life_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_of(tmp_path, {"any": ANY}, environ={"FLASK_RUN_FROM_CLI": "true"})
    assert app.test_client().get("/api/any").json == {"user": None}
    assert "BFF_SESSION_KEYS is not set; sessions last as long as this development server" in caplog.text
