"""Which parts of a step's reply a page reads, told as paths below the reply's body."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from bff.expressions.inspect import ANY, Any_, Inspection, Path, aliases_of, inspect_passing, item_aliases
from bff.expressions.paths import Scope
from bff.expressions.tree import Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.model import Recipe, Request, Value

_BODY = ("reply", "body")


Inspections = Mapping[str, Mapping[str, Inspection]]
"""What the parts of each step read, by step and part."""

Used = Mapping[str, Collection[Path]]
"""Paths below the value of each step, by its name."""


def used_of_values(recipe: Recipe, inspections: Inspections, page: Iterable[Inspection]) -> Used:
    """The paths below each step's value that a recipe uses; `()` where it looks at the whole.

    What a value step only passes on is used where somebody uses that value. `page` are the inspections of what is made
    of the steps in the end.
    """
    passing = {
        step.name: inspect_passing(step.value)
        for step in recipe.steps
        if isinstance(step, Value)
        and step.given is None  # what a part of the page is given is checked as a whole
    }
    found = list(page)
    for name, parts in inspections.items():
        step = recipe.step(name)
        for key, part in parts.items():
            of_item = key.startswith("undo.") and isinstance(step, Request) and step.each is not None
            if of_item:  # it knows that item's own value by the step's name
                part = part.without(name)
            found.append(passing[name] if key == "value" and name in passing else part)
    used = reached_from((path for part in found for path in part.reads), recipe)
    for path in {path for part in found for path, _, _ in part.iterates}:
        root, *rest = path
        # What is used of its elements says it better.
        if root in used and not any(read[: len(rest)] == tuple(rest) for read in used[str(root)]):
            for name, paths in reached_from([path], recipe).items():
                used[name] |= paths
    return used


def reached_from(paths: Iterable[Path], recipe: Recipe) -> dict[str, set[Path]]:
    """What some paths stand for below each step's value, themselves and by way of value steps."""
    found: dict[str, set[Path]] = {step.name: set() for step in recipe.steps}
    waiting = list(paths)
    while waiting:
        root, *rest = waiting.pop()
        if root not in found or (path := tuple(rest)) in found[str(root)]:
            continue
        found[str(root)].add(path)
        step = recipe.step(str(root))
        if isinstance(step, Value):
            waiting.extend(followed(step.value, path))
    return found


def read_of_reply(step: Request, own: Mapping[str, Inspection], used: Iterable[Path]) -> Iterator[Path]:
    """The paths below the body of a reply that a recipe reads; `()` where it looks at the whole.

    `own` are the inspections of the step's parts, `used` the paths below its value.
    """
    if step.ok is not None:
        yield ()
    elif step.take is not None:
        yield from _below(_BODY, own["take"])
    else:
        for key, part in own.items():
            if key.startswith("undo.") and step.each is not None:
                yield from _below((step.name,), part)
        yield from (_in_reply(step, path) for path in used)
        if step.key_by is not None:
            yield _in_reply(step, (ANY, step.key_by))


def needs_of_page(
    step: Request, own: Mapping[str, Inspection], of_value: Iterable[Path]
) -> tuple[bool, bool]:
    """Whether a page reads the body of a step's replies at all, and whether it reads something that is in it.

    `own` are the inspections of the step's parts, `of_value` the paths below its value that the page reads. What is
    read to take a write back does not count: that is done as well as it can be. What `ok` reads is no reading in it:
    it has its say on nothing, too.
    """
    found = [] if "take" not in own else list(_entered(_BODY, own["take"]))
    rows = [(ANY,)] if step.batch is not None or step.key_by is not None else []
    for path in (*map(lambda path: _in_reply(step, path), of_value), *rows):
        if step.take is None:
            found.append(path)
        else:
            found += [read[2:] for read in followed(step.take, path) if read[:2] == _BODY]
    judged = "ok" in own and bool(list(_entered(_BODY, own["ok"])))
    return bool(found) or judged, any(found)


def followed(tree: Tree, path: Path, scope: Scope | None = None) -> Iterator[Path]:
    """What a path below the value of a tree stands for, where that is a part of something that the tree reads."""
    match tree:
        case Expression():
            for alias in aliases_of(tree, scope or {}):
                for key in path:
                    alias = alias.at(key)
                yield alias.path
        case MappingTree():
            for key, value in tree.items:
                if not path or path[0] in (key, ANY):
                    yield from followed(value, path[1:], scope)
        case Sequence():
            for value in tree.items:
                yield from followed(value, path[1:], scope)
        case Each():
            inner = {**(scope or {}), tree.clause.variable: item_aliases(tree.clause, scope or {})}
            yield from followed(tree.item, path[1:], inner)


def _entered(root: Path, found: Inspection) -> Iterator[Path]:
    """What is read below a root, where a loop over it reads its elements; `()` where it is read as a whole."""
    for path in found.reads:
        shared = min(len(root), len(path))
        if path[:shared] == root[:shared]:
            yield path[len(root) :]
    for path, _, _ in found.iterates:
        if path[: len(root)] == root:
            yield (*path[len(root) :], ANY)


def _in_reply(step: Request, path: Path) -> Path:
    """Where a part of the step's value comes from: `each` and `key_by` have put replies together."""
    if step.key_by is not None and path:
        path = (ANY, *path[1:])
    if step.each is None:
        return path
    return path[1:] if path and isinstance(path[0], Any_) else ()


def _below(root: Path, found: Inspection) -> Iterator[Path]:
    """What is read below a root, and what is gone over there; `()` where the root or more is read as a whole."""
    for path in (*found.reads, *(place[0] for place in found.iterates)):
        shared = min(len(root), len(path))
        if path[:shared] == root[:shared]:
            covered = path in found.reads or any(read[: len(path)] == path for read in found.reads)
            if covered and path not in found.reads:
                continue  # what is read of its elements says it better
            yield path[len(root) :]
