"""`test --faults`: every page, asked while each of its backends fails in every way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bff import clock


def test_faults(root: Path, pages: Sequence[str] = ()) -> int:
    """Print the table page × step × fault and what differs from the recipes; 1 if anything does."""
    from bff.testing.matrix import matrix_of  # the layer itself needs none of it
    from bff.testing.table import explained, table

    begun = clock.monotonic()
    matrix = matrix_of(root, list(pages) or None)
    verdicts = matrix.run()
    for line in table(matrix, verdicts):
        print(line)
    print("\n+ partial   ~ old   ! not as the recipe says   (the numbers are what the visitor gets)")
    wrong = list(explained(matrix, verdicts))
    if wrong:
        print("", *wrong, sep="\n")
    count = sum(bool(verdict.problems) for verdict in verdicts.values()) + len(matrix.unreached)
    print(
        f"{len(verdicts)} cases in {clock.monotonic() - begun:.0f} s: "
        + ("all as the recipes say" if not count else f"{count} not as the recipes say"),
        file=sys.stderr,
    )
    return 1 if count else 0
