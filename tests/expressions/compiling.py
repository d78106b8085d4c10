"""Trees and expressions, compiled and run in both of their versions."""

from __future__ import annotations

from typing import Any

from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse

ROWS = [{"id": 1, "n": 2}, {"id": 2, "n": 5}]


def value(tree: Any, scope: dict[str, Any] | None = None, **names: Any) -> Any:
    """What a tree, or the text of an expression, becomes."""
    compiled = compile_tree(parse(tree) if isinstance(tree, str) else tree, **names)
    made = compiled(scope or {}, Evaluation())
    assert made == compiled.safely(scope or {}, Evaluation())
    return made
