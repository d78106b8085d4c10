"""What a function of the library is, and how one is declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

Call = Callable[..., Any]


class Function(Struct, frozen=True):
    """One function that expressions can call.

    `signature` is shown to authors, `doc` is one line that says what null gives; `least` and `most` count the
    arguments (`most` None: any number). `call` takes the page's `Evaluation` first. `gives` says of what type the
    result is: `string of string, integer` is a text, and null where an argument is of another kind; or a rule by name.
    """

    name: str
    signature: str
    doc: str
    call: Call
    least: int
    most: int | None
    gives: str


def library(
    functions: dict[str, Function], signature: str, least: int, most: int | None, gives: str
) -> Callable[[Call], Call]:
    """Declares the function below it; its docstring is its line in the docs."""

    def declare(call: Call) -> Call:
        name = signature.split("(")[0]
        doc = " ".join((call.__doc__ or "").split())
        functions[name] = Function(name, signature, doc, call, least, most, gives)
        return call

    return declare
