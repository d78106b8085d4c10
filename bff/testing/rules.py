"""Rules of recipes on plain values, read a second time: what is a list, what a batch asks for, what a path takes."""

from __future__ import annotations

from typing import Any

from bff.expressions.inspect import ANY, Path
from bff.expressions.values import to_text


def lists_hold(value: Any, paths: Any) -> bool:
    """Whether each of the paths below a value holds a list or null, in every element that it goes through."""
    return all(_is_list(value, path) for path in paths)


def _is_list(value: Any, path: Path) -> bool:
    if not path:
        return value is None or isinstance(value, list)
    if path[0] is ANY:
        inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return all(_is_list(element, path[1:]) for element in inside)
    return _is_list(value.get(path[0]) if isinstance(value, dict) else None, path[1:])


def chunks(items: list[Any], size: int) -> list[list[Any]]:
    """What a `batch` asks for: no null, no empty text, nothing twice; so many at a time."""
    distinct: dict[str, Any] = {}
    for item in items:
        if text := to_text(item):
            distinct.setdefault(text, item)
    ordered = list(distinct.values())
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def is_segment(text: str) -> bool:
    """Whether a text may be a part of a path."""
    unsafe = any(letter in "/\\" or ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)
    return not unsafe and text not in {"", ".", ".."}
