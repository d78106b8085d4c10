"""The language of recipes: Python's expression syntax over JSON values, and nothing else."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bff.expressions.evaluation import Evaluation

if TYPE_CHECKING:
    from bff.expressions.compile import compile_tree
    from bff.expressions.running import Compiled
    from bff.expressions.tokens import ExpressionError

__all__ = ["Compiled", "Evaluation", "ExpressionError", "compile_tree"]
_PLACES = {"Compiled": "running", "ExpressionError": "tokens", "compile_tree": "compile"}


def __getattr__(name: str) -> Any:
    # Imported at first use: a page that runs needs nothing of what reads and compiles expressions.
    if name not in _PLACES:
        raise AttributeError(f"module 'bff.expressions' has no attribute {name!r}")
    return getattr(import_module(f"bff.expressions.{_PLACES[name]}"), name)
