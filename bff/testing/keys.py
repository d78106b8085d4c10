"""Replies in which a key is missing that a page goes over or reads through, or one is retyped that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bff.expressions.paths import ANY, Path, path_text
from bff.testing.demands import Demand
from bff.testing.held import HeldReply
from bff.testing.upstream import MARKER, Fault, Upstream, good_script

_MOST = 5
_Members = dict[str, Any]


def _missing(members: _Members, key: str) -> _Members:
    return {name: member for name, member in members.items() if name != key}


def _retyped(members: _Members, key: str) -> _Members:
    is_leaf = not isinstance(members[key], list | dict)
    return {**members, key: {"error": MARKER} if is_leaf else MARKER}


CHANGES: Mapping[str, Callable[[_Members, str], _Members]] = {"missing": _missing, "retyped": _retyped}
"""What these faults do to a key, by the column of them all."""


def faults_of_keys(demand: Demand, good: Upstream, held: HeldReply) -> dict[str, Fault]:
    """The faults of each of the first keys that are in a good reply; one is missed that is not shown alone, or held."""
    found: dict[str, list[Path]] = {"missing": [], "retyped": []}
    for path, is_leaf in _keys(demand, ()):
        if changed(good.body, path, _missing) != good.body:
            found["retyped"].append(path)
            found["missing"] += [path] if held.requires(path) or not is_leaf else []
    faults = [_fault(column, path) for column, paths in found.items() for path in paths[:_MOST]]
    return {fault.name: fault for fault in faults}


def _fault(column: str, path: Path) -> Fault:
    key = path_text(("", *path)).removeprefix(".")

    def of(good: Upstream) -> Upstream:
        return replace(good, body=changed(good.body, path, CHANGES[column]))

    return Fault(f"{column} {key}", of, good_script, column=column)


def _keys(demand: Demand, path: Path) -> Iterator[tuple[Path, bool]]:
    """The paths of the keys that are read, and whether each is a leaf: nothing is read below it or gone over."""
    if path and path[-1] is not ANY:
        yield path, not (demand.members or demand.is_list)
    for key, inner in demand.members.items():
        yield from _keys(inner, (*path, key))  # type: ignore[arg-type]


def changed(value: Any, path: Path, change: Callable[[_Members, str], _Members]) -> Any:
    """The JSON with a change of the key at the end of a path, wherever that is there."""
    key, *rest = path
    if key is ANY:
        return [changed(each, tuple(rest), change) for each in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or key not in value:
        return value
    return {**value, str(key): changed(value[key], tuple(rest), change)} if rest else change(value, str(key))
