"""Signing in and out, who may see a page, whose token goes where, and requests from other sites."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from cryptography.fernet import Fernet
from flask import Request
from flask.testing import FlaskClient
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import EnvironBuilder

from bff import create_app
from bff.errors import OperatorError
from bff.web.cookies import cookies_of
from tests.clock import Clock
from tests.identity.test_bearer import JWKS, token
from tests.project import app_of, write_project

KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TOKEN = "visitor-token-7"
LOGIN = """
    route: POST /api/login
    auth: none
    input:
      body:
        type: object
        required: [name]
        properties:
          name: {type: string}
          padding: {type: string}
    steps:
      found:
        client: people
        post: /auth
        safe: true
        body:
          name: body.name
        on_status:
          400: null
      known:
        require: found is not None
        fail:
          status: 401
          detail: f"This name and password do not fit."
    session:
      user:
        id: found.id
        name: body.name
        padding: body.padding
      tokens:
        people: found.token
      expires: default(found.expires, now(28800))
    shape:
      id: found.id
    """
LOGOUT = "route: POST /api/logout\nauth: optional\nsession: null\n"
MINE = """
    route: GET /api/mine
    steps:
      me:
        client: people
        get: /me
        cache: 60s
      todos:
        client: todos
        get: /todos
        query:
          owner: user.id
    shape:
      name: me.name
      todos: todos
      user: user
    """
ANY = "route: GET /api/any\nauth: optional\nshape:\n  user: user\n"
CHANGE = "route: POST /api/change\nshape:\n  by: user.id\n"
RECIPES = {"login": LOGIN, "logout": LOGOUT, "mine": MINE, "any": ANY, "change": CHANGE}


@pytest.fixture
def backends() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post("http://people.test/auth", json={"id": 7, "token": TOKEN})
        mock.add_callback("GET", "http://people.test/me", callback=_me)
        mock.get("http://todos.test/todos", json=[])
        yield mock


def _me(request: Any) -> tuple[int, dict[str, str], str]:
    sent = request.headers.get("Authorization")
    return (200, {}, json.dumps({"name": f"owner of {sent}"})) if sent else (401, {}, "{}")


def site(root: Path, login: str = LOGIN, **environ: str) -> FlaskClient:
    write_project(root, {**RECIPES, "login": login})
    (root / "clients" / "people.py").write_text(
        'from bff import Client, forward_token\nclient = Client("http://people.test", auth=forward_token("people"))\n'
    )
    return create_app(root, environ={"BFF_SESSION_KEYS": KEY, **environ}).test_client()


def sign_in(client: FlaskClient, **more: Any) -> Any:
    return client.post("/api/login", json={"name": "Ann", **more.pop("body", {})}, **more)


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("bff-session")
    assert found is not None
    return found.value


def test_a_sign_in_sets_a_cookie_that_only_the_layer_can_read(tmp_path: Path, backends: Any) -> None:
    answer = sign_in(site(tmp_path))
    assert (answer.status_code, answer.json) == (200, {"id": 7})
    cookie = answer.headers["Set-Cookie"]
    assert re.fullmatch(
        r"bff-session=[\w=-]+; Expires=[^;]+; Max-Age=(28800|28799); HttpOnly; Path=/; SameSite=Lax", cookie
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


def test_a_session_lives_as_long_as_the_backend_says_its_token_does(tmp_path: Path, backends: Any) -> None:
    backends.replace("POST", "http://people.test/auth", json={"id": 7, "token": TOKEN, "expires_in": 300})
    login = LOGIN.replace("default(found.expires, now(28800))", "now(found.expires_in)")
    answer = sign_in(site(tmp_path, login=login))
    assert re.search(r"Max-Age=(300|299);", answer.headers["Set-Cookie"])


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


OTHER_SITE = "https://evil.test"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": OTHER_SITE}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost.evil.test"}, 403),
        ({"Origin": "https://partner.test", "Sec-Fetch-Site": "cross-site"}, 200),
        ({}, 200),
    ],
)
def test_another_site_cannot_act_for_a_visitor(
    tmp_path: Path, backends: Any, headers: dict[str, str], status: int
) -> None:
    client = site(tmp_path, BFF_ORIGINS="https://partner.test")
    sign_in(client)
    assert client.post("/api/change", headers=headers).status_code == status
    assert client.get("/api/mine", headers=headers).status_code == 200


def test_another_site_cannot_sign_a_visitor_in(tmp_path: Path, backends: Any) -> None:
    answer = sign_in(site(tmp_path), headers={"Sec-Fetch-Site": "cross-site", "Origin": OTHER_SITE})
    assert (answer.status_code, answer.json["type"]) == (403, "urn:bff:problem:other-site")
    assert "Set-Cookie" not in answer.headers
    assert len(backends.calls) == 0


def test_cors_is_only_for_listed_origins(tmp_path: Path, backends: Any) -> None:
    client = site(tmp_path, BFF_ORIGINS="https://partner.test")
    listed = client.get("/api/any", headers={"Origin": "https://partner.test"})
    assert listed.headers["Access-Control-Allow-Origin"] == "https://partner.test"
    assert listed.headers["Access-Control-Allow-Credentials"] == "true"
    other = client.get("/api/any", headers={"Origin": OTHER_SITE})
    assert "Access-Control-Allow-Origin" not in other.headers
    asked = {"Origin": "https://partner.test", "Access-Control-Request-Method": "POST"}
    preflight = client.options("/api/change", headers=asked)
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


def test_forwarded_headers_are_believed_only_of_trusted_proxies(tmp_path: Path, backends: Any) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.test", "X-Forwarded-For": "9.9.9.9"}
    assert sign_in(site(tmp_path), headers=forwarded).headers["Set-Cookie"].startswith("bff-session=")
    trusting = site(tmp_path, BFF_TRUSTED_PROXIES="1")
    assert sign_in(trusting, headers=forwarded).headers["Set-Cookie"].startswith("__Host-bff=")


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({"BFF_TRUSTED_PROXIES": "1"}, {"X-Forwarded-Host": "todos.example"}, 200),
        ({"BFF_TRUSTED_PROXIES": "1"}, {}, 403),
        ({"BFF_TRUSTED_PROXIES": "1"}, {"Sec-Fetch-Site": "same-origin"}, 200),
        ({"BFF_TRUSTED_PROXIES": "1"}, {"Host": "todos.example"}, 200),
        ({"BFF_ORIGINS": "http://todos.example"}, {}, 200),
        ({}, {"X-Forwarded-Host": "todos.example"}, 403),
    ],
)
def test_an_origin_is_our_own_by_the_host_that_the_proxy_says(
    settings: dict[str, str], headers: dict[str, str], status: int, tmp_path: Path, backends: Any
) -> None:
    sent = {"Host": "app:8000", "Origin": "http://todos.example", **headers}
    assert sign_in(site(tmp_path, **settings), headers=sent).status_code == status


class TestBearer:
    """Visitors who come with a JWT."""

    @pytest.fixture
    def client(self, tmp_path: Path, backends: Any) -> FlaskClient:
        return site(
            tmp_path, BFF_JWT_JWKS=JWKS, BFF_JWT_ISSUER="https://login.test", BFF_JWT_AUDIENCE="todos"
        )

    def test_a_good_token_is_a_visitor(self, client: FlaskClient) -> None:
        answer = client.get("/api/any", headers={"Authorization": f"Bearer {token()}"})
        assert answer.json["user"]["sub"] == "u7"

    def test_a_bad_token_is_401_and_does_not_fall_back_to_the_cookie(self, client: FlaskClient) -> None:
        sign_in(client)
        answer = client.get("/api/any", headers={"Authorization": f"Bearer {token(aud='others')}"})
        assert (answer.status_code, answer.json["detail"]) == (401, "The Bearer token is not valid here.")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    def test_it_is_exempt_from_the_cross_site_rule(self, client: FlaskClient) -> None:
        headers = {"Authorization": f"Bearer {token()}", "Sec-Fetch-Site": "cross-site"}
        assert client.post("/api/change", headers=headers).status_code == 200

    def test_it_is_not_sent_to_a_client_that_does_not_ask_for_it(
        self, client: FlaskClient, backends: Any
    ) -> None:
        client.get("/api/mine", headers={"Authorization": f"Bearer {token()}"})
        assert all("Authorization" not in call.request.headers for call in backends.calls)

    def test_without_a_jwks_it_is_not_taken(self, tmp_path: Path, backends: Any) -> None:
        answer = site(tmp_path / "other").get("/api/any", headers={"Authorization": f"Bearer {token()}"})
        assert (answer.status_code, answer.json["detail"]) == (401, "Bearer tokens are not taken here.")


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


# --- the cookies of a request ------------------------------------------------------------------------------------


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
