"""Backends behind TLS, on both transports."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bff.http import Calls, Client
from tests.fakes import PATIENCE, FakeBackend, answer, drip, hang, head
from tests.http.calling import broken_of, get, patient, post, reply_of, start

MakeCalls = Callable[..., Calls]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that only itself vouches for, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return made, key


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Iterator[FakeBackend]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with FakeBackend(context) as running:
        yield running


def test_a_backend_behind_tls_is_called_over_one_connection(
    secure: FakeBackend, certificate: tuple[Path, Path], make_calls: MakeCalls
) -> None:
    secure.on("POST /a", answer(json=[1]))
    client = patient(secure.url, verify=str(certificate[0]))
    for _ in range(2):
        assert reply_of(make_calls(), client, post("/a", body=b"{}")).json() == [1]
    assert secure.accepted == 1


def test_a_drip_behind_tls_ends_at_the_deadline(
    secure: FakeBackend, certificate: tuple[Path, Path], make_calls: MakeCalls
) -> None:
    secure.on("GET /a", drip(head(200, {"Content-Length": "1000000"})))
    begun = time.monotonic()
    broken = broken_of(make_calls(), Client(secure.url, verify=str(certificate[0])), get("/a", timeout=0.3))
    assert (broken.kind, broken.sent) == ("timeout", True)
    assert time.monotonic() - begun < 0.3 + 1.0
    assert secure.wait_for_connections(0)


def until_received(backend: FakeBackend, calls: Calls, count: int) -> None:
    """Lets calls go on until the backend has so many requests: it may take the page's own thread to shake hands."""
    end = time.monotonic() + PATIENCE
    while len(backend.requests) < count:
        assert calls.wait(time.monotonic() + 0.01) == [] and time.monotonic() < end


def test_a_call_behind_tls_that_is_given_up_is_cut(
    secure: FakeBackend, certificate: tuple[Path, Path], make_calls: MakeCalls
) -> None:
    secure.on("GET /a", hang)
    secure.on("POST /b", answer(json=1, headers={"Connection": "close"}))
    client = Client(secure.url, verify=str(certificate[0]), timeout="60s", concurrency=1)
    for at in range(3):
        calls = make_calls(60.0)
        call = start(calls, client, get("/a"))
        until_received(secure, calls, 2 * at + 1)
        calls.abandon(call)
        assert secure.wait_for_connections(0)
        assert reply_of(make_calls(), client, post("/b")).json() == 1


def test_a_certificate_that_nobody_vouches_for_is_sent_nothing(
    secure: FakeBackend, make_calls: MakeCalls
) -> None:
    broken = broken_of(make_calls(), patient(secure.url), post("/a"))
    assert (broken.kind, broken.sent) == ("refused", False)
    assert broken.reason == "certificate-untrusted"
    assert secure.requests == []
