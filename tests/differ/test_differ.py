"""Whatever a backend does: pages are as recorded, stock requests do the same, and nothing is held afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.differ import answers, state
from tests.differ.cases import Record, listening
from tests.differ.differences import DIFFERENCES, settled
from tests.differ.kinds import KINDS
from tests.differ.misbehaviours import MARKER
from tests.differ.suite import MISBEHAVIOURS, chosen, chosen_for_threads, left, one, records

by_kind = pytest.mark.parametrize("kind", KINDS)


@by_kind
def test_wires_answer_as_recorded(kind: str) -> None:
    check_wires(kind, chosen(kind))


@by_kind
def test_threads_do_what_wires_do(kind: str) -> None:
    check_threads(kind, chosen_for_threads(kind))


@pytest.mark.full
@by_kind
def test_wires_answer_everything_as_recorded(kind: str) -> None:
    check_wires(kind, left(kind))


@pytest.mark.full
@by_kind
def test_threads_do_all_that_wires_do(kind: str) -> None:
    check_threads(kind, [name for name in MISBEHAVIOURS if name not in chosen_for_threads(kind)])


def check_wires(kind: str, names: Iterable[str]) -> None:
    right = answers.read(kind)
    found = records(kind, names, "sockets")
    assert {name: held for name, record in found.items() if (held := what_is_held(record))} == {}
    wrong = {
        name: parts
        for name, record in found.items()
        if (parts := parts_that_differ(settled(kind, name, record), right[name]))
    }
    assert wrong == {}


def check_threads(kind: str, names: Iterable[str]) -> None:
    names = list(names)
    wires, threads = records(kind, names, "sockets"), records(kind, names, "threads")
    assert {name: held for name, record in threads.items() if (held := what_is_held(record))} == {}
    wrong, vanished = {}, []
    for name in names:
        known = [one for one in DIFFERENCES if one.is_about(kind, name)]
        parts = parts_that_differ(settled(kind, name, threads[name]), settled(kind, name, wires[name]))
        explained = {part for one in known for part in one.parts}
        if unexplained := {part: both for part, both in parts.items() if part not in explained}:
            wrong[name] = unexplained
        vanished += [(name, one.reason) for one in known if one.always and not parts.keys() & one.parts]
    assert (wrong, vanished) == ({}, [])


def what_is_held(record: Record) -> list[str]:
    """Places that are taken and connections that are neither idle nor closed, after any page of a case."""
    pages = [record, *(page for page in record.values() if isinstance(page, dict))]
    states = [text for part, held in record.items() if part.endswith("state") for text in held.values()]
    assert states, "nothing was looked at"
    return [text for text in states if "PLACES TAKEN" in text] + [
        f"{page['open']} more connections open than idle" for page in pages if "open" in page
    ]


def parts_that_differ(found: Record, right: Record) -> dict[str, dict[str, Any]]:
    """The parts of a record that are not as they should be, with both."""
    return {
        part: {"found": found.get(part), "right": right.get(part)}
        for part in sorted({*found, *right})
        if found.get(part) != right.get(part)
    }


def test_every_case_is_recorded() -> None:
    assert answers.kinds() == {answers.stem(kind) for kind in KINDS}
    for kind in KINDS:
        assert answers.read(kind).keys() == MISBEHAVIOURS.keys(), kind


def test_no_recorded_answer_tells_a_word_of_a_backend() -> None:
    for kind in KINDS:
        for name, record in answers.read(kind).items():
            assert kind == "pass" or MARKER.decode() not in str(record), (kind, name)


def test_no_descriptor_is_left_when_an_app_is_closed() -> None:
    with listening():
        one("read", "well", "sockets")
        before = state.descriptors()
        for kind in ("read", "each", "value that raises", "write", "later"):
            for name in ("cut", "hang", "refused", "smuggled"):
                one(kind, name, "sockets")
                assert state.descriptors() == before, (kind, name)


def test_a_place_that_is_not_given_back_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.differ.state.places_taken", lambda app: {})  # waits for them otherwise
    monkeypatch.setattr("bff.http.bulkhead.Bulkhead.leave", lambda self: None)
    with listening():
        assert len(what_is_held(one("read", "cut", "sockets"))) == 2


def test_a_connection_that_is_not_closed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.differ.state.idle", lambda app: 0)
    monkeypatch.setattr("tests.differ.cases.SETTLES", 0.05)
    with listening():
        assert what_is_held(one("read", "404", "sockets")) == ["1 more connections open than idle"] * 2
