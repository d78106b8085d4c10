"""`introspect`: what a client's backend answers to the reads of pages, learned as types."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bff.cli.call import body_of, pair_of, visitor_in
from bff.dev.introspecting import Input, Introspection, Line
from bff.errors import AuthorError
from bff.recipe.check import check_folder
from bff.text import width


def introspect(
    root: Path, client: str, pages: Sequence[str], query: Sequence[str], data: str | None, who: Path | None
) -> int:
    """Print what was asked and learned, and what could not be; 1 where something could not."""
    project, findings = check_folder(root.resolve())
    if serious := [finding for finding in findings if not finding.mild]:
        raise AuthorError(serious)
    visitor = None if who is None else visitor_in(who)
    given = Input([pair_of(one) for one in query], body_of(data), visitor)
    asking = Introspection(project, client, given, os.environ)
    lines = [line for page in asking.pages(pages) for line in asking.ask(page)]
    for text in table(lines):
        print(text)
    for told in asking.told:
        print(told, file=sys.stderr)
    if not lines:
        print(f"no page asks clients/{client}.py", file=sys.stderr)
    return 0 if lines and all(line.done for line in lines) else 1


def table(lines: Sequence[Line]) -> list[str]:
    """A line for each step, in columns."""
    rows = [(line.page, line.step, line.request, line.outcome) for line in lines]
    widths = [max((width(row[at]) for row in rows), default=0) for at in range(3)]
    return [
        "  ".join(
            [*(text + " " * (wide - width(text)) for text, wide in zip(row, widths, strict=False)), row[3]]
        )
        for row in rows
    ]
