"""One case of the fault matrix: a page, one of its requests, a fault; what must come of it and what does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bff.expressions.inspect import fields
from bff.recipe.model import Recipe
from bff.testing.app_under_test import Answered, Visit, surroundings
from bff.testing.compare import first_difference, keys_of, neutral, without
from bff.testing.expected import Ending, Expected, Through
from bff.testing.scenario import Scenario
from bff.testing.server import Script
from bff.testing.upstream import MARKER, Fault, Upstream, at_once_old, good_script, script_of
from bff.web.recent_writes import COOKIE as WRITTEN_COOKIE

_SLACK = 0.5
SECOND_CHANCE = 3.0
_COOKIE = re.compile(r"(?:^|, )([^=;, ]+)=")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case went: the page's status, whether it was partial or old, and every difference to what must be."""

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
    scenario: Scenario = field(repr=False)
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
        visit = Visit(self.root, self.page, stretch)
        server = surroundings().server
        scripts = self._scripts()
        case = server.open_case(scripts)
        try:
            visit.move(self._addresses(f"{server.url}/{case}"))
            user = self.scenario.scope["user"]
            if self.fault is not None and self.fault.warm:
                failing, scripts[str(self.step)] = scripts[str(self.step)], at_once_old(self._good_reply)
                visit.ask(self.scenario.request, user)
                scripts[str(self.step)] = failing
            found = visit.ask(self.scenario.request, user, in_lines=self.in_lines)
            if self.fault is not None and self.fault.stale:
                server.end_connections(case, str(self.step))
                found = visit.ask(self.scenario.request, user, in_lines=self.in_lines)
            asked = server.asked(case)
        finally:
            server.close_case(case)
        problems = tuple(self._problems(visit, found, asked))
        partial, old = "X-Page-Partial" in found.headers, "X-Page-Stale" in found.headers
        return Verdict(found.status, partial, found.seconds, problems, old)

    def _scripts(self) -> dict[str, Script]:
        scenario = self.scenario
        scripts = {name: good_script(reply) for name, reply in scenario.replies.items()}
        scripts |= {name: good_script(reply) for name, reply in scenario.broken.items()}
        scripts |= {f"undo.{name}": good_script(Upstream(body={})) for name in scenario.replies}
        if self.fault is not None and self.fault.script is not None:
            scripts[str(self.step)] = script_of(self.fault, self._good_reply)
        return scripts

    @property
    def _good_reply(self) -> Upstream:
        """What the case's step is answered when all is well."""
        return self.scenario.replies[str(self.step)]

    def _addresses(self, base: str) -> dict[str, str]:
        addresses = {name: f"{base}/{name}" for name in self.scenario.replies}
        addresses |= {f"undo.{name}": f"{base}/undo.{name}" for name in self.scenario.replies}
        if self.fault is not None and self.fault.script is None:
            addresses[str(self.step)] = surroundings().closed
        return addresses

    # --- what must be ------------------------------------------------------------------------------------------------

    def _problems(self, visit: Visit, found: Answered, asked: Sequence[str]) -> Iterator[str]:
        faults: dict[str, Upstream] = {}
        if self.fault is not None and self.step is not None:
            faults[self.step] = self.fault.of(self._good_reply)
        must = self.scenario.predict(visit.page, visit.times, faults)
        if found.seconds > visit.times.deadline + _SLACK:
            yield f"expected an answer within {visit.times.deadline:.2f} s, found one after {found.seconds:.2f} s"
        if self.fault is not None and self.fault.script is not None and self.step not in asked:
            yield f"expected step {self.step} to be asked, found {', '.join(asked) or 'nothing'} asked"
        yield from _leaks(found, must)
        yield from _cookie_problems(visit.page.recipe, found, must)
        if self.in_lines and "ETag" in found.headers:
            yield "expected no ETag with a page in lines"
        if must.endings:
            yield from _ending_problems(found, must)
            return
        yield from _page_problems(found, must)
        if self.fault is not None and found.status < 400 and not self.scenario.broken:
            yield from self._harmed(visit, found)
        if self.fault is None and self.wanted is not None and neutral(found.json) != neutral(self.wanted):
            yield f"expected the page of its file: {first_difference(self.wanted, found.json)}"

    def _harmed(self, visit: Visit, found: Answered) -> Iterator[str]:
        """Fields that do not hang on the step and are not what they are when all is well."""
        recipe = visit.page.recipe
        if recipe.shape is None or self.scenario.good.endings:
            return
        touched = {*visit.page.plan.fields[str(self.step)], *_fields_of_errors(recipe)}
        good, now = neutral(self.scenario.good.body), neutral(found.json)
        for path in touched:
            good, now = without(good, keys_of(path)), without(now, keys_of(path))
        if good != now:
            yield f"a field that does not read {self.step} was harmed: {first_difference(good, now)}"


