"""The single-page app: the files of `public/`, and `index.html` for every other path outside the API."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.routing import PathConverter


class OutsideApi(PathConverter):
    """A path that is not below `/api`, so that an unknown page there stays a 404."""

    regex = r"(?!api(?:/|$)).+?"


def serve_public(app: Flask, folder: Path) -> None:
    """Add the routes of the files; a folder that does not exist leaves them 404."""
    app.url_map.converters["outside_api"] = OutsideApi

    def public(path: str = "index.html") -> Response:
        try:
            response = send_from_directory(folder, path, conditional=True, etag=True)
        except NotFound:
            response = send_from_directory(folder, "index.html", conditional=True, etag=True)
        response.headers["Cache-Control"] = "no-cache"
        return response

    app.add_url_rule("/", "public.index", public, methods=["GET"])
    app.add_url_rule("/<outside_api:path>", "public.file", public, methods=["GET"])
