"""The boxes and arrows of a page's drawing, whatever it is drawn with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from bff.explaining.amounts import requests_of
from bff.explaining.order import waits_of
from bff.explaining.rounds import trait
from bff.explaining.subject import Subject, way_of
from bff.explaining.timing import critical_path, late_steps
from bff.explaining.words import duration
from bff.expressions.inspect import inspect_tree
from bff.plan.model import PlannedGuard, PlannedRequest, PlannedStep
from bff.recipe.graph import reached
from bff.recipe.model import Guard

Kind = Literal["read", "write", "value", "guard", "page"]
PAGE = ""
"""The name of the box that stands for the answer."""


class Node(Struct, frozen=True):
    """A box: its name, what stands in it line by line, and how it looks."""

    name: str
    kind: Kind
    lines: tuple[str, ...]
    optional: bool = False
    critical: bool = False
    late: bool = False


class Edge(Struct, frozen=True):
    """An arrow from a step to one that waits for it; a `barrier` is a wait for a write, or of one."""

    source: str
    target: str
    barrier: bool = False
    critical: bool = False


class Drawing(Struct, frozen=True):
    """A page as boxes and arrows, the answer as the last box."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def drawing_of(subject: Subject) -> Drawing:
    """The boxes and arrows of a page."""
    path = [one.name for one in critical_path(subject)]
    late = {one.name for one in late_steps(subject)}
    nodes = [_node(subject, step, step.name in path, step.name in late) for step in subject.plan.steps]
    recipe = subject.recipe
    answer = (f"{recipe.method} {recipe.path}", f"deadline {duration(recipe.deadline)}")
    nodes.append(Node(PAGE, "page", answer))
    edges = [*_edges(subject, path), *_edges_of_page(subject, path)]
    return Drawing(f"{subject.page}: {answer[0]}", tuple(nodes), tuple(edges))


def _node(subject: Subject, step: PlannedStep, critical: bool, late: bool) -> Node:
    if isinstance(step, PlannedRequest):
        way, operation = way_of(step), subject.written(step).graphql
        verb = step.method if operation is None else f"GraphQL {operation.kind} of"
        lines = (
            step.name,
            f"{verb} {step.client.name}, {duration(way.timeout)}",
            *_traits(subject, step),
        )
        kind: Kind = "write" if step.writes else "read"
        return Node(step.name, kind, lines, step.fallback is not None, critical, late)
    if isinstance(step, PlannedGuard):
        guard = subject.recipe.step(step.name)
        assert isinstance(guard, Guard), "it was planned from one"
        status = guard.fail.status if isinstance(guard.fail.status, int) else "a problem"
        return Node(step.name, "guard", (step.name, f"guard, else {status}"))
    return Node(step.name, "value", (step.name, "value"))


def _traits(subject: Subject, step: PlannedRequest) -> Iterator[str]:
    """What a reviewer asks of a request, in few words, two to a line."""
    found = []
    if step.when is not None:
        found.append("only when")
    if step.each:
        found.append(f"each of ≤ {requests_of(subject, step).most}")
    if step.batch_size is not None:
        found.append(f"batch of {step.batch_size}")
    if asked := trait(step):
        found.append(asked)
    if step.cache is not None:
        found.append(f"cache {duration(step.cache.ttl)}{'' if step.cache.private else ' for all'}")
    traits = {"fallback": step.fallback, "undo": step.undo, "hedge": step.hedge, "defer": step.defer or None}
    found += [name for name, value in traits.items() if value is not None]
    for at in range(0, len(found), 2):
        yield ", ".join(found[at : at + 2])


def _edges(subject: Subject, path: list[str]) -> Iterator[Edge]:
    """What each step reads, and the waits for writes that do not follow from other waits."""
    waits = subject.plan.waits_for
    for step in subject.plan.steps:
        for wait in waits_of(subject, step.name):
            for other in wait.names:
                others = waits[step.name] - {other}
                if wait.why == "reads" or not any(other in reached(one, waits) for one in others):
                    yield Edge(other, step.name, wait.why != "reads", _follows(path, other, step.name))


def _edges_of_page(subject: Subject, path: list[str]) -> Iterator[Edge]:
    """The steps that the answer is made of, and those that nothing else waits for."""
    read = {use.name for tree in subject.answer_trees for use in inspect_tree(tree).names}
    for step in subject.plan.steps:
        if step.name in read or not subject.plan.followers[step.name]:
            yield Edge(step.name, PAGE, False, path[-1:] == [step.name])


def _follows(path: list[str], source: str, target: str) -> bool:
    return (source, target) in pairwise(path)
