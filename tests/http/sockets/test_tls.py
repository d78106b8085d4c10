"""Certificates of an authority of our own: whom both transports believe, and what they tell whom they do not."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import certifi
import pytest
import trustme

from bff.http import Calls, Reply, SocketTransport, env
from bff.http.sockets.idle import Idle
from bff.http.sockets.secure import SecureConnection
from bff.http.sockets.tls import context_for
from tests.fakes import PATIENCE, FakeBackend, answer, chunked
from tests.http.calling import broken_of, finish, get, patient, post, reply_of, start

MakeCalls = Callable[..., Calls]
PAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)


class Authority:
    """Signs certificates; `path` is its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._authority = trustme.CA()
        self._stack = stack
        self.path = str(folder / "authority.pem")
        self._authority.cert_pem.write_to_path(self.path)
        self.asked_for: list[str | None] = []

    def issue(self, *names: str) -> trustme.LeafCert:
        return self._authority.issue_cert(*names)

    def backend(self, *names: str, past: bool = False) -> FakeBackend:
        """A backend with a certificate for these names, valid now or in the past."""
        begin, end = PAST if past else (None, None)
        certificate = self._authority.issue_cert(*names, not_before=begin, not_after=end)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        context.sni_callback = lambda _sock, name, _context: self.asked_for.append(name)
        running = self._stack.enter_context(FakeBackend(context))
        running.on("GET /a", answer(json=1))
        running.on("POST /a", chunked(b"x" * 200_000))
        return running


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with ExitStack() as stack:
        yield Authority(tmp_path, stack)


def test_a_right_certificate_is_believed_and_its_connection_used_again(
    authority: Authority, make_calls: MakeCalls
) -> None:
    backend = authority.backend("127.0.0.1")
    client = patient(backend.url, verify=authority.path)
    for _ in range(3):
        assert reply_of(make_calls(), client, get("/a")).json() == 1
        assert len(reply_of(make_calls(), client, post("/a", body=b"y" * 300_000)).raw) == 200_000
    assert backend.accepted == 1


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_authorities_of_the_environment_are_believed_where_the_client_names_none(
    authority: Authority, make_calls: MakeCalls, variable: str
) -> None:
    backend = authority.backend("127.0.0.1")
    client = patient(env("IT"))
    client.resolve({"IT": backend.url, variable: authority.path})
    assert reply_of(make_calls(), client, get("/a")).json() == 1
    own = patient(env("IT"), verify=certifi.where())
    own.resolve({"IT": backend.url, variable: authority.path})
    assert broken_of(make_calls(), own, get("/a")).kind == "refused"


def test_a_folder_of_authorities_is_believed(
    authority: Authority, make_calls: MakeCalls, tmp_path: Path
) -> None:
    folder = tmp_path / "authorities"
    folder.mkdir()
    shown = ["openssl", "x509", "-hash", "-noout", "-in", authority.path]
    name = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(authority.path, folder / f"{name}.0")
    backend = authority.backend("127.0.0.1")
    client = patient(env("IT"))
    client.resolve({"IT": backend.url, "SSL_CERT_DIR": str(folder)})
    assert reply_of(make_calls(), client, get("/a")).json() == 1


def test_calls_side_by_side_have_a_connection_each(authority: Authority, make_calls: MakeCalls) -> None:
    backend = authority.backend("127.0.0.1")
    client = patient(backend.url, verify=authority.path)
    calls = make_calls()
    started = [start(calls, client, get(f"/a?{at}")) for at in range(5)]
    finish(calls, *started)
    assert [call.result.status for call in started if isinstance(call.result, Reply)] == [200] * 5
    assert backend.accepted <= 5


def test_the_name_is_told_and_checked(authority: Authority, make_calls: MakeCalls) -> None:
    backend = authority.backend("localhost")
    client = patient(backend.url.replace("127.0.0.1", "localhost"), verify=authority.path)
    assert reply_of(make_calls(), client, get("/a")).status == 200
    assert set(authority.asked_for) == {"localhost"}


@pytest.mark.parametrize(
    ("names", "past", "reason"),
    [
        (["127.0.0.1"], True, "certificate-expired"),
        (["other.test"], False, "certificate-name"),
        (["127.0.0.2"], False, "certificate-name"),
    ],
)
def test_a_wrong_certificate_is_sent_nothing(
    authority: Authority, make_calls: MakeCalls, names: list[str], past: bool, reason: str
) -> None:
    backend = authority.backend(*names, past=past)
    client = patient(backend.url, verify=authority.path)
    broken = broken_of(make_calls(), client, post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, reason)
    assert backend.requests == []
    assert backend.wait_for_connections(0)


def test_a_certificate_of_an_unknown_authority_is_sent_nothing(
    authority: Authority, make_calls: MakeCalls, tmp_path: Path
) -> None:
    backend = authority.backend("127.0.0.1")
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for verify in (True, str(other)):
        broken = broken_of(make_calls(), patient(backend.url, verify=verify), post("/a"))
        assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "certificate-untrusted")
    assert backend.requests == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_who_asks_for_no_check_gets_none(authority: Authority, make_calls: MakeCalls) -> None:
    backend = authority.backend("other.test", past=True)
    client = patient(backend.url, verify=False)
    assert reply_of(make_calls(), client, get("/a")).status == 200


def test_authorities_that_are_not_there_refuse_the_call(authority: Authority, make_calls: MakeCalls) -> None:
    backend = authority.backend("127.0.0.1")
    client = patient(backend.url, verify=f"{authority.path}.gone")
    broken = broken_of(make_calls(), client, post("/a"))
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "verify-file")


