"""What a client's backend answers to the reads of a project's pages: asked through the pages, without their writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bff.dev.asking import Called, Visitor, ask_page
from bff.dev.learning import Learner
from bff.errors import OperatorError
from bff.expressions.tree import Constant
from bff.plan.model import Plan, Planned, PlannedRequest
from bff.recipe.contracts.operations import request_of
from bff.recipe.loader import Project
from bff.recipe.model import Recipe, Request
from bff.settings import Settings
from bff.testing.pagefile import read_page_file
from bff.text import meant
from bff.web.site import Page, RequireFor, load_pages, loading, page_of


class Line(Struct, frozen=True):
    """What came of one step: `done` where its reply was looked at, or needs not be."""

    page: str
    step: str
    request: str
    outcome: str
    done: bool


class Input(Struct, frozen=True):
    """What is sent: the values of every page's path and query that are named so, a body, and who asks."""

    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    visitor: Visitor | None = None


class Introspection:
    """Asks pages for what a client's backend answers."""

    def __init__(self, project: Project, client: str, given: Input, environ: Mapping[str, str]) -> None:
        self._project = project
        self._client = client
        self._given = given
        self._environ = environ
        self.told: list[str] = []
        self._learner = Learner(project.root, self.told.append, client)

    def pages(self, wanted: Sequence[str]) -> list[str]:
        """Those of the wanted pages, or of all, that ask the client; raises OperatorError for what is none."""
        clients, pages = self._project.clients, self._project.pages
        if self._client not in clients:
            cure = meant(self._client, clients)
            raise OperatorError(f"no client {self._client}; {cure}there are: {', '.join(clients)}")
        for page in wanted:
            if page not in pages:
                raise OperatorError(f"no page {page}; {meant(page, pages)}there are: {', '.join(pages)}")
        return list(wanted or pages)

    def ask(self, page: str) -> Iterator[Line]:
        """Ask one page, and say what came of each step that asks the client."""
        plans: list[Plan] = []

        def load(
            root: Path,
            pages: Sequence[str] | None,
            settings: Settings,
            environ: Mapping[str, str],
            require_for: RequireFor,
        ) -> tuple[dict[str, Page], Planned]:
            found, planned = load_pages(root, pages, settings, environ, require_for)
            plans.append(found[page].plan)
            reading = self._learner.watched(reading_part(found[page].plan), self._project.contracts)
            return {page: page_of(reading, settings)}, replace(planned, plans={page: reading})

        token = loading.set(load)
        try:
            called: Called | str = self._call(page)
        except OperatorError as error:
            if not plans:
                raise
            called = str(error)
        finally:
            loading.reset(token)
        learned = self._learner.write()
        yield from self._lines(page, plans[0], called, learned)

    def _call(self, page: str) -> Called:
        recipe, given = self._project.recipes[page], self._given
        written = read_page_file(self._project.root, recipe).request
        named = {name for name, _ in given.query}
        more = [
            (name, one)
            for part in ("path", "query")
            for name, value in written.get(part, {}).items()
            if name not in named
            for one in _texts(value)
        ]
        known = {*_holes(recipe), *(parameter.name for parameter in recipe.input.query)}
        query = [(name, value) for name, value in [*given.query, *more] if name in known]
        body = given.body if recipe.input.body is not None else None
        if body is None and "body" in written:
            from bff.jsontext import encode

            body = encode(written["body"])
        return ask_page(self._project.root, page, query, body, given.visitor, self._environ)

    def _lines(
        self, page: str, plan: Plan, called: Called | str, learned: Collection[tuple[str, str]]
    ) -> Iterator[Line]:
        kept = {step.name for step in reading_part(plan).steps}
        for step in plan.requests:
            if step.client.name != self._client:
                continue
            declared = plan.recipe.step(step.name)
            assert isinstance(declared, Request)
            request = request_of(declared.method, declared.path)
            outcome, done = self._outcome(
                step, declared, called, kept, (step.client.name, request) in learned
            )
            yield Line(page, step.name, request, outcome, done)

    def _outcome(
        self,
        step: PlannedRequest,
        declared: Request,
        called: Called | str,
        kept: Collection[str],
        learned: bool,
    ) -> tuple[str, bool]:
        contract = self._project.contracts.get(self._client)
        if step.writes:
            return "not asked: it writes", True
        if contract is not None and contract.describes(declared.method, declared.path):
            return "its schema says it", True
        if step.name not in kept:
            return "not asked: it comes after a write", True
        if isinstance(called, str):
            return f"not asked: {called}", False
        if learned:
            return "learned", True
        trace = called.journal.traces.get(step.name)
        if trace is None or trace.outcome == "skipped":
            return f"not asked: {self._why(called)}", False
        if trace.failure is not None:
            failure = trace.failure
            status = "" if failure.upstream_status is None else f" {failure.upstream_status}"
            return f"failed: {failure.kind}{status}", False
        return (
            ("nothing of its reply is read", True)
            if not step.reads
            else ("nothing came to be learned", False)
        )

    def _why(self, called: Called) -> str:
        """Why a step that a page has was not begun."""
        if called.status == 401 and self._given.visitor is None:
            return "nobody has signed in; --as FILE says who asks"
        if called.journal.traces and called.journal.error is not None:
            return f"the page ended before it, with {called.status}"
        if called.status >= 400:
            return f"the page refused its request, with {called.status}"
        return "its condition was false, or it had nothing to ask for"


def reading_part(plan: Plan) -> Plan:
    """The page without its writes, and without all that waits for one; nothing is made of it but its reads."""
    left_out: set[str] = set()
    for _ in plan.steps:
        for step in plan.steps:
            if (isinstance(step, PlannedRequest) and step.writes) or plan.waits_for[step.name] & left_out:
                left_out.add(step.name)
    steps = tuple(step for step in plan.steps if step.name not in left_out)
    names = {step.name for step in steps}
    recipe = replace(
        plan.recipe,
        shape=None,
        status=Constant(200),
        headers=None,
        cache=None,
        session=None,
        rate_limit=None,
        invalidates=(),
    )
    return replace(
        plan,
        recipe=recipe,
        steps=steps,
        waits_for={name: found for name, found in plan.waits_for.items() if name in names},
        followers={
            name: tuple(one for one in found if one in names)
            for name, found in plan.followers.items()
            if name in names
        },
        shape=None,
        headers=None,
        session=None,
        second_sources={name: found & names for name, found in plan.second_sources.items()},
        deferred=frozenset(),
        header_names=(),
    )


def _holes(recipe: Recipe) -> Iterator[str]:
    return (parameter.name for parameter in recipe.input.path)


def _texts(value: Any) -> list[str]:
    """A value of a page's file as a query has it."""
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if value is None:
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value)]
