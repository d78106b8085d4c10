"""Compiled trees as they run: all that the generated functions call, and nothing of what generates them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from bff.errors import BoundError, FunctionError, PageError
from bff.expressions import operators
from bff.expressions.evaluation import Evaluation, text_size
from bff.expressions.functions import FUNCTIONS
from bff.expressions.values import NUMBERS, plain, to_text

Page = Callable[[Mapping[str, Any], Evaluation], Any]

_HERE = str(Path(__file__).parent)
_OPERATORS = (
    "get", "item", "getter", "missed", "missing", "cut", "add", "subtract", "multiply", "divide", "floor_divide",
    "modulo", "negate", "less", "less_equal", "greater", "greater_equal", "orders_with", "equal", "equals_plainly",
    "contains", "membership", "key", "without_null", "formatted",
)  # fmt: skip
_GLOBALS: dict[str, Any] = {f"_{name}": getattr(operators, name) for name in _OPERATORS}
_GLOBALS |= {f"_f_{name}": function.call for name, function in FUNCTIONS.items()}
_GLOBALS |= {"_NOTHING": operators.NOTHING, "_NUMBERS": NUMBERS, "_str": str, "_bool": bool, "_len": len}


OWN, QUOTES = "_p_", "_q_"
"""What the names of the project's functions, and of a client's filter languages, begin with in generated code."""


PLACE = "<recipe>"
"""What generated code gives as the file that it stands in."""


class Compiled:
    """A tree as a function of its scope (every name that it reads) and the page's budgets.

    The fast version is run first. If it raises, the values are not what pages have every day: the budgets are put
    back and the safe version gives the value. `code_of` gives the code of the fast or the safe version, and is asked
    for each when it is first run; `source_of` gives its source, where that is still known.
    """

    __slots__ = ("_fast", "_safe", "code_of", "functions", "quotes", "source_of")

    def __init__(
        self,
        code_of: Callable[[bool], CodeType],
        functions: Mapping[str, Callable[..., Any]],
        quotes: Mapping[str, Callable[[str], str]],
        source_of: Callable[[bool], str] | None = None,
    ) -> None:
        self.code_of = code_of
        self.source_of = source_of
        self.functions = functions
        self.quotes = quotes
        self._fast: Page = self._first
        self._safe: Page | None = None

    def __call__(self, scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
        work, memory = evaluation.work, evaluation.memory
        try:
            return self._fast(scope, evaluation)
        except PageError:
            raise
        except Exception:
            evaluation.put_back(work, memory)
            return self.safely(scope, evaluation)

    def safely(self, scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
        """The value by the safe version alone."""
        if self._safe is None:
            self._safe = self._made(fast=False)
        try:
            return self._safe(scope, evaluation)
        except RecursionError:
            raise BoundError("depth of a value that expressions compare") from None

    def prepare(self) -> None:
        """Make the fast version now, with whatever keeps it from being made."""
        self._fast = self._made(fast=True)

    def _first(self, scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
        self.prepare()
        return self._fast(scope, evaluation)

    def _made(self, *, fast: bool) -> Page:
        names = dict(_GLOBALS)
        names |= {OWN + name: partial(_call, name, function) for name, function in self.functions.items()}
        names |= {QUOTES + name: partial(_quote, name, function) for name, function in self.quotes.items()}
        # With no builtins, the function reaches nothing but what it is given.
        names["__builtins__"] = {}
        exec(self.code_of(fast), names)
        page: Page = names["_page"]
        return page


def _call(name: str, function: Callable[..., Any], evaluation: Evaluation, *arguments: Any) -> Any:
    """Calls a function of the project and makes its result plain JSON."""
    evaluation.charge(20)
    evaluation.look()  # how long it takes, nobody knows
    try:
        return plain(function(*arguments), evaluation.charge)
    except PageError:
        raise
    except (Exception, SystemExit) as error:
        raise FunctionError(name, _place(error, function)) from error


def _place(error: BaseException, function: Callable[..., Any]) -> str:
    """Where it was raised; of a wrong call or result, where the function stands. Never its message."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    file, line, code = frame.filename, frame.lineno, getattr(function, "__code__", None)
    if file.startswith(_HERE) and code is not None:
        file, line = code.co_filename, code.co_firstlineno
    return f"{type(error).__name__} at {file}:{line}"


def _quote(name: str, function: Callable[[str], str], evaluation: Evaluation, value: Any) -> Any:
    text = to_text(value) or ""
    evaluation.charge(len(text) >> 4)
    evaluation.take(2 * text_size(len(text), [text]))
    result = _call(name, function, evaluation, text)
    return result if isinstance(result, str) else None