def test_a_plain_server_behind_an_https_url_is_sent_no_request(make_calls: MakeCalls) -> None:
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        client = patient(f"https://127.0.0.1:{listening.getsockname()[1]}")
        broken = broken_of(make_calls(), client, post("/a"))
        serving.join()
    assert (broken.kind, broken.sent, broken.reason) == ("refused", False, "tls")
    assert len(heard) == 1 and b"POST" not in heard[0]


# --- handshakes that are spared ------------------------------------------------------------------------------------


only_sockets = pytest.mark.parametrize("transport", [SocketTransport], ids=["sockets"], indirect=True)


class Server:
    """A TLS server that ends each connection after its answer, and notes whether it knew the other side again."""

    def __init__(self, authority: Authority, *names: str, version: ssl.TLSVersion) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = self.context.maximum_version = version
        authority.issue(*names).configure_cert(self.context)
        self.knew: list[bool] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            raw, _ = self._listening.accept()
            try:
                with self.context.wrap_socket(raw, server_side=True) as connection:
                    connection.settimeout(PATIENCE)
                    if not connection.recv(65536):
                        return
                    self.knew.append(bool(connection.session_reused))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1")
            except OSError:
                return

    def close(self) -> None:
        with suppress(OSError), socket.create_connection(self._listening.getsockname()) as last:
            last.close()
        self._thread.join(PATIENCE)
        self._listening.close()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Server]:
    running = Server(authority, "127.0.0.1", version=request.param)
    yield running
    running.close()


@only_sockets
def test_a_server_that_is_asked_again_knows_us(
    authority: Authority, server: Server, make_calls: MakeCalls
) -> None:
    client = patient(server.url, verify=authority.path)
    for _ in range(3):
        assert reply_of(make_calls(), client, get("/a")).json() == 1
    assert server.knew == [False, True, True]


@only_sockets
def test_another_client_is_not_taken_for_the_first(
    authority: Authority, server: Server, make_calls: MakeCalls
) -> None:
    for _ in range(2):
        reply_of(make_calls(), patient(server.url, verify=authority.path), get("/a"))
    assert server.knew == [False, False]


@only_sockets
def test_a_certificate_is_looked_at_again_after_a_while(
    authority: Authority, server: Server, make_calls: MakeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = patient(server.url, verify=authority.path)
    reply_of(make_calls(), client, get("/a"))
    monkeypatch.setattr("bff.http.sockets.connection.LONGEST_TICKET", 0.0)
    reply_of(make_calls(), client, get("/a"))
    assert server.knew == [False, False]


@only_sockets
def test_a_server_that_has_forgotten_us_is_met_anew(
    authority: Authority, server: Server, make_calls: MakeCalls
) -> None:
    client = patient(server.url, verify=authority.path)
    reply_of(make_calls(), client, get("/a"))
    version = server.context.minimum_version
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.minimum_version = server.context.maximum_version = version
    authority.issue("127.0.0.1").configure_cert(server.context)
    for _ in range(2):
        assert reply_of(make_calls(), client, get("/a")).json() == 1
    assert server.knew == [False, False, True]


def test_a_body_without_a_length_needs_the_closing_word(authority: Authority, make_calls: MakeCalls) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue("127.0.0.1").configure_cert(context)
    stop = threading.Event()

    def serve() -> None:
        raw, _ = listening.accept()
        connection = context.wrap_socket(raw, server_side=True)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        connection.shutdown(socket.SHUT_RDWR)  # no word of TLS goes out
        stop.wait(PATIENCE)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        broken = broken_of(make_calls(), patient(url, verify=authority.path), post("/a"))
        stop.set()
        serving.join()
    assert (broken.kind, broken.sent, broken.reason) == ("refused", True, "cut-short")


@contextmanager
def ended_behind(said: bytes, authority: Authority, *, with_a_word: bool) -> Iterator[SecureConnection]:
    """A connection to a server that has said something and ended it, with the closing word of TLS or without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue("127.0.0.1").configure_cert(context)

    def serve() -> None:
        raw, _ = listening.accept()
        connection = context.wrap_socket(raw, server_side=True)
        connection.sendall(said)
        if with_a_word:
            with suppress(OSError):  # nobody answers with one
                connection.unwrap()
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        sock = socket.create_connection(listening.getsockname())
        sock.setblocking(False)
        connection = SecureConnection(sock, context_for(authority.path), "127.0.0.1")
        while not connection.handshake():
            select.select([connection.fd], [], [], PATIENCE)
        if with_a_word:
            socket.socket.shutdown(connection.sock, socket.SHUT_WR)  # its server waits for no answer
        serving.join()
        connection.poll(PATIENCE * 1000)
        try:
            yield connection
        finally:
            connection.close()


def test_an_end_without_the_closing_word_is_met_also_behind_what_came(authority: Authority) -> None:
    with ended_behind(b"half of it", authority, with_a_word=False) as connection:
        assert connection.receive(65536) == b"half of it"
        for _ in range(2):
            with pytest.raises(OSError, match="EOF occurred"):
                connection.receive(65536)


@pytest.mark.parametrize("with_a_word", [True, False])
def test_a_connection_whose_end_was_read_behind_a_reply_is_not_kept(
    authority: Authority, with_a_word: bool
) -> None:
    idle = Idle(2)
    with ended_behind(b"a reply", authority, with_a_word=with_a_word) as connection:
        assert connection.receive(65536) == b"a reply"
        idle.give(connection, None)
        assert (len(idle), connection.sock.fileno()) == (0, -1)
