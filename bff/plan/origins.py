"""What the parts of a recipe read, where that comes from, and which parts of the page hang on it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from bff.expressions.fields import fields
from bff.expressions.inspect import ANY, Any_, Inspection, Path, inspect, inspect_tree, item_paths
from bff.expressions.tree import Expression, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.plan.used_paths import reached_from
from bff.recipe.graph import inspect_part, parts
from bff.recipe.keys import RAW
from bff.recipe.model import Guard, Recipe, Request, Step, Value

_SENT: Final = frozenset({"path", "query", "headers", "body", "form", "text", "each", "batch"})
_VISITOR_INPUT: Final = frozenset({"path", "query", "headers", "body"})


class Origins:
    """Follows the names of one recipe; `inspections` are of its steps, by key, `page_reads` of the rest of the page."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._names = tuple(step.name for step in recipe.steps)
        self._values = {step.name for step in recipe.steps if isinstance(step, Value)}
        self.inspections = {step.name: dict(self._inspect(step)) for step in recipe.steps}
        self.page_trees = [
            inspect_tree(tree) for tree in (recipe.shape, recipe.status, recipe.headers) if tree is not None
        ]
        session = recipe.session
        of_session = () if session is None else (session.user, session.tokens, session.expires)
        self.page_reads = [
            *self.page_trees,
            *(inspect_tree(tree) for tree in of_session if tree is not None),
        ]

    @property
    def everything(self) -> Iterator[Inspection]:
        """What every part of the recipe reads and calls."""
        yield from (part for parts in self.inspections.values() for part in parts.values())
        yield from self.page_reads
        if self._recipe.idempotency_key is not None:
            yield inspect_tree(self._recipe.idempotency_key)

    def _inspect(self, step: Step) -> Iterator[tuple[str, Inspection]]:
        bindings = bindings_of(step)
        for key, part in parts(step):
            in_loop = key not in ("when", "each", "batch")
            yield key, inspect_part(part, bindings if in_loop else {})

    def lists(self) -> dict[str, tuple[Path, ...]]:
        """For each step the places of its value (relative to it) that any expression goes over, or that
        `batch` and `key_by` need as a list."""
        found: dict[str, set[Path]] = {name: set() for name in self._names}
        for path in self._iterated():
            root, *rest = path
            if root in found:
                found[str(root)].add(tuple(rest))
        return {name: tuple(sorted(paths, key=str)) for name, paths in found.items()}

    def _iterated(self) -> Iterator[Path]:
        """Every path that an expression of the recipe goes over."""
        for name, inspections in self.inspections.items():
            step = self._recipe.step(name)
            of_items = isinstance(step, Request) and step.each is not None
            for key, inspection in inspections.items():
                for path, _, _ in inspection.iterates:
                    # The undo of an item knows that item's own value by the step's name.
                    own = of_items and key.startswith("undo.") and path[0] == name
                    yield (name, ANY, *path[1:]) if own else path
        for inspection in self.page_reads:
            yield from (path for path, _, _ in inspection.iterates)

    def input_lists(self) -> tuple[Path, ...]:
        """The places of the visitor's input that an expression goes over, also by the name of a value."""
        found = {self._origin(path) for path in self._iterated()}
        return tuple(sorted((path for path in found if path[0] in _VISITOR_INPUT), key=str))

    def _origin(self, path: Path) -> Path:
        """Where what is at a path comes from, unchanged, through the value steps that only name it."""
        while path[0] in self._names:
            step = self._recipe.step(str(path[0]))
            tree, rest = (step.value if isinstance(step, Value) else None), path[1:]
            while rest and isinstance(tree, MappingTree):
                tree, rest = dict(tree.items).get(str(rest[0])), rest[1:]
            if tree is None or not _is_path(tree):
                break
            (found,) = inspect_tree(tree).reads
            path = (*found, *rest)
        return path

    def values_read(self) -> dict[str, set[Path]]:
        """For each step the paths below its value that the page reads, also by way of value steps.

        What an undo reads is left out, and what a loop goes over is read as its elements.
        """
        parts = [
            part
            for inspections in self.inspections.values()
            for key, part in inspections.items()
            if not key.startswith("undo.")
        ]
        paths = (
            path
            for part in (*parts, *self.page_reads)
            for path in (*part.reads, *((*gone_over, ANY) for gone_over, _, _ in part.iterates))
        )
        return reached_from(paths, self._recipe)

    def reply_lists(self, step: Request) -> tuple[Path, ...]:
        own = self.inspections[step.name]
        found = (own[key] for key in ("take", "failed", "pages.next", "until.done") if key in own)
        paths = (path for part in found for path, _, _ in part.iterates)
        return tuple(sorted({tuple(path[2:]) for path in paths if path[:2] == ("reply", "body")}, key=str))

    def undo_reads_reply(self, step: Request) -> bool:
        """Whether the undo of a step needs what the reply of the step brought."""
        of_undo = [found for key, found in self.inspections[step.name].items() if key.startswith("undo.")]
        return any(use.name in ("reply", step.name) for found in of_undo for use in found.names)

    def reads_raw(self) -> bool:
        """Whether anything is made of the body as it came."""
        return any(RAW in roots_of(part) for part in self.everything)

    @property
    def _inputs(self) -> frozenset[str]:
        """The names of what the visitor sent."""
        return _VISITOR_INPUT if self._recipe.signed is None else _VISITOR_INPUT | {RAW}

    def from_input(self, step: Request | Value, keys: Iterable[str]) -> bool:
        """Whether what the visitor sent can flow into these parts of the step, also through value steps."""
        return bool(self._flowing(step, keys) & self._inputs)

    def from_backend(self, step: Request, keys: Iterable[str]) -> bool:
        """Whether what a backend answered can flow into these parts of the step."""
        return bool(self._flowing(step, keys) & (set(self._names) - self._values))

    def _flowing(self, step: Request | Value, keys: Iterable[str]) -> set[str]:
        """The names of all that can flow into these parts of a step, through its loop and value steps, too."""
        found = self.inspections[step.name]
        names = set().union(*(roots_of(found[key]) for key in keys if key in found))
        if isinstance(step, Request) and step.cursor in names and "pages.first" in found:
            names |= roots_of(found["pages.first"])
        clause = (step.each or step.batch) if isinstance(step, Request) else None
        if clause is not None and clause.variable in names:
            names |= roots_of(inspect(clause))
        return self._sources(names)

    def written(self) -> set[str]:
        """The steps that what a write sends is made of, also through value steps."""
        names: set[str] = set()
        for step in self._recipe.steps:
            if isinstance(step, Request) and step.writes:
                names |= self._sent_from(step)
        return self._sources(names) & (set(self._names) - self._values)

    def _sent_from(self, step: Request) -> set[str]:
        found = self.inspections[step.name]
        return set().union(*(roots_of(part) for key, part in found.items() if key in _SENT))

    def is_input(self, step: Value) -> bool:
        """Whether a value is made of nothing but what the visitor sent."""
        sources = self._sources(roots_of(self.inspections[step.name]["value"])) - self._values
        return bool(sources) and sources <= self._inputs

    def _sources(self, names: Iterable[str]) -> set[str]:
        """The names, with those that the value steps among them are made of in their place."""
        found: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name in found:
                continue
            found.add(name)
            if name in self._values:
                queue.extend(root for part in self.inspections[name].values() for root in roots_of(part))
        return found

    def fields(self) -> dict[str, tuple[str, ...]]:
        """For each step the paths of the page that hang on it, directly or through other steps."""
        if self._recipe.shape is None:
            return dict.fromkeys(self._names, ())
        leaves = [(path, self._behind(_own_reads(found))) for path, found in fields(self._recipe.shape)]
        return {name: tuple(path for path, steps in leaves if name in steps) for name in self._names}

    def _behind(self, paths: Iterable[Path]) -> set[str]:
        """The steps that the values at these paths are made of; of a value step only what is at the path."""
        found: set[str] = set()
        waiting, seen = list(paths), set[Path]()
        while waiting:
            path = waiting.pop()
            if path in seen or path[0] not in self._names:
                continue
            seen.add(path)
            step = self._recipe.step(str(path[0]))
            found.add(step.name)
            for key, part in self.inspections[step.name].items():
                if key != "value" and not key.startswith("undo."):
                    waiting.extend(part.reads)
            if isinstance(step, Value):
                waiting.extend(_paths_at(step.value, path[1:]))
        return found

    def second_sources(self) -> dict[str, frozenset[str]]:
        named = {
            step.name: {use.name for use in inspect(step.when).names}
            for step in self._recipe.steps
            if step.when is not None and not isinstance(step, Guard)  # a guard answers nothing
        }
        return {
            name: frozenset(other for other, names in named.items() if name in names) for name in self._names
        }


