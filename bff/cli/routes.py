"""`routes`: who may ask for which page, where."""

from __future__ import annotations

from pathlib import Path

from bff.explaining.routes import routes


def print_routes(root: Path) -> int:
    """Print the table of a project's routes."""
    print(routes(root), end="")
    return 0
