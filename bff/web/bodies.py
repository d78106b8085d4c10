"""How long a visitor's body may take: what a server that reads bodies by itself asks before it waits for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException

from bff.settings import Settings
from bff.web.journal import page_of
from bff.web.site import Page, Site

OF_OTHERS = 30.0
"""Seconds for a body to a view by hand."""


def body_seconds(app: Flask, site: Site, settings: Settings) -> Callable[[Mapping[str, Any]], float | None]:
    """What says it for a request's environ: None where nobody reads the body, or it is longer than is taken."""

    def seconds(environ: Mapping[str, Any]) -> float | None:
        method, path = environ["REQUEST_METHOD"], _text(environ["PATH_INFO"])
        try:
            endpoint, _ = app.url_map.bind("").match(path, method=method)
        except HTTPException:
            return None
        page = site.pages.get(page_of(endpoint))
        if page is None:
            return OF_OTHERS if method not in ("GET", "HEAD", "OPTIONS") else None
        return _of_page(page, environ.get("CONTENT_LENGTH", ""), settings)

    return seconds


def _of_page(page: Page, length: str, settings: Settings) -> float | None:
    recipe = page.recipe
    if recipe.method == "GET" or not (recipe.passes or recipe.input.body is not None):
        return None
    most = settings.max_upload if recipe.passes else settings.max_request_body
    return recipe.deadline if not length.isdecimal() or int(length) <= most else None


def _text(path: str) -> str:
    return path.encode("latin-1").decode("utf-8", "replace")
