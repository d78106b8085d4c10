"""`check`: every mistake of a project, in the order of its files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bff.recipe.check import check_folder
from bff.text import counted


def check(root: Path, pages: Sequence[str] = ()) -> int:
    """Print all findings; 1 if there are any."""
    project, findings = check_folder(root, list(pages) or None)
    for finding in findings:
        print(finding)
    if findings:
        files = {finding.place.file for finding in findings}
        print(f"{counted(len(findings), 'problem')} in {counted(len(files), 'file')}", file=sys.stderr)
        return 1
    clients = counted(len(project.clients), "client")
    print(f"{counted(len(project.recipes), 'recipe')} and {clients} are fine")
    return 0
