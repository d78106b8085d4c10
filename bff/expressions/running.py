"""Compiled trees as they run: all that the generated functions call, and nothing of what generates them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from msgspec import Struct, defstruct

from bff.errors import BoundError, FunctionError, PageError
from bff.expressions import lists, operators, scalars
from bff.expressions.conversions import NotPlain
from bff.expressions.evaluation import Evaluation, text_size
from bff.expressions.percent import ENCODERS
from bff.expressions.rooms import LIBRARY, called_in
from bff.expressions.values import NUMBERS, plain

Page = Callable[[Mapping[str, Any], Evaluation], Any]

_OPERATORS = (
    "get", "item", "getter", "missed", "missing", "cut", "add", "subtract", "multiply", "divide", "floor_divide",
    "modulo", "calculates", "negate", "less", "less_equal", "greater", "greater_equal", "orders_with", "equal",
    "equals_plainly", "contains", "membership", "key", "without_null", "formatted",
)  # fmt: skip
_GLOBALS: dict[str, Any] = {f"_{name}": getattr(operators, name) for name in _OPERATORS}
_GLOBALS |= {LIBRARY + name: one.call for name, one in (lists.FUNCTIONS | scalars.FUNCTIONS).items()}
_GLOBALS |= {
    "_NOTHING": operators.NOTHING,
    "_NUMBERS": NUMBERS,
    "_str": str,
    "_int": int,
    "_bool": bool,
    "_len": len,
}


OWN, QUOTES = "_p_", "_q_"
"""What the names of the project's functions, and of a client's filter languages, begin with in generated code."""


PLACE = "<recipe>"
"""What generated code gives as the file that it stands in."""


class Compiled:
    """A tree as a function of its scope (every name that it reads) and the page's budgets.

    The fast version is run first. If it raises, the values are not what pages have every day: the budgets are put
    back and the safe version gives the value. `code_of` gives the code of the fast or the safe version, and is asked
    for each when it is first run; `source_of` gives its source, where that is still known. Where a `depth` is known,
    the fast version gives a struct of that depth, at most; `structs` are the keys of all that are in it. Its
    `patterns` are compiled with it.
    """

    __slots__ = (
        *("_fast", "_safe", "code_of", "depth", "functions", "patterns", "quotes", "source_of", "structs"),
    )

    def __init__(
        self,
        code_of: Callable[[bool], CodeType],
        functions: Mapping[str, Callable[..., Any]],
        quotes: Mapping[str, Callable[[str], str]],
        source_of: Callable[[bool], str] | None = None,
        structs: tuple[tuple[str, ...], ...] = (),
        depth: int | None = None,
        patterns: tuple[str, ...] = (),
    ) -> None:
        self.patterns = patterns
        self.structs = structs
        self.depth = depth
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
        code = self.code_of(fast)
        names = _GLOBALS | called_in(code)
        names |= {OWN + name: _caller(name, function) for name, function in self.functions.items()}
        names |= {QUOTES + name: partial(_quote, name, function) for name, function in self.quotes.items()}
        if self.patterns:
            from bff.expressions.patterns import Pattern  # few pages have patterns

            names["_patterns"] = {text: Pattern(text) for text in self.patterns}
        if fast:
            names |= {f"_s{at}": _struct_of(keys) for at, keys in enumerate(self.structs)}
        # With no builtins, the function reaches nothing but what it is given.
        names["__builtins__"] = {}
        exec(code, names)
        page: Page = names["_page"]
        return page


def _struct_of(keys: tuple[str, ...]) -> type[Struct]:
    fields = [f"m_{at}" for at in range(len(keys))]
    return defstruct("Made", fields, rename=dict(zip(fields, keys, strict=True)), gc=False)


def _caller(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """What calls a function of the project; one whose hints say what it gives is held to them."""
    if "return" not in (getattr(function, "__annotations__", None) or ()):
        return partial(_call, name, function)
    from bff.expressions.hints import check_of  # few functions have hints

    check = check_of(function)
    return partial(_call, name, function) if check is None else partial(_call_held, name, function, check)


def _call_held(
    name: str,
    function: Callable[..., Any],
    check: Callable[[Any], str | None],
    evaluation: Evaluation,
    *arguments: Any,
) -> Any:
    """Calls a function whose result is held to its hints."""
    value = _call(name, function, evaluation, *arguments)
    wrong = check(value)
    if wrong is not None:
        log = f"returned what its type hint does not say, at {wrong}, at {_defined_at(function)}"
        raise FunctionError(name, log)
    return value


def _call(name: str, function: Callable[..., Any], evaluation: Evaluation, *arguments: Any) -> Any:
    """Calls a function of the project and makes its result plain JSON.

    Whatever it raises ends here: a SystemExit or KeyboardInterrupt of its own is not the server's.
    """
    evaluation.charge(20)
    evaluation.look()  # how long it takes, nobody knows
    try:
        return plain(function(*arguments), evaluation.charge)
    except PageError:
        raise
    except BaseException as error:
        raise FunctionError(name, _log_of(error, function)) from error


def _log_of(error: BaseException, function: Callable[..., Any]) -> str:
    """What was raised and where, or what was returned that is no JSON; never the message of an exception."""
    if isinstance(error, NotPlain):
        return f"returned {error.what} at {_defined_at(function)}; {error.cure}"
    return f"{type(error).__name__} at {_raised_at(error, function)}"


def _raised_at(error: BaseException, function: Callable[..., Any]) -> str:
    """The innermost line in the folder of the function; of a wrong call or result, where the function stands."""
    own = _code_of(function)
    frames = traceback.extract_tb(error.__traceback__)
    if own is None:
        return f"{frames[-1].filename}:{frames[-1].lineno}"
    folder = Path(own.co_filename).parent
    lines = [f"{frame.filename}:{frame.lineno}" for frame in frames if folder in Path(frame.filename).parents]
    return lines[-1] if lines else _defined_at(function)


def _defined_at(function: Callable[..., Any]) -> str:
    own = _code_of(function)
    return "a place unknown" if own is None else f"{own.co_filename}:{own.co_firstlineno}"


def _code_of(function: Callable[..., Any]) -> CodeType | None:
    """The code of a function itself, not of a decorator's."""
    from inspect import unwrap  # a first page has no error of a function

    return getattr(unwrap(function), "__code__", None)


def _quote(name: str, function: Callable[[str], str], evaluation: Evaluation, value: Any) -> Any:
    text = evaluation.text_of(value) or ""
    evaluation.charge(len(text) >> 4)
    evaluation.take(2 * text_size(len(text), [text]))
    result = _call(name, function, evaluation, text)
    return result if isinstance(result, str) else None


_GLOBALS |= {QUOTES + name: partial(_quote, name, encode) for name, encode in ENCODERS.items()}
