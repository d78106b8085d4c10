"""Which parts of a step's reply a page reads, told as paths below the reply's body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bff.expressions.inspect import ANY, Any_, Inspection, Path
from bff.recipe import Request

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
