"""A small backend for the first days of a project: the lists of a JSON file, over HTTP.

    GET    /items?colour=red&limit=20&offset=40    rows, with X-Total-Count
    GET    /items/1                                one row
    POST   /items                                  201 and the new row
    PUT, PATCH, DELETE /items/1
    POST   /sign-in  {"email": …, "password": …}   {"token": …, "person": …} of a row of `people`
    GET    /me                                     the person of a Bearer token

Rows are read anew when the file has changed. What is written stays in memory.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from werkzeug import Request, Response

from bff.errors import OperatorError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FILE: Final = "backend.json"
PORT: Final = 5001
_PEOPLE, _SECRET = "people", "password"
_MOST_BYTES = 1024 * 1024

Row = dict[str, Any]


class Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Rows:
    """The WSGI app of one file."""

    def __init__(self, file: Path) -> None:
        """Raises OperatorError where the file holds no lists of rows."""
        self._file = file
        self._lock = threading.Lock()
        self._read_at = 0
        self._lists: dict[str, list[Row]] = {}
        self._tokens: dict[str, str] = {}
        self._read()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = _MOST_BYTES
        with self._lock:
            try:
                self._read()
                response = self._answer(request)
            except Refused as error:
                response = _json({"error": str(error)}, error.status)
            except OperatorError as error:
                response = _json({"error": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)
        return response(environ, start_response)

    def _read(self) -> None:
        try:
            changed_at = self._file.stat().st_mtime_ns
            if changed_at == self._read_at:
                return
            lists = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise OperatorError(f"{self._file.name} cannot be read: {error}") from None
        if not isinstance(lists, dict) or not all(map(_is_list_of_rows, lists.values())):
            raise OperatorError(
                f'{self._file.name} must be like {{"items": [{{"id": "1", "name": "One"}}]}}: lists of rows with ids'
            )
        self._lists, self._read_at = lists, changed_at

    def _answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        if parts == ["sign-in"] and request.method == "POST":
            return self._sign_in(_body(request))
        if parts == ["me"] and request.method == "GET":
            return _json(_shown(self._person_of(request)))
        if not parts or len(parts) > 2 or parts[0] not in self._lists:
            raise Refused(HTTPStatus.NOT_FOUND)
        rows = self._lists[parts[0]]
        if len(parts) == 2:
            return self._one(request, rows, parts[1])
        if request.method in ("GET", "HEAD"):
            return _page(request, rows)
        if request.method == "POST":
            row = {"id": secrets.token_hex(4), **_body(request)}
            rows.append(row)
            return _json(_shown(row), HTTPStatus.CREATED)
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED)

    def _one(self, request: Request, rows: list[Row], name: str) -> Response:
        at = next((at for at, row in enumerate(rows) if str(row["id"]) == name), None)
        if at is None:
            raise Refused(HTTPStatus.NOT_FOUND)
        row = rows[at]
        if request.method in ("PUT", "PATCH"):
            kept = row if request.method == "PATCH" else {}
            row = rows[at] = {**kept, **_body(request), "id": row["id"]}
        elif request.method == "DELETE":
            del rows[at]
            return Response(status=HTTPStatus.NO_CONTENT)
        elif request.method not in ("GET", "HEAD"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED)
        return _json(_shown(row))

    def _sign_in(self, given: Row) -> Response:
        for person in self._lists.get(_PEOPLE, []):
            fits = hmac.compare_digest(str(person.get(_SECRET, "")), str(given.get(_SECRET, "")))
            if fits and person.get(_SECRET) and person.get("email") == given.get("email"):
                token = secrets.token_urlsafe()
                self._tokens[token] = str(person["id"])
                return _json({"token": token, "person": _shown(person)})
        raise Refused(HTTPStatus.UNAUTHORIZED)

    def _person_of(self, request: Request) -> Row:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for person in self._lists.get(_PEOPLE, []):
            if token in self._tokens and str(person["id"]) == self._tokens[token]:
                return person
        raise Refused(HTTPStatus.UNAUTHORIZED)


def _is_list_of_rows(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) and "id" in row for row in rows)


def _page(request: Request, rows: list[Row]) -> Response:
    """The rows that fit the query, as many as are asked for."""
    wanted = request.args.to_dict(flat=False)
    limit, offset = (_count(wanted.pop(name, [])) for name in ("limit", "offset"))
    found = [row for row in rows if all(_text(row.get(name)) in values for name, values in wanted.items())]
    end = None if limit is None else (offset or 0) + limit
    response = _json([_shown(row) for row in found[offset:end]])
    response.headers["X-Total-Count"] = str(len(found))
    return response


def _count(given: list[str]) -> int | None:
    if given and not given[-1].isdecimal():
        raise Refused(HTTPStatus.BAD_REQUEST)
    return int(given[-1]) if given else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _body(request: Request) -> Row:
    try:
        given = json.loads(request.get_data())
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused(HTTPStatus.BAD_REQUEST)
    return given


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != _SECRET}


def _json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    text = json.dumps(value, ensure_ascii=False)
    return Response(text, status=status, content_type="application/json")
