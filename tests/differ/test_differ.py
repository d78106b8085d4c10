"""Whatever a backend does: pages are as recorded, stock requests do the same, and nothing is held afterwards."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest

from tests.differ import answers
from tests.differ.cases import Record
from tests.differ.differences import DIFFERENCES
from tests.differ.kinds import KINDS
from tests.differ.misbehaviours import MARKER
from tests.differ.suite import MISBEHAVIOURS, Runs, chosen, chosen_for_threads, running


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with running() as found:
        yield found


def test_wires_answer_as_recorded(runs: Runs) -> None:
    for kind in KINDS:
        runs.begin(kind, chosen(kind), "sockets")
    _assert_nothing({kind: beside_right(runs, kind, chosen(kind)) for kind in KINDS})


def test_threads_do_what_wires_do(runs: Runs) -> None:
    for kind in KINDS:
        for transport in ("threads", "sockets"):
            runs.begin(kind, chosen_for_threads(kind), transport)
    _assert_nothing({kind: beside_wires(runs, kind, chosen_for_threads(kind)) for kind in KINDS})


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_wires_answer_everything_as_recorded_and_threads_do_the_same(runs: Runs, kind: str) -> None:
    for transport in ("sockets", "threads"):
        runs.begin(kind, MISBEHAVIOURS, transport)
    wires, threads = (look(runs, kind, MISBEHAVIOURS) for look in (beside_right, beside_wires))
    _assert_nothing({"wires": wires, "threads": threads})


def _assert_nothing(wrong: Mapping[str, Mapping[str, Any]]) -> None:
    """Fails with all that is wrong, of which pytest would show the beginning."""
    found = {name: parts for name, parts in wrong.items() if parts}
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def beside_right(runs: Runs, kind: str, names: Collection[str]) -> dict[str, Any]:
    """By misbehaviour, what is not as recorded."""
    right = answers.read(kind)
    found = runs.of(kind, names, "sockets")
    wrong = {name: _beside_right(kind, name, found[name], right[name]) for name in names}
    return {name: parts for name, parts in wrong.items() if parts}


def beside_wires(runs: Runs, kind: str, names: Collection[str]) -> dict[str, Any]:
    """By misbehaviour, what stock requests do in another way than wires for no known reason."""
    wires, threads = runs.of(kind, names, "sockets"), runs.of(kind, names, "threads")
    wrong = {name: _beside_wires(kind, name, threads[name], wires[name]) for name in names}
    return {name: parts for name, parts in wrong.items() if parts}


def _beside_right(kind: str, name: str, record: Record, right: Record) -> Any:
    return what_is_held(record) or parts_that_differ(record, right)


def _beside_wires(kind: str, name: str, threads: Record, wires: Record) -> Any:
    """What is held, what differs for no known reason, or the reasons that there are no more."""
    known = [one for one in DIFFERENCES if one.is_about(kind, name)]
    parts = parts_that_differ(threads, wires)
    explained = {part for one in known for part in one.parts}
    unexplained = {part: found for part, found in parts.items() if part not in explained}
    vanished = [one.reason for one in known if one.always and not parts.keys() & one.parts]
    return what_is_held(threads) or unexplained or vanished


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
