"""The routes of all recipes together."""

from __future__ import annotations

import re

from bff.errors import Finding
from bff.recipe.loader import Project
from bff.recipe.model import SubRecipe

_OWN = ("/healthz", "/readyz", "/metrics")


def check_routes(project: Project) -> list[Finding]:
    """Say routes that two recipes share, whatever their parameters are called, that are the layer's own or missing."""
    findings = []
    seen: dict[tuple[str, str], str] = {}
    held = {
        step.recipe
        for recipe in project.recipes.values()
        for step in recipe.steps
        if isinstance(step, SubRecipe)
    }
    # What could not be read may well hold it, or be its route.
    all_read = not project.unread and not any(recipe.broken for recipe in project.recipes.values())
    for recipe in project.recipes.values():
        if not recipe.path:
            if "route" not in recipe.marks.keys and all_read and recipe.name not in held:
                hint = "for example: GET /api/name; only a part of other recipes has none, and no recipe holds this one"
                findings.append(recipe.marks.name.finding("a recipe has no 'route'", hint))
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
