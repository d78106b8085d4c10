"""Replies in which a key is missing that their page goes over or reads through, or a text in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bff.expressions.paths import ANY, Path, path_text
from bff.testing.demands import Demand
from bff.testing.upstream import MARKER, Fault, Upstream, good_script

_MOST = 5
_Members = dict[str, Any]


def _missing(members: _Members, key: str) -> _Members:
    return {name: member for name, member in members.items() if name != key}


def _retyped(members: _Members, key: str) -> _Members:
    return {**members, key: MARKER}


CHANGES: Mapping[str, Callable[[_Members, str], _Members]] = {"missing": _missing, "retyped": _retyped}
"""What these faults do to a key, by the column of them all."""


def faults_of_keys(demand: Demand, good: Upstream) -> dict[str, Fault]:
    """The faults of each of the first keys that are in a good reply, and that a page does not only show."""
    there = [path for path in _read_through(demand, ()) if changed(good.body, path, _missing) != good.body]
    faults = [_fault(column, path) for column in CHANGES for path in there[:_MOST]]
    return {fault.name: fault for fault in faults}


def _fault(column: str, path: Path) -> Fault:
    key = path_text(("", *path)).removeprefix(".")

    def of(good: Upstream) -> Upstream:
        return replace(good, body=changed(good.body, path, CHANGES[column]))

    return Fault(f"{column} {key}", of, good_script, column=column)


def _read_through(demand: Demand, path: Path) -> Iterator[Path]:
    """The paths of the keys below which something is read, or whose list is gone over."""
    if path and path[-1] is not ANY and (demand.members or demand.is_list):
        yield path
    for key, inner in demand.members.items():
        yield from _read_through(inner, (*path, key))  # type: ignore[arg-type]


def changed(value: Any, path: Path, change: Callable[[_Members, str], _Members]) -> Any:
    """The JSON with a change of the key at the end of a path, wherever that is there."""
    key, *rest = path
    if key is ANY:
        return [changed(each, tuple(rest), change) for each in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or key not in value:
        return value
    return {**value, str(key): changed(value[key], tuple(rest), change)} if rest else change(value, str(key))
