"""Pieces of generated Python and the loops that they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["any", "item", "text", "number", "boolean", "null", "list", "mapping"]
_DYNAMIC: Any = object()


@dataclass(frozen=True, slots=True)
class Code:
    """One generated expression.

    `uses` has a bit for each loop that its value depends on, the outermost lowest; `level` is the depth of the
    innermost of them (0: none). An atom is a local variable or a constant and may be repeated. `found_by` is, of a
    quick look-up, its text without the care for what is not found, and the care.
    """

    text: str
    uses: int = 0
    atom: bool = False
    kind: Kind = "any"
    constant: Any = _DYNAMIC
    found_by: tuple[str, str] | None = None

    @property
    def level(self) -> int:
        return self.uses.bit_length()

    @property
    def is_constant(self) -> bool:
        return self.constant is not _DYNAMIC


def constant(value: bool | int | float | str | None) -> Code:
    """The code of a JSON scalar."""
    kind: Kind = "number"
    if value is None or isinstance(value, bool):
        kind = "null" if value is None else "boolean"
    elif isinstance(value, str):
        kind = "text"
    text = f"({value!r})" if kind == "number" else repr(value)
    return Code(text, 0, True, kind, value)


def uses_of(codes: Iterable[Code]) -> int:
    """The loops that what is computed of these depends on."""
    uses = 0
    for code in codes:
        uses |= code.uses
    return uses


@dataclass(slots=True)
class Block:
    """The body of the function (level 0), or one loop: the clauses behind its `for`.

    `uses` are the loops that its lines depend on, also where nothing else in it does.
    """

    lines: list[str] = field(default_factory=list)
    uses: int = 0
    known: dict[str, Code] = field(default_factory=dict)


class Blocks:
    """The loops that are open, outermost first; computes once, outside, what does not depend on an inner one."""

    def __init__(self) -> None:
        self.open = [Block()]
        self._names = 0

    @property
    def depth(self) -> int:
        return len(self.open) - 1

    def fresh(self) -> str:
        self._names += 1
        return f"_{self._names}"

    @property
    def here(self) -> int:
        """The bit of the innermost open loop."""
        return 1 << self.depth >> 1

    def named(self, code: Code) -> Code:
        """The code as a local variable of the loop that it depends on."""
        if code.atom:
            return code
        block = self.open[code.level]
        if code.text not in block.known:
            name = self.fresh()
            # In a loop the only statement is a condition; a tuple of one is always true.
            line = f"if (({name} := {code.text}),)" if code.level else f"{name} = {code.text}"
            block.lines.append(line)
            block.uses |= code.uses
            block.known[code.text] = Code(name, code.uses, True, code.kind)
        return block.known[code.text]

    def settled(self, code: Code, level: int) -> Code:
        """The code, computed outside if its user depends on an inner loop."""
        return self.named(code) if code.level < level else code

    def settle(self, codes: Sequence[Code]) -> list[Code]:
        """Like `settled`, of the parts of one code."""
        level = uses_of(codes).bit_length()
        return [self.settled(code, level) for code in codes]

    def close(self, depth: int) -> list[Block]:
        """Closes the loops that are deeper, and gives their blocks."""
        closed = self.open[depth + 1 :]
        del self.open[depth + 1 :]
        return closed
