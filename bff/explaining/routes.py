"""The routes of a project: method, path, page and who may ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bff.errors import AuthorError
from bff.explaining.words import table
from bff.recipe.check import check_folder
from bff.recipe.model import Auth, Recipe

WHO: Mapping[Auth, str] = {
    "required": "who has signed in",
    "optional": "anybody, by name if signed in",
    "none": "anybody",
}


_SENDERS: Mapping[str, str] = {
    "github": "GitHub",
    "stripe": "Stripe",
    "slack": "Slack",
    "standard": "a sender of Standard Webhooks",
}


def who_may_ask(recipe: Recipe) -> str:
    """Who may ask for a page, in words."""
    signed = recipe.signed
    if signed is None:
        return WHO[recipe.auth]
    sender = _SENDERS.get(signed.scheme) or f"who signs in {signed.header}"
    return f"{sender}, by {' or '.join(signed.secrets)}"


def routes(root: Path) -> str:
    """The table of all routes, by path; raises AuthorError with all that is wrong in the project."""
    project, findings = check_folder(root)
    if findings:
        raise AuthorError(findings)
    return route_table(project.recipes[name] for name in project.pages)


def route_table(recipes: Iterable[Recipe]) -> str:
    """The table of these recipes' routes, by path and method."""
    rows = [
        (recipe.method, recipe.path, recipe.name, who_may_ask(recipe))
        for recipe in sorted(recipes, key=lambda one: (one.path, one.method))
    ]
    return "\n".join(table([("method", "path", "page", "who may ask"), *rows], 0)) + "\n"
