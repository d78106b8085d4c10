"""Makes one Python function of each tree of a recipe, once, at start."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bff.errors import BoundError, FunctionError, PageError
from bff.expressions import operators
from bff.expressions.evaluation import Evaluation, text_size
from bff.expressions.functions import FUNCTIONS
from bff.expressions.generate import Source, generate
from bff.expressions.values import NUMBERS, plain, to_text

__all__ = ["Compiled", "compile_tree"]

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


class Compiled:
    """A tree as a function of its scope (every name that it reads) and the page's budgets.

    The fast version is run first. If it raises, the values are not what pages have every day: the budgets are put
    back and the safe version, compiled the first time it is needed, gives the value.
    """

    __slots__ = ("_fast", "_make", "_safe")

    def __init__(self, make: Callable[[bool], Page]) -> None:
        self._make = make
        self._fast = make(True)
        self._safe: Page | None = None

    def __call__(self, scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
        work, memory = evaluation.work, evaluation.memory
        try:
            return self._fast(scope, evaluation)
        except PageError:
            raise
        except Exception:
            evaluation.work, evaluation.memory = work, memory
            return self.safely(scope, evaluation)

    def safely(self, scope: Mapping[str, Any], evaluation: Evaluation) -> Any:
        """The value by the safe version alone."""
        if self._safe is None:
            self._safe = self._make(False)
        try:
            return self._safe(scope, evaluation)
        except RecursionError:
            raise BoundError("depth of a value that expressions compare") from None


def compile_tree(
    tree: Source,
    *,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    quotes: Mapping[str, Callable[[str], str]] | None = None,
) -> Compiled:
    """The function of a tree; of a path the list of its holes' values, of a clause the list of selected items.

    `functions` are the project's, `quotes` the filter languages of the step's client. A name that is in neither nor
    in the library is a `LookupError`.
    """
    names = dict(_GLOBALS)
    names |= {f"_p_{name}": partial(_call, name, function) for name, function in (functions or {}).items()}
    names |= {f"_q_{name}": partial(_quote, name, function) for name, function in (quotes or {}).items()}

    def make(fast: bool) -> Page:
        text = generate(tree, (functions or {}).keys(), (quotes or {}).keys(), fast)
        # With no builtins, the function reaches nothing but what it is given.
        space = names | {"__builtins__": {}}
        exec(compile(text, "<recipe>", "exec"), space)
        page: Page = space["_page"]
        return page

    return Compiled(make)


def _call(name: str, function: Callable[..., Any], evaluation: Evaluation, *arguments: Any) -> Any:
    """Calls a function of the project and makes its result plain JSON."""
    evaluation.charge(20)
    try:
        return plain(function(*arguments))
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
    evaluation.take(2 * text_size(len(text), [text]))
    result = _call(name, function, evaluation, text)
    return result if isinstance(result, str) else None
