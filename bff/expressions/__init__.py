"""The language of recipes: Python's expression syntax over JSON values, and nothing else."""

from bff.expressions.compile import Compiled, compile_tree
from bff.expressions.evaluation import Evaluation
from bff.expressions.tokens import ExpressionError

__all__ = ["Compiled", "Evaluation", "ExpressionError", "compile_tree"]
