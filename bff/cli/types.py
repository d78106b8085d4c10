"""`types`: what each page answers, as a type."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bff.explaining.types import pages_of, stats_text, types_text, unknown_in
from bff.text import counted


def types(root: Path, names: Sequence[str], *, stats: bool, most_unknown: int | None) -> int:
    """Print the types of pages, or how many of their fields have one; 1 if more are unknown than may be."""
    pages = pages_of(root, names)
    print(stats_text(pages) if stats else types_text(pages), end="")
    unknown = unknown_in(pages)
    if most_unknown is not None and unknown > most_unknown:
        print(f"{counted(unknown, 'field')} unknown, at most {most_unknown} may be", file=sys.stderr)
        return 1
    return 0
