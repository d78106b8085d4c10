"""How deep an expression may nest."""

from __future__ import annotations

import ast

from bff.expressions.tokens import ExpressionError

MAX_DEPTH = 60
MAX_LOOPS = 3
TOO_DEEP = (f"the expression nests more than {MAX_DEPTH} deep", "split it into value steps")

_LOOPS = (ast.ListComp, ast.DictComp, ast.GeneratorExp)


def check(node: ast.expr) -> None:
    """Refuses an expression that nests too deep, or more than three loops in each other."""
    waiting: list[tuple[ast.AST, int, int]] = [(node, 1, 0)]
    while waiting:
        found, depth, loops = waiting.pop()
        if isinstance(found, _LOOPS):
            loops += len(found.generators)
            if loops > MAX_LOOPS:
                raise _error(
                    found, f"{loops} loops are nested", f"at most {MAX_LOOPS}; use index or value steps"
                )
        if isinstance(found, ast.expr):
            depth += 1
            if depth > MAX_DEPTH + 1:
                raise _error(found, *TOO_DEEP)
        waiting.extend((child, depth, loops) for child in ast.iter_child_nodes(found))


def _error(node: ast.expr, message: str, hint: str) -> ExpressionError:
    return ExpressionError(message, node.col_offset, (node.end_col_offset or 0) - node.col_offset, hint)
