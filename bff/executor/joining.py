"""What the requests of one step share out and give together: chunks of items, rows of chunks, rows by a key."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from bff.expressions.operators import column, get
from bff.expressions.paths import field_path
from bff.expressions.values import MAX_KEY, MEMBER, key_text, to_text

NO_ROWS: Final = object()
"""In place of rows, where a reply has no list of them."""
_TEXT = frozenset({str})


def distinct_chunks(items: list[Any], size: int) -> list[list[Any]]:
    """The items without null, '' and doubles, in chunks."""
    seen: dict[str, Any] = {}
    for item in items:
        text = item if item.__class__ is str else to_text(item)
        if text:
            seen.setdefault(text, item)
    distinct = list(seen.values())
    return [distinct[at : at + size] for at in range(0, len(distinct), size)]


def rows_of(chunks: list[Any]) -> Any:
    """The rows of all chunks, of which null has none."""
    rows: list[Any] = []
    for chunk in chunks:
        if chunk is not None and not isinstance(chunk, list):
            return NO_ROWS
        rows.extend(chunk or ())
    return rows


def keyed(rows: Any, key_by: str) -> Any:
    """The rows as a mapping by a field or a path of them; of rows with one key the last."""
    if rows is None:
        return {}
    if rows.__class__ is not list:
        return NO_ROWS
    kinds = set(map(type, rows))
    keys: list[Any]
    if "." in key_by:
        keys = column(rows, field_path(key_by))
    elif len(kinds) == 1 and issubclass(kinds.pop(), Struct):
        keys = list(map(attrgetter(MEMBER + key_by), rows))
    else:
        keys = [row.get(key_by) if row.__class__ is dict else get(row, key_by) for row in rows]
    if set(map(type, keys)) <= _TEXT and max(map(len, keys), default=0) <= MAX_KEY:
        return dict(zip(keys, rows, strict=True))
    found: dict[str, Any] = {}
    for key, row in zip(keys, rows, strict=True):
        text = key_text(key)
        if text is not None:
            found[text] = row
    return found
