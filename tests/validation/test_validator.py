"""Validators: what they see at a glance is what the library says."""

from __future__ import annotations

import sys
from typing import Any

import jsonschema_rs
import pytest

from bff.validation import Validator
from tests.properties import given, st

NUMBERS = st.integers(-3, 3) | st.floats(-3, 3) | st.just(2**70)
TEXTS = st.text(max_size=3) | st.sampled_from(["open", "done", "\U0001f600"])
VALUES = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(NUMBERS, max_size=2)
SCHEMAS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "null", ["string", "null"]]),
        "enum": st.lists(VALUES, min_size=1, max_size=3, unique_by=repr),
        "minimum": NUMBERS,
        "maximum": NUMBERS,
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "pattern": st.just("^o"),
        "default": VALUES,
        "title": st.just("a title"),
    },
)


@given(SCHEMAS, VALUES)
def test_a_value_fits_where_the_library_says_so(schema: dict[str, Any], value: Any) -> None:
    library = jsonschema_rs.Draft202012Validator(schema)
    validator = Validator(schema)
    assert validator.is_valid(value) == library.is_valid(value)
    assert [mistake.rule for mistake in validator.mistakes(value)] == [
        error.kind.name for error in library.iter_errors(value)
    ]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "enum": ["open", "done"], "default": "open"}, "done"),
        ({"type": "string", "minLength": 1, "maxLength": 20}, "买牛奶"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, 100),
        ({"type": "boolean"}, False),
    ],
)
def test_the_library_is_not_loaded_for_what_plainly_fits(
    schema: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    assert Validator(schema).is_valid(value)
