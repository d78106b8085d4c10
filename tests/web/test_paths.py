"""A page has one path: every other way to write it is no page."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from flask.testing import FlaskClient

from bff import create_app
from bff.errors import OperatorError
from bff.web.paths import is_canonical
from tests.project import write_project

PAGE = """
    route: GET /api/home
    auth: none
    shape: "'home'"
    """
ONE = """
    route: GET /api/one/{id}
    auth: none
    shape: path.id
    """
OTHER_NAMES = [
    *("//metrics", "/%6detrics", "/%6Detrics", "//api/home", "/api//home", "/api%2fhome", "/api%2Fhome"),
    *("/./api/home", "/api/./home", "/x/../api/home", "/api/%2e/home", "/x/%2E%2e/metrics", "/api\\home"),
    *("/api/home%00", "/api/home%0a", "/api%5chome", "/%61pi/home", "/api/hom%65", "/api/one/a%2Fb"),
    *("/api/one/..", "/api/one/%2e%2e", "/api/home/..", "/api/one/%7ea", "/api/one/50%", "/api/one/%zz"),
    *("/./", "//", "/..", "/.", "/app.js/..", "//index.html", "/%69ndex.html", "/./index.html"),
]
OWN_NAMES = [
    *("/api/one/caf%C3%A9", "/api/one/caf%c3%a9", "/api/one/a%2541", "/api/one/a;b=1", "/api/one/a%20b"),
    *("/api/one/a..b", "/api/one/...", "/api/one/.a", "/api/one/a.", "/api/one/a%40b", "/api/one/~a", "/"),
    *("/metrics", "/api/home", "/healthz"),
]


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return client_of(tmp_path)


def client_of(root: Path, **settings: str) -> FlaskClient:
    write_project(root, {"home": PAGE, "one": ONE})
    (root / "public").mkdir()
    (root / "public" / "index.html").write_text("the app")
    return create_app(root, environ={"BFF_METRICS": "1", **settings}).test_client()


def get(client: FlaskClient, sent: str, **headers: str) -> Any:
    """The answer to a path as a server hands it on: decoded, and as it was sent."""
    environ = {"PATH_INFO": unquote_to_bytes(sent.partition("?")[0]).decode("latin-1"), "RAW_URI": sent}
    return client.get("/", environ_overrides=environ, headers=headers)


@pytest.mark.parametrize("sent", OTHER_NAMES)
def test_a_page_by_another_name_is_not_found(client: FlaskClient, sent: str) -> None:
    answer = get(client, sent)
    assert (answer.status_code, answer.json["type"]) == (404, "urn:bff:problem:not-found")
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("sent", OWN_NAMES)
def test_what_must_be_encoded_and_what_need_not_be_are_found(client: FlaskClient, sent: str) -> None:
    assert get(client, sent).status_code == 200


@pytest.mark.parametrize("sent", ["/metrics;x", "/metrics.", "/metrics/", "/Metrics", "/metrics%20"])
def test_a_longer_path_is_another_path(client: FlaskClient, sent: str) -> None:
    assert get(client, sent).data == b"the app"


@pytest.mark.parametrize("sent", ["/api/home;x", "/api/home.", "/api/home%20", "/api/home/"])
def test_a_longer_path_of_the_api_is_no_page(client: FlaskClient, sent: str) -> None:
    assert get(client, sent).status_code == 404


def test_a_query_is_not_looked_at(client: FlaskClient) -> None:
    assert get(client, "/api/home?a=//b/../%2e%zz").status_code == 200


def test_a_whole_url_is_read_from_its_path_on(client: FlaskClient) -> None:
    assert get(client, "http://elsewhere.test//x").status_code == 404
    assert is_canonical({"RAW_URI": "http://elsewhere.test/api/home?a=1"})
    assert is_canonical({"RAW_URI": "http://elsewhere.test"})


@pytest.mark.parametrize(
    ("decoded", "canonical"),
    [
        *(("/api/home", True), ("/api/one/a..b", True), ("/", True), ("/api/one/caf\xc3\xa9", True)),
        *(("//metrics", False), ("/a/../b", False), ("/a/..", False), ("/a\\b", False), ("/a\nb", False)),
    ],
)
def test_where_a_server_tells_only_what_it_made_of_a_path_that_is_looked_at(
    decoded: str, canonical: bool
) -> None:
    assert is_canonical({"PATH_INFO": decoded}) is canonical


HOSTS = "app.example, *.shop.example, [::1]"


@pytest.mark.parametrize(
    "host",
    ["app.example", "APP.example:8443", "app.example.", "a.shop.example", "a.b.shop.example", "[::1]:80"],
)
def test_a_listed_host_is_answered(tmp_path: Path, host: str) -> None:
    client = client_of(tmp_path, BFF_HOSTS=HOSTS)
    assert get(client, "/api/home", Host=host).status_code == 200
    assert get(client, "/", Host=host).data == b"the app"


@pytest.mark.parametrize(
    "host", ["evil.example", "shop.example", "app.example.evil.example", "xapp.example", "10.0.0.7", ""]
)
def test_another_host_is_misdirected(tmp_path: Path, host: str) -> None:
    client = client_of(tmp_path, BFF_HOSTS=HOSTS)
    for path in ("/api/home", "/", "/metrics", "/api/nowhere"):
        answer = get(client, path, Host=host)
        assert (answer.status_code, answer.json["type"]) == (421, "urn:bff:problem:other-host")
    for path in ("/healthz", "/readyz"):
        assert get(client, path, Host=host).status_code == 200


@pytest.mark.parametrize("hosts", ["https://app.example", "app.example:8443", "*", "app.*", "a b"])
def test_what_is_no_host_is_refused_at_the_start(tmp_path: Path, hosts: str) -> None:
    with pytest.raises(OperatorError, match="BFF_HOSTS"):
        client_of(tmp_path, BFF_HOSTS=hosts)


def test_a_trusted_proxy_says_which_host_was_asked_for(tmp_path: Path) -> None:
    client = client_of(tmp_path, BFF_HOSTS=HOSTS, BFF_TRUSTED_PROXIES="1")
    forwarded = {"Host": "10.0.0.7", "X-Forwarded-Host": "app.example"}
    assert client.get("/api/home", headers=forwarded).status_code == 200
    assert client.get("/api/home", headers={"Host": "10.0.0.7"}).status_code == 421


def test_without_the_setting_every_host_is_answered(client: FlaskClient) -> None:
    assert get(client, "/api/home", Host="10.0.0.7").status_code == 200
