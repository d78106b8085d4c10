"""One recipe under check: every expression in it with the names that it may use there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import msgspec.structs

from bff.errors import Finding
from bff.expressions.tree import Each, EachClause, Expression, Let, Mapping, PathTemplate
from bff.expressions.tree import Sequence as SequenceTree
from bff.http import Client
from bff.recipe.graph import Graph, Part, build_graph, parts
from bff.recipe.keys import RAW, SCOPE_NAMES
from bff.recipe.loader import Project
from bff.recipe.model import Guard, Mark, Origin, Recipe, Request, Step, Value
from bff.recipe.taint import Taint, taint_of

Leaf = Expression | EachClause

# What a request's reply and error are called, and where.
_OVER_REPLY = ("take", "ok", "failed", "on_status", "fallback", "pages.next", "until.done")
_WITHOUT_CURSOR = ("when", "each", "batch", "fallback", "pages.first")


@dataclass(frozen=True, slots=True)
class Spot:
    """One expression or each clause: in which step (None: the page itself) and under which key it stands.

    `names` may be used there, as messages list them; `unlisted` too. `loops` are the loop variables and lets among
    them, `lets` what stands behind those, `later` the lets that are known below only. One that `is_let` says what a
    let is, and shows only where that is read.
    """

    step: Step | None
    key: str
    leaf: Leaf
    names: tuple[str, ...]
    loops: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    lets: tuple[Let, ...] = ()
    later: tuple[str, ...] = ()
    is_let: bool = False

    def mark(self, offset: int, length: int) -> Mark:
        return cast(Origin, self.leaf.origin).mark(offset, length)

    def mark_of(self, node: ast.expr) -> Mark:
        """The place of a node of the expression."""
        return self.mark(node.col_offset, (node.end_col_offset or 0) - node.col_offset)

    @property
    def nodes(self) -> Iterator[ast.expr]:
        """Every node of the expression."""
        found = [self.leaf.source, self.leaf.condition] if isinstance(self.leaf, EachClause) else [self.leaf]
        for expression in found:
            if expression is not None:
                yield from (node for node in ast.walk(expression.node) if isinstance(node, ast.expr))


@dataclass
class Page:
    """A recipe with what its checks share; each check adds to `findings`."""

    recipe: Recipe
    project: Project
    findings: list[Finding] = field(default_factory=list)

    def say(self, mark: Mark, message: str, hint: str = "") -> None:
        self.findings.append(mark.finding(message, hint))

    def say_mildly(self, mark: Mark, message: str, hint: str = "") -> None:
        """Say what does not keep the recipe from running."""
        self.findings.append(msgspec.structs.replace(mark.finding(message, hint), mild=True))

    @cached_property
    def graph(self) -> Graph:
        return build_graph(self.recipe)

    @cached_property
    def taint(self) -> Taint:
        return taint_of(self.recipe, self.project.clients)

    @cached_property
    def by_name(self) -> dict[str, Step]:
        return {step.name: step for step in self.recipe.steps}

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Every expression of the recipe, in the order of its keys."""
        return tuple(spot for part, at in self.parts for spot in leaves(part, at))

    @property
    def parts(self) -> Iterator[tuple[Part, Spot]]:
        """Every part of the recipe that holds expressions, each with the names that it may use."""
        yield from self._step_parts()
        yield from self._page_parts()

    @property
    def whole_steps(self) -> Iterator[Step]:
        """The steps that could be read whole: a half-read one would be blamed for what it lacks."""
        return (step for step in self.recipe.steps if step.name not in self.recipe.broken)

    @property
    def requests(self) -> Iterator[Request]:
        return (step for step in self.whole_steps if isinstance(step, Request))

    def client(self, step: Step) -> Client | None:
        """The client of a request; None for other steps, and where the name is unknown (said elsewhere)."""
        return self.project.clients.get(step.client) if isinstance(step, Request) else None

    def quoting_clients(self, step: Step | None, key: str = "") -> set[str]:
        """Whose `quote` an expression of this step means: its client, or the clients that read the value."""
        if isinstance(step, Request) and step.undo is not None and key.startswith("undo."):
            return {step.undo.client}
        found: set[str] = set()
        seen: set[str] = set()
        queue = [] if step is None else [step]
        while queue:
            reader = queue.pop()
            if isinstance(reader, Request):
                found.add(reader.client)
            elif isinstance(reader, Value) and reader.name not in seen:
                seen.add(reader.name)
                queue += [other for other in self.recipe.steps if reader.name in self.graph.reads[other.name]]
        return found

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names that every expression of the recipe may use."""
        return SCOPE_NAMES if self.recipe.signed is None else (*SCOPE_NAMES, RAW)

    @cached_property
    def _scope(self) -> tuple[str, ...]:
        return self.input_names + tuple(
            step.name for step in self.recipe.steps if not isinstance(step, Guard)
        )

    def _step_parts(self) -> Iterator[tuple[Part, Spot]]:
        for step in self.recipe.steps:
            for key, part in parts(step):
                loops = _loops_at(step, key)
                names = self._scope + _names_at(step, key) + loops
                yield part, Spot(step, key, NOWHERE, names, loops)

    def _page_parts(self) -> Iterator[tuple[Part, Spot]]:
        recipe = self.recipe
        page: list[tuple[str, Part | None, tuple[str, ...]]] = [
            ("status", recipe.status, ("errors",)),
            ("headers", recipe.headers, ("errors",)),
            ("shape", recipe.shape, ("errors",)),
        ]
        if recipe.session is not None:
            session = recipe.session
            page += [("session.user", session.user, ()), ("session.tokens", session.tokens, ())]
            page += [("session.expires", session.expires, ())]
        if recipe.idempotency_key is not None:
            yield recipe.idempotency_key, Spot(None, "idempotency_key", NOWHERE, self.input_names)
        for key, part, unlisted in page:
            if part is not None:
                yield part, Spot(None, key, NOWHERE, self._scope, (), unlisted)


NOWHERE = Expression("", ast.Constant(None))
"""Stands for the leaf of a part that holds several."""


def _loops_at(step: Step, key: str) -> tuple[str, ...]:
    """The loop variable of a step where it is in scope."""
    if not isinstance(step, Request) or key in ("when", "each", "batch"):
        return ()
    if step.each is not None:
        return (step.each.variable,)
    # A chunk of a batch that fails fails the step: its fallback stands for the whole list.
    return (step.batch.variable,) if step.batch is not None and key != "fallback" else ()


def _names_at(step: Step, key: str) -> tuple[str, ...]:
    """The names that one key of a request brings into scope."""
    if not isinstance(step, Request):
        return ()
    top = key.split(".")[0]
    names: tuple[str, ...] = ()
    if top in _OVER_REPLY or key in _OVER_REPLY or top == "undo":
        names += ("reply",)
    if step.cursor is not None and key not in _WITHOUT_CURSOR and top != "undo":
        names += (step.cursor,)
    if top == "fallback":
        names += ("error",)
    if step.idempotency_key is not None and top not in ("when", "each", "batch", "idempotency_key"):
        names += ("idempotency_key",)
    return names


def leaves(part: Part, at: Spot) -> Iterator[Spot]:
    """The expressions of a part, each with the loop variables around it."""
    if isinstance(part, Expression | EachClause):
        yield replace(at, leaf=part)
    elif isinstance(part, PathTemplate):
        for hole in part.holes:
            yield from leaves(hole, at)
    elif isinstance(part, Mapping):
        for name, item in part.items:
            yield from leaves(item, _below(at, name))
    elif isinstance(part, SequenceTree):
        for item in part.items:
            yield from leaves(item, at)
    elif isinstance(part, Each):
        for value, inner in within(part, at):
            yield from leaves(value, inner)


def within(each: Each, at: Spot) -> Iterator[tuple[Part, Spot]]:
    """The clauses of a list, its lets and its item, each with the names that it may use."""
    outer = at.later
    later = [let.name for let in each.lets]
    at = replace(at, later=(*outer, *later))
    for clause in each.clauses:
        yield clause, at
        at = _knowing(at, clause.variable)
    for let in each.lets:
        yield let.value, replace(at, is_let=True)
        del later[0]
        at = replace(_knowing(at, let.name), lets=(*at.lets, let), later=(*outer, *later))
    yield each.item, at


def _knowing(at: Spot, name: str) -> Spot:
    return replace(at, names=(*at.names, name), loops=(*at.loops, name))


def _below(at: Spot, name: str) -> Spot:
    return replace(at, key=f"{at.key}.{name}")


def loop_failed(step: Step | None) -> bool:
    """Whether a step's loop or cursor could not be read, so that its variable is unknown."""
    if not isinstance(step, Request):
        return False
    if "let" in step.marks.keys or ("pages.as" in step.marks.keys and step.cursor is None):
        return True
    return any(key in step.marks.keys and getattr(step, key) is None for key in ("each", "batch"))


def elsewhere(marks: Sequence[Mark]) -> str:
    """In which other lines the mistake of the first of some marks stands."""
    lines = [str(line) for line in sorted({mark.place.line for mark in marks} - {marks[0].place.line})]
    if not lines:
        return ""
    return f"; also in line {lines[0]}" if len(lines) == 1 else f"; also in lines {', '.join(lines)}"
