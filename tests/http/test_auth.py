"""What signs a request: `auth` of requests, which may do whatever it likes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from bff.http import Broken, Calls, Client
from tests.fakes import FakeBackend, answer
from tests.http.calling import broken_of, get, patient, post, reply_of, stream

MakeCalls = Callable[..., Calls]


def test_an_authbase_signs_what_is_sent(backend: FakeBackend, make_calls: MakeCalls) -> None:
    reply_of(make_calls(), patient(backend.url, auth=HTTPBasicAuth("a", "b")), get("/a"))
    assert backend.requests[0].headers["authorization"] == "Basic YTpi"


def test_digest_answers_a_challenge(backend: FakeBackend, make_calls: MakeCalls) -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"', "Set-Cookie": "sid=1"}
    backend.on("GET /a", answer(401, headers=challenge), answer(json=1))
    reply = reply_of(make_calls(), patient(backend.url, auth=HTTPDigestAuth("a", "b")), get("/a"))
    assert reply.json() == 1
    assert backend.requests[1].headers["authorization"].startswith("Digest username=")
    assert "cookie" not in backend.requests[1].headers


def test_an_authbase_that_raises_breaks_only_its_call(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, caplog: pytest.LogCaptureFixture
) -> None:
    class Raising(HTTPBasicAuth):
        def __call__(self, request: object) -> object:
            raise KeyError("the secret")

    broken = broken_of(make_calls(), patient(backend.url, auth=Raising("a", "b")), post("/a"))
    assert (broken.kind, broken.sent) == ("refused", False)
    assert "KeyError" in caplog.text and "the secret" not in caplog.text
    assert reply_of(make_calls(), client, get("/a")).status == 404


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_authbase_that_raises_what_ends_a_program_breaks_only_its_call(
    raised: type[BaseException], backend: FakeBackend, make_calls: MakeCalls, caplog: pytest.LogCaptureFixture
) -> None:
    class Ending(HTTPBasicAuth):
        def __call__(self, request: object) -> object:
            raise raised("the secret")

    ending = patient(backend.url, auth=Ending("a", "b"), concurrency=1)
    for _ in range(3):  # a thread or place that was lost would be missed
        assert broken_of(make_calls(), ending, post("/a")).kind == "refused"
        assert isinstance(stream(make_calls(), ending, post("/a"), None, length=None, max_bytes=1), Broken)
    assert "the secret" not in caplog.text
    place = f"test_auth.py:{Ending.__call__.__code__.co_firstlineno + 1}"
    assert f"RuntimeError: {raised.__name__} at " in caplog.text and place in caplog.text
