"""Which page a path is for, as Flask's routing says it of the rules of pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct, field

Target = TypeVar("Target")


class _Level(Struct, Generic[Target]):
    """What may come next on a path: a known segment, or any for a hole. `holes` are the names up to `target`."""

    known: dict[str, _Level[Target]] = field(default_factory=dict)
    any: _Level[Target] | None = None
    target: Target | None = None
    holes: tuple[str, ...] = ()


class Routes(Generic[Target]):
    """The paths with holes of the pages of one method; a known segment goes before a hole."""

    def __init__(self, routes: Iterable[tuple[str, Target]]) -> None:
        self._root: _Level[Target] = _Level()
        for path, target in routes:
            self._add(path, target)

    def _add(self, path: str, target: Target) -> None:
        level, holes = self._root, []
        for segment in path.split("/")[1:]:
            if segment[:1] == "{":
                holes.append(segment[1:-1])
                level.any = level.any or _Level()
                level = level.any
            else:
                level = level.known.setdefault(segment, _Level())
        if level.target is None:  # the first of two that mean the same
            level.target, level.holes = target, tuple(holes)

    def find(self, path: str) -> tuple[Target, dict[str, str]] | None:
        """The target of a path, and what stands in its holes."""
        found = _walk(self._root, path.split("/"), 1)
        if found is None or found[0].target is None:
            return None
        level, texts = found
        return found[0].target, dict(zip(level.holes, texts, strict=True))


def _walk(level: _Level[Target], segments: list[str], at: int) -> tuple[_Level[Target], list[str]] | None:
    """Where a path leads from its segment `at` on, and the texts of its holes from there."""
    if at == len(segments):
        return None if level.target is None else (level, [])
    segment = segments[at]
    known = level.known.get(segment)
    if known is not None and (found := _walk(known, segments, at + 1)) is not None:
        return found
    if level.any is not None and segment and (found := _walk(level.any, segments, at + 1)) is not None:
        return found[0], [segment, *found[1]]
    return None


def may_meet(rule: str, path: str) -> bool:
    """Whether a rule of Flask's and a path of a page, both with holes, may be those of one path that is asked for."""
    theirs, ours = (
        rule.rstrip("/").split("/"),
        path.split("/"),
    )  # a rule with a slash at its end redirects to it
    for segment, own in zip(theirs, ours, strict=False):
        if "<" in segment:
            return True  # a converter may take slashes too
        if own[:1] != "{" and own != segment:
            return False
    return len(theirs) == len(ours) or "<" in rule
