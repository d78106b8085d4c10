"""The library: every function that expressions can call without the project defining it.

The docs of the functions are made from this table. What runs pages does not load it: it has what every page may call,
and the `rooms` of what few do.
"""

from __future__ import annotations

from collections.abc import Mapping

from bff.expressions import days, instants, languages, lists, scalars, seals, texts
from bff.expressions.library import Function

__all__ = ["FUNCTIONS", "Function"]

FUNCTIONS: Mapping[str, Function] = {
    **lists.FUNCTIONS,
    **scalars.FUNCTIONS,
    **days.FUNCTIONS,
    **instants.FUNCTIONS,
    **languages.FUNCTIONS,
    **seals.FUNCTIONS,
    **texts.FUNCTIONS,
}
