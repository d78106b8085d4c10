"""What is written of replies that came: types alone, into a file whose other words stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bff.expressions.paths import ANY
from bff.expressions.paths import Path as Read
from bff.recipe.contracts.document import Document, read_document
from bff.recipe.contracts.learned import Learned
from bff.recipe.contracts.observed import Names, merged, schema_of
from bff.recipe.contracts.types_file import HEADER, with_learned
from tests.properties import given, st

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}


@pytest.mark.parametrize(
    ("value", "reads", "schema"),
    [
        ("anna@example.com", [()], STRING),
        (7, [()], INTEGER),
        (7.0, [()], {"type": "number"}),
        (True, [()], {"type": "boolean"}),
        (None, [()], {"type": "null"}),
        ([], [(ANY,)], {"type": "array"}),
        ([1, 2.5], [(ANY,)], {"type": "array", "items": {"type": "number"}}),
        ([1, "a", None], [()], {"type": "array", "items": {"type": ["integer", "string", "null"]}}),
        ({"id": "1", "secret": "x"}, [("id",)], {"type": "object", "properties": {"id": STRING}}),
        ({"anna": {"n": 1}}, [()], {"type": "object"}),
        ({"anna": {"n": 1}}, [("bob",)], {"type": "object"}),
        (
            {"anna": {"n": 1}, "bob": {"n": "x"}, "carl": {}},
            [(ANY, "n")],
            {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {"n": {"type": ["integer", "string"]}},
                },
            },
        ),
        (
            {"total": 2, "anna": 1.5},
            [("total",), (ANY,)],
            {"type": "object", "properties": {"total": INTEGER}, "additionalProperties": {"type": "number"}},
        ),
        (
            {"items": [{"id": "1", "x": 1}, {}]},
            [("items", ANY, "id")],
            {
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": {"type": "object", "properties": {"id": STRING}}}
                },
            },
        ),
    ],
)
def test_of_a_value_its_type_is_written(value: Any, reads: list[Read], schema: Any) -> None:
    assert schema_of(value, Names(reads)) == schema


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", "items", "name"]), inner)
    ),
)
READS = st.lists(st.lists(st.sampled_from(["id", "items", "name", ANY]), max_size=4).map(tuple))
WORDS = {
    *("type", "properties", "additionalProperties", "items", "id", "name"),
    *("string", "integer", "number", "boolean", "array", "object", "null"),
}


def words_of(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        return schema.keys() | {word for one in schema.values() for word in words_of(one)}
    return {word for one in schema for word in words_of(one)} if isinstance(schema, list) else {schema}


@given(VALUES, READS)
def test_no_word_is_written_that_is_not_of_the_schema_or_of_the_recipe(value: Any, reads: Any) -> None:
    assert words_of(schema_of(value, Names(reads))) <= WORDS


@pytest.mark.parametrize(
    ("known", "seen", "both"),
    [
        ({}, STRING, STRING),
        (STRING, STRING, STRING),
        (STRING, {"type": "null"}, {"type": ["string", "null"]}),
        ({"type": "number"}, INTEGER, {"type": "number"}),
        (INTEGER, {"type": "number"}, {"type": "number"}),
        ({"type": ["string", "null"]}, STRING, {"type": ["string", "null"]}),
        ({"type": "array"}, {"type": "array", "items": STRING}, {"type": "array", "items": STRING}),
        ({"enum": ["a"]}, INTEGER, {"enum": ["a"]}),
        ({"description": "any"}, INTEGER, {"description": "any"}),
        (
            {"type": "object", "required": ["a"], "properties": {"a": STRING}, "title": "A"},
            {"type": "object", "properties": {"b": INTEGER, "a": {"type": "null"}}},
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": ["string", "null"]}, "b": INTEGER},
                "title": "A",
            },
        ),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": INTEGER},
            {"type": "object", "additionalProperties": False},
        ),
    ],
)
def test_types_grow_and_what_an_author_wrote_stays(known: Any, seen: Any, both: Any) -> None:
    assert merged(known, seen) == both


def document(tmp_path: Path, text: str) -> Document:
    path = tmp_path / "people.types.yaml"
    path.write_text(text, encoding="utf-8")
    found, findings = read_document(path, "clients/people.types.yaml")
    assert found is not None
    assert findings == []
    assert Learned(found).findings == []
    return found


def test_a_new_file_says_what_it_is(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"id": STRING, "on": {"type": ["integer", "null"]}, "a b": STRING},
    }
    text, changed = with_learned(None, {"GET /people/{id}": schema, "GET /people": {"type": "array"}})
    assert changed == ["GET /people/{id}", "GET /people"]
    assert text == (
        HEADER + "\nGET /people/{id}:\n  type: object\n  properties:\n    id: {type: string}\n"
        '    on: {type: [integer, "null"]}\n    a b: {type: string}\n\nGET /people: {type: array}\n'
    )
    assert with_learned(document(tmp_path, text), {"GET /people/{id}": schema}) == (text, [])


WRITTEN = """\
# At the top.

GET /people/{id}:  # why
  type: object
  title: "A person: somebody"
  # by hand
  required: [id]  # always
  properties:
    id: {type: string}  # its id
    # never mind
    kind: {enum: [a, b]}

GET /people: {type: array}
# The end.
"""


def test_comments_and_order_stay(tmp_path: Path) -> None:
    seen = {"type": "object", "properties": {"name": STRING, "id": {"type": "null"}, "kind": INTEGER}}
    text, changed = with_learned(document(tmp_path, WRITTEN), {"GET /people/{who}": seen, "GET /x": STRING})
    assert changed == ["GET /people/{id}", "GET /x"]
    assert text == WRITTEN.replace(
        "id: {type: string}  # its id", 'id: {type: [string, "null"]}  # its id'
    ).replace("kind: {enum: [a, b]}\n", "kind: {enum: [a, b]}\n    name: {type: string}\n").replace(
        "# The end.", "\nGET /x: {type: string}\n# The end."
    )


def test_the_same_text_is_written_where_nothing_is_new(tmp_path: Path) -> None:
    assert with_learned(document(tmp_path, WRITTEN), {"GET /people": {"type": "array"}}) == (WRITTEN, [])


@given(
    st.dictionaries(st.text(min_size=1), st.sampled_from([STRING, {"type": ["string", "null"]}]), min_size=1)
)
def test_every_name_of_a_member_is_read_back(tmp_path_factory: pytest.TempPathFactory, members: Any) -> None:
    schema = {"type": "object", "properties": members}
    text, _ = with_learned(None, {"GET /a": schema})
    assert with_learned(document(tmp_path_factory.mktemp("types"), text), {"GET /a": schema})[1] == []
