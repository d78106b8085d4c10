"""What is said of operators whose two sides do not go together."""

from __future__ import annotations

import ast
from collections.abc import Mapping

SIGNS: Mapping[type[ast.operator | ast.cmpop], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
AS_TEXT = "write f'…{x}…' for a text, int(x) or float(x) for a number"
AS_NUMBER = "a number is made of a text by int(x) or float(x)"
