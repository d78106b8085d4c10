"""Which parts of a step's reply a page reads, told as paths below the reply's body."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from bff.expressions.inspect import (
    ANY,
    Any_,
    Inspection,
    Path,
    aliases_of,
    aliases_of_tree,
    inspect_passing,
    item_aliases,
)
from bff.expressions.paths import Alias, Scope, field_path
from bff.expressions.tree import Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.model import Recipe, Request, Value

_BODY = ("reply", "body")


Inspections = Mapping[str, Mapping[str, Inspection]]
"""What the parts of each step read, by step and part."""

Used = Mapping[str, Collection[Path]]
"""Paths below the value of each step, by its name."""


def used_of_values(recipe: Recipe, inspections: Inspections, page: Iterable[Inspection]) -> tuple[Used, Used]:
    """The paths below each step's value that a recipe uses, and those at which functions look members up.

    `()` says that it looks at the whole. What a value step only passes on is used where somebody uses that value.
    `page` are the inspections of what is made of the steps in the end.
    """
    # What a part of the page is given is checked as a whole.
    values = [step for step in recipe.steps if isinstance(step, Value) and step.given is None]
    passing = {step.name: inspect_passing(step.value) for step in values}
    found = list(page)
    for name, parts in inspections.items():
        step = recipe.step(name)
        for key, part in parts.items():
            of_item = key.startswith("undo.") and isinstance(step, Request) and step.each is not None
            if of_item:  # it knows that item's own value by the step's name
                part = part.without(name)
            found.append(passing[name] if key == "value" and name in passing else part)
    used = reached_from((path for part in found for path in part.reads), recipe)
    mappings = reached_from((path for part in found for path in part.mappings), recipe)
    for path in {path for part in found for path, _, _ in part.iterates}:
        root, *rest = path
        if root in used and not _is_entered(used[str(root)], tuple(rest)):
            for name, paths in reached_from([path], recipe).items():
                used[name] |= paths
    return used, mappings


def _is_entered(reads: Iterable[Path], path: Path) -> bool:
    """Whether what is read below a list that is gone over says better than the whole list what is used of it."""
    return any(read[: len(path)] == path for read in reads)


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
            waiting.extend(alias.path for alias in followed(step.value, path))
    return found


def read_of_reply(step: Request, own: Mapping[str, Inspection], used: Iterable[Path]) -> Iterator[Path]:
    """The paths below the body of a reply that a recipe reads; `()` where it looks at the whole.

    `own` are the inspections of the step's parts, `used` the paths below its value.
    """
    if step.ok is not None or step.failed is not None:
        yield ()
        return
    rows: list[Path] = [] if step.key_by is None else [(ANY, *field_path(step.key_by))]
    found = {read for path in (*used, *rows) for read in body_paths(step, path)}
    if step.each is not None:
        for key, part in own.items():
            if key.startswith("undo."):  # it knows that item's own value by the step's name
                found |= {read for path in _below((step.name,), part) for read in _taken(step, path)}
    if step.take is not None:
        passing = inspect_passing(step.take)
        found |= set(_in_body(passing.reads))
        lists = _in_body(path for path, _, _ in passing.iterates)
        found |= {path for path in lists if not _is_entered(found, path)}
    if "pages.next" in own:
        found |= set(_below(_BODY, own["pages.next"]))
    yield from found


def mappings_of_reply(step: Request, own: Mapping[str, Inspection], used: Iterable[Path]) -> Iterator[Path]:
    """The paths below the body of a reply at which functions look members up; `used` are those below its value."""
    for key, part in own.items():
        if key in ("take", "pages.next") or key.startswith(("undo.", "on_status.")):
            yield from _in_body(part.mappings)
        if step.each is not None and key.startswith("undo."):
            own_paths = (path[1:] for path in part.mappings if path[0] == step.name)
            yield from (read for path in own_paths for read in _taken(step, path))
    for path in used:
        yield from body_paths(step, path)


def body_paths(step: Request, path: Path) -> Iterator[Path]:
    """What a path below the value of a step stands for below the body of its reply."""
    yield from _taken(step, in_reply(step, path))


def _taken(step: Request, path: Path) -> Iterator[Path]:
    if step.take is None:
        yield path
    else:
        yield from _in_body(found.path for found in followed(step.take, path))


def _in_body(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths among some that lead into the body of a reply, below it; to a whole reply belongs its whole body."""
    return (path[2:] for path in paths if path[:2] == _BODY[: len(path)])


def needs_of_page(
    step: Request, own: Mapping[str, Inspection], of_value: Iterable[Path]
) -> tuple[bool, bool]:
    """Whether a page reads the body of a step's replies at all, and whether it reads something that is in it.

    `own` are the inspections of the step's parts, `of_value` the paths below its value that the page reads. What is
    read to take a write back does not count: that is done as well as it can be. What `ok` reads is no reading in it:
    it has its say on nothing, too, and so has `failed`.
    """
    found = [] if "take" not in own else list(_entered(_BODY, own["take"]))
    of_value = list(of_value)
    joins = step.pages is not None or (step.batch is not None and (step.safe or bool(of_value)))
    rows = [(ANY,)] if joins or step.key_by is not None else []
    for path in (*(in_reply(step, path) for path in of_value), *rows):
        found += _taken(step, path)
    judging = ("ok", "failed", "pages.next")
    judged = any(key in own and bool(list(_entered(_BODY, own[key]))) for key in judging)
    return bool(found) or judged, any(found)


def followed(tree: Tree, path: Path) -> Iterator[Alias]:
    """What a path below the value of a tree stands for, where that is a part of something that the tree reads."""
    return _followed(tree, path, {})


def _followed(tree: Tree, path: Path, scope: Scope) -> Iterator[Alias]:
    match tree:
        case Expression():
            for alias in aliases_of(tree.node, scope):
                for key in path:
                    alias = alias.at(key)
                yield alias
            return
        case MappingTree():
            inner = [value for key, value in tree.items if not path or path[0] in (key, ANY)]
        case Sequence():
            inner = list(tree.items)
        case Each():
            inner = [tree.item]
            for clause in tree.clauses:
                scope = {**scope, clause.variable: item_aliases(clause, scope)}
            for let in tree.lets:
                scope = {**scope, let.name: aliases_of_tree(let.value, scope)}
        case _:
            return
    for value in inner:
        for alias in _followed(value, path[1:], scope):
            yield alias if path else alias.wrapped()


def _entered(root: Path, found: Inspection) -> Iterator[Path]:
    """What is read below a root, where a loop over it reads its elements; `()` where it is read as a whole."""
    for path in found.reads:
        shared = min(len(root), len(path))
        if path[:shared] == root[:shared]:
            yield path[len(root) :]
    for path, _, _ in found.iterates:
        if path[: len(root)] == root:
            yield (*path[len(root) :], ANY)


def in_reply(step: Request, path: Path) -> Path:
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
