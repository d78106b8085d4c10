"""What two pages differ in, apart from what differs each time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bff import clock

_DIGEST = re.compile(r"\b[0-9a-f]{15,64}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def neutral(value: Any) -> Any:
    """A page without what differs each time: instants of now, digests of keys, the words and order of `errors`."""
    if isinstance(value, dict):
        kept = {key: neutral(member) for key, member in value.items()}
        if str(kept.get("type", "")).startswith("urn:bff:problem:"):
            kept = {key: member for key, member in kept.items() if key not in ("detail", "instance")}
        return kept
    if isinstance(value, list):
        found = [neutral(element) for element in value]
        if found and all(isinstance(element, dict) and "retryable" in element for element in found):
            found.sort(key=lambda entry: (str(entry.get("step")), entry.get("item", 0)))
        return found
    if isinstance(value, str):
        return _INSTANT.sub(_now_or_as_it_is, _DIGEST.sub("digest", value))
    return value


def _now_or_as_it_is(match: re.Match[str]) -> str:
    moment = datetime.fromisoformat(match[0].replace("Z", "+00:00"))
    return "now" if abs((clock.now() - moment).total_seconds()) < 300 else match[0]


_PART = re.compile(r"\[\*\]|\[(\d+)\]|\[('[^']*'|\"[^\"]*\")\]|([^.\[\]]+)")


def keys_of(path: str) -> tuple[object, ...]:
    """The keys of a path of the page; `*` (as None) for every element."""
    return tuple(
        None if match[0] == "[*]" else int(match[1]) if match[1] else match[2][1:-1] if match[2] else match[3]
        for match in _PART.finditer(path)
    )


def without(value: Any, keys: Sequence[object]) -> Any:
    """A page without what is at a path."""
    if not keys:
        return None
    first, rest = keys[0], keys[1:]
    if isinstance(value, list):
        return [without(each, rest) if first in (None, at) else each for at, each in enumerate(value)]
    if isinstance(value, dict) and first in value:
        return {key: without(member, rest) if key == first else member for key, member in value.items()}
    return value


def at_path(value: Any, keys: Sequence[object]) -> Any:
    """What is at a path of a page; null where there is nothing."""
    if not keys:
        return value
    first, rest = keys[0], keys[1:]
    if isinstance(value, list):
        found = [at_path(each, rest) for at, each in enumerate(value) if first in (None, at)]
        return found if first is None else next(iter(found), None)
    return at_path(value.get(first), rest) if isinstance(value, dict) else None


def first_difference(expected: Any, found: Any, path: str = "") -> str:
    """Where two JSON values first differ, and how."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in [*expected, *(key for key in found if key not in expected)]:
            if key not in found:
                return f"expected {_at(path, key)}, found none"
            if key not in expected:
                return f"expected no {_at(path, key)}, found {_short(found[key])}"
            if expected[key] != found[key]:
                return first_difference(expected[key], found[key], _at(path, key))
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for at, (wanted, got) in enumerate(zip(expected, found, strict=True)):
            if wanted != got:
                return first_difference(wanted, got, f"{path}[{at}]")
    return f"expected {path or 'the page'} to be {_short(expected)}, found {_short(found)}"


def _at(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 120 else f"{text[:117]}…"
