"""How long a visitor's body may take: what a server that reads bodies by itself asks before it waits for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bff.recipe.model import Recipe
from bff.settings import Settings
from bff.web.site import Page

OF_OTHERS = 30.0
"""Seconds for a body to a view by hand."""


def body_seconds(
    find: Callable[[str, str], Page | float | None], settings: Settings
) -> Callable[[Mapping[str, Any]], float | None]:
    """What says it for a request's environ: None where nobody reads the body, or it is longer than is taken.

    `find` gives what a method and a path are for: a page, or the seconds of a view by hand; None for nothing.
    """

    def seconds(environ: Mapping[str, Any]) -> float | None:
        found = find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        return _of_page(found, environ, settings) if isinstance(found, Page) else found

    return seconds


def _is_read(recipe: Recipe) -> bool:
    return recipe.passes or recipe.input.body is not None or recipe.signed is not None


def _of_page(page: Page, environ: Mapping[str, Any], settings: Settings) -> float | None:
    recipe, length = page.recipe, environ.get("CONTENT_LENGTH", "")
    if recipe.method == "GET" or not _is_read(recipe):
        return None
    most = settings.max_upload if recipe.passes else settings.max_request_body
    return recipe.deadline if not length.isdecimal() or int(length) <= most else None
