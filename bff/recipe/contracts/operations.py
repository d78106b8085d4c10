"""Which operation of a description a step asks: its method, and its path against templates.

A `{parameter}` of a template takes any part of a path, a hole of the step too; a hole takes nothing else. Constant
parts are equal, and one that is equal is nearer than a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from msgspec import Struct

from bff.expressions.tree import Expression, PathTemplate

PARAMETER = re.compile(r"\{[^/{}]*\}")
HOLE = "{}"


class Template(Struct, frozen=True):
    """A path of a description: as it is written, and of each segment a text or pattern, and how much it leaves open."""

    written: str
    segments: tuple[str | re.Pattern[str], ...]
    openness: tuple[int, ...]


def template_of(written: str) -> Template:
    """A path with `{parameters}`."""
    segments = written.split("/")
    return Template(written, tuple(map(_pattern, segments)), tuple(map(_openness, segments)))


def _pattern(segment: str) -> str | re.Pattern[str]:
    """What a segment fits; a constant is a text, since there are many."""
    if "{" not in segment:
        return unquote(segment)
    parts = (re.escape(unquote(part)) for part in PARAMETER.split(segment))
    return re.compile("[^/]+".join(parts), re.DOTALL)


def _openness(segment: str) -> int:
    """Nothing for a constant; the less, the more of a segment is constant beside its parameters."""
    if PARAMETER.search(segment) is None:
        return 0
    return max(1, 1000 - len(PARAMETER.sub("", segment)))


def path_of(path: PathTemplate) -> str:
    """The path of a step, each hole as `{}`."""
    return "".join(unquote(part) if isinstance(part, str) else HOLE for part in path.parts)


def matching(path: str, templates: Iterable[Template]) -> list[Template]:
    """The templates that a path of a step fits, the nearest first."""
    segments = path.split("/")
    found = [template for template in templates if _fits(segments, template)]
    return sorted(found, key=lambda template: template.openness)


def _fits(segments: Sequence[str], template: Template) -> bool:
    return len(segments) == len(template.segments) and all(
        segment == wanted if isinstance(wanted, str) else wanted.fullmatch(segment)
        for segment, wanted in zip(segments, template.segments, strict=True)
    )


def candidates(path: str, base: str, servers: Sequence[str]) -> list[str]:
    """What of a path may stand in a description, the likeliest first.

    `base` is the path of the client's base URL, `servers` are those of the description's servers, which its paths come
    behind.
    """
    whole = base + path
    below = [whole.removeprefix(server) for server in servers if server and whole.startswith(f"{server}/")]
    return list(dict.fromkeys([*below, path, whole]))


def request_of(method: str, path: PathTemplate) -> str:
    """A request as people name it, `GET /people/{id}`: of a hole's expression only the last name stays."""
    parts = (part if isinstance(part, str) else f"{{{_name_of(part)}}}" for part in path.parts)
    return f"{method} {''.join(parts)}"


def _name_of(hole: Expression) -> str:
    found = re.search(r"(?:^|\.)([A-Za-z_]\w*)\s*$", hole.written)
    return found[1] if found else "value"
