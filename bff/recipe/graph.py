"""Which step waits for which: reads by the names in their expressions, writes by the order written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bff.expressions.inspect import Inspection, inspect, inspect_tree
from bff.expressions.paths import Bindings
from bff.expressions.tree import EachClause, Expression, PathTemplate, Tree
from bff.recipe.model import Guard, Recipe, Request, Step, SubRecipe, Value

Part = Tree | PathTemplate | EachClause
Reason = Literal["reads", "above", "below"]


@dataclass(frozen=True, slots=True)
class Cycle:
    """Steps that wait for each other: each of `names` for the next, the last for the first.

    `step` reads `reads`, which is where an author can cut it.
    """

    names: tuple[str, ...]
    message: str
    hint: str
    step: str
    reads: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The order of a page's steps, by name.

    `reads` are the steps that a step's expressions name, `waits_for` those and what the writes add: a write waits
    for every required step and guard above it and for the write before it; what stands below a write waits for it.
    """

    names: tuple[str, ...]
    reads: Mapping[str, frozenset[str]]
    waits_for: Mapping[str, frozenset[str]]
    cycles: tuple[Cycle, ...]

    def upstream(self, name: str) -> frozenset[str]:
        """The steps that a step's value is made of, directly or through others, itself included."""
        return reached(name, self.reads)


def parts(step: Step) -> Iterator[tuple[str, Part]]:
    """Every part of a step that can hold expressions, by its key (`on_status.404`, `undo.path`, `fail.title`)."""
    if step.when is not None:
        yield "when", step.when
    match step:
        case Value():
            yield "value", step.value
        case SubRecipe():
            yield "with", step.arguments
        case Guard():
            yield "require", step.require
            for name in ("title", "detail", "errors"):
                if (tree := getattr(step.fail, name)) is not None:
                    yield f"fail.{name}", tree
            if isinstance(step.fail.status, Expression):
                yield "fail.status", step.fail.status
        case Request():
            yield from _request_parts(step)


def _request_parts(step: Request) -> Iterator[tuple[str, Part]]:
    for name in ("each", "batch", "idempotency_key"):
        part = getattr(step, name)
        if part is not None and part is not True:
            yield name, part
    yield "path", step.path
    for name in ("query", "headers", "body", "form", "text", "take", "ok", "failed", "fallback"):
        if (tree := getattr(step, name)) is not None:
            yield name, tree
    for status, tree in step.on_status:
        yield f"on_status.{status}", tree
    if step.pages is not None:
        if step.pages.first is not None:
            yield "pages.first", step.pages.first
        yield "pages.next", step.pages.next
    if step.until is not None:
        yield "until.done", step.until.done
    if step.undo is not None:
        for name, part in _request_parts(step.undo):
            yield f"undo.{name}", part


def inspect_part(part: Part, bindings: Bindings | None = None) -> Inspection:
    """What a part reads."""
    if isinstance(part, EachClause | PathTemplate):
        return inspect(part, bindings)
    return inspect_tree(part, bindings)


def names_in(part: Part) -> frozenset[str]:
    """The free names of a part (a step's loop variable among them)."""
    return frozenset(use.name for use in inspect_part(part).names)


def build_graph(recipe: Recipe) -> Graph:
    """The order in which the steps of a recipe may run, with the cycles that make it impossible."""
    names = tuple(step.name for step in recipe.steps)
    reads = {step.name: _reads(step, names) for step in recipe.steps}
    reasons = _reasons(recipe, reads)
    waits_for = {name: frozenset(reasons[name]) for name in names}
    return Graph(names, reads, waits_for, tuple(_cycles(names, reasons)))


