"""One case of the fault matrix: a page, one of its requests, a fault; what comes of it, held against the invariants."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bff.recipe.needs import Need
from bff.testing.app_under_test import PageUnderTest, Times, scaled, surroundings
from bff.testing.invariants import INVARIANTS
from bff.testing.scenario import Scenario
from bff.testing.seen import Record, Seen
from bff.testing.server import Script
from bff.testing.upstream import Fault, Upstream, at_once_old, good_script, script_of

SECOND_CHANCE = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case went: the page's status, whether it was partial or old, and every invariant that does not hold."""

    status: int
    partial: bool
    seconds: float
    problems: tuple[str, ...] = ()
    old: bool = False


@dataclass(frozen=True, eq=False)
class FaultCase:
    """A page, one of its request steps and what its backend does; `str()` is a name for test reports.

    `step` and `fault` are None for the case in which every backend is well. With `in_lines` the page is asked for in
    lines, which together must be what it is in one piece.
    """

    root: Path
    page: str
    step: str | None
    fault: Fault | None
    under_test: PageUnderTest = field(repr=False)
    scenario: Scenario = field(repr=False)
    good: Record = field(repr=False)
    needs: tuple[Need, ...] = field(default=(), repr=False)
    wanted: Any = field(default=None, repr=False)
    in_lines: bool = False

    @property
    def asked_for(self) -> str:
        """The page, as reports call it."""
        return f"{self.page} in lines" if self.in_lines else self.page

    def __str__(self) -> str:
        form = "-in_lines" if self.in_lines else ""
        return f"{self.page}-{self.step}-{self.fault}{form}" if self.fault else f"{self.page}-good{form}"

    def check(self) -> None:
        """Run the case; raises AssertionError with every difference."""
        __tracebackhide__ = True
        problems = self.run().problems
        if problems:
            raise AssertionError("\n".join([f"{self}:", *(f"  {problem}" for problem in problems)]))

    def run(self) -> Verdict:
        """Run the case. One that differs is run once more, with longer times: a busy machine is no fault."""
        verdict = self.run_once()
        return self.run_once(SECOND_CHANCE) if verdict.problems else verdict

    def run_once(self, stretch: float = 1.0) -> Verdict:
        """Run the case, with times so much longer."""
        seen = self.see(stretch)
        problems = tuple(problem for invariant in INVARIANTS for problem in invariant(seen))
        found = seen.found
        partial, old = "X-Page-Partial" in found.headers, "X-Page-Stale" in found.headers
        return Verdict(found.status, partial, found.seconds, problems, old)

    def see(self, stretch: float = 1.0) -> Seen:
        """Ask for the page, in lines also in one piece."""
        page = self.under_test.page
        times = scaled(page, stretch)
        whole = self._ask(times, in_lines=False).answered if self.in_lines else None
        found = self._ask(times, in_lines=self.in_lines)
        step = next((step for step in page.plan.requests if step.name == self.step), None)
        reply = None if self.fault is None else self.fault.of(self._good_reply)
        return Seen(
            *(page.plan, self.scenario, times.deadline, self.good, found.answered, found.asked),
            *(step, self.fault, reply, self.needs, self.wanted, whole),
        )

    def _ask(self, times: Times, *, in_lines: bool) -> Record:
        scripts = _scripts(self.scenario)
        step, fault = str(self.step), self.fault
        if fault is not None and fault.script is not None:
            scripts[step] = (
                at_once_old(self._good_reply) if fault.warm else script_of(fault, self._good_reply)
            )
        server, user = surroundings().server, self.scenario.scope["user"]
        case = server.open_case(scripts)
        addresses = _addresses(f"{server.url}/{case}", self.scenario)
        if fault is not None and fault.script is None:
            addresses[step] = surroundings().closed
        request = self.scenario.request
        try:
            with self.under_test.visit() as visit:
                visit.move(addresses, times)
                if fault is not None and (fault.warm or fault.stale):
                    visit.ask(request, user, in_lines=in_lines and not fault.warm)
                    scripts[step] = script_of(fault, self._good_reply)
                    server.begin_anew(case, step if fault.stale else None)
                return Record(visit.ask(request, user, in_lines=in_lines), server.asked(case))
        finally:
            server.close_case(case)

    @property
    def _good_reply(self) -> Upstream:
        """What the case's step is answered when all is well."""
        return self.scenario.replies[str(self.step)]


def record(under_test: PageUnderTest, scenario: Scenario, stretch: float) -> Record:
    """The page while its backends are well, or those fail that must for others to be asked."""
    server = surroundings().server
    case = server.open_case(_scripts(scenario))
    try:
        with under_test.visit() as visit:
            visit.move(_addresses(f"{server.url}/{case}", scenario), scaled(visit.page, stretch))
            return Record(visit.ask(scenario.request, scenario.scope["user"]), server.asked(case))
    finally:
        server.close_case(case)


def _scripts(scenario: Scenario) -> dict[str, Script]:
    scripts = {name: good_script(reply) for name, reply in {**scenario.replies, **scenario.broken}.items()}
    return scripts | {f"undo.{name}": good_script(Upstream(body={"data": {}})) for name in scenario.replies}


def _addresses(base: str, scenario: Scenario) -> dict[str, str]:
    return {name: f"{base}/{name}" for step in scenario.replies for name in (step, f"undo.{step}")}
