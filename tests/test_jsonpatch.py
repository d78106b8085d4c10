"""JSON Patch: the operations between two values, and that they lead from one to the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bff.errors import BoundError
from bff.expressions import Evaluation
from bff.jsonpatch import changes, replacement
from bff.testing.lines import patched
from tests.properties import given, st

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([1.0, 0.5])
    | st.sampled_from(["", "a", "b/c~d"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["a", "b", "~", "x/y", ""]), inner, max_size=4)
    ),
    max_leaves=25,
)


def exact(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(VALUES, VALUES)
def test_the_operations_lead_from_one_value_to_the_other(before: Any, after: Any) -> None:
    assert exact(patched(json.loads(exact(before)), changes(before, after))) == exact(after)


@given(VALUES)
def test_between_a_value_and_its_equal_is_nothing(value: Any) -> None:
    assert changes(value, json.loads(exact(value))) == []


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        (None, {"a": 1}, [{"op": "replace", "path": "", "value": {"a": 1}}]),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [{"op": "replace", "path": "/b", "value": 3}]),
        ({"a": 1}, {"a": 1, "b": 2}, [{"op": "add", "path": "/b", "value": 2}]),
        ({"a": 1, "b": 2}, {"a": 1}, [{"op": "remove", "path": "/b"}]),
        ({"x/y": {"~": 1}}, {"x/y": {"~": 2}}, [{"op": "replace", "path": "/x~1y/~0", "value": 2}]),
        ([1, True], [1.0, True], [{"op": "replace", "path": "/0", "value": 1.0}]),
        ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True}]),
        ([], [7], [{"op": "add", "path": "/0", "value": 7}]),
        (["long text", 3], ["long text", 3, 4], [{"op": "add", "path": "/2", "value": 4}]),
        ([1, 2, 3], [1, 3], [{"op": "remove", "path": "/1"}]),
        ([1, 2, 3], [4, 5], [{"op": "replace", "path": "", "value": [4, 5]}]),
    ],
)
def test_the_operations_are_few(before: Any, after: Any, operations: list[dict[str, Any]]) -> None:
    assert changes(before, after) == operations


def test_lists_of_one_length_are_compared_element_by_element() -> None:
    before = [{"id": at, "title": f"a title of some length {at}", "owner": None} for at in range(3)]
    after = [{**row, "owner": {"name": "Ann"}} for row in before]
    assert changes(before, after) == [
        {"op": "replace", "path": f"/{at}/owner", "value": {"name": "Ann"}} for at in range(3)
    ]


def test_many_small_changes_are_one_when_that_is_much_shorter() -> None:
    before, after = [0] * 100, [1] * 100
    assert changes({"many": before, "x": 1}, {"many": after, "x": 1}) == [
        {"op": "replace", "path": "/many", "value": after}
    ]


def test_what_is_the_same_object_is_not_looked_into() -> None:
    shared = list(range(10_000))
    evaluation = Evaluation(work=20)
    assert changes({"a": shared, "b": 1}, {"a": shared, "b": 2}, evaluation.charge) == [
        {"op": "replace", "path": "/b", "value": 2}
    ]


def test_a_comparison_is_charged_for() -> None:
    with pytest.raises(BoundError):
        changes(list(range(100)), list(range(100)), Evaluation(work=50).charge)


def test_a_replacement_makes_any_document_another() -> None:
    assert patched({"a": 1}, replacement([2])) == [2]


def test_long_keys_are_paid_for_each_time_that_they_are_written() -> None:
    key = "k" * 1_000_000
    with pytest.raises(BoundError):
        changes({key: [0] * 1_000}, {key: [1] * 1_000}, Evaluation().charge)
    assert changes({key: 1}, {key: 2}, Evaluation().charge)[0]["value"] == 2


def test_members_that_come_and_go_are_paid_for() -> None:
    members = {"m" * 4_000 + str(at): 0 for at in range(1_000)}
    for before, after in ((members, {}), ({}, members)):
        with pytest.raises(BoundError):
            changes(before, after, Evaluation(work=100_000).charge)
