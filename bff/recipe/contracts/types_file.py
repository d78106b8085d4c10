"""The file of learned types as a text: what is new is put in, and comments and the order of an author stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from bff.recipe.contracts.document import Document, Items, Table
from bff.recipe.contracts.observed import Schema, merged
from bff.recipe.contracts.operations import HOLE, PARAMETER
from bff.recipe.source.scalars import NotJSONNumber, plain_value

HEADER = """\
# The types of replies that `bff dev` and `bff introspect` have seen: never a value, and no name that no recipe reads.
# `bff check` warns by them; nothing enforces them. Edit it: `required`, what you add and comments stay.
"""
_PLAIN = re.compile(r"[A-Za-z_$][\w$./-]*(?: [\w$./-]+)*")
_REQUEST = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /[\w$./{}~%@!*+=;-]*")
_UNSEEN = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
_WIDTH = 110
Comments = Mapping[tuple[str, ...], tuple[list[str], str]]
"""By the path of a key: the lines before it, and what stands behind it in its line."""


def plain(part: Any) -> Any:
    """A part of a document as JSON."""
    if isinstance(part, Mapping):
        return {key: plain(value) for key, value in part.items()}
    if isinstance(part, Sequence) and not isinstance(part, str):
        return [plain(value) for value in part]
    return part


def with_learned(document: Document | None, learned: Mapping[str, Schema]) -> tuple[str, list[str]]:
    """The text of a file with what was learned of requests, and the requests of which it says more than before."""
    root = None if document is None else document.root
    known: dict[str, Schema] = plain(root) if isinstance(root, Table) else {}
    shapes = {PARAMETER.sub(HOLE, key): key for key in known}
    found, changed = dict(known), []
    for request, schema in learned.items():
        key = shapes.setdefault(PARAMETER.sub(HOLE, request), request)
        found[key] = merged(found.get(key, {}), schema)
        if found[key] != known.get(key) and key not in changed:
            changed.append(key)
    if document is None or not isinstance(root, Table):
        before = HEADER if document is None or not document.source.text.strip() else document.source.text
        return before.rstrip("\n") + "\n\n" + "".join(_lines(found, {}, ())), changed
    comments = dict(_comments(document, root, ()))
    rest = _after(document, root)
    return "".join(_lines(found, comments, ())) + rest, changed


# --- comments ----------------------------------------------------------------------------------------------------


def _comments(document: Document, part: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(part, Items):
        for at, item in enumerate(part):
            yield from _comments(document, item, (*path, str(at)))
    if not isinstance(part, Table) or part.node.flow_style:
        return
    for name, (key, value) in part.nodes.items():
        is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style
        end = key.end_mark if is_block else value.end_mark
        behind = document.source.line(end.line + 1)[end.column :].lstrip(" :,}]")
        before = _lines_before(document, key.start_mark.line)
        yield (*path, name), (before, behind if behind.startswith("#") else "")
        yield from _comments(document, part[name], (*path, name))


def _lines_before(document: Document, line: int) -> list[str]:
    """The comments and empty lines right above a line, which counts from 0."""
    found: list[str] = []
    while line > 0 and re.match(r"\s*(#|$)", text := document.source.line(line)):
        found.insert(0, text.strip())
        line -= 1
    return found


def _after(document: Document, root: Table) -> str:
    """The comments behind the last key."""
    lines = document.source.text.rstrip().split("\n")
    found: list[str] = []
    while lines and re.match(r"\s*(#|$)", lines[-1]):
        found.insert(0, lines.pop())
    return "".join(f"{line}\n" for line in found) if len(root) else ""


# --- text --------------------------------------------------------------------------------------------------------


def _lines(table: Mapping[str, Any], comments: Comments, path: tuple[str, ...]) -> Iterator[str]:
    indent = "  " * len(path)
    for at, (key, value) in enumerate(table.items()):
        before, behind = comments.get((*path, key), ([], ""))
        if not path and at and not before:
            before = [""]
        for line in before:
            yield f"{indent}{line}".rstrip() + "\n"
        tail = f"  {behind}" if behind else ""
        flat = f"{indent}{_text(key)}: {_flat(value)}"
        if _is_flat(value) and len(flat) <= _WIDTH and not _has_comments(comments, (*path, key)):
            yield f"{flat}{tail}\n"
        elif isinstance(value, Mapping):
            yield f"{indent}{_text(key)}:{tail}\n"
            yield from _lines(value, comments, (*path, key))
        else:
            yield f"{flat}{tail}\n"


def _has_comments(comments: Comments, path: tuple[str, ...]) -> bool:
    return any(
        len(one) > len(path) and one[: len(path)] == path and any(found) for one, found in comments.items()
    )


def _is_flat(value: Any) -> bool:
    """Whether a value is written in one line: a scalar, a list, or a schema that says one thing."""
    return not isinstance(value, Mapping) or (
        len(value) <= 1 and not any(isinstance(one, Mapping) for one in value.values())
    )


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flat(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def _text(text: str) -> str:
    is_plain = _REQUEST.fullmatch(text) or (_PLAIN.fullmatch(text) and _reads_as(text))
    if is_plain:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _reads_as(text: str) -> bool:
    try:
        return plain_value(text) == text
    except NotJSONNumber:
        return False
