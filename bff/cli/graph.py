"""`graph`: one page as boxes and arrows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bff.explaining.mermaid import mermaid
from bff.explaining.nodes import Drawing, drawing_of
from bff.explaining.subject import subject_of
from bff.explaining.svg import svg

_DRAWN: Mapping[str, Callable[[Drawing], str]] = {"svg": svg, "mermaid": mermaid}


def graph(root: Path, page: str, form: str) -> int:
    """Print the drawing of a page as SVG, or as text for Mermaid."""
    print(_DRAWN[form](drawing_of(subject_of(root, page))), end="")
    return 0
