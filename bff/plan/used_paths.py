"""Which parts of a step's reply a page reads, told as paths below the reply's body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bff.expressions.inspect import ANY, Any_, Inspection, Path, aliases_of, item_aliases
from bff.expressions.paths import Scope
from bff.expressions.tree import Each, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.model import Request

_BODY = ("reply", "body")


def read_of_reply(
    step: Request, inspections: Mapping[str, Mapping[str, Inspection]], page: Iterable[Inspection]
) -> Iterator[Path]:
    """The paths below the body of a reply that a recipe reads; `()` where it looks at the whole.

    `inspections` are those of the parts of each step, `page` those of what is made of the steps in the end.
    """
    own = inspections[step.name]
    if step.ok is not None:
        yield ()
    elif step.take is not None:
        yield from _below(_BODY, own["take"])
    else:
        yield from _of_value(step, inspections, page)


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


def _of_value(
    step: Request, inspections: Mapping[str, Mapping[str, Inspection]], page: Iterable[Inspection]
) -> Iterator[Path]:
    for name, parts in inspections.items():
        for key, found in parts.items():
            # The undo of an item knows that item's own value by the step's name.
            of_item = name == step.name and key.startswith("undo.") and step.each is not None
            for path in _below((step.name,), found):
                yield path if of_item else _in_reply(step, path)
    for found in page:
        for path in _below((step.name,), found):
            yield _in_reply(step, path)
    if step.key_by is not None:
        yield _in_reply(step, (ANY, step.key_by))


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
