"""What of a page is one visitor's: found in the recipe, before anything runs.

A step is private if it reads `user`, a header of the visitor or a token of the session, itself or through the steps
that it reads, or if its client sends the visitor's token or address. A page is private if it reads such a thing, or if
any of its steps is: a guard that looks at `user` makes an answer that is not everybody's, whatever the shape shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bff.expressions.inspect import Inspection, Path, inspect_tree, path_text
from bff.expressions.rooms import SEALING
from bff.expressions.tree import Tree
from bff.http import Client
from bff.recipe.graph import build_graph, inspect_part, parts
from bff.recipe.model import Auth, Recipe, Request, Step, Value

OF_ONE_VISITOR = frozenset({"user", "headers"})
"""The names that hold something of the visitor which is not in the address of the page."""

Way = tuple[str, ...]
"""How something of one visitor gets somewhere, said step by step; empty where nothing does."""


@dataclass(frozen=True, slots=True)
class Taint:
    """What is private in a recipe: the way of it to each step by name, and to the page."""

    steps: Mapping[str, Way]
    page: Way


def taint_of(recipe: Recipe, clients: Mapping[str, Client]) -> Taint:
    """What is private in a recipe; a part that it holds is looked at only where it stands in place."""
    return _Tracer(recipe, clients).taint()


class _Tracer:
    """Follows what is private through one recipe; local to `taint_of`."""

    def __init__(self, recipe: Recipe, clients: Mapping[str, Client]) -> None:
        self._recipe = recipe
        self._clients = clients
        self._graph = build_graph(recipe)
        self._steps = {step.name: step for step in recipe.steps}
        self._tokens = self._giving_tokens()

    def taint(self) -> Taint:
        steps = self._to_steps()
        return Taint(steps, self._to_page(steps))

    def _to_steps(self) -> dict[str, Way]:
        ways = {name: self._own_way(step) for name, step in self._steps.items()}
        reads = {
            name: [other for other in self._graph.names if other in self._graph.reads[name]] for name in ways
        }
        found = True
        while found:
            found = False
            for name in (name for name, way in ways.items() if not way):
                other = next((other for other in reads[name] if ways[other]), None)
                if other is not None:
                    ways[name] = (f"{name} reads {other}", *ways[other])
                    found = True
        return ways

    def _own_way(self, step: Step) -> Way:
        """What makes a step private by itself."""
        own = [
            text for _, part in parts(step) for text in private_reads(inspect_part(part), self._recipe.auth)
        ]
        if own:
            return (f"{step.name} reads {own[0]}",)
        for client in self._asked(step):
            if client.forwards or client.forwarded_headers:
                what = "token" if client.forwards else "address"
                return (f"{step.name} is asked with the visitor's {what} ({client.name})",)
        return (f"{step.name} gives a token of the session",) if step.name in self._tokens else ()

    def _asked(self, step: Step) -> list[Client]:
        """The clients of a request and of its undo."""
        if not isinstance(step, Request):
            return []
        named = [step.client] if step.undo is None else [step.client, step.undo.client]
        return [self._clients[name] for name in named if name in self._clients]

    def _to_page(self, steps: Mapping[str, Way]) -> Way:
        if self._recipe.auth == "required":
            return ("the page is for signed-in visitors, whom a CDN does not know",)
        inspections = [(key, inspect_tree(tree)) for key, tree in self._page_trees()]
        own = [
            f"the {key} reads {text}"
            for key, found in inspections
            for text in private_reads(found, self._recipe.auth)
        ]
        if own:
            return (own[0],)
        read = {use.name for _, found in inspections for use in found.names}
        # What it reads is the nearer cause; any other private step can end the page, or not, for one visitor.
        for name in sorted(self._graph.names, key=lambda name: name not in read):
            if steps[name]:
                return (f"the page reads {name}" if name in read else f"the page runs {name}", *steps[name])
        return ()

    def _page_trees(self) -> Iterator[tuple[str, Tree]]:
        recipe, session = self._recipe, self._recipe.session
        trees: list[tuple[str, Tree | None]] = [
            *(("status", recipe.status), ("headers", recipe.headers), ("shape", recipe.shape))
        ]
        if session is not None:
            trees += [("session", tree) for tree in (session.user, session.tokens, session.expires)]
        yield from ((key, tree) for key, tree in trees if tree is not None)

    def _giving_tokens(self) -> frozenset[str]:
        """The steps that a token of the session comes from or through."""
        session = self._recipe.session
        if session is None or session.tokens is None:
            return frozenset()
        found: set[str] = set()
        queue = [use.name for use in inspect_tree(session.tokens).names]
        while queue:
            name = queue.pop()
            if name in self._steps and name not in found:
                found.add(name)
                if isinstance(self._steps[name], Value):
                    queue += self._graph.reads[name]
        return frozenset(found)


def private_reads(found: Inspection, auth: Auth) -> list[str]:
    """What of one visitor an expression reads, as it is written; what seals for them reads who they are."""
    paths: set[Path] = {path for path in found.reads if path[0] in OF_ONE_VISITOR}
    paths |= {(use.name,) for use in found.names if use.name in OF_ONE_VISITOR} if not paths else set()
    sealing = {use.name for use in found.functions} & SEALING if auth != "none" else frozenset()
    return [*sorted(map(path_text, paths)), *(f"who asks, by {name}(…)" for name in sorted(sealing))]
