"""The language of recipes: Python's expression syntax over JSON values, and nothing else.

Expressions are Python's syntax, not Python. A small parser of our own reads them, not `ast.parse`: each mistake has
its exact place, also inside f-strings and behind Chinese text, and a message made for it, and what is not in the
grammar is not there to be forgotten. Its nodes are those of `ast`, so the rest is ordinary: inspected, rewritten,
compiled to one function per tree. A test compares the parser with Python's own on generated expressions. There are no
attributes and no methods, so a way out of JSON is impossible by construction, not by filtering. Operators never
raise; the compiled code is an optimistic version in a `try` and a safe version for when it fails. Work and memory are
budgets of the page, charged before they are spent, at what an operation takes in the worst case; where a budget goes
below a mark, the clock is looked at, so that the deadline costs nothing on the way of a small page.

Integers go on as they are. Python's integers hold what 64 bits cannot, so what a backend says is handed on exactly;
calculated numbers stay within 64 bits, and where one beyond is calculated with, nothing comes out. The bound is 1,000
digits, since longer ones take time that grows with their square: a longer one of a backend is null, in input it is
refused, where a null in its place would be written. A reply with numbers beyond 63 bits is decoded whole.

Floats stand for the decimals that people wrote (`decimals.py`): binary arithmetic puts a cent more or less on a bill
now and then, and an author of recipes has no other numbers to write.
"""

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
