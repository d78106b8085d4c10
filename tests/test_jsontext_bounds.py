"""How large JSON values are, measured and written within bounds, and at what cost."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from bff import jsontext
from bff.jsontext import TooLarge, encode, encode_within, encoder_within, measure
from tests.json_values import value, with_nulls
from tests.properties import given, st


def nodes_of(found: Any) -> int:
    if isinstance(found, list):
        return 1 + sum(map(nodes_of, found))
    if isinstance(found, dict):
        return 1 + sum(map(nodes_of, found.values()))
    return 1


def depth_of(found: Any) -> int:
    if isinstance(found, list):
        return 1 + max(map(depth_of, found), default=0)
    if isinstance(found, dict):
        return 1 + max(map(depth_of, found.values()), default=0)
    return 0


FAR = 10**9
_PART = list(range(100_000))
ROWS_OF_SHARED_PARTS: dict[str, Any] = {
    "lists": [{"x": at, "all": _PART} for at in range(2_000)],
    "lists in lists": [[_PART]] * 2_000,
    "mappings": [dict.fromkeys(map(str, _PART), 1)] * 15_000,
    "keys": [{"k" * 100_000: 1}] * 15_000,
    "texts": ["x" * 100_000] * 15_000,
    "integers": [[10**307] * 1_000] * 1_000,
    "empty lists": [[]] * 3_000_000,
}


def fits(found: Any, nodes: int = FAR, size: int = FAR, depth: int = FAR) -> bool:
    try:
        measure(found, nodes, size, depth)
    except TooLarge:
        return False
    return True


def values_looked_at(monkeypatch: pytest.MonkeyPatch, found: Any) -> int:
    looked_at = 0
    own_size = jsontext._own_size

    def counting(values: Any) -> Any:
        nonlocal looked_at
        values = list(values)
        looked_at += len(values)
        return own_size(values)

    monkeypatch.setattr(jsontext, "_own_size", counting)
    measure(found, FAR, FAR, 10)
    return looked_at


@pytest.fixture(params=["level by level", "once each"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "once each":
        monkeypatch.setattr("bff.jsontext._QUICKLY", 1)


@pytest.mark.usefixtures("_either_way")
class TestMeasure:
    def test_it_counts_nodes_and_depth_exactly_and_bytes_from_below(self) -> None:
        @given(value)
        def check(found: Any) -> None:
            found = with_nulls(found)
            nodes, depth, size = nodes_of(found), depth_of(found), len(encode(found))
            assert fits(found, nodes=nodes) and not fits(found, nodes=nodes - 1)
            assert fits(found, depth=depth)
            assert depth == 0 or not fits(found, depth=depth - 1)
            assert fits(found, size=size)

        check()

    def test_bytes_are_counted_nearly_whole(self) -> None:
        found = [{"id": at, "title": "a todo", "tags": ["x", "y"], "done": None} for at in range(100)]
        assert not fits(found, size=len(encode(found)) // 2)
        assert not fits("x" * 1000, size=999)
        assert not fits({"x" * 1000: 1}, size=999)

    def test_a_shared_list_counts_each_time_but_costs_once(self) -> None:
        found: Any = ["text"]
        for _ in range(90):
            found = [found, found]
        beyond = 10**40
        narrow = {"nodes": (10**6, FAR, FAR), "bytes": (beyond, 10**7, FAR), "depth": (beyond, beyond, 50)}
        for bound, bounds in narrow.items():
            begun = time.process_time()
            with pytest.raises(TooLarge) as caught:
                measure(found, *bounds)
            assert caught.value.bound == bound
            assert time.process_time() - begun < 1.0

    @pytest.mark.parametrize("name", ROWS_OF_SHARED_PARTS)
    def test_what_is_shared_is_counted_before_it_is_built(self, name: str) -> None:
        largest = 8 * 2**20
        for count in (measure, encode_within):
            tracemalloc.start()
            try:
                with pytest.raises(TooLarge):
                    count(ROWS_OF_SHARED_PARTS[name], largest // 4, largest, 100)
                assert tracemalloc.get_traced_memory()[1] < 2 * largest
            finally:
                tracemalloc.stop()

    def test_each_distinct_part_is_looked_into_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        part = list(range(1_000))
        found = [[part, part]] * 500
        assert measure(found, FAR, FAR, 10) == 1 + 500 * (1 + 2 * 1_001)
        assert values_looked_at(monkeypatch, found) < jsontext._QUICKLY + 1_000 + 500 + 3

    def test_the_digits_of_integers_are_bytes(self) -> None:
        found = [10**300] * 1_000
        assert not fits(found, size=200_000)
        assert fits(found, size=len(encode(found)))

    def test_shared_parts_that_fit_pass(self) -> None:
        part = {"a": ["b"] * 10}
        found = [part] * 100
        assert fits(found, nodes=nodes_of(found), depth=3)
        assert not fits(found, nodes=nodes_of(found) - 1)

    def test_a_list_inside_itself_is_too_deep(self) -> None:
        found: list[Any] = []
        found.append({"again": found})
        with pytest.raises(TooLarge):
            measure(found, 10**5, 10**6, 100)

    def test_depth_needs_no_recursion(self) -> None:
        found: Any = 1
        for _ in range(200_000):
            found = [found]
        assert not fits(found, depth=100)
        while isinstance(found, list):  # freed from the outside in, which needs no recursion either
            found = found[0]


def test_of_many_rows_each_value_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"id": at, "title": "a todo", "done": False} for at in range(100_000)]
    assert values_looked_at(monkeypatch, found) < 400_001 + jsontext._QUICKLY


def bound_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except TooLarge as error:
        return error.bound
    return None


class TestEncodeWithin:
    def test_it_takes_and_refuses_what_measure_does(self) -> None:
        bounds = st.integers(0, 40)

        @given(value, bounds, bounds, bounds)
        def check(found: Any, nodes: int, size: int, depth: int) -> None:
            found = with_nulls(found)
            refused = bound_of(lambda: measure(found, nodes, size, depth))
            assert bound_of(lambda: encode_within(found, nodes, size, depth)) == refused
            if refused is None:
                assert encode_within(found, nodes, size, depth) == encode(found)

        check()

    def test_the_quick_encoder_gives_the_same_or_asks_the_close_one(self) -> None:
        @given(value, st.integers(0, 4000), st.integers(0, 6))
        def check(found: Any, size: int, depth: int) -> None:
            found = with_nulls(found)

            def closely(value: Any) -> bytes:
                return encode_within(value, size // 4, size, depth)

            quick = encoder_within(size, depth, closely)
            refused = bound_of(lambda: closely(found))
            assert bound_of(lambda: quick(found)) == refused
            if refused is None:
                assert quick(found) == encode(found)

        check()

    @pytest.mark.parametrize("length", [10, 65_000, 70_000, 2_000_000])
    def test_long_texts_are_whole(self, length: int) -> None:
        found = [{"a": "[{" * 50}, "é" * length]
        assert encode_within(found, FAR, FAR, 2) == encode(found)
        assert bound_of(lambda: encode_within(found, FAR, length, 2)) == "bytes"

    def test_brackets_in_texts_are_no_depth(self) -> None:
        found = [["[[[[[]"], {"{{{{": ["}"]}]
        assert encode_within(found, FAR, FAR, 3) == encode(found)
        assert bound_of(lambda: encode_within(found, FAR, FAR, 2)) == "depth"

    def test_a_list_of_very_many_is_never_written(self) -> None:
        found: Any = ["text"]
        for _ in range(90):
            found = [found, found]
        largest = 8 * 2**20
        tracemalloc.start()
        begun = time.process_time()
        try:
            with pytest.raises(TooLarge):
                encode_within(found, largest // 4, largest, 100)
            assert tracemalloc.get_traced_memory()[1] < 3 * largest
        finally:
            tracemalloc.stop()
        assert time.process_time() - begun < 1.0

    def test_a_list_inside_itself_is_too_large(self) -> None:
        found: list[Any] = []
        found.append({"again": found})
        with pytest.raises(TooLarge):
            encode_within(found, 10**5, 10**6, 100)
        with pytest.raises(TooLarge):
            encode_within(found, FAR, FAR, FAR)

    def test_a_short_answer_is_not_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bff.jsontext.measure", lambda *_: pytest.fail("it was measured"))
        found = [{"id": at, "title": "a todo", "done": False} for at in range(1_000)]
        assert encode_within(found, 10**6, 10**7, 100) == encode(found)
