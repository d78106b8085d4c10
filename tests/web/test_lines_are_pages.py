"""For any page, replies and order of them: the lines together are the page that comes in one piece."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bff.errors import PageError
from bff.executor import PageRun, Results, RunContext
from bff.expressions import Evaluation
from bff.http import Broken, Call, Calls, OutgoingRequest, Reply, Way
from bff.plan.model import Plan
from bff.plan.planner import make_plan
from bff.problems import document
from bff.recipe.check import check_folder
from bff.settings import Settings
from bff.testing.lines import Assembled, assembled
from bff.web.answer import Answers, encode_bounded
from bff.web.journal import Journal
from bff.web.lines import PageLines, lines_of
from bff.web.request import PageRequest
from tests.project import write_project
from tests.properties import given, settings, st

SETTINGS = Settings()
REQUEST = PageRequest({}, "GET")
JSON = st.recursive(
    st.sampled_from([None, True, 1, 1.0, "text", "a/b~c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OUTCOMES = JSON.map(lambda body: Reply(200, {}, json.dumps(body).encode())) | st.sampled_from(
    [Reply(500), Reply(404), Reply(200, {}, b"<html>"), Broken("timeout", sent=True), Broken("refused")]
)
NAMES = ("r0", "r1", "d0", "d1", "d2", "f0", "v0", "v1")
TEMPLATES = (
    *(
        "{0}",
        "{0}.a",
        "{0}.b.c",
        "len({0}.a)",
        "[x.a for x in {0}.b]",
        "[[x, {1}] for x in default({0}, [])]",
    ),
    *("{0}.a if {0} else {1}", "merge({0}, {1})", 'f"{{{0}.a}} {{{1}}}"', "{0}.a == {1}.a", "keys({0})"),
)


def _expressions(names: Sequence[str]) -> st.SearchStrategy[str]:
    named = st.sampled_from(names)
    return st.builds(lambda text, *of: text.format(*of), st.sampled_from(TEMPLATES), named, named)


@st.composite
def recipes(draw: Callable[..., Any]) -> str:
    """Reads that must be there, deferred ones, values and a request that read both, and a shape of them all."""
    fallbacks = st.sampled_from(["null", "{}", "[]", "{a: error.kind}"])
    steps = [f"  r{at}: {{client: todos, get: /r{at}, fallback: {draw(fallbacks)}}}" for at in range(2)]
    for at in range(3):
        deferred = f"client: todos, get: /d{at}, fallback: {draw(fallbacks)}, defer: true"
        steps.append(f"  d{at}: {{{deferred}}}")
    hole = draw(st.sampled_from(["d0.a", "r0.a", "d1"]))
    steps.append(f'  f0: {{client: todos, get: "/f0/{{{hole}}}", fallback: {draw(fallbacks)}}}')
    for at, known in enumerate((NAMES[:6], NAMES[:7])):
        when = draw(st.sampled_from(["", f"    when: {draw(st.sampled_from(known))} is None\n"]))
        steps.append(f"  v{at}:\n{when}    value: {json.dumps(draw(_expressions(known)))}")
    shape = {f"k{at}": draw(_expressions(NAMES)) for at in range(4)}
    shape |= {name: name for name in NAMES}  # so that every step is read
    lines = [f"  {key}: {json.dumps(text)}" for key, text in shape.items()]
    lines += ["  rows:", f"    each: x in default({draw(st.sampled_from(NAMES))}, [])", "    item: [x, x.a]"]
    head = "route: GET /page\nauth: none\nsteps:\n"
    return head + "\n".join(steps) + "\nshape:\n" + "\n".join(lines) + "\n  errors: errors\n"


class FakeCalls:
    """Ends the calls that are under way one by one, those of the foremost paths first."""

    def __init__(self, outcomes: dict[str, Reply | Broken], order: Sequence[str]) -> None:
        self._outcomes = outcomes
        self._order = order
        self._open: list[Call] = []
        self.transport = self

    def way(self, *given: Any, **terms: Any) -> Way:
        """Every request is a call."""
        return Calls.way(self, *given, **terms)  # type: ignore[arg-type]

    def start(self, way: Way, request: OutgoingRequest) -> Call:
        self._open.append(Call(way, request, time.monotonic() + 60, "", {}))
        return self._open[-1]

    def wait(self, until: float) -> list[Call]:
        if until < time.monotonic():
            return []
        call = min(self._open, key=lambda one: self._order.index(one.request.path.split("/")[1]))
        self._open.remove(call)
        outcome = self._outcomes[call.request.path.split("/")[1]]
        call.result = Reply(outcome.status, {}, outcome.raw) if isinstance(outcome, Reply) else outcome
        return [call]

    def abandon(self, call: Call) -> None:
        self._open.remove(call)


def run_of(plan: Plan, calls: FakeCalls, evaluation: Evaluation) -> PageRun:
    terms = RunContext(time.monotonic() + 60, lambda value: encode_bounded(value, SETTINGS))
    scope = {"path": {}, "query": {}, "headers": {}, "body": None, "user": None}
    return PageRun(plan, scope, calls, evaluation, terms)  # type: ignore[arg-type]


def whole(plan: Plan, calls: FakeCalls) -> Assembled:
    evaluation = Evaluation()
    try:
        results = run_of(plan, calls, evaluation).run()
        answer = Answers(plan, SETTINGS).whole(REQUEST, results, evaluation)
    except PageError as error:
        return Assembled(None, problem=document(error, "id"))
    return Assembled(json.loads(answer.body), results.partial, results.stale, complete=True)


def in_lines(plan: Plan, calls: FakeCalls) -> tuple[str, tuple[str, ...]]:
    """The lines, and which parts were still to come in the first."""
    evaluation = Evaluation()
    parts = run_of(plan, calls, evaluation).parts()
    first: Results = next(parts)
    lines = PageLines(plan, evaluation, Evaluation(), SETTINGS)
    text = b"".join(lines_of(first, parts, lines, Journal("id", time.monotonic()))).decode()
    return text, first.pending


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@settings(max_examples=150)
@given(recipes(), st.lists(OUTCOMES, min_size=6, max_size=6), st.permutations(NAMES[:6]))
def test_the_lines_together_are_the_page(
    folder: Path, recipe: str, outcomes: list[Reply | Broken], order: list[str]
) -> None:
    write_project(folder, {"page": recipe})
    project, findings = check_folder(folder)
    # Pages made at random read members of lists and of numbers, and go over objects: null, whole and in lines.
    assert [
        str(one)
        for one in findings
        if not one.message.endswith((" here, not an object", " here, not a list"))
    ] == []
    plan = make_plan(project.recipes["page"], project.clients, {})
    by_path = dict(zip(NAMES[:6], outcomes, strict=True))

    must = whole(plan, FakeCalls(by_path, order))
    try:
        text, pending = in_lines(plan, FakeCalls(by_path, order))
    except PageError as error:  # before the first line it is the answer itself
        assert document(error, "id") == must.problem
        return

    found = assembled(text)
    assert (found.partial, found.problem, found.complete) == (must.partial, must.problem, must.complete)
    if must.complete:
        assert json.dumps(found.page, sort_keys=True) == json.dumps(must.page, sort_keys=True)
    told = [step for line in text.splitlines() for step in json.loads(line).get("steps", ())]
    assert len(told) == len(set(told)) and set(told) <= set(pending)
    if must.complete:
        assert set(told) == set(pending)
