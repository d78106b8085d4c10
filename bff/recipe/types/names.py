"""The types of the names that the engine gives: the input, the visitor, replies and failures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from bff.errors import FailureKind
from bff.recipe.model import Given, Input, Parameter, Recipe
from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NULL,
    STRING,
    Array,
    Literal,
    Member,
    Named,
    Record,
    Type,
    nullable,
    union_of,
)
from bff.types.schemas import type_of_schema

_KIND = union_of(*map(Literal, get_args(FailureKind)))


def record(**members: Type) -> Record:
    """A record with these members."""
    return Record(tuple((name, Member(one)) for name, one in members.items()))


ERROR = record(status=INTEGER, kind=_KIND)
"""What a fallback sees of the failure."""

_FAILURE = Record(
    (
        *((name, Member(STRING)) for name in ("type", "title")),
        ("status", Member(INTEGER)),
        *((name, Member(STRING)) for name in ("detail", "step")),
        ("retryable", Member(BOOLEAN)),
        ("kind", Member(_KIND)),
        ("fields", Member(Array(STRING))),
        ("item", Member(INTEGER, required=False)),
        ("items", Member(Array(INTEGER), required=False)),
        ("stale", Member(BOOLEAN, required=False)),
    )
)

ERRORS = Array(Named("Failure", {"Failure": _FAILURE}))
"""What a page tells of the failures in it."""


def reply(status: Type, body: Type) -> Record:
    """What an expression sees of a reply."""
    return record(status=status, headers=Record((), STRING), body=body)


def input_names(declared: Input) -> Mapping[str, Type]:
    """What the visitor sends, once it is checked."""
    return {
        "path": _parameters(declared.path),
        "query": _parameters(declared.query),
        "headers": _parameters(declared.headers),
        "body": NULL if declared.body is None else type_of_schema(declared.body, reply=False),
    }


def _parameters(parameters: Iterable[Parameter]) -> Record:
    return Record(
        tuple((one.name, Member(_parameter(one.schema, required=one.required))) for one in parameters)
    )


def _parameter(schema: Mapping[str, object], *, required: bool) -> Type:
    found = type_of_schema(schema, reply=False)
    if schema.get("default") is not None:
        return found  # `check` has held it to the schema
    return found if required else nullable(found)


def given_to_part(given: Given) -> Type:
    """What a part takes of what it is given."""
    return _parameter(given.schema, required=given.required)


def visitor(recipe: Recipe, signed_in: Type) -> Type:
    """What `user` is on a page, of what it is for those who have signed in."""
    if recipe.auth == "none":
        return NULL
    return nullable(signed_in) if recipe.auth == "optional" else signed_in
