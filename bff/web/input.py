"""Reads a visitor's request as its recipe declares it: coerces, prunes, validates; every mistake at once.

Text becomes what its schema asks for; what is not declared is ignored; an object schema that is silent on
`additionalProperties` drops the members that it does not list.
"""

from __future__ import annotations

import copy
import functools
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from flask import Request
from msgspec import Struct
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_list_header

from bff import jsontext
from bff.errors import InputError, PageError
from bff.expressions.paths import Any_, Path
from bff.problems import PROBLEMS, problem
from bff.recipe import Input, Parameter, Recipe
from bff.validation import Validator, prune
from bff.web.waiting import waiting_at_most

Errors = list[dict[str, Any]]

MOST_MISTAKES = 100
"""How many mistakes are told at once."""
_LONGEST_DETAIL = 300
_TOO_LARGE = "is too large a number: an integer has at most 64 bits, and no number is over 1.8e308"
# The validator finds every mistake before it gives the first: half a million of them take it 15 seconds.
_MOST_NODES = 5_000


class PageRequest(Struct, frozen=True):
    """What expressions see of a request; absent parameters are null."""

    path: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, Any]
    body: Any


class InputReader(Struct, frozen=True):
    """Reads requests for one recipe; made once at start."""

    path: ParameterGroup
    query: ParameterGroup
    headers: ParameterGroup
    body: BodyReader | None
    lists: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls, recipe: Recipe, max_depth: int, body_timeout: float, lists: tuple[Path, ...] = ()
    ) -> InputReader:
        declared: Input = recipe.input
        return cls(
            ParameterGroup.of("path", declared.path),
            ParameterGroup.of("query", declared.query),
            ParameterGroup.of("headers", declared.headers),
            None if declared.body is None else BodyReader.of(declared.body, max_depth, body_timeout),
            lists,
        )

    def read(self, request: Request, path: Mapping[str, str]) -> PageRequest:
        """Raises InputError (400, 413, 415) with everything that is wrong."""
        errors: Errors = []
        query = self.query.read(lambda name: request.args.getlist(name), errors)
        headers = self.headers.read(
            lambda name: [_header_text(text) for text in request.headers.getlist(name)], errors
        )
        in_path = dict(path) | self.path.read(lambda name: [path[name]], errors)
        body = None if self.body is None else self.body.read(request, errors)
        found = PageRequest(in_path, query, headers, body)
        if not errors and self.lists:
            errors = [
                _mistake(place, "must be a list") for path in self.lists for place in _no_lists(found, path)
            ]
        if errors:
            raise _invalid(errors[:MOST_MISTAKES])
        return found


def _no_lists(found: PageRequest, path: Path) -> Iterator[tuple[str | int, ...]]:
    """Where a request has something else than a list or null at a path that its recipe goes over."""
    root = str(path[0])
    level: list[tuple[tuple[str | int, ...], Any]] = [((root,), getattr(found, root))]
    for key in path[1:]:
        if isinstance(key, Any_):
            level = [((*place, at), one) for place, value in level for at, one in _elements(value)]
        else:
            level = [((*place, key), value.get(key)) for place, value in level if isinstance(value, dict)]
    return (place for place, value in level if not (value is None or isinstance(value, list)))


def _elements(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, list):
        return enumerate(value)
    return value.items() if isinstance(value, dict) else ()


class ParameterGroup(Struct, frozen=True):
    """The declared parameters of one place (path, query or headers)."""

    place: str
    parameters: tuple[Parameter, ...]
    validators: tuple[Validator, ...]
    lists: frozenset[str]
    """The headers whose one text holds a list."""

    @classmethod
    def of(cls, place: str, parameters: tuple[Parameter, ...]) -> ParameterGroup:
        lists = (one.name for one in parameters if place == "headers" and "array" in _types(one.schema))
        validators = tuple(Validator(parameter.schema) for parameter in parameters)
        return cls(place, parameters, validators, frozenset(lists))

    def read(self, texts: Callable[[str], list[str]], errors: Errors) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for parameter, validator in zip(self.parameters, self.validators, strict=True):
            given = texts(parameter.name)
            if not given:
                # A copy: a project function may change what it is given, and the next visitor gets the default too.
                values[parameter.name] = copy.deepcopy(parameter.schema.get("default"))
                if parameter.required:
                    errors.append(_mistake((self.place, parameter.name), "is required", rule="required"))
                continue
            if parameter.name in self.lists:
                given = [part for text in given for part in parse_list_header(text) if part]
            value = _coerce(given, parameter.schema)
            values[parameter.name] = value
            errors.extend(_mistakes(validator, value, (self.place, parameter.name)))
        return values


class BodyReader(Struct, frozen=True):
    """The JSON body of one recipe."""

    schema: Mapping[str, Any]
    validator: Validator
    max_depth: int
    timeout: float

    @classmethod
    def of(cls, schema: Mapping[str, Any], max_depth: int, timeout: float) -> BodyReader:
        return cls(schema, Validator(schema), max_depth, timeout)

    def read(self, request: Request, errors: Errors) -> Any:
        if not _is_json(request.mimetype):
            raise problem(
                "unsupported-media-type",
                f"The body came as {request.mimetype or 'no type at all'}; this page takes application/json.",
                headers={"Accept": "application/json"},
            )
        if request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
            raise problem(
                "unsupported-media-type",
                "The body is packed; this page takes it as it is, without Content-Encoding.",
                headers={"Accept-Encoding": "identity"},
            )
        raw = _whole_body(request, self.timeout)
        large = [("body", *place) for place in itertools.islice(jsontext.large_numbers(raw), MOST_MISTAKES)]
        if large:
            errors.extend(_mistake(place, _TOO_LARGE) for place in large)
            return None
        value = prune(self.schema, _parse(raw, self.max_depth), self.schema)
        errors.extend(_mistakes(self.validator, value, ("body",)))
        return value


