"""JSON values of every kind, for property tests."""

from __future__ import annotations

import math
from typing import Any

from tests.properties import st

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
number = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(-(10**1004), 10**1004), st.floats(), st.integers(-100, 100)
)
scalar = st.one_of(st.none(), st.booleans(), number, text)
value = st.recursive(
    scalar,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=30,
)


def with_nulls(found: Any) -> Any:
    """What the layer makes of a value: numbers that are not finite and integers of over 1,000 digits are null."""
    if isinstance(found, list):
        return [with_nulls(element) for element in found]
    if isinstance(found, dict):
        return {key: with_nulls(element) for key, element in found.items()}
    if isinstance(found, float) and not math.isfinite(found):
        return None
    if type(found) is int and abs(found) >= 10**1_000:
        return None
    return found
