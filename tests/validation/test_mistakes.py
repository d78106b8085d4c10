"""What does not fit, in the words of the schema: where and what is allowed, and nothing of what came."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from bff.validation import MOST_MISTAKES, Validator
from bff.validation.mistakes import _WORDS
from tests.properties import given, st

SECRET = "Secret-Passphrase"
OBJECT = {"type": "object", "properties": {"name": {"type": "string"}}}


def found(schema: Any, value: Any) -> list[tuple[str, str]]:
    return [
        (".".join(map(str, mistake.path)), mistake.detail) for mistake in Validator(schema).mistakes(value)
    ]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer"}, SECRET, 'is not of type "integer"'),
        ({"type": ["integer", "null"]}, SECRET, 'is not of type "null" or "integer"'),
        ({"maxLength": 3}, SECRET, "is longer than 3 characters"),
        ({"minLength": 99}, SECRET, "is shorter than 99 characters"),
        ({"maxLength": 1}, SECRET, "is longer than 1 character"),
        ({"pattern": "^[a-z]+$"}, SECRET, 'does not match "^[a-z]+$"'),
        ({"enum": ["open", "done", None]}, SECRET, 'is not one of "open", "done" or null'),
        ({"enum": ["open"]}, SECRET, 'is not one of "open"'),
        ({"const": {"a": 1}}, SECRET, 'is not {"a": 1}'),
        ({"format": "email"}, SECRET, 'is not a "email"'),
        ({"oneOf": [{"type": "integer"}, {"const": 1}]}, SECRET, "has none of the forms that it may have"),
        ({"oneOf": [True, True]}, SECRET, "has more than one of the forms of which it must have one"),
        ({"anyOf": [{"type": "integer"}, {"const": 1}]}, SECRET, "has none of the forms that it may have"),
        ({"not": {"type": "string"}}, SECRET, "has a form that is not allowed"),
        ({"contains": {"type": "null"}}, [SECRET], "holds too few or too many of the elements that it must hold"),
        ({"uniqueItems": True}, [SECRET, SECRET], "holds equal elements"),
        ({"maxItems": 1}, [SECRET, SECRET], "has more than 1 element"),
        ({"minItems": 2}, [SECRET], "has less than 2 elements"),
        ({"prefixItems": [True], "unevaluatedItems": False}, [1, SECRET], "has more elements than are listed"),
        ({"properties": {"b": True}, "additionalProperties": False}, {SECRET: 1}, "holds a member that is not listed"),
        ({"unevaluatedProperties": False}, {SECRET: SECRET}, "holds a member that is not listed"),
        ({"propertyNames": {"maxLength": 3}}, {SECRET: 1}, "holds a member whose name is longer than 3 characters"),
        ({"maxProperties": 0}, {SECRET: 1}, "has more than 0 members"),
        ({"minProperties": 2}, {SECRET: 1}, "has less than 2 members"),
        ({"maximum": 5}, 7321, "is greater than the maximum of 5"),
        ({"minimum": 9999.5}, 7321, "is less than the minimum of 9999.5"),
        ({"exclusiveMaximum": 5}, 7321, "is not less than 5"),
        ({"exclusiveMinimum": 9999}, 7321, "is not greater than 9999"),
        ({"multipleOf": 5}, 7321, "is not a multiple of 5"),
        (False, SECRET, "is not allowed"),
    ],
)  # fmt: skip
def test_each_rule_says_what_is_allowed(schema: Any, value: Any, words: str) -> None:
    assert found({"properties": {"a": schema}}, {"a": value}) == [("a", words)]


def test_every_kind_of_mistake_that_the_library_knows_has_words_or_cannot_come() -> None:
    kinds = {name for name in vars(jsonschema_rs.ValidationErrorKind) if name[0].isupper()}
    never = {
        *("BacktrackLimitExceeded", "RegexEngineFailure"),  # a pattern that gives up says nothing of its own
        *(
            "ContentEncoding",
            "ContentMediaType",
            "Custom",
            "FromUtf8",
            "Referencing",
        ),  # not asserted, or not ours
    }
    assert kinds - never == set(_WORDS)


def test_a_required_member_is_where_it_is_missing() -> None:
    schema = {"properties": {"a": {"required": ["b"]}}, "dependentRequired": {"a": ["c"]}}
    assert sorted(found(schema, {"a": {}})) == [("a.b", "is required"), ("c", "is required")]


def test_a_name_that_the_visitor_made_up_ends_the_place() -> None:
    by_pattern = {"patternProperties": {"^S": {"type": "integer"}}, "properties": {"known": True}}
    others = {
        "type": "object",
        "additionalProperties": {"required": ["id"], "properties": {"id": {"enum": [1]}}},
    }
    schema = {"properties": {"by_pattern": by_pattern, "others": others}}
    value = {"by_pattern": {SECRET: "x"}, "others": {SECRET: {}, "another": {}, "third": {"id": 5}}}
    assert found(schema, value) == [
        ("by_pattern", 'holds a member that is not of type "integer"'),
        ("others", 'holds a member that lacks "id"'),
        ("others", "holds a member that is not one of 1"),
    ]


VALUES = st.recursive(
    st.sampled_from([SECRET, 7321, 0.7321]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just(SECRET), inner, max_size=1),
    max_leaves=5,
)
RULES = st.sampled_from(
    [
        {"type": "null"},
        {"maxLength": 1},
        {"pattern": "^x$"},
        {"enum": [1]},
        {"const": "y"},
        {"format": "uuid"},
        {"maximum": 0},
        {"maxItems": 0},
        {"maxProperties": 0},
        {"additionalProperties": False},
        {"propertyNames": {"pattern": "^x"}},
        {"not": {}},
    ]
)
SCHEMAS = st.recursive(
    RULES,
    lambda inner: (
        st.fixed_dictionaries({"items": inner})
        | st.fixed_dictionaries({"additionalProperties": inner})
        | st.fixed_dictionaries({"unevaluatedProperties": inner})
        | st.fixed_dictionaries({"patternProperties": st.fixed_dictionaries({"^S": inner})})
        | st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"contains": inner})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=4,
)


@given(SCHEMAS, VALUES)
def test_no_mistake_holds_anything_that_was_sent(schema: dict[str, Any], value: Any) -> None:
    mistakes = Validator(schema).mistakes(value)
    told = json.dumps([[list(mistake.path), mistake.detail, mistake.rule] for mistake in mistakes])
    assert "Secret" not in told and "7321" not in told
    assert bool(mistakes) != Validator(schema).is_valid(value)


def test_a_long_list_of_what_is_allowed_is_shortened() -> None:
    ((_, detail),) = found({"enum": [f"option {number}" for number in range(1000)]}, 1)
    assert detail.startswith('is not one of "option 0", "option 1"') and detail.endswith('or "option 999"')
    assert len(detail) < 400


def test_many_mistakes_are_told_up_to_a_number() -> None:
    assert len(found({"items": {"type": "string"}}, [1] * 3000)) == MOST_MISTAKES


# --- the time that it takes ------------------------------------------------------------------------------------------


def nested(levels: int, leaf: Any, name: str = "a") -> Any:
    value = leaf
    for _ in range(levels):
        value = {name: value}
    return value


def twice(keyword: str) -> dict[str, Any]:
    """A schema with two ways on each level that nothing tells apart."""
    ways = [{"type": "object", "properties": {"a": {"$ref": "#/$defs/node"}}} for _ in range(2)]
    return {"$defs": {"node": {keyword: [*ways, {"type": "string"}]}}, "$ref": "#/$defs/node"}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf", "allOf"])
def test_a_value_with_too_many_ways_to_look_at_it_is_refused_in_few_words(keyword: str) -> None:
    """With forty levels the library would be at it for years."""
    assert found(twice(keyword), nested(40, 1)) == [("", "does not fit, and is too large to say where")]


@pytest.mark.parametrize(
    "more", [{"required": [f"r{number}" for number in range(20)]}, {"allOf": [{"required": ["r"]}] * 20}]
)
def test_a_long_text_below_many_mistakes_is_not_written_down_with_each(more: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#"}, "text": {"type": "string"}}, **more}
    large, small = (nested(30, {"text": "x" * length}) for length in (200_000, 20))
    assert found(schema, large) == [("", "does not fit, and is too large to say where")]
    assert len(found(schema, small)) > 1


def test_one_long_text_hears_what_is_wrong() -> None:
    schema = {"properties": {"text": {"maxLength": 80}}}
    assert found(schema, {"text": "x" * 900_000}) == [("text", "is longer than 80 characters")]


def test_a_value_of_few_levels_still_hears_what_is_wrong() -> None:
    assert found(twice("oneOf"), nested(3, 1)) == [("", "has none of the forms that it may have")]


def test_a_recursive_schema_with_one_way_says_where_on_every_level() -> None:
    schema = {
        "$defs": {"n": {"properties": {"a": {"$ref": "#/$defs/n"}}, "type": "object"}},
        "$ref": "#/$defs/n",
    }
    assert found(schema, nested(40, 1)) == [(".".join("a" * 40), 'is not of type "object"')]


@pytest.mark.parametrize(
    "below",
    [
        {"additionalProperties": {"$ref": "#"}},
        {"patternProperties": {"": {"$ref": "#"}}},
        {"dependentSchemas": {"a": {"properties": {"a": {"$ref": "#"}}}}},
        {"if": True, "then": {"properties": {"a": {"$ref": "#"}}}},
        {"contains": {"$ref": "#"}},
        {"items": {"$ref": "#"}},
        {"prefixItems": [{"$ref": "#"}]},
    ],
)
def test_every_way_down_counts(below: dict[str, Any]) -> None:
    value: Any = 1
    for _ in range(40):
        value = [value] if "tems" in str(below) or "contains" in below else {"a": value}
    schema = {"type": ["object", "array"], "allOf": [below, dict(below)]}
    assert found(schema, value) == [("", "does not fit, and is too large to say where")]
