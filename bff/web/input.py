"""Reads a visitor's request as its recipe declares it: coerces, prunes, validates; every mistake at once.

Text becomes what its schema asks for; what is not declared is ignored, and so is an empty text where no text is asked
for; an object schema that is silent on `additionalProperties` drops the members that it does not list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from flask import Request
from msgspec import Struct
from werkzeug.exceptions import RequestEntityTooLarge

from bff import jsontext
from bff.errors import InputError, PageError
from bff.problems import PROBLEMS, problem
from bff.recipe import Input, Parameter, Recipe
from bff.validation import MOST_MISTAKES, Validator, prune
from bff.web.coercion import Coerce, Default, coercion_of, default_of, takes_empty
from bff.web.undecodable import undecodable_in_path, undecodable_in_query

Errors = list[dict[str, str]]
NOT_TEXT = "is not text in UTF-8"


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

    @classmethod
    def of(cls, recipe: Recipe, max_depth: int) -> InputReader:
        declared: Input = recipe.input
        return cls(
            ParameterGroup.of("path", declared.path),
            ParameterGroup.of("query", declared.query),
            ParameterGroup.of("headers", declared.headers),
            None if declared.body is None else BodyReader.of(declared.body, max_depth),
        )

    def read(self, request: Request, path: Mapping[str, str], until: float) -> PageRequest:
        """Raises InputError (400, 408, 413, 415) with everything that is wrong; the body is read by `until`."""
        errors: Errors = []
        for place in [*undecodable_in_query(request, self.query.names), *undecodable_in_path(request, path)]:
            errors.append(_mistake(place, NOT_TEXT))
        query = self.query.read(request.args.getlist, errors)
        headers = self.headers.read(request.headers.getlist, errors)
        of_path = dict(path) | self.path.read(lambda name: [path[name]], errors)
        body = None if self.body is None else self.body.read(request, errors, until)
        if errors:
            raise _invalid(errors[:MOST_MISTAKES])
        return PageRequest(of_path, query, headers, body)


class ReadParameter(Struct, frozen=True):
    """One declared parameter, with all that its schema says of texts worked out."""

    name: str
    required: bool
    validator: Validator
    coerce: Coerce
    default: Default
    takes_empty: bool

    @classmethod
    def of(cls, declared: Parameter) -> ReadParameter:
        schema = declared.schema
        return cls(
            *(declared.name, declared.required, Validator(schema)),
            *(coercion_of(schema), default_of(schema), takes_empty(schema)),
        )


class ParameterGroup(Struct, frozen=True):
    """The declared parameters of one place (path, query or headers)."""

    place: str
    names: frozenset[str]
    parameters: tuple[ReadParameter, ...]

    @classmethod
    def of(cls, place: str, declared: tuple[Parameter, ...]) -> ParameterGroup:
        names = frozenset(parameter.name for parameter in declared)
        return cls(place, names, tuple(map(ReadParameter.of, declared)))

    def read(self, texts: Callable[[str], list[str]], errors: Errors) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            name = parameter.name
            given = texts(name)
            if "" in given and not parameter.takes_empty:
                given = list(filter(None, given))
            if given:
                value = values[name] = parameter.coerce(given)
                if not parameter.validator.is_valid(value):
                    errors.extend(_mistakes(parameter.validator, value, (self.place, name)))
                continue
            values[name] = parameter.default()
            if parameter.required:
                errors.append(_mistake((self.place, name), "is required"))
        return values


class BodyReader(Struct, frozen=True):
    """The JSON body of one recipe."""

    schema: Mapping[str, Any]
    validator: Validator
    max_depth: int

    @classmethod
    def of(cls, schema: Mapping[str, Any], max_depth: int) -> BodyReader:
        return cls(schema, Validator(schema), max_depth)

    def read(self, request: Request, errors: Errors, until: float) -> Any:
        if not _is_json(request.mimetype):
            raise problem(
                "unsupported-media-type",
                "This page takes a body of the type application/json.",
                headers={"Accept": "application/json"},
            )
        value = prune(self.schema, _parse(_whole_body(request), self.max_depth))
        errors.extend(_mistakes(self.validator, value, ("body",)))
        if time.monotonic() > until:
            raise problem("upload-too-slow", "The body was not read in time.")
        return value


def _is_json(mimetype: str) -> bool:
    return mimetype == "application/json" or (
        mimetype.startswith("application/") and mimetype.endswith("+json")
    )


def _whole_body(request: Request) -> bytes:
    """The body; servers that frame it themselves have it cut off where it ends too early or goes over the bound."""
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


def _mistakes(validator: Validator, value: Any, root: tuple[str, ...]) -> Iterator[dict[str, str]]:
    return (_mistake((*root, *found.path), found.detail) for found in validator.mistakes(value))


def _mistake(path: Sequence[str | int], detail: str) -> dict[str, str]:
    pointer = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return {"pointer": f"#/{pointer}", "detail": detail}


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
