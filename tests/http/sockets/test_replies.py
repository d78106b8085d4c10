"""The same replies over the wire, through sockets and through stock requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from bff.errors import Reason
from bff.http import Broken, Calls, Client, Reply, SocketTransport, Transport
from tests.fakes import FakeBackend, Received, Script, Wire
from tests.http.calling import asked, finish, start
from tests.http.sockets.replies import ALL, BAD, GOOD, LOOSER, STRICTER, Expected, Scripted
from tests.properties import HealthCheck, given, settings, st

MakeCalls = Callable[..., Calls]


def sends(scripted: Scripted, size: int) -> Script:
    """Sends the reply in pieces of that size."""

    def script(_: Received, wire: Wire) -> None:
        for at in range(0, len(scripted.wire), size):
            wire.send(scripted.wire[at : at + size])
        if scripted.closes:
            wire.close()

    return script


def outcome_of(calls: Calls, client: Client, scripted: Scripted) -> Expected | None:
    """What a call gives: None where it is refused, after it was sent."""
    call = start(calls, client, asked(scripted.method, "/a", retries=0))
    finish(calls, call)
    if isinstance(call.result, Reply):
        return Expected(call.result.status, call.result.raw, dict(call.result.headers))
    assert isinstance(call.result, Broken)
    assert (call.result.kind, call.result.sent) == ("refused", True)
    assert call.result.reason in get_args(Reason)
    return None


@pytest.mark.parametrize("size", [1, 7, 2**16], ids=["byte by byte", "in sevens", "at once"])
@pytest.mark.parametrize("scripted", (GOOD | BAD).values(), ids=(GOOD | BAD).keys())
def test_both_transports_make_the_same_of_it(
    backend: FakeBackend,
    client: Client,
    make_calls: MakeCalls,
    transport: Transport,
    scripted: Scripted,
    size: int,
) -> None:
    backend.on(f"{scripted.method} /a", sends(scripted, size))
    stock = scripted.expected if scripted.stock == "the same" else scripted.stock
    wanted = scripted.expected if isinstance(transport, SocketTransport) else stock
    assert outcome_of(make_calls(), client, scripted) == wanted


@pytest.mark.parametrize("transport", [SocketTransport], ids=["sockets"], indirect=True)
@pytest.mark.parametrize("scripted", (STRICTER | LOOSER).values(), ids=(STRICTER | LOOSER).keys())
def test_sockets_go_by_the_letter_where_stock_requests_do_not(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, scripted: Scripted
) -> None:
    backend.on(f"{scripted.method} /a", sends(scripted, 2**16))
    assert outcome_of(make_calls(), client, scripted) == scripted.expected


@pytest.mark.parametrize("transport", [SocketTransport], ids=["sockets"], indirect=True)
@pytest.mark.parametrize("scripted", ALL.values(), ids=ALL.keys())
def test_a_connection_is_kept_only_where_the_reply_lets_it(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, scripted: Scripted
) -> None:
    backend.on(f"{scripted.method} /a", sends(scripted, 2**16))
    kept = scripted.expected is not None and scripted.reused
    for _ in range(2):
        outcome_of(make_calls(), client, scripted)
        if not kept:
            assert backend.wait_for_connections(0)
    assert backend.accepted == (1 if kept else 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(data=st.data())
def test_any_reply_in_any_pieces_is_the_same_to_both(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, data: st.DataObject
) -> None:
    scripted = data.draw(st.sampled_from(list(GOOD.values())))
    backend.on(f"{scripted.method} /a", sends(scripted, data.draw(st.integers(1, 40))))
    assert outcome_of(make_calls(), client, scripted) == scripted.expected


@pytest.mark.parametrize("transport", [SocketTransport], ids=["sockets"], indirect=True)
@pytest.mark.parametrize("leftover", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", b"bad", b"\0"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
def test_what_comes_behind_a_reply_is_nobody_s_reply(
    backend: FakeBackend, client: Client, make_calls: MakeCalls, leftover: bytes, at_once: bool
) -> None:
    whole = GOOD["a body of a length"]

    def script(_: Received, wire: Wire) -> None:
        wire.send(whole.wire + leftover if at_once else whole.wire)
        if not at_once:
            wire.send(leftover)
            wire.close()

    backend.on("GET /a", script)
    for at in range(3):
        assert outcome_of(make_calls(), client, whole) == whole.expected
        assert backend.wait_for(lambda at=at: len(backend.requests) == at + 1)  # type: ignore[misc]
        if not at_once:
            assert backend.wait_for_connections(0)
    assert backend.accepted == 3
