"""Values at places in the JSON of a reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bff.expressions.paths import ANY, Path
from bff.testing.scenario import Variable


def at(body: Any, path: Path) -> Any:
    """What is at a path of JSON; None where members do not lead there."""
    for key in path:
        body = body.get(key) if isinstance(body, dict) and isinstance(key, str) else None
    return body


def with_values(body: Any, values: Mapping[Variable, Any]) -> Any:
    """JSON with values at the paths of variables."""
    for (_, path), value in values.items():
        body = with_value(body, path, value)
    return body


def with_value(body: Any, path: Path, value: Any) -> Any:
    """JSON with a value at a path, in each element of the lists on the way, as far as members lead there."""
    if not path:
        return value
    key, *rest = path
    if key is ANY and isinstance(body, list):
        return [with_value(one, tuple(rest), value) for one in body]
    if not isinstance(body, dict) or not isinstance(key, str):
        return body
    return {**body, key: with_value(body.get(key, {} if rest else None), tuple(rest), value)}
