"""What a path is for: the pages of an app by method and path, made when its routing was looked at."""

from __future__ import annotations

from collections.abc import Iterable

from bff.web.page import PageAnswerer
from bff.web.routes import Routes


class Table:
    """Finds pages; `pages` are those whose paths have no holes."""

    def __init__(self, pages: Iterable[tuple[str, PageAnswerer]]) -> None:
        self.pages: dict[tuple[str, str], PageAnswerer] = {}
        holes: dict[str, list[tuple[str, PageAnswerer]]] = {}
        for path, page in pages:
            if "{" in path:
                holes.setdefault(page.method, []).append((path, page))
            else:
                self.pages[page.method, path] = page
        self._with_holes = {method: Routes(routes) for method, routes in holes.items()}

    def find(self, method: str, path: str) -> tuple[PageAnswerer, dict[str, str]] | None:
        """The page of a path with holes, and what stands in them."""
        routes = self._with_holes.get(method)
        if routes is None or path[:1] != "/":
            return None
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8", "replace")
        return routes.find(path)
