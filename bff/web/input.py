"""Reads a visitor's request as its recipe declares it: coerces, prunes, validates; every mistake at once.

Text becomes what its schema asks for; what is not declared is ignored, and so is an empty text where no text is asked
for; an object schema that is silent on `additionalProperties` drops the members that it does not list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from flask import Request
from msgspec import Struct

from bff.expressions.paths import Any_, Path
from bff.recipe import Input, Parameter, Recipe
from bff.validation import Validator
from bff.web.body import BodyReader
from bff.web.coercion import Coerce, Default, coercion_of, default_of, takes_empty
from bff.web.mistakes import NOT_TEXT, Errors, invalid, mistake, mistakes_in
from bff.web.undecodable import undecodable_in_path, undecodable_in_query


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
    """Where the recipe goes over what it finds."""

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

    def read(self, request: Request, path: Mapping[str, str], until: float) -> PageRequest:
        """Raises InputError (400, 408, 413, 415) with everything that is wrong; the body is read by `until`."""
        errors: Errors = []
        for place in [*undecodable_in_query(request, self.query.names), *undecodable_in_path(request, path)]:
            errors.append(mistake(place, NOT_TEXT))
        query = self.query.read(request.args.getlist, errors)
        headers = self.headers.read(
            lambda name: [_header_text(text) for text in request.headers.getlist(name)], errors
        )
        of_path = dict(path) | self.path.read(lambda name: [path[name]], errors)
        body = None if self.body is None else self.body.read(request, errors, until)
        found = PageRequest(of_path, query, headers, body)
        if not errors and self.lists:
            errors = [
                mistake(place, "must be a list") for path in self.lists for place in _no_lists(found, path)
            ]
        if errors:
            raise invalid(errors)
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


def _header_text(text: str) -> str:
    """A header as its sender meant it: WSGI has its bytes as characters, and browsers send UTF-8 or Latin-1."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


class ReadParameter(Struct, frozen=True):
    """One declared parameter, with all that its schema says of texts worked out."""

    name: str
    required: bool
    validator: Validator
    coerce: Coerce
    default: Default
    takes_empty: bool

    @classmethod
    def of(cls, declared: Parameter, place: str) -> ReadParameter:
        schema = declared.schema
        return cls(
            *(declared.name, declared.required, Validator(schema)),
            *(coercion_of(schema, in_header=place == "headers"), default_of(schema), takes_empty(schema)),
        )


class ParameterGroup(Struct, frozen=True):
    """The declared parameters of one place (path, query or headers)."""

    place: str
    names: frozenset[str]
    parameters: tuple[ReadParameter, ...]

    @classmethod
    def of(cls, place: str, declared: tuple[Parameter, ...]) -> ParameterGroup:
        names = frozenset(parameter.name for parameter in declared)
        return cls(place, names, tuple(ReadParameter.of(parameter, place) for parameter in declared))

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
                    errors.extend(mistakes_in(parameter.validator, value, (self.place, name)))
                continue
            values[name] = parameter.default()
            if parameter.required:
                errors.append(mistake((self.place, name), "is required", rule="required"))
        return values