def _own_reads(found: Inspection) -> set[Path]:
    """What an expression reads by its own names; a loop around it is another field of the page."""
    names = {use.name for use in found.names}
    return {path for path in found.reads if path[0] in names}


def _paths_at(tree: Tree, path: Path) -> Iterable[Path]:
    """What the part of a tree that a path leads to reads."""
    for at, key in enumerate(path):
        if not isinstance(tree, MappingTree):
            found = inspect_tree(tree).reads
            # A tree that is nothing but a path leads on to what is below it.
            return {(*whole, *path[at:]) for whole in found} if _is_path(tree) else found
        inner = dict(tree.items)
        if isinstance(key, str) and key in inner:
            tree = inner[key]
        else:
            return inspect_tree(tree).reads if isinstance(key, Any_) else ()
    return inspect_tree(tree).reads


def _is_path(tree: Tree) -> bool:
    node = tree.node if isinstance(tree, Expression) else None
    while isinstance(node, ast.Attribute) or (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        node = node.value
    return isinstance(node, ast.Name)


def bindings_of(step: Step) -> dict[str, Path]:
    """What the loop variable of an `each` stands for, where that is one path; a chunk of a `batch` is computed."""
    clause = step.each if isinstance(step, Request) else None
    paths = () if clause is None else item_paths(clause)
    return {clause.variable: paths[0]} if clause is not None and len(paths) == 1 else {}


def roots_of(inspection: Inspection) -> set[str]:
    """The names that an expression reads of, those that its loop variable stands for among them."""
    return {use.name for use in inspection.names} | {str(path[0]) for path in inspection.reads}
