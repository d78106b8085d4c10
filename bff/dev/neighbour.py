"""What the server tells a tool that runs beside it, such as Vite: which paths are the layer's, and every mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bff.dev.pages import DevPages
from bff.errors import Finding
from bff.text import underline
from bff.web.journal import page_of
from bff.web.site import Site

# Holes of recipes and of views by hand: those of one segment, and those whose converter may take slashes.
_HOLE = re.compile(r"(\\\{[^}]*\}|<(?:(?:string|int|float|uuid|any)\b[^>]*:)?\w+>)|<[^>]*>")
_FIRST_IS_HOLE = re.compile(r"/(?:[{<]|$)")
_API = "^/api(?:/|$)"


def description(site: Site, pages: DevPages, rules: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`routes` as patterns of JavaScript, `mistakes` as what is wrong where; `rules` are endpoints with paths."""
    return {"routes": _routes(site, pages, rules), "mistakes": list(_mistakes(pages))}


def _routes(site: Site, pages: DevPages, rules: Iterable[tuple[str, str]]) -> list[str]:
    """Patterns of all paths that are the layer's.

    Files are the tool's own, so what begins with a hole is left out: it would take them.
    """
    paths = [page.recipe.path for page in site.pages.values()]
    paths += [down.route[1] for down in pages.down.values() if down.route is not None]
    paths += [path for endpoint, path in rules if not (endpoint.startswith("public.") or page_of(endpoint))]
    return [_API, *sorted({_pattern(path) for path in paths if not _FIRST_IS_HOLE.match(path)})]


def _pattern(path: str) -> str:
    # What re.escape adds means the same in JavaScript.
    whole = _HOLE.sub(lambda hole: "[^/]+" if hole[1] else ".+", re.escape(path).replace("\\}", "}"))
    return f"^{whole}/?$"


def _mistakes(pages: DevPages) -> Iterator[dict[str, Any]]:
    """Each mistake once, however many pages it takes down."""
    for cause in dict.fromkeys(cause for down in pages.down.values() for cause in down.causes):
        yield _of(cause) if isinstance(cause, Finding) else {"message": cause}


def _of(finding: Finding) -> dict[str, Any]:
    """A mistake with its place and a `frame`: the line in the form that tools of JavaScript show."""
    place = finding.place
    found = {"file": place.file, "line": place.line, "column": place.column}
    if not finding.source:
        return {**found, "message": str(finding)}
    source, _, carets = underline(finding.source, place.column, finding.length, finding.hint).partition("\n")
    number = str(place.line)
    frame = f"> {number} | {source}\n  {' ' * len(number)} | {carets}\n"
    return {**found, "message": f"{place}: {finding.message}", "frame": frame}
