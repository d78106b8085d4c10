"""How what is told is laid out: aligned, in 100 columns, with times, trees and paths as recipes write them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from bff.expressions.paths import Any_, Path
from bff.expressions.tree import Constant, Each, Expression, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.text import width

COLUMNS = 100
_UNITS = ((3600.0, "h"), (60.0, "m"))
_LONGEST_TREE = 40


def duration(seconds: float) -> str:
    """A time as recipes write it: `300ms`, `2s`, `5m`."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    if 0 < seconds < 1:
        return f"{seconds * 1000:g}ms"
    return f"{round(seconds, 3):g}s"


def table(rows: Iterable[Sequence[str]], indent: int = 2) -> Iterator[str]:
    """Rows in aligned columns; what is too long in the last one goes on below its own beginning."""
    lines = [list(map(str, row)) for row in rows]
    widths = [max(map(width, column)) for column in zip(*[line[:-1] for line in lines], strict=True)]
    for *cells, last in lines:
        padded = [cell + " " * (size - width(cell)) for cell, size in zip(cells, widths, strict=True)]
        begin = " " * indent + "".join(f"{cell}  " for cell in padded)
        yield from wrapped(last, begin)


def wrapped(text: str, begin: str = "  ") -> Iterator[str]:
    """A text behind what its first line begins with, its further lines below its beginning."""
    room = max(30, COLUMNS - width(begin))
    parts = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    for at, part in enumerate(parts):
        yield (begin if at == 0 else " " * width(begin)) + part if part else begin.rstrip()


def tree_text(tree: Tree) -> str:
    """A tree in one short line."""
    text = _tree_text(tree)
    return text if len(text) <= _LONGEST_TREE else f"{text[: _LONGEST_TREE - 1]}…"


def _tree_text(tree: Tree) -> str:
    match tree:
        case Constant(value=value):
            return json.dumps(value, ensure_ascii=False)
        case Expression():
            return " ".join(tree.written.split())
        case MappingTree(items=items):
            return "{" + ", ".join(f"{key}: {_tree_text(value)}" for key, value in items) + "}"
        case Each():
            loops = ", ".join(" ".join(clause.text.split()) for clause in tree.clauses)
            lets = ", ".join(f"{let.name}: {_tree_text(let.value)}" for let in tree.lets)
            return f"[{_tree_text(tree.item)} for each {loops}{lets and f' with {lets}'}]"
    return "[" + ", ".join(map(_tree_text, tree.items)) + "]"


_Members = dict[str, "_Members"]


def paths_text(paths: Iterable[Path]) -> str:
    """Paths with what they begin with written once, `items[*].{id, title}, total`; a whole stands for its parts."""
    every = dict.fromkeys(paths)
    found: _Members = {}
    for path in every:
        if any(path[:at] in every for at in range(len(path))):
            continue
        node = found
        for key in path:
            node = node.setdefault("[*]" if isinstance(key, Any_) else str(key), {})
    return ", ".join(_members(found))


def _members(node: _Members) -> list[str]:
    return [_member(key) + _below(inner) for key, inner in node.items()]


def _below(node: _Members) -> str:
    parts = _members(node)
    if len(parts) == 1:
        return parts[0] if parts[0].startswith("[") else f".{parts[0]}"
    elements = [part for part in parts if part.startswith("[")]
    named = [part for part in parts if not part.startswith("[")]
    inner = ", ".join([*elements, *named])
    return f".{{{inner}}}" if parts else ""


def _member(key: str) -> str:
    return key if key.startswith("[") or key.isidentifier() else f"[{key!r}]"
