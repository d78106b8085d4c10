"""The routes of all recipes together."""

from __future__ import annotations

import re

from bff.errors import Finding
from bff.loader import Project

_OWN = ("/healthz", "/readyz")


def check_routes(project: Project) -> list[Finding]:
    """Say routes that two recipes share, whatever their parameters are called, or that are the layer's own."""
    findings = []
    seen: dict[tuple[str, str], str] = {}
    for recipe in project.recipes.values():
        if not recipe.path:
            continue
        mark = recipe.marks.value("route")
        route = recipe.method, re.sub(r"\{[^}]*\}", "{}", recipe.path)
        if route in seen:
            message = f"the route {recipe.method} {recipe.path} is taken"
            findings.append(mark.finding(message, f"{seen[route]} has it"))
        elif recipe.path in _OWN:
            findings.append(mark.finding(f"{recipe.path} is answered by the layer", "name another path"))
        seen.setdefault(route, recipe.file)
    return findings
