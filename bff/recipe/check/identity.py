"""Tokens of the session: they go only where a client sends them."""

from __future__ import annotations

import ast
import re

from bff.errors import Finding, Place
from bff.expressions.inspect import Path, inspect, path_text
from bff.http import Client, ForwardedToken
from bff.recipe.check.page import Page, Spot
from bff.recipe.loader import Project
from bff.recipe.model import Request, Value
from bff.text import nearest


def check_token_names(project: Project) -> list[Finding]:
    """Say clients that recipes ask and that send a token which no session holds: they would send none."""
    recipes = project.recipes.values()
    if not project.whole or project.unread or any(recipe.broken for recipe in recipes):
        return []
    sessions = [recipe.session.tokens for recipe in recipes if recipe.session is not None]
    held = sorted({name for tokens in sessions if tokens is not None for name, _ in tokens.items})
    asked = {step.client for recipe in recipes for step in recipe.steps if isinstance(step, Request)}
    return [
        _unheld(project, client, client.auth.name, held)
        for client in project.clients.values()
        if held and client.name in asked and isinstance(client.auth, ForwardedToken)
        if not client.auth.bearer and client.auth.name not in held
    ]


def _unheld(project: Project, client: Client, token: str, held: list[str]) -> Finding:
    file = f"clients/{client.name}.py"
    text = (project.root / file).read_text("utf-8")
    found = re.search(rf"""forward_token\(\s*['"]{re.escape(token)}['"]""", text)
    start = found.start() if found else 0
    line = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    near = nearest(token, held)
    meant = f"did you mean '{near}'?  " if near else ""
    return Finding(
        Place(file, line + 1, column + 1),
        f"no session holds a token '{token}'",
        text.splitlines()[line],
        len(found[0].splitlines()[0]) if found else 1,
        f"{meant}session: tokens of recipes has: {', '.join(held)}",
    )


def check_tokens(page: Page) -> None:
    """Say expressions that could carry a token of the session to the browser or to a backend."""
    session = page.recipe.session
    if session is None or session.tokens is None:
        return
    tokens, origins = _token_paths(page)
    for spot in page.spots:
        free = spot.key.startswith(("session.tokens", "session.expires")) or spot.key in ("when", "require")
        if free or id(spot.leaf) in origins:
            continue
        for node in spot.nodes:
            path = _path(node)
            token = next((token for token in tokens if path and _meet(path, token)), None)
            if path and token and not _is_part_of_longer(node, spot):
                length = (node.end_col_offset or 0) - node.col_offset
                what = "is" if len(path) >= len(token) else "holds"
                message = f"'{path_text(path)}' {what} a token of the session"
                hint = "only clients that name it send it: forward_token(…)"
                page.say(spot.mark(node.col_offset, length), message, hint)


def _token_paths(page: Page) -> tuple[set[Path], set[int]]:
    """The paths where tokens stand, and the expressions (by id) of value steps that they come through."""
    tokens: set[Path] = set()
    origins: set[int] = set()
    queue = [path for spot in page.spots if spot.key.startswith("session.tokens") for path in _reads(spot)]
    while queue:
        path = queue.pop()
        if path in tokens or path[0] in ("path", "query", "headers", "user"):
            continue
        tokens.add(path)
        step = page.by_name.get(str(path[0]))
        if isinstance(step, Value):
            wanted = ".".join(["value", *map(str, path[1:])])
            for spot in page.spots:
                if spot.step is step and (spot.key + ".").startswith(wanted + "."):
                    origins.add(id(spot.leaf))
                    queue += _reads(spot)
    return tokens, origins


def _reads(spot: Spot) -> list[Path]:
    return sorted(inspect(spot.leaf).reads, key=path_text)


def _path(node: ast.expr) -> Path | None:
    """The path that a look-up is written as: `login.token`."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        base = _path(node.value)
        return (*base, node.attr) if base else None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        base = _path(node.value)
        return (*base, str(node.slice.value)) if base else None
    return None


def _is_part_of_longer(node: ast.expr, spot: Spot) -> bool:
    """Whether a look-up only leads to a longer one, which is looked at itself."""
    outer = (ast.Attribute, ast.Subscript)
    return any(isinstance(other, outer) and other.value is node and _path(other) for other in spot.nodes)


def _meet(path: Path, token: Path) -> bool:
    """Whether one path leads to the other."""
    shorter = min(len(path), len(token))
    return path[:shorter] == token[:shorter]
