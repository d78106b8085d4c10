"""`check`: every mistake of a project, in the order of its files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bff.checker import check_folder


def check(root: Path, pages: Sequence[str] = ()) -> int:
    """Print all findings; 1 if there are any."""
    project, findings = check_folder(root, list(pages) or None)
    for finding in findings:
        print(finding)
    if findings:
        files = {finding.place.file for finding in findings}
        print(f"{_count(len(findings), 'problem')} in {_count(len(files), 'file')}", file=sys.stderr)
        return 1
    clients = _count(len(project.clients), "client")
    print(f"{_count(len(project.recipes), 'recipe')} and {clients} are fine")
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
