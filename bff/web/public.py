"""The single-page app: the files of `public/`, and `index.html` for every other path outside the API."""

from __future__ import annotations

from flask import Flask, Response, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.routing import PathConverter

from bff.web.files import INDEX, File, Files


class OutsideApi(PathConverter):
    """A path that is not below `/api`, so that an unknown page there stays a 404."""

    regex = r"(?!api(?:/|$)).+?"


def serve_public(app: Flask, files: Files) -> None:
    """Add the routes of the files; a folder that does not exist leaves them 404."""
    app.url_map.converters["outside_api"] = OutsideApi

    def public(path: str = INDEX) -> Response:
        file = files.find(path)
        if file is None:
            return _unkept(path, files)
        return _conditional(file)

    app.add_url_rule("/", "public.index", public, methods=["GET"])
    app.add_url_rule("/<outside_api:path>", "public.file", public, methods=["GET"])


def _unkept(path: str, files: Files) -> Response:
    """A file too large to keep; for any other path the page itself."""
    try:
        response = send_from_directory(files.folder, path, conditional=True, etag=True)
    except NotFound:
        index = files.find(INDEX)
        if index is None:
            raise
        return _conditional(index)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _conditional(file: File) -> Response:
    ranged = "Range" in request.headers  # a range counts the bytes of the file itself
    copy = file.plain if ranged else file.copy_for(request.headers.get("Accept-Encoding", ""))
    response = Response(copy.body, headers=list(copy.headers))
    response.make_conditional(request, accept_ranges=True, complete_length=len(copy.body))
    return response