def _header_text(text: str) -> str:
    """A header as its sender meant it: WSGI has its bytes as characters, and browsers send UTF-8 or Latin-1."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _is_json(mimetype: str) -> bool:
    return mimetype == "application/json" or (
        mimetype.startswith("application/") and mimetype.endswith("+json")
    )


def _whole_body(request: Request, timeout: float) -> bytes:
    """The body; servers that frame it themselves have it cut off where it ends too early or goes over the bound."""
    with waiting_at_most(request.environ, timeout):
        raw = request.get_data(cache=True)
    announced, most = request.content_length, request.max_content_length
    if announced is None and most is not None and len(raw) >= most:
        raise RequestEntityTooLarge
    if announced is not None and len(raw) < announced:
        raise problem("malformed-body", "The body ends too early.")
    return raw


def _parse(raw: bytes, max_depth: int) -> Any:
    try:
        msgspec.json.decode(raw)  # strict: a visitor's NaN or broken text is a mistake, not a null
        return jsontext.decode(raw, max_depth)
    except (ValueError, RecursionError) as exc:
        detail = "The body nests too deeply." if isinstance(exc, RecursionError | jsontext.TooDeep) else (
            "The body is not JSON in UTF-8." if raw.strip() else "The body is empty; this page takes a JSON body."
        )  # fmt: skip
        raise problem("malformed-body", detail) from exc


def _mistakes(validator: Validator, value: Any, root: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if validator.is_valid(value):
        return
    if _is_large(value):
        yield _mistake(root, "does not fit, and is too large to say where")
        return
    for error in itertools.islice(validator.iter_errors(value), MOST_MISTAKES):
        path = (*root, *error.instance_path)
        if error.kind.name == "required":
            yield _mistake((*path, error.kind.property), "is required", rule="required")
        elif error.kind.name == "type" and root[0] != "body" and _is_large_number(error.instance):
            yield _mistake(path, _TOO_LARGE)
        else:
            yield _mistake(path, error.message, **_broken_rule(error, validator.schema))


def _broken_rule(error: Any, schema: Any) -> dict[str, Any]:
    """The keyword that a value does not keep, and what the schema asks there if that is a number or a text."""
    rule, path = error.kind.name, error.schema_path
    if not path or path[-1] != rule:
        return {"rule": rule}
    limit = functools.reduce(lambda found, part: found[part], path, schema)
    return {"rule": rule, "limit": limit} if type(limit) in (int, float, str) else {"rule": rule}


def _is_large_number(text: Any) -> bool:
    """Whether a parameter stayed a text because the number that it is is too large."""
    return isinstance(text, str) and () in jsontext.large_numbers(text.encode())


def _is_large(value: Any) -> bool:
    try:
        jsontext.measure(value, max_nodes=_MOST_NODES, max_bytes=sys.maxsize, max_depth=sys.maxsize)
    except jsontext.TooLarge:
        return True
    return False


def _mistake(path: Sequence[str | int], detail: str, **more: Any) -> dict[str, Any]:
    pointer = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    if len(detail) > _LONGEST_DETAIL:  # it may quote the whole value
        detail = f"{detail[: _LONGEST_DETAIL // 2]} … {detail[-_LONGEST_DETAIL // 2 :]}"
    return {"pointer": f"#/{pointer}", "detail": detail, **more}


def _invalid(errors: Errors) -> PageError:
    declared = PROBLEMS["invalid-input"]
    count = "One value is" if len(errors) == 1 else f"{len(errors)} values are"
    return InputError(
        "invalid-input",
        declared.status,
        declared.title,
        f"{count} not as this page takes them.",
        errors=errors,
    )


# --- text → the type that a schema asks for ------------------------------------------------------------------


def _coerce(texts: list[str], schema: Mapping[str, Any]) -> Any:
    """The texts of one parameter as its schema's type; what does not fit stays text, for the validator to name."""
    types = _types(schema)
    if "array" in types:
        items = schema.get("items")
        return [_coerce([text], items if isinstance(items, Mapping) else {}) for text in texts]
    for wanted in types:
        value = _COERCIONS.get(wanted, _as_text)(texts[-1])
        if value is not _UNFIT:
            return value
    return texts[-1]


def _types(schema: Mapping[str, Any]) -> list[str]:
    declared = schema.get("type", "string")
    # `string` last: as the widest it would hide the others.
    return sorted([declared] if isinstance(declared, str) else declared, key=lambda name: name == "string")


_UNFIT = object()


def _as_text(text: str) -> Any:
    return text


def _as_number(text: str) -> Any:
    try:
        value = jsontext.decode(text.encode())
    except ValueError:
        return _UNFIT
    return value if type(value) in (int, float) and not jsontext.is_large(value) else _UNFIT


def _as_integer(text: str) -> Any:
    value = _as_number(text)
    return value if type(value) is int else _UNFIT


def _as_boolean(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text, _UNFIT)


def _as_null(text: str) -> Any:
    return None if text == "" else _UNFIT


_COERCIONS: Mapping[str, Callable[[str], Any]] = {
    "integer": _as_integer,
    "number": _as_number,
    "boolean": _as_boolean,
    "null": _as_null,
}
