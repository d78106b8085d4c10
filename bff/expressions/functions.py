"""The library: every function that expressions can call without the project defining it.

The docs of the functions are made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping

from bff.expressions import lists, scalars
from bff.expressions.library import Function

__all__ = ["FUNCTIONS", "Function"]

FUNCTIONS: Mapping[str, Function] = lists.FUNCTIONS | scalars.FUNCTIONS
