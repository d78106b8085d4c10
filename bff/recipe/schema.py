"""The JSON Schema of recipe files, made from the declared keys: editors complete and validate with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bff.expressions.limits import MAX_LOOPS
from bff.recipe.keys import FORMATS, KEYS, STEP_KINDS, VERBS, Key

Json = dict[str, Any]
FILE = "recipe.schema.json"

_DURATION: Json = {"type": "string", "pattern": "^[0-9]{1,6}(ms|s|m|h)$"}
_EXPRESSION: Json = {"type": ["string", "number", "boolean"]}
_CLAUSE: Json = {"type": "string", "pattern": r"^\s*\w+\s+in\s"}
_STEP_NAME = "^[A-Za-z][A-Za-z0-9_]*$"
_NAME: Json = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"}
_TREE: Json = {"$ref": "#/$defs/tree"}
_VARIABLE: Json = {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"}

_FORMS: dict[str, Json] = {
    "boolean": {"type": "boolean"},
    "columns": {
        "anyOf": [
            {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "uniqueItems": True,
            },
            {
                "type": "object",
                "additionalProperties": {"type": "string", "minLength": 1},
                "minProperties": 1,
            },
        ]
    },
    "file name": {"type": "string", "minLength": 1},
    "character": {"type": "string", "minLength": 1, "maxLength": 1},
    "client": _NAME,
    "document": {"type": "string", "minLength": 1},
    "duration": _DURATION,
    "expression": _EXPRESSION,
    "format": {"enum": list(FORMATS)},
    "header": {
        "anyOf": [
            {"const": True},
            {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "uniqueItems": True,
            },
        ]
    },
    "list clause": _CLAUSE,
    "loop clause": _CLAUSE,
    "loop clauses": {
        "anyOf": [_CLAUSE, {"type": "array", "items": _CLAUSE, "minItems": 1, "maxItems": MAX_LOOPS}]
    },
    "header name": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]*$"},
    "name": {"type": "string", "minLength": 1},
    "names": {"type": "array", "items": {"type": "string", "pattern": r"^[A-Za-z][\w-]*(\.[A-Za-z]\w*)*$"}},
    "needs": {"anyOf": [{"const": "reads"}, {"type": "array", "items": {"type": "string", "minLength": 1}}]},
    "parameters": {"type": "object", "additionalProperties": {"$ref": "#/$defs/parameter"}},
    "path": {"type": "string", "pattern": "^/"},
    "rate": {"type": "string", "pattern": "^[1-9][0-9]{0,5}/(s|min|h)$"},
    "route": {"type": "string", "pattern": r"^(GET|POST|PUT|PATCH|DELETE) +/\S*$"},
    "schema": {"$ref": "#/$defs/schema"},
    "statuses": {
        "type": "object",
        "propertyNames": {"pattern": "^[2-5][0-9]{2}$"},
        "additionalProperties": _TREE,
    },
    "steps": {
        "type": "object",
        "propertyNames": {"pattern": _STEP_NAME},
        "additionalProperties": {"$ref": "#/$defs/step"},
    },
    "text": {"type": "string"},
    "tree": _TREE,
    "trees": {"type": "object", "additionalProperties": _TREE},
    "variables": {"anyOf": [_VARIABLE, {"type": "array", "items": _VARIABLE, "minItems": 1}]},
    "trees or expression": {"type": ["object", "string"], "additionalProperties": _TREE},
}


def recipe_schema() -> Json:
    """The JSON Schema (2020-12) of a recipe file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Recipe",
        "description": "One page: its route, its input, the steps that make it, and its answer.",
        **_table("recipe"),
        "$defs": {
            "step": _step(),
            **{_slug(name): _table(name) for name in KEYS if name not in ("recipe", "each")},
            "tree": _tree(),
            "parameter": _parameter(),
            "schema": {"description": "A JSON Schema.", "type": ["object", "boolean"]},
        },
    }


def _table(name: str) -> Json:
    """The object schema of a table of keys."""
    keys = KEYS[name]
    schema: Json = {
        "type": "object",
        "properties": {key.name: _property(key) for key in keys},
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
    }
    if name in ("request", "undo"):
        schema["oneOf"] = [{"required": [verb]} for verb in (*VERBS, "graphql")]
    return {key: value for key, value in schema.items() if value != []}


def _property(key: Key) -> Json:
    default = f" Default: {key.default}." if key.default else ""
    return {"description": f"{key.doc}{default}", **_form(key)}


def _form(key: Key) -> Json:
    """What the value of a key may be."""
    special: dict[str, Callable[[], Json]] = {
        "choice": lambda: {"enum": list(key.choices)},
        "integer": lambda: {"type": "integer", "minimum": key.minimum, "maximum": key.maximum},
        "object": lambda: {"$ref": f"#/$defs/{_slug(key.table)}"},
    }
    form = special[key.kind]() if key.kind in special else _FORMS[key.kind]
    if key.name == "status":
        number = {"type": "integer", "minimum": key.minimum, "maximum": key.maximum}
        return {"anyOf": [number, {"type": "string"}]}
    if key.short is not None:
        return {"anyOf": [_FORMS[key.short], form]}
    if None in key.also:
        return {"anyOf": [form, {"type": "null"}]}
    return form


def _step() -> Json:
    """A step is told apart by the one key that names its kind."""
    kinds = list(STEP_KINDS.items())
    chain: Json = {"required": ["client"], "$ref": "#/$defs/request"}
    for key, kind in reversed(kinds):
        then = {"$ref": f"#/$defs/{_slug(kind)}"}
        chain = {"if": {"required": [key]}, "then": then, "else": chain}
    return {"type": "object", **chain}


def _tree() -> Json:
    description = "Mappings and lists are structure, texts are expressions, the rest is itself."
    each = {
        "if": {"required": ["each"]},
        "then": _table("each"),
        "else": {"additionalProperties": _TREE},
    }
    return {
        "description": description,
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": _TREE},
            {"type": "object", **each},
        ],
    }


def _parameter() -> Json:
    required = {"type": "boolean", "description": "Whether a request without it is refused."}
    return {
        "description": "A JSON Schema; required may stand beside it.",
        "type": "object",
        "properties": {"required": required},
    }


def _slug(name: str) -> str:
    return name.replace(" ", "-")
