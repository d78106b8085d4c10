"""Reads a visitor's request as its recipe declares it: coerces, prunes, validates; every mistake at once.

Text becomes what its schema asks for; what is not declared is ignored, and so is an empty text where no text is asked
for; an object schema that is silent on `additionalProperties` drops the members that it does not list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from bff.expressions.paths import Any_, Path
from bff.recipe.model import Input, Parameter, Recipe
from bff.validation import Validator
from bff.web.body import BodyReader
from bff.web.coercion import Coerce, Default, coercion_of, default_of, takes_empty
from bff.web.mistakes import NOT_TEXT, Errors, invalid, mistake, mistakes_in
from bff.web.query import texts_of, undecodable_in
from bff.web.quick import UNFIT, Quick, quick_for
from bff.web.request import PageRequest, key_of
from bff.web.undecodable import undecodable_in_path

Scope = dict[str, Any]
"""What expressions see of a request: `path`, `query`, `headers` and `body`; absent parameters are null."""


class InputReader(Struct, frozen=True):
    """Reads requests for one recipe; made once at start."""

    path: ParameterGroup
    query: ParameterGroup
    headers: ParameterGroup
    body: BodyReader | None
    lists: tuple[Path, ...] = ()
    """Where the recipe goes over what it finds."""
    is_plain: bool = False
    """Whether there is nothing to read but the path and the query."""

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
            is_plain=not (declared.headers or declared.body is not None or lists),
        )

    def read(self, request: PageRequest, path: Mapping[str, str], until: float) -> Scope:
        """Raises InputError (400, 408, 413, 415) with everything that is wrong; the body is read by `until`."""
        query: str = request.environ.get("QUERY_STRING", "")
        if self.is_plain and "%" not in query and "+" not in query and query.isascii():
            of_path = self.path.read_quickly(path) if path else {}
            of_query: dict[str, Any] | None = {}
            if self.query.parameters:
                last: dict[str, str] = {}
                for pair in query.split("&") if query else ():
                    name, _, text = pair.partition("=")
                    last[name] = text  # of several the last one counts
                of_query = self.query.read_quickly(last)
            if of_path is not None and of_query is not None:
                return {"path": of_path, "query": of_query, "headers": {}, "body": None}
        return self._read_all(request, path, query, until)

    def _read_all(self, request: PageRequest, path: Mapping[str, str], query: str, until: float) -> Scope:
        wrong = [("query", name) for name in undecodable_in(query, self.query.names)]
        errors: Errors = [mistake(place, NOT_TEXT) for place in [*wrong, *undecodable_in_path(request, path)]]
        texts = texts_of(query)
        found: Scope = {
            "query": self.query.read(lambda name: texts.get(name, []), errors),
            "headers": self.headers.read(lambda name: _header_texts(request, name), errors),
            "path": dict(path) | self.path.read(lambda name: [path[name]], errors),
            "body": None if self.body is None else self.body.read(request, errors, until),
        }
        if not errors and self.lists:
            errors = [
                mistake(place, "must be a list") for path in self.lists for place in _no_lists(found, path)
            ]
        if errors:
            raise invalid(errors)
        return found


def _no_lists(found: Scope, path: Path) -> Iterator[tuple[str | int, ...]]:
    """Where a request has something else than a list or null at a path that its recipe goes over."""
    root = str(path[0])
    level: list[tuple[tuple[str | int, ...], Any]] = [((root,), found[root])]
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


def _header_texts(request: PageRequest, name: str) -> list[str]:
    """The texts of a header; a name with an underscore is none that WSGI could tell."""
    text: str | None = None if "_" in name else request.environ.get(key_of(name))
    return [] if text is None or (text == "" and key_of(name)[:5] != "HTTP_") else [_header_text(text)]


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
    quick: Quick | None

    @classmethod
    def of(cls, declared: Parameter, place: str) -> ReadParameter:
        schema = declared.schema
        return cls(
            *(declared.name, declared.required, Validator(schema)),
            *(coercion_of(schema, in_header=place == "headers"), default_of(schema), takes_empty(schema)),
            quick_for(schema),
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

    def read_quickly(self, given: Mapping[str, str]) -> dict[str, Any] | None:
        """The values of texts that plainly fit; None where that takes a closer look."""
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            name = parameter.name
            text = given.get(name)
            if text is None:
                if parameter.required:
                    return None
                values[name] = parameter.default()
            elif parameter.quick is None or not text.isascii():
                return None
            else:
                value = values[name] = parameter.quick(text)
                if value is UNFIT:
                    return None
        return values

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
