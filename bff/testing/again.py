"""Faults of reads that are asked several times for one value: what comes behind the first reply, or never comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bff.plan.model import PlannedPages, PlannedRequest
from bff.testing.guess import Guess
from bff.testing.scenario import Scenario
from bff.testing.server import in_turn
from bff.testing.upstream import FAULTS, Fault, good_script

AGAIN = ("page 2", "endless")
"""The names of these faults, in the order of their columns."""


def faults_of_repeats(step: PlannedRequest, guess: Guess, scenario: Scenario) -> dict[str, Fault]:
    """The faults of a step that is asked again, as far as a reply is found after which it is."""
    found = None if step.repeats is None else guess.going_on(step, scenario)
    if found is None:
        return {}
    going_on, trace = found
    assert trace.failure is not None, "it never ends"
    kind, status = trace.failure.kind, trace.failure.status
    stops = isinstance(step.repeats, PlannedPages) and step.repeats.stops and kind == "limit"
    endless = replace(going_on, ends_as=("", 200) if stops else (kind, status))
    faults = [Fault("endless", lambda _: endless, lambda _: good_script(going_on))]
    if isinstance(step.repeats, PlannedPages) and step.items is None:
        second = FAULTS["500"]
        faults.insert(
            0, Fault("page 2", second.of, lambda of: in_turn(good_script(going_on), good_script(of)))
        )
    return {fault.name: fault for fault in faults}


WORDS: Mapping[str, str] = {
    "page 2": "answers with status 500 to what follows its first page",
    "endless": "answers each time that there is more to come",
}
