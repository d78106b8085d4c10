"""What a path is for: the pages of an app, as far as Flask's routing gives just them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

from flask import Flask
from msgspec import Struct
from werkzeug.exceptions import HTTPException

from bff.web.page import PageAnswerer
from bff.web.paths import is_tidy
from bff.web.routes import Routes, may_meet
from bff.web.site import Page, Site

_MOST_PATHS = 4096
FILE_ENDPOINTS = frozenset({"public.index", "public.file"})


class Routed(Struct, frozen=True):
    """How Flask calls a page: its name, method and path, the endpoint and the view there."""

    name: str
    method: str
    path: str
    endpoint: str
    view: Any


class Table:
    """Finds pages by method and path. Routes, views and pages that come later are looked at when they have come.

    `pages` are those whose paths have no holes; `answerer` gives what answers for a page.
    """

    def __init__(
        self, app: Flask, site: Site, routed: list[Routed], answerer: Callable[[Page], PageAnswerer]
    ) -> None:
        self._app = app
        self._site = site
        self._routed = routed
        self._answerer = answerer
        self.pages: Mapping[tuple[str, str], PageAnswerer] = {}
        self._with_holes: Mapping[str, Routes[PageAnswerer]] = {}
        self._files: dict[str, bool] = {}
        self._look()

    def is_current(self) -> bool:
        """Whether Flask's routing is as it was looked at; where it is not, it is looked at for the next request."""
        app, pages = self._app, self._site.pages
        if (
            app.view_functions == self._views
            and app.url_map._rules_by_endpoint == self._rules
            and len(pages) == len(self._known)
            and all(map(is_, pages.values(), self._known))
        ):
            return True
        self._look()
        return False

    def find(self, method: str, path: str) -> tuple[PageAnswerer, dict[str, str]] | None:
        """The page of a path with holes, and what stands in them."""
        routes = self._with_holes.get(method)
        if routes is None:
            return None
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8", "replace")
        return routes.find(path) if path[:1] == "/" else None

    def gives_file(self, path: str) -> bool:
        """Whether Flask's routing would give the file of a path too, and no view of the project's own."""
        found = self._files.get(path)
        if found is None:
            if len(self._files) >= _MOST_PATHS:
                self._files.clear()
            found = self._files[path] = self._endpoint(path, "GET") in FILE_ENDPOINTS
        return found

    def _look(self) -> None:
        app = self._app
        self._known = list(self._site.pages.values())
        self._views = dict(app.view_functions)
        self._rules = {endpoint: list(rules) for endpoint, rules in app.url_map._rules_by_endpoint.items()}
        self._files = {}
        pages = self._site.pages
        ours = [
            one for one in self._routed if one.name in pages and self._views.get(one.endpoint) is one.view
        ]
        # A page goes before the files, whatever its path.
        known = {one.endpoint for one in ours} | {"public.file"}
        theirs = [rule.rule for name, rules in self._rules.items() if name not in known for rule in rules]
        found: dict[tuple[str, str], PageAnswerer] = {}
        holes: dict[str, list[tuple[str, PageAnswerer]]] = {}
        for one in ours:
            page = self._answerer(pages[one.name])
            if "{" not in one.path:
                if is_tidy(one.path) and self._endpoint(one.path, one.method) == one.endpoint:
                    found[one.method, one.path] = page
            elif not any(may_meet(rule, one.path) for rule in theirs):
                holes.setdefault(one.method, []).append((one.path, page))
        self.pages = found
        self._with_holes = {method: Routes(routes) for method, routes in holes.items()}

    def _endpoint(self, path: str, method: str) -> str:
        try:
            endpoint, _ = self._app.url_map.bind("").match(path, method=method)
        except HTTPException:
            return ""
        return str(endpoint)
