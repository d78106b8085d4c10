"""The route of a recipe: METHOD and path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from bff.recipe.loader.reading import Reading
from bff.recipe.model import Method
from bff.recipe.source import ScalarNode
from bff.text import nearest

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ANSWERED = {"HEAD": "a GET page answers HEAD too", "OPTIONS": "every page answers OPTIONS"}
_SEGMENT = re.compile(r"[\w.~!$&'()+,;=@-]+")
_PARAMETER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_ELSEWHERE = re.compile(r":([A-Za-z]\w*)|<(?:\w+:)?([A-Za-z]\w*)>|\[([A-Za-z]\w*)\]|\$\{([A-Za-z]\w*)\}")
_EXAMPLE = "for example: GET /api/todos/{id}"


@dataclass(frozen=True, slots=True)
class Route:
    """A route as written; `parameters` are the names of its `{holes}` with their offset in the text."""

    method: Method
    path: str
    parameters: tuple[tuple[str, int], ...]


def read_route(reading: Reading, node: ScalarNode) -> Route | None:
    """The route of a text; None after saying what is wrong with it."""
    method, gap, path = node.text.partition(" ")
    offset = len(method) + len(gap) + len(path) - len(path.lstrip())
    path = path.strip()
    if not path or not path.startswith("/"):
        reading.say(node.whole, "a route is METHOD /path", _EXAMPLE)
        return None
    known = _check_method(reading, node, method)
    parameters = _read_path(reading, node, path, offset)
    if not known or parameters is None:
        return None
    return Route(cast(Method, method), path, parameters)


def _check_method(reading: Reading, node: ScalarNode, method: str) -> bool:
    if method in METHODS:
        return True
    near = method.upper() if method.upper() in METHODS else nearest(method.upper(), METHODS)
    allowed = f"allowed are: {', '.join(METHODS)}"
    hint = _ANSWERED.get(method.upper()) or (f"did you mean '{near}'?  {allowed}" if near else allowed)
    reading.say(node.mark(0, len(method)), f"'{method}' is no method of a route", hint)
    return False


def _read_path(
    reading: Reading, node: ScalarNode, path: str, offset: int
) -> tuple[tuple[str, int], ...] | None:
    """The parameters of a path; None when a segment is wrong."""
    if path == "/":
        return ()
    found: list[tuple[str, int]] = []
    position = offset + 1
    for segment in path[1:].split("/"):
        problem = _problem(segment, [name for name, _ in found])
        if problem:
            reading.say(node.mark(position, max(1, len(segment))), *problem)
            return None
        if match := _PARAMETER.fullmatch(segment):
            found.append((match[1], position + 1))
        position += len(segment) + 1
    return tuple(found)


def _problem(segment: str, names: list[str]) -> tuple[str, str] | None:
    """What is wrong with a segment of a path, and the cure."""
    if match := _PARAMETER.fullmatch(segment):
        return (f"'{match[1]}' stands twice in the path", "rename one") if match[1] in names else None
    if match := _ELSEWHERE.fullmatch(segment):
        name = next(group for group in match.groups() if group)
        return "a path parameter stands in braces", f"write {{{name}}}"
    if "?" in segment:
        return "a route has no query", "its names are declared in input.query"
    if "{" in segment or "}" in segment:
        return "a path parameter is a whole segment of letters, digits and _", "for example: /files/{name}"
    if not segment:
        return "an empty part of a path", "one / between parts, none at the end"
    if not _SEGMENT.fullmatch(segment) or segment in (".", ".."):
        return f"'{segment}' cannot stand in a route", "letters, digits and . ~ ! $ & ' ( ) + , ; = @ - _"
    return None