def _leaks(found: Answered, must: Expected) -> Iterator[str]:
    allowed = MARKER in repr([ending.members for ending in must.endings] if must.endings else must.body)
    if must.through is not None:
        return  # its words are what goes through
    if MARKER in found.text and not allowed:
        yield "found the backend's words in the answer"
    if any(MARKER in value for name, value in found.headers.items() if value != must.headers.get(name)):
        yield "found the backend's words in the answer's headers"
    if any(url in found.text for url in (surroundings().server.url, surroundings().closed)):
        yield "found the backend's address in the answer"


def _ending_problems(found: Answered, must: Expected) -> Iterator[str]:
    """The differences to the ending that is nearest, of those that may be."""
    differences = [list(_from_ending(found, ending, must)) for ending in must.endings]
    yield from min(differences, key=len)


def _from_ending(found: Answered, ending: Ending, must: Expected) -> Iterator[str]:
    if found.status != ending.status:
        yield f"expected status {ending.status}, found {found.status}"
    if found.headers.get("Content-Type") != "application/problem+json":
        yield f"expected application/problem+json, found {found.headers.get('Content-Type')}"
    document = found.json if isinstance(found.json, dict) else {}
    members = dict(ending.members)
    if len(must.endings) == 1:
        written = {name: getattr(must, name) for name in ("done", "undone", "undo_failed", "unknown")}
        members |= written if any(written.values()) else {}
    if must.is_written and "retryable" in members:
        members["retryable"] = False
        if len(must.endings) > 1:  # it depends on which of them ended the page before what was written
            del members["retryable"]
    for name, value in members.items():
        if document.get(name) != value:
            yield f"expected {name} {value!r} in the problem, found {document.get(name)!r}"
    wait = None if ending.retry_after is None else str(ending.retry_after)
    if found.headers.get("Retry-After") != wait:
        yield f"expected Retry-After {wait}, found {found.headers.get('Retry-After')}"
    for header in ("ETag", "X-Page-Partial", "X-Page-Stale"):
        if header in found.headers:
            yield f"expected no {header} with a problem"


def _cookie_problems(recipe: Recipe, found: Answered, must: Expected) -> Iterator[str]:
    """The session's cookie goes with a sign-in and no problem, the other with what may have been written."""
    cookies = found.headers.get("Set-Cookie", "")
    if must.endings and "bff-session=" in cookies:
        yield "expected no Set-Cookie with a problem"
    if must.signs_in and not must.endings and "bff-session=" not in cookies:
        yield "expected the session cookie"
    written = bool(must.done or must.unknown or must.undone or must.undo_failed)
    if recipe.invalidates and written and len(must.endings) < 2 and "bff-written=" not in cookies:
        yield "expected the cookie that says what was written"
    if recipe.method == "GET" and "bff-written=" in cookies:
        yield "expected no cookie with a page of reads"


def _page_problems(found: Answered, must: Expected) -> Iterator[str]:
    if found.status != must.status:
        yield f"expected status {must.status}, found {found.status}{_why(found)}"
        return
    partial = ", ".join(must.partial) or None
    if found.headers.get("X-Page-Partial") != partial:
        yield f"expected X-Page-Partial: {partial}, found {found.headers.get('X-Page-Partial')}"
    old = ", ".join(must.stale) or None
    if found.headers.get("X-Page-Stale") != old:
        yield f"expected X-Page-Stale: {old}, found {found.headers.get('X-Page-Stale')}"
    if old and (found.headers.get("Cache-Control") != "no-store" or "ETag" in found.headers):
        yield "expected an old page to be no-store, without an ETag"
    if partial and (found.headers.get("Cache-Control") != "no-store" or "ETag" in found.headers):
        yield "expected a partial page to be no-store, without an ETag"
    for name, value in must.headers.items():
        if neutral(found.headers.get(name)) != neutral(value):
            yield f"expected the header {name}: {value}, found {found.headers.get(name)}"
    if must.through is not None:
        yield from _through_problems(found, must.through)
        return
    if neutral(found.json) != neutral(must.body):
        yield f"expected another page: {first_difference(neutral(must.body), neutral(found.json))}"


def _through_problems(found: Answered, must: Through) -> Iterator[str]:
    """The differences of a body that goes through."""
    if found.cut != must.cut:
        yield f"expected a body that {'breaks off' if must.cut else 'ends'}, found one that does not"
    elif not must.cut and found.raw != must.raw:
        yield f"expected the {len(must.raw)} bytes of the backend, found {len(found.raw)} others"
    if set(_COOKIE.findall(found.headers.get("Set-Cookie", ""))) - {WRITTEN_COOKIE.plain}:
        yield "expected no cookie of a backend"


def _why(found: Answered) -> str:
    """What a problem says, for one that was not expected."""
    document = found.json if isinstance(found.json, dict) else {}
    said = [str(document[name]) for name in ("step", "failure", "detail", "errors") if document.get(name)]
    return f" ({'; '.join(said)})" if said else ""


def _fields_of_errors(recipe: Recipe) -> list[str]:
    assert recipe.shape is not None
    return [
        path
        for path, inspection in fields(recipe.shape)
        if any(use.name == "errors" for use in inspection.names)
    ]
