"""Replies without a key that their page goes over or reads through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bff.expressions.paths import ANY, Path, path_text
from bff.testing.demands import Demand
from bff.testing.upstream import Fault, Upstream, good_script

MISSING = "missing"
"""The column of these faults."""
_MOST = 5


def faults_of_keys(demand: Demand, good: Upstream) -> dict[str, Fault]:
    """A fault for each of the first keys that are in a good reply, and that a page does not only show."""
    paths = [path for path in _read_through(demand, ()) if without_key(good.body, path) != good.body]
    faults = [_without(path) for path in paths[:_MOST]]
    return {fault.name: fault for fault in faults}


def _without(path: Path) -> Fault:
    name = f"{MISSING} {path_text(('reply', *path)).removeprefix('reply').removeprefix('.')}"
    return Fault(
        name, lambda good: replace(good, body=without_key(good.body, path)), good_script, column=MISSING
    )


def _read_through(demand: Demand, path: Path) -> Iterator[Path]:
    """The paths of the keys below which something is read, or whose list is gone over."""
    if path and path[-1] is not ANY and (demand.members or demand.is_list):
        yield path
    for key, inner in demand.members.items():
        yield from _read_through(inner, (*path, key))  # type: ignore[arg-type]


def without_key(value: Any, path: Path) -> Any:
    """The JSON without the key at the end of a path, wherever it is there."""
    key, *rest = path
    if key is ANY:
        return [without_key(each, tuple(rest)) for each in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or key not in value:
        return value
    if not rest:
        return {name: member for name, member in value.items() if name != key}
    return {**value, str(key): without_key(value[key], tuple(rest))}
