"""`eval`: one expression, over data of a file."""

from __future__ import annotations

from pathlib import Path

from bff.errors import PageError
from bff.explaining.scratchpad import evaluated, read_data, shared_functions


def evaluate(root: Path, expression: str, data: Path | None) -> int:
    """Print what an expression gives as JSON; 1 where it is wrong or gives nothing."""
    values = read_data(data)
    try:
        print(evaluated(expression, values, shared_functions(root)))
    except PageError as error:
        print(error.log or error.detail)
        return 1
    return 0
