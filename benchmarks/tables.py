"""How tables of the docs are written: figures, names, rows of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.lineup import BFF_FROM_RECIPES, BFF_ONE_PAGE, EVERYONE
from benchmarks.static import EXPRESS_STATIC

_TITLES = {peer.name: peer.title for peer in (*EVERYONE, BFF_ONE_PAGE, BFF_FROM_RECIPES, EXPRESS_STATIC)} | {
    "bff": "**bff**"
}
NOT_YET = "Not measured yet.\n"


def figure(value: float | None) -> str:
    """A figure as a table shows it: three digits at most, thousands with a comma."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; every column but the first is of figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def grid(cells: Mapping[tuple[str, int], float | None], head: Callable[[int], str]) -> str:
    """A row for each name and a column for each number of the cells."""
    columns = sorted({column for _, column in cells})
    names = list(dict.fromkeys(name for name, _ in cells))
    body = [[title(name), *(figure(cells.get((name, column))) for column in columns)] for name in names]
    return table(["", *(head(column) for column in columns)], body)


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def title(name: str) -> str:
    return _TITLES.get(name, name)
