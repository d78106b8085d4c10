"""Names are looked up beside everything else, once for all who ask, and remembered for a while."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bff.http.sockets import resolve as module
from bff.http.sockets.resolve import AGE, Lookup, Resolver
from bff.http.sockets.wakeup import Wakeup, own_wakeup
from tests.clock import Clock
from tests.fakes import PATIENCE


class Names:
    """A name server: `asked` holds what it was asked, and it answers when it may."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.may = threading.Event()
        self.may.set()
        self.knows = True

    def __call__(self, host: bytes, port: int, **options: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        assert self.may.wait(PATIENCE)
        if not self.knows:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr("socket.getaddrinfo", names)
    return names


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.close()


@pytest.fixture
def found(resolver: Resolver) -> Callable[[str], Lookup]:
    """Looks a name up and waits for the end."""

    def look_up(host: str) -> Lookup:
        lookup, end = resolver.look_up(host, 80), threading.Event()
        lookup.wake(SimpleNamespace(put=lambda _: end.set()))
        assert end.wait(PATIENCE)
        return lookup

    return look_up


def test_an_answer_is_used_for_half_a_minute(
    names: Names, clock: Clock, found: Callable[[str], Lookup]
) -> None:
    assert found("a.test").addresses == [(socket.AF_INET, ("127.0.0.1", 80))]
    clock.go_on(AGE - 0.1)
    assert found("a.test").addresses == [(socket.AF_INET, ("127.0.0.1", 80))]
    assert names.asked == [b"a.test"]
    clock.go_on(0.2)
    found("a.test")
    assert names.asked == [b"a.test", b"a.test"]


def test_an_error_is_not_remembered(names: Names, found: Callable[[str], Lookup]) -> None:
    names.knows = False
    assert isinstance(found("a.test").error, socket.gaierror)
    names.knows = True
    assert found("a.test").error is None


def test_who_asks_for_one_name_at_once_shares_a_look_up(names: Names, resolver: Resolver) -> None:
    names.may.clear()
    first, second = resolver.look_up("a.test", 80), resolver.look_up("a.test", 80)
    assert first is second and not first.ended
    names.may.set()


def test_look_ups_that_hang_leave_the_others_held_and_known_names_alone(
    names: Names, resolver: Resolver, found: Callable[[str], Lookup]
) -> None:
    found("known.test")
    names.may.clear()
    stuck = [resolver.look_up(f"stuck{at}.test", 80) for at in range(module.THREADS)]
    late = resolver.look_up("late.test", 80)
    assert late.held and resolver.look_up("known.test", 80).ended
    names.may.set()
    for lookup in (*stuck, late):
        end = threading.Event()
        lookup.wake(SimpleNamespace(put=lambda _, end=end: end.set()))
        assert end.wait(PATIENCE) and lookup.addresses and not lookup.held


@pytest.mark.parametrize(
    ("host", "family"),
    [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6), ("fe80::1%lo", socket.AF_INET6)],
)
def test_a_written_address_needs_no_thread(resolver: Resolver, host: str, family: int) -> None:
    lookup = resolver.look_up(host, 80)
    assert lookup.ended
    if lookup.addresses:  # a machine may have no such interface
        assert [found for found, _ in lookup.addresses] == [family]


def test_a_thread_has_one_wakeup_and_another_has_its_own() -> None:
    seen: list[Wakeup] = []
    other = threading.Thread(target=lambda: seen.append(own_wakeup()))
    other.start()
    other.join()
    assert own_wakeup() is own_wakeup() is not seen[0]


@pytest.mark.parametrize("counts", [True, False], ids=["eventfd", "pipe"])
def test_a_wakeup_takes_any_number_of_signals(monkeypatch: pytest.MonkeyPatch, counts: bool) -> None:
    if not counts:
        monkeypatch.delattr("os.eventfd", raising=False)
    wakeup = Wakeup()
    assert select.select([wakeup], [], [], 0)[0] == []
    for _ in range(3):
        wakeup.put(None)
    assert select.select([wakeup], [], [], 0)[0] == [wakeup]
    wakeup.clear()
    wakeup.clear()  # nothing is left, and nobody waits
    assert select.select([wakeup], [], [], 0)[0] == []
