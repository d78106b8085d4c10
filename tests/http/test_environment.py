"""What a client takes from the environment: any argument, resolved at start, wrong ones in a line without the value."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from requests.auth import AuthBase, HTTPBasicAuth

from bff import create_app
from bff.errors import OperatorError
from bff.http import ApiKey, BearerToken, Calls, Client, env
from tests.fakes import FakeBackend, answer
from tests.http.calling import get, patient, reply_of
from tests.project import write_project

URL = "http://people.test"
SECRET = "S3cret/w@rd"


class Signed(AuthBase):
    """Auth as a project may write it: what it needs is in attributes, slots, collections and auth inside of it."""

    __slots__ = ("key",)

    def __init__(self, key: Any, more: Any = None, inner: Any = None) -> None:
        self.key = key
        self.more = more
        self.inner = inner
        self.itself = self

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signed"] = f"{self.key} {self.more}"
        return self.inner(request) if self.inner else request


def test_variables_inside_of_auth_are_read_at_start(
    backend: FakeBackend, make_calls: Callable[..., Calls]
) -> None:
    backend.on("GET /a", answer(json=1))
    written = Signed(env("KEY"), {"ids": [env("ID"), "b"]}, HTTPBasicAuth(env("USER"), env("PASSWORD")))
    client = patient(backend.url, auth=written)
    assert [found.variable for found in client.variables] == ["KEY", "ID", "USER", "PASSWORD"]
    for number in (1, 2):  # as often as a project is loaded
        client.resolve({"KEY": f"k{number}", "ID": "i", "USER": "ann", "PASSWORD": "p"})
        assert reply_of(make_calls(), client, get("/a")).status == 200
        assert backend.requests[-1].headers["x-signed"] == f"k{number} {{'ids': ['i', 'b']}}"
        assert backend.requests[-1].headers["authorization"] == "Basic YW5uOnA="
    assert written.key == env("KEY") and written.more == {"ids": [env("ID"), "b"]}


def test_auth_that_takes_nothing_from_the_environment_stays_the_same_object() -> None:
    written = Signed("key", inner=HTTPBasicAuth("a", "b"))
    client = Client(env("PEOPLE_URL"), auth=written)
    client.resolve({"PEOPLE_URL": URL})
    assert client.auth is written


def test_a_variable_that_auth_misses_is_named() -> None:
    client = Client(URL, auth=HTTPBasicAuth("ann", env("PASSWORD")))
    client.name = "people"
    with pytest.raises(OperatorError) as raised:
        client.resolve({})
    assert str(raised.value) == "client people: the environment variable PASSWORD is not set (auth)"


@pytest.mark.parametrize("use", [str, "{:>9}".format, lambda value: f"Bearer {value}", "%s".__mod__])
def test_a_variable_is_no_text_before_the_start(use: Callable[[Any], str]) -> None:
    with pytest.raises(TypeError) as raised:
        use(env("KEY", default=SECRET))
    assert str(raised.value) == "env('KEY') is read at start and is no text before: keep it as it is"


ARGUMENTS: dict[str, tuple[str, Any, str]] = {
    "timeout": ("2s", 2.0, "a duration such as 300ms, 2s or 1m"),
    "retries": ("3", 3, "a whole number from 0"),
    "concurrency": ("7", 7, "a whole number from 1"),
    "cache_entries": ("5", None, "a whole number from 1"),
    "cache_bytes": ("4096", None, "a whole number from 1"),
    "proxies": ("0", None, "1 or 0"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_numbers_and_switches_come_from_the_environment_too(name: str) -> None:
    text, value, expected = ARGUMENTS[name]
    client = Client(URL, **{name: env("IT")})  # type: ignore[arg-type]
    client.name = "people"
    assert [found.variable for found in client.variables] == ["IT"]
    client.resolve({"IT": f" {text} "})
    if value is not None:
        assert getattr(client, name) == value
    for wrong in (SECRET, "-1", "0.5", "9" * 40, "soon"):
        with pytest.raises(OperatorError) as raised:
            client.resolve({"IT": wrong})
        assert str(raised.value) == f"client people: the environment variable IT must be {expected} ({name})"
    with pytest.raises(OperatorError) as raised:
        client.resolve({})
    assert str(raised.value) == f"client people: the environment variable IT is not set ({name})"


def test_a_default_that_is_none_is_the_authors_mistake() -> None:
    with pytest.raises(ValueError) as raised:
        Client(URL, timeout=env("IT", default="soon"))
    assert str(raised.value) == "timeout=env('IT'): its default must be a duration such as 300ms, 2s or 1m"
    assert Client(URL, timeout=env("IT", default="5s")).timeout == 5.0


def test_bounds_from_the_environment_bound() -> None:
    client = Client(URL, concurrency=env("PLACES", default="2"), cache_bytes=env("BYTES"))
    client.resolve({"BYTES": "700"})
    assert [client.gate.enter(first=True) for _ in range(3)] == [True, True, False]
    assert client.cache_bytes == 700


def test_a_client_knows_texts_with_which_it_can_start() -> None:
    client = Client(
        env("PEOPLE_URL"),
        auth=ApiKey("X-Key", env("KEY")),
        headers={"X-Team": env("TEAM")},
        timeout=env("TIMEOUT"),
        retries=env("RETRIES"),
        proxies=env("PROXIES"),
        verify=env("AUTHORITIES"),
        cert=(env("CERTIFICATE"), env("CERTIFICATE_KEY")),
    )
    assert client.stand_ins.keys() == {found.variable for found in client.variables}
    client.resolve(client.stand_ins)
    client.check_files()


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@people.test",
        f"http://people.test:{SECRET}",
        f"http://people.test/?{SECRET}",
        f"http://people.test/../{SECRET}",
        f"ftp://{SECRET}",
        SECRET,
        f"http://people.test/{SECRET}\n",
    ],
)
@pytest.mark.parametrize(
    "auth", [None, ApiKey("X-Key", env("KEY")), BearerToken(env("KEY"))], ids=["none", "key", "bearer"]
)
def test_no_message_holds_a_value(url: str, auth: Any) -> None:
    client = Client(env("PEOPLE_URL"), auth=auth, headers={"X-Team": env("TEAM")})
    with pytest.raises(OperatorError) as raised:
        client.resolve({"PEOPLE_URL": url, "KEY": f"{SECRET}\n", "TEAM": f"{SECRET}\x00"})
    assert "S3cret" not in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{SECRET}@proxy.internal:3128",
        "http://proxy.internal:S3cret",
        "http://",
        "socks5://proxy.internal",
        "S3cret://proxy.internal",
    ],
)
def test_a_proxy_that_is_none_is_told_at_start(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    client = Client(env("PEOPLE_URL"), proxies=True)
    with pytest.raises(OperatorError) as raised:
        client.resolve({"PEOPLE_URL": URL})
    assert str(raised.value).startswith("a client: the proxy that the environment names ")
    assert "S3cret" not in str(raised.value) and "proxy.internal:S" not in str(raised.value)
    Client(URL, proxies=False).resolve({})


def test_a_proxy_without_a_scheme_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "user:p%2Fw@proxy.internal:3128")
    client = Client(env("PEOPLE_URL"), proxies=True)
    client.resolve({"PEOPLE_URL": URL})
    assert client.proxy_urls["http"] == "user:p%2Fw@proxy.internal:3128"


# --- files ---------------------------------------------------------------------------------------------------------

PAGE = "route: GET /api/page\nauth: none\nsteps: {a: {client: todos, get: /a}}\nshape: a\n"


@pytest.mark.parametrize(
    ("arguments", "environ", "line"),
    [
        ('verify="/nowhere/S3cret.pem"', {}, "client todos: verify: there is no such file or folder"),
        (
            'verify=env("AUTHORITIES")',
            {"AUTHORITIES": "/nowhere/S3cret.pem"},
            "client todos: verify: there is no such file or folder",
        ),
        (
            'verify=env("AUTHORITIES")',
            {},
            "client todos: the environment variable AUTHORITIES is not set (verify)",
        ),
        ('cert="/nowhere/S3cret.pem"', {}, "client todos: cert: there is no such file or folder"),
        (
            'cert=(env("CERTIFICATE"), "/nowhere/S3cret.key")',
            {"CERTIFICATE": "/nowhere/S3cret.pem"},
            "client todos: cert: there is no such file or folder; cert: there is no such file or folder",
        ),
        *(
            ("", {name: "/nowhere/S3cret.pem"}, f"client todos: {name}: there is no such file or folder")
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
        ),
    ],
)
def test_a_file_of_certificates_that_is_not_there_stops_the_start(
    tmp_path: Path, arguments: str, environ: dict[str, str], line: str
) -> None:
    write_project(tmp_path, {"page": PAGE}, clients={"todos": arguments})
    environ = {"TODOS_URL": "https://todos.test", **environ}
    with pytest.raises(OperatorError) as raised:
        create_app(tmp_path, environ=environ)
    assert str(raised.value) == line


def test_nobody_needs_the_authorities_of_the_environment_who_asks_over_http_or_names_their_own(
    tmp_path: Path,
) -> None:
    environ = {"SSL_CERT_FILE": "/nowhere/ca.pem"}
    write_project(tmp_path, {"page": PAGE}, clients={"todos": f"verify={str(Path(__file__))!r}"})
    create_app(tmp_path, environ={"TODOS_URL": "https://todos.test", **environ})
    write_project(tmp_path, {"page": PAGE})
    create_app(tmp_path, environ={"TODOS_URL": "http://todos.test", **environ})


def test_the_keys_of_tokens_are_fetched_from_whom_the_environment_trusts(tmp_path: Path) -> None:
    write_project(tmp_path, {"page": PAGE})
    jwt = {"BFF_JWT_JWKS": "https://login.test/keys", "BFF_JWT_ISSUER": "i", "BFF_JWT_AUDIENCE": "a"}
    with pytest.raises(OperatorError) as raised:
        create_app(tmp_path, environ={**jwt, "SSL_CERT_DIR": "/nowhere"})
    assert str(raised.value) == "BFF_JWT_JWKS: SSL_CERT_DIR: there is no such file or folder"
    site = create_app(tmp_path, environ={**jwt, "SSL_CERT_DIR": str(tmp_path)}).extensions["bff"]
    assert site.identity._bearer.keys._verify == str(tmp_path)


def test_a_client_can_be_read_while_another_thread_loads_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests.auth", ModuleType("requests.auth"))  # it has begun
    client = Client(env("URL"))
    client.resolve({"URL": "http://people.test"})
    assert client.url("/") == "http://people.test/"