def _reads(step: Step, names: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    for key, part in parts(step):
        # An undo runs afterwards and may look at what its own step gave.
        found |= names_in(part) - ({step.name} if key.startswith("undo.") else set())
    return frozenset(found.intersection(names) - _loop_variables(step))


def _loop_variables(step: Step) -> set[str]:
    if not isinstance(step, Request):
        return set()
    found = {clause.variable for clause in (step.each, step.batch) if clause is not None}
    return found if step.cursor is None else {*found, step.cursor}


def writes(step: Step) -> bool:
    return isinstance(step, Request) and step.writes


def required(step: Step) -> bool:
    """Whether the step's failure ends the page; a value or guard has no fallback, so theirs does."""
    return not isinstance(step, Request) or step.required


def deferred_steps(recipe: Recipe, graph: Graph) -> frozenset[str]:
    """The steps that come after the rest of the page: those that say `defer`, and all that read one of them."""
    said = {step.name for step in recipe.steps if isinstance(step, Request) and step.defer}
    return frozenset(name for name in graph.names if said & graph.upstream(name)) if said else frozenset()


def _reasons(recipe: Recipe, reads: Mapping[str, frozenset[str]]) -> dict[str, dict[str, Reason]]:
    """For each step the steps that it waits for, each with why."""
    found: dict[str, dict[str, Reason]] = {}
    before: Step | None = None  # the nearest write above, which waited for all that stands above it
    between: list[str] = []  # the required steps since then
    for step in recipe.steps:
        waits: dict[str, Reason] = {} if before is None else {before.name: "below"}
        if writes(step):
            waits |= dict.fromkeys(between, "above")
            before, between = step, []
        elif required(step):
            between.append(step.name)
        found[step.name] = waits | dict.fromkeys(sorted(reads[step.name]), "reads")
    return found


def reached(start: str, edges: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Everything that can be reached from a step, itself included."""
    found: set[str] = set()
    queue = [start]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue.extend(edges.get(name, ()))
    return frozenset(found)


def _cycles(names: tuple[str, ...], reasons: Mapping[str, Mapping[str, Reason]]) -> Iterator[Cycle]:
    """One cycle for each knot of steps, in the order written, the shortest through its first step."""
    seen: set[str] = set()
    edges = {name: frozenset(reasons[name]) for name in names}
    for name in names:
        if name in seen:
            continue
        cycle = _shortest_cycle(name, edges)
        if cycle is not None:
            knot = {other for other in reached(name, edges) if name in reached(other, edges)}
            seen |= knot
            yield _explained(cycle, names, reasons)


def _shortest_cycle(start: str, edges: Mapping[str, frozenset[str]]) -> tuple[str, ...] | None:
    paths: list[tuple[str, ...]] = [(start,)]
    visited: set[str] = set()
    for path in paths:
        for following in sorted(edges[path[-1]]):
            if following == start:
                return path
            if following not in visited:
                visited.add(following)
                paths.append((*path, following))
    return None


def _explained(
    cycle: tuple[str, ...], names: tuple[str, ...], reasons: Mapping[str, Mapping[str, Reason]]
) -> Cycle:
    """A cycle in words: where a write's barrier closes it, what to move; else which reading to cut."""
    edges = [(name, cycle[(place + 1) % len(cycle)]) for place, name in enumerate(cycle)]
    around = " → ".join([*cycle, cycle[0]])
    reading = next((edge for edge in edges if reasons[edge[0]][edge[1]] == "reads"), edges[0])
    message, hint = f"a cycle: {around}", f"{reading[0]} cannot wait for {reading[1]}, which waits for it"
    if len(cycle) == 1:
        message, hint = (
            f"step '{cycle[0]}' reads itself",
            "a step's reply is named reply, in take, ok, on_status and fallback",
        )
    for waiting, awaited in edges:
        reason = reasons[waiting][awaited]
        if reason == "above":
            hint = f"{waiting} is a write: it waits for {awaited}, written above it; move {awaited} below"
        elif reason == "below":
            hint = f"{awaited} is a write: {waiting}, written below it, waits for it; move {waiting} above"
        else:
            continue
        break
    return Cycle(cycle, message, hint, *reading)
