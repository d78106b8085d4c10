"""Flask's routes of the pages, whose views ask the same pages as the door does."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from bff.problems import problem
from bff.web.bodies import OF_OTHERS
from bff.web.dispatched import readable, response_of
from bff.web.journal import Journal, page_of
from bff.web.lookout import Routed
from bff.web.page import Answerers
from bff.web.site import Page, Site


class PageRoutes:
    """Keeps Flask's routes in step with the pages, which change only under the debugger."""

    def __init__(self, app: Flask, site: Site, answerers: Answerers) -> None:
        self.routed: list[Routed] = []
        self._app = app
        self._site = site
        self._answerers = answerers
        self._added: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()
        self._add_new()
        if site.follows_files:
            app.before_request(self._refresh)

    def _refresh(self) -> None:
        with self._lock:
            self._site.refresh()
            if self._site.pages is not self._seen:
                self._add_new()
        adapter = self._app.create_url_adapter(request)
        if adapter is not None:  # match again: the route may be new, by this request or by one beside it
            request.url_rule, request.view_args, request.routing_exception = None, None, None
            try:
                rule, arguments = adapter.match(return_rule=True)
                request.url_rule, request.view_args = rule, dict(arguments)
            except HTTPException as exc:
                request.routing_exception = exc

    def _add_new(self) -> None:
        pages = self._site.pages
        for name, page in pages.items():
            route = (name, page.recipe.method, page.recipe.path)
            if route not in self._added:
                self._added.add(route)
                # Not add_url_rule: Flask refuses that after the first request, which is when debugging adds.
                endpoint = f"page.{name}.{len(self._added)}"
                path = page.recipe.path.replace("{", "<").replace("}", ">")
                rule = Rule(path, endpoint=endpoint, methods=[page.recipe.method, "OPTIONS"])
                rule.provide_automatic_options = True  # type: ignore[attr-defined]
                self._app.url_map.add(rule)
                view = self._view(name, route)
                self._app.view_functions[endpoint] = view
                self.routed.append(Routed(*route, endpoint, view))
        self._seen = pages

    def find(self, method: str, path: str) -> Page | float | None:
        """The page of a method and path, or the seconds that a body to a view by hand may take; None for nothing."""
        text = path.encode("latin-1").decode("utf-8", "replace")
        try:
            endpoint, _ = self._app.url_map.bind("").match(text, method=method)
        except HTTPException:
            return None
        page = self._site.pages.get(page_of(endpoint))
        if page is None:
            return OF_OTHERS if method not in ("GET", "HEAD", "OPTIONS") else None
        return page

    def _view(self, name: str, route: tuple[str, str, str]) -> Any:
        def answer(**path: str) -> Response:
            page: Page | None = self._site.pages.get(name)
            if self._site.broken is not None:
                return readable(self._site.broken)
            if page is None or (name, page.recipe.method, page.recipe.path) != route:
                raise problem("not-found", "There is no such page.")
            journal: Journal = g.journal
            bound = self._answerers.of(page)
            bound.begin(journal)
            return response_of(bound.answer(g.asked, path, journal))

        return answer
