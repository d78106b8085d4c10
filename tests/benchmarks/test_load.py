"""The load and the backend: what is counted as a page and what as an error."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from benchmarks import fixtures
from benchmarks.load import Asked, Load, Window
from benchmarks.servers import ask

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage"


def _window(asked: Asked, *, users: int = 2, least: int = 10) -> Window[int]:
    return Load(asked, users, lambda: 7, warm=0.0, seconds=0.0, least=least, most=5.0).run()


@contextlib.contextmanager
def _answering(answer: Callable[[int], bytes]) -> Iterator[Asked]:
    """A server that gives each request on a connection the bytes for its number; an empty answer closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection: socket.socket) -> None:
            number = 0
            with connection, contextlib.suppress(OSError):
                while connection.recv(4096):
                    reply = answer(number)
                    if not reply:
                        return
                    connection.sendall(reply)
                    number += 1

        threading.Thread(target=serve, daemon=True).start()
        yield Asked(listener.getsockname()[1], b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", 4)
        listener.shutdown(socket.SHUT_RDWR)


def test_pages_are_counted_on_connections_that_are_kept() -> None:
    with _answering(lambda number: GOOD) as asked:
        window = _window(asked)
    assert len(window.latencies) >= 10
    assert window.errors == {}
    assert (window.before, window.after) == (7, 7)
    assert all(0 < seconds < 5 for seconds in window.latencies)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (GOOD.replace(b"200 OK", b"503 Full"), "status 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlonge", "5 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\npage", "no Content-Length"),
        (b"", "connection closed"),
    ],
)
def test_what_is_no_page_is_an_error(reply: bytes, kind: str) -> None:
    with _answering(lambda number: reply if number else GOOD) as asked:
        window = Load(asked, 2, lambda: 0, warm=0.0, seconds=0.2, least=0).run()
    assert set(window.errors) == {kind}
    # The first answer on each connection is good.
    assert len(window.latencies) >= 2


def test_a_load_that_is_to_be_answered_otherwise_counts_those_answers_alone() -> None:
    replies = (
        GOOD.replace(b"200 OK", b"503 Full"),
        b"HTTP/1.1 504 Late\r\nContent-Length: 2\r\n\r\nno",
        GOOD,
    )
    with _answering(lambda number: replies[number % 3]) as asked:
        failing = replace(asked, statuses=frozenset({b"503", b"504"}))
        window = Load(failing, 2, lambda: 0, warm=0.0, seconds=0.2, least=0).run()
    assert len(window.latencies) >= 2
    assert set(window.errors) == {"status 200"}


def test_an_answer_that_never_ends_is_an_error() -> None:
    with _answering(lambda number: GOOD[:-1]) as asked:
        load = Load(asked, 2, lambda: 0, warm=0.0, seconds=1.5, least=0, patience=0.2)
        window = load.run()
    assert window.errors == {"no answer in time": 2}
    assert window.latencies == []


def test_a_server_that_closes_each_connection_makes_no_error() -> None:
    closing = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with _answering(lambda number: closing if number == 0 else b"") as asked:
        window = _window(asked)
    assert len(window.latencies) >= 10
    assert window.errors == {}


def test_an_answer_in_pieces_is_one_page() -> None:
    pieces = [GOOD[:10], GOOD[10:30], GOOD[30:]]
    sockets: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, contextlib.suppress(OSError):
                while connection.recv(4096):
                    for piece in pieces:
                        connection.sendall(piece)
            sockets.append(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        asked = Asked(listener.getsockname()[1], b"GET / HTTP/1.1\r\n\r\n", 4)
        window = _window(asked, users=1)
        thread.join(10)
    assert len(window.latencies) >= 10
    assert window.errors == {}
    assert len(sockets) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/people/person-007", fixtures.me()),
        ("/people", fixtures.people()),
        ("/people?id=person-003&id=person-090", [fixtures.person(3), fixtures.person(90)]),
        ("/todos?owner=person-007", fixtures.todos()),
        ("/notices/latest?locale=en", fixtures.notice()),
        ("/small/5", fixtures.small(5)),
        ("/sized/2048", fixtures.sized(2048)),
        ("/listed", fixtures.listed()),
    ],
)
@pytest.mark.parametrize("form", ["at_once", "delayed", "with_headers"])
def test_the_backend_answers(running: dict[str, int], form: str, path: str, body: fixtures.JSON) -> None:
    answer = ask(running[form], path)
    assert (answer.status, json.loads(answer.body)) == (200, body)


def test_ten_headers_more_stand_in_replies_of_one_port_alone(running: dict[str, int]) -> None:
    names = {
        form: set(ask(port, "/notices/latest").headers) - {"content-type", "content-length"}
        for form, port in running.items()
    }
    assert (names["at_once"], names["delayed"]) == (set(), set())
    assert len(names["with_headers"]) == 10


def test_an_unknown_path_is_404(running: dict[str, int]) -> None:
    assert ask(running["at_once"], "/nobody").status == 404


def test_the_delayed_form_is_late_and_not_early(running: dict[str, int]) -> None:
    request = b"GET /notices/latest HTTP/1.1\r\n\r\n"
    asked = Asked(running["delayed"], request, len(fixtures.encode(fixtures.notice())))
    window = _window(asked, users=4)
    assert min(window.latencies) >= 0.03
    assert window.errors == {}


def test_requests_are_counted_by_kind_since_the_last_time(running: dict[str, int]) -> None:
    for path in ("/todos", "/people/person-001", "/people"):
        ask(running["delayed"], path)
    assert json.loads(ask(running["at_once"], "/-/counts").body) == {"/todos": 1, "/people": 2}
    assert json.loads(ask(running["at_once"], "/-/counts").body) == {}


def test_who_hangs_never_gets_a_reply(running: dict[str, int]) -> None:
    with pytest.raises(TimeoutError):
        ask(running["at_once"], f"/people/{fixtures.HANGS}", timeout=0.2)
