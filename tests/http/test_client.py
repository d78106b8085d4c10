"""A client as an author writes it, an operator starts it and a hand-written view calls it."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import pytest
import requests
import responses
from requests.auth import HTTPBasicAuth
from urllib3.util import make_headers

from bff.errors import OperatorError
from bff.http import (
    ApiKey,
    BearerToken,
    CallError,
    Client,
    OutgoingRequest,
    Sender,
    ThreadTransport,
    env,
    forward_token,
)
from tests.fakes import FakeBackend, answer, hang
from tests.http.calling import patient

SECRET = "s3cret"


# --- what an author may write -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "people.test",
        "ftp://people.test",
        "http://",
        "http:///people",
        f"http://user:{SECRET}@people.test",
        f"http://{SECRET}@people.test",
        f"http://people.test/?key={SECRET}",
        "http://people.test?",
        "http://people.test/#a",
        "http://people.test:0",
        "http://people.test:65536",
        "http://people.test:x",
        "http://people .test",
        "http://people.test/\n",
        "http://people.test\\a",
        "http://人.test",
        "http://[::1",
        "http://people.test/a/../b",
        "http://people.test/%zz",
        "",
        None,
    ],
)
def test_a_wrong_base_url_is_refused_without_being_shown(url: Any) -> None:
    with pytest.raises(ValueError, match="base_url") as caught:
        Client(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://people.test", "HTTPS://People.test:8443/v1/", "http://[::1]:80", "http://a.test/%E4%BA%BA"],
)
def test_a_right_base_url_comes_before_the_path(url: str) -> None:
    assert Client(url).url("/a") == url.rstrip("/") + "/a"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"timeout": "800"}, "timeout"),
        ({"timeout": 0.8}, "timeout"),
        ({"timeout": "0ms"}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"retries": True}, "retries"),
        ({"concurrency": 0}, "concurrency"),
        ({"cache_entries": 0}, "cache_entries"),
        ({"cache_bytes": "1MB"}, "cache_bytes"),
        ({"headers": {"Cookie": "a=b"}}, "Cookie"),
        ({"headers": {"authorization": SECRET}}, "use auth="),
        ({"headers": {"X": f"{SECRET}\n"}}, "header X"),
        ({"auth": SECRET}, "auth="),
        ({"auth": BearerToken(f"{SECRET}\r\n")}, "Authorization"),
    ],
)
def test_a_wrong_option_is_refused_without_a_secret(options: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names) as caught:
        Client("http://people.test", **options)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("header", ["Host", "cookie", "Content-Length", "a b", ""])
def test_a_key_goes_into_no_header_of_the_connection(header: str) -> None:
    with pytest.raises(ValueError):
        ApiKey(header, SECRET)


def test_the_filter_language_of_a_client_is_kept() -> None:
    client = Client("http://people.test", quote=str.upper, filters=["filter"])
    assert client.quote is str.upper
    assert client.quote_like is None
    assert client.filters == {"filter"}
    assert Client("http://people.test", filters="filter").filters == {"filter"}


def test_no_secret_is_in_any_repr() -> None:
    parts = [
        Client(f"http://people.test/{SECRET}", auth=BearerToken(SECRET), headers={"X": SECRET}),
        BearerToken(SECRET),
        ApiKey("X-Key", SECRET),
        env("KEY", default=SECRET),
        OutgoingRequest(f"/{SECRET}", (("q", SECRET),), {"X": SECRET}, SECRET.encode(), token=SECRET),
    ]
    assert SECRET not in repr(parts)


@pytest.mark.parametrize("path", ["", "graphql", "/a b", "/../graphql", None, 3])
def test_a_graphql_endpoint_is_a_path_below_the_base_url(path: Any) -> None:
    with pytest.raises(ValueError, match="graphql= takes the path of the endpoint below base_url"):
        Client("http://people.test", graphql=path)
    assert Client("http://people.test").graphql == "/graphql"
    assert Client("http://people.test", graphql="/v2/graphql?all").graphql == "/v2/graphql?all"


# --- start --------------------------------------------------------------------------------------------------------


def test_the_environment_is_read_at_start_not_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEOPLE_URL", "http://at-import.test")
    client = Client(env("PEOPLE_URL"), auth=ApiKey("X-Key", env("KEY")), headers={"X-Team": env("TEAM", "a")})
    with pytest.raises(OperatorError, match="not ready"):
        client.url("/a")
    client.resolve({"PEOPLE_URL": "http://at-start.test", "KEY": SECRET})
    assert client.url("/a") == "http://at-start.test/a"
    assert {"X-Key": SECRET, "X-Team": "a"}.items() <= client.sent_headers.items()


def test_every_missing_variable_is_named_at_once() -> None:
    client = Client(env("PEOPLE_URL"), auth=BearerToken(env("PEOPLE_TOKEN")))
    client.name = "people"
    with pytest.raises(OperatorError) as caught:
        client.resolve({"PEOPLE_URL": ""})
    assert str(caught.value) == (
        "client people: the environment variable PEOPLE_URL is not set (base_url); "
        "the environment variable PEOPLE_TOKEN is not set (Authorization)"
    )


def test_a_wrong_value_from_the_environment_is_not_shown() -> None:
    client = Client(env("PEOPLE_URL"), auth=BearerToken(env("PEOPLE_TOKEN")))
    with pytest.raises(OperatorError) as caught:
        client.resolve({"PEOPLE_URL": f"ftp://{SECRET}", "PEOPLE_TOKEN": f"{SECRET}\n"})
    assert SECRET not in str(caught.value)
    assert "base_url" in str(caught.value) and "Authorization" in str(caught.value)


def test_a_variable_that_is_not_set_has_its_default() -> None:
    client = Client(env("PEOPLE_URL", default="http://people.test"))
    client.resolve({"PEOPLE_URL": ""})
    assert client.url("/a") == "http://people.test/a"


def test_a_client_says_whose_token_it_forwards() -> None:
    client = Client("http://people.test", auth=forward_token("people"))
    assert (client.forwards_token, client.forwards) == (True, "people")
    assert (forward_token("people").bearer, forward_token("people", bearer=True).bearer) == (False, True)
    assert "Authorization" not in client.sent_headers
    own = Client("http://people.test", auth=BearerToken(SECRET))
    assert (own.forwards_token, own.forwards) == (False, None)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (None, None),
        (ApiKey("X-Key", SECRET), "x-key"),
        (BearerToken(SECRET), "authorization"),
        (forward_token("people"), "authorization"),
        (HTTPBasicAuth("a", SECRET), "authorization"),
    ],
)
def test_the_header_of_the_credentials_is_known(auth: Any, header: str | None) -> None:
    assert Client("http://people.test", auth=auth).auth_header == header


def test_a_key_in_the_authorization_header_goes_as_it_is() -> None:
    client = Client("http://people.test", auth=ApiKey("Authorization", "Token x"))
    assert client.sent_headers["Authorization"] == "Token x"


# --- calls from a hand-written view -------------------------------------------------------------------------------


def test_a_view_may_call_a_client_and_plain_responses_mocks_it() -> None:
    client = Client("http://people.test/v1", auth=BearerToken(SECRET))
    with responses.RequestsMock() as mock:
        mock.get("http://people.test/v1/people", json=[1])
        mock.post("http://people.test/v1/people", status=201, json={"id": 2})
        mock.put("http://people.test/v1/people/2", status=404)
        mock.patch("http://people.test/v1/people/2", json={})
        mock.delete("http://people.test/v1/people/2", status=204)
        assert client.get("/people", query={"id": ["1", "a b"], "q": "é"}).json() == [1]
        created = client.post("/people", json={"name": "待办"})
        assert (created.status, created.json()) == (201, {"id": 2})
        assert client.put("/people/2", json=1).ok is False
        assert client.patch("/people/2", json={}).json() == {}
        assert client.delete("/people/2").json() is None
        sent = [call.request for call in mock.calls]
    assert sent[0].url == "http://people.test/v1/people?id=1&id=a%20b&q=%C3%A9"
    assert sent[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert sent[1].body == '{"name":"待办"}'.encode()
    assert sent[1].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("error", "kind", "sent", "status", "reason"),
    [
        (requests.ConnectionError("refused"), "refused", False, 502, ""),
        (requests.ConnectTimeout("late"), "timeout", False, 504, "connect-timeout"),
        (requests.ReadTimeout("late"), "timeout", True, 504, "reply-timeout"),
        (requests.exceptions.SSLError("no"), "refused", False, 502, "tls"),
        (requests.exceptions.ChunkedEncodingError("half"), "refused", True, 502, "cut-short"),
        (ConnectionResetError(), "refused", False, 502, "no-reply"),
        (ConnectionRefusedError(), "refused", False, 502, "refused"),
        (ValueError("anything"), "refused", False, 502, "internal"),
    ],
)
def test_a_view_gets_a_call_error_where_no_reply_comes(
    error: Exception, kind: str, sent: bool, status: int, reason: str
) -> None:
    client = Client("http://people.test")
    client.name = "people"
    with responses.RequestsMock() as mock:
        mock.post("http://people.test/a", body=error)
        with pytest.raises(CallError) as caught:
            client.post("/a")
    assert (caught.value.kind, caught.value.sent, caught.value.status) == (kind, sent, status)
    assert caught.value.reason == reason
    assert str(caught.value) == f"client people: {kind}" + (
        f" ({reason})" if reason not in ("", kind) else ""
    )


def test_a_view_s_call_has_the_client_s_retries() -> None:
    client = Client("http://people.test")
    with responses.RequestsMock() as mock:
        mock.get("http://people.test/a", status=503)
        mock.get("http://people.test/a", json=1)
        reply = client.get("/a")
    assert (reply.json(), reply.attempts) == (1, 2)


def test_a_view_s_call_ends_at_its_deadline(backend: FakeBackend) -> None:
    backend.on("GET /a", hang)
    begun = time.monotonic()
    with pytest.raises(CallError):
        Client(backend.url, timeout="9s").get("/a", deadline=0.1)
    assert time.monotonic() - begun < 0.1 + 0.2


def test_a_view_s_call_takes_the_transport_it_is_given(backend: FakeBackend) -> None:
    backend.on("GET /a", answer(json=1))
    client = patient(backend.url)
    transport = ThreadTransport(max_threads=1)
    client.sender = Sender(transport)
    assert client.get("/a").json() == 1
    transport.close()


def test_a_client_that_is_gone_leaves_no_connection(backend: FakeBackend, transport: ThreadTransport) -> None:
    backend.on("GET /a", answer(json=1))
    client = patient(backend.url)
    client.sender = Sender(transport)
    client.get("/a")
    assert backend.open_connections == 1
    gone = weakref.ref(client)
    client = patient(backend.url)
    client.sender = Sender(transport)
    client.get("/a")  # the thread that called the first one calls the second
    gc.collect()
    assert gone() is None
    assert backend.wait_for_connections(1)


def test_what_it_takes_packed_is_what_urllib3_can_unpack() -> None:
    unpacked = make_headers(accept_encoding=True)["accept-encoding"].split(",")
    assert Client("http://people.test").sent_headers["Accept-Encoding"] == ", ".join(unpacked)
