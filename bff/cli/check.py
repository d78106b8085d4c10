"""`check`: every mistake of a project, in the order of its files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from bff.errors import Finding
from bff.recipe.check import check_folder
from bff.recipe.check.fields import fields_of
from bff.text import counted


def check(root: Path, pages: Sequence[str] = (), form: str = "text") -> int:
    """Print all findings in a form, `text`, `json` or `github`; 1 if there are any but warnings."""
    project, findings = check_folder(root, list(pages) or None)
    warnings = () if findings else fields_of(project).warnings
    if form == "json":
        found = [*(_of(finding, "error") for finding in findings), *(_of(one, "warning") for one in warnings)]
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(_annotation(finding, "error") if form == "github" else coloured(finding))
        for one in warnings:
            warning = replace(one, message=f"warning: {one.message}")
            click.echo(_annotation(one, "warning") if form == "github" else coloured(warning))
    if findings:
        files = {finding.place.file for finding in findings}
        print(f"{counted(len(findings), 'problem')} in {counted(len(files), 'file')}", file=sys.stderr)
        return 1
    clients = counted(len(project.clients), "client")
    if form != "json":
        print(f"{counted(len(project.recipes), 'recipe')} and {clients} are fine")
    return 0


def _of(finding: Finding, severity: str) -> dict[str, str | int]:
    """A finding for programs: its place, how many characters it is about, what is wrong, the cure, how bad it is."""
    place = finding.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "length": finding.length,
        "message": finding.message,
        "hint": finding.hint,
        "severity": severity,
    }


def _annotation(finding: Finding, severity: str) -> str:
    """A finding as GitHub Actions shows it beside its line (docs.github.com, workflow commands)."""
    place = finding.place
    file = _escaped(place.file).replace(":", "%3A").replace(",", "%2C")
    where = f"file={file},line={place.line},col={place.column}"
    text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    return f"::{severity} {where},endColumn={place.column + finding.length}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def coloured(finding: Finding) -> str:
    """A finding for people; click takes the colours off where no terminal shows them."""
    head, *lines = str(finding).split("\n")
    place = str(finding.place)
    head = f"{click.style(place, bold=True)}{head.removeprefix(place)}"
    if lines and finding.source:
        lines[-1] = click.style(lines[-1], fg="red")
    return "\n".join([head, *lines])
