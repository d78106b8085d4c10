"""`explain`: what one page does, before it runs."""

from __future__ import annotations

from pathlib import Path

from bff.explaining.report import report
from bff.explaining.subject import subject_of


def explain(root: Path, page: str) -> int:
    """Print what a page waits for, how long it can take, what it asks, what breaks it and what is kept."""
    print(report(subject_of(root, page)), end="")
    return 0
