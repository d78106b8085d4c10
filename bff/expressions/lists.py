"""The library's functions over lists and mappings. What is no list counts as an empty one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bff.expressions import decimals
from bff.expressions.evaluation import Evaluation
from bff.expressions.library import Function, library
from bff.expressions.operators import column, get, item
from bff.expressions.values import MAX_DEPTH, MAX_INTEGER, MIN_INTEGER, NUMBERS, is_number

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

MAX_RANGE = 1_000
_KEY_BYTES = 100


def listed(evaluation: Evaluation, items: Any, work: int = 1) -> list[Any]:
    """The list, paid for as one pass over it; of anything else an empty one."""
    if items.__class__ is not list:
        return []
    evaluation.charge(len(items) * work)
    return items


@_declare("len(x)", 1, 1, "integer of list | object | string")
def length(evaluation: Evaluation, value: Any) -> int | None:
    """How many items a list, keys a mapping or characters a text has; null gives null."""
    return len(value) if value.__class__ in (list, dict, str) else None


@_declare("count(item for item in list if item.done)", 1, 1, "integer of any")
def count(evaluation: Evaluation, items: Any) -> int:
    """How many items there are; null gives 0."""
    return len(items) if items.__class__ is list else 0


@_declare("sum(list)", 1, 1, "the sum of the items")
def total(evaluation: Evaluation, items: Any) -> int | float | None:
    """The numbers of a list added up, nulls left out; null gives 0, anything but numbers null."""
    found = [value for value in listed(evaluation, items) if value is not None]
    return decimals.total(evaluation, found) if all(is_number(value) for value in found) else None


def _extreme(choose: Callable[[list[Any]], Any], evaluation: Evaluation, values: tuple[Any, ...]) -> Any:
    items = listed(evaluation, values[0] if len(values) == 1 else list(values))
    found = [value for value in items if value is not None]
    kinds = {value.__class__ for value in found}
    if not found or not (kinds <= NUMBERS or kinds == {str}):
        return None
    if kinds == {str}:
        evaluation.charge(sum(map(len, found)) >> 8)
    return choose(found)


@_declare("min(list)", 1, None, "one of the values")
def least(evaluation: Evaluation, *values: Any) -> Any:
    """The smallest number or text of a list, or of several values, nulls left out; null gives null."""
    return _extreme(min, evaluation, values)


@_declare("max(list)", 1, None, "one of the values")
def most(evaluation: Evaluation, *values: Any) -> Any:
    """The greatest number or text of a list, or of several values, nulls left out; null gives null."""
    return _extreme(max, evaluation, values)


@_declare("any(item.done for item in list)", 1, 1, "boolean of any")
def any_true(evaluation: Evaluation, items: Any) -> bool:
    """True if one of the values is true; null gives false."""
    return any(listed(evaluation, items))


@_declare("all(item.done for item in list)", 1, 1, "boolean of any")
def all_true(evaluation: Evaluation, items: Any) -> bool:
    """True if no value is false; null gives true."""
    return all(listed(evaluation, items))


def _at_path(evaluation: Evaluation, items: list[Any], path: str) -> list[Any]:
    """What each item has at a path such as `owner.id`."""
    evaluation.charge(len(path) >> 4)
    evaluation.take(2 * len(path) + 16 * len(items) + 56 * MAX_DEPTH)
    keys = path.split(".", MAX_DEPTH)  # nothing nests deeper
    evaluation.charge(len(items) * len(keys))
    return column(items, keys)


@_declare("sort(list, 'due', '-owner.name')", 1, None, "the list, by fields")
def ordered(evaluation: Evaluation, items: Any, *keys: Any) -> list[Any] | None:
    """The list ordered by these fields of its items, '-' for descending, or by the items themselves;
    nulls come last; null gives []."""
    if not all(key.__class__ is str for key in keys):
        return None
    found = listed(evaluation, items, 2 + len(keys))
    evaluation.take(24 * len(found) + 56)
    result = found
    for key in reversed(keys or ("",)):
        name = key.removeprefix("-")
        if "." in name:
            values = _at_path(evaluation, result, name)
        else:
            values = [get(value, name) for value in result] if name else result
        result = _by_column(evaluation, result, values, key.startswith("-"))
    return list(result)


def _by_column(evaluation: Evaluation, items: list[Any], column: list[Any], descending: bool) -> list[Any]:
    kinds = {value.__class__ for value in column}
    values: Sequence[Any] = column
    if not (kinds <= NUMBERS or kinds == {str}):
        values = [_rank(value) for value in column]
    characters = sum(len(value) for value in column if value.__class__ is str)
    evaluation.charge((len(items) + (characters >> 6)) * len(items).bit_length())
    present = [position for position, value in enumerate(column) if value is not None]
    present.sort(key=values.__getitem__, reverse=descending)
    return [items[position] for position in present] + [
        value for value, by in zip(items, column, strict=True) if by is None
    ]


def _rank(value: Any) -> tuple[int, Any]:
    """Orders values of different kinds: booleans, numbers, texts, then the others as they stand."""
    if value.__class__ is bool:
        return (0, value)
    if is_number(value):
        return (1, value)
    return (2, value) if value.__class__ is str else (3, 0)


class _Identities:
    """Gives equal JSON values equal hashable keys; a list or mapping met again costs nothing."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.known: dict[Any, tuple[str, int]] = {}
        self.met: dict[int, tuple[str, int]] = {}
        self.numbers: dict[Any, tuple[str, int]] = {}

    def of(self, value: Any) -> Any:
        kind = value.__class__
        if kind is str:
            self.evaluation.charge(len(value) >> 8)
            return value
        if kind is bool:
            return ("boolean", value)
        if kind in NUMBERS:
            # In their order: from numbers of somebody else's choice come tuples whose hashes are all the same.
            return self.numbers.setdefault(self.hashable(value), ("number", len(self.numbers)))
        if kind is not list and kind is not dict:
            return value
        if id(value) not in self.met:
            self.evaluation.charge(4 * len(value) + 4)
            self.evaluation.take(16 * len(value) + 300)
            parts: Any = tuple(map(self.of, value))
            if isinstance(value, dict):
                self.evaluation.charge(sum(map(len, value)) >> 7)
                parts = frozenset((key, self.of(part)) for key, part in value.items())
            self.met[id(value)] = self.known.setdefault(parts, ("container", len(self.known)))
        return self.met[id(value)]

    def hashable(self, value: float) -> Any:
        """A number, or the digits of one that is no float either: any number of large integers have one hash."""
        if value.__class__ is float or MIN_INTEGER <= value <= MAX_INTEGER:
            return value
        return value if _is_float(value) else self.evaluation.text_of(value)


def _is_float(value: float) -> bool:
    """Whether a float is the same number."""
    try:
        return float(value) == value
    except OverflowError:
        return False


@_declare("unique(list, 'id')", 1, 2, "the list")
def unique(evaluation: Evaluation, items: Any, *keys: Any) -> list[Any]:
    """The list without repeated items, or without items that repeat this field; null gives []."""
    found = listed(evaluation, items, 3)
    evaluation.take(_KEY_BYTES * len(found) + 56)
    identities = _Identities(evaluation)
    first: dict[Any, Any] = {}
    if keys and keys[0].__class__ is str and "." in keys[0]:
        for by, value in zip(_at_path(evaluation, found, keys[0]), found, strict=True):
            first.setdefault(identities.of(by), value)
        return list(first.values())
    for value in found:
        first.setdefault(identities.of(item(evaluation, value, keys[0]) if keys else value), value)
    return list(first.values())


def _keyed(evaluation: Evaluation, items: Any, key: Any) -> list[tuple[str, Any]]:
    found = listed(evaluation, items, 3)
    evaluation.take((_KEY_BYTES + 64) * len(found) + 64)
    if key.__class__ is str and "." in key:
        values = _at_path(evaluation, found, key)
        pairs = ((evaluation.key_of(by), value) for by, value in zip(values, found, strict=True))
    else:
        pairs = ((evaluation.key_of(item(evaluation, value, key)), value) for value in found)
    return [(text, value) for text, value in pairs if text is not None]


@_declare("index(list, 'id')", 2, 2, "the items by a field")
def index(evaluation: Evaluation, items: Any, key: Any) -> dict[str, Any]:
    """The items as a mapping by this field, the last of equal ones, without those whose field is null;
    null gives {}."""
    return dict(_keyed(evaluation, items, key))


@_declare("group(list, 'status')", 2, 2, "lists of items by a field")
def group(evaluation: Evaluation, items: Any, key: Any) -> dict[str, list[Any]]:
    """A mapping from each value of this field to the list of its items; null gives {}."""
    result: dict[str, list[Any]] = {}
    for text, value in _keyed(evaluation, items, key):
        result.setdefault(text, []).append(value)
    return result


def _entries(evaluation: Evaluation, value: Any, size: int) -> dict[str, Any]:
    if value.__class__ is not dict:
        return {}
    evaluation.charge(len(value))
    evaluation.take(size * len(value) + 64)
    return value


@_declare("keys(mapping)", 1, 1, "string[] of any")
def keys_of(evaluation: Evaluation, mapping: Any) -> list[str]:
    """The keys of a mapping; null gives []."""
    return list(_entries(evaluation, mapping, 8))


@_declare("values(mapping)", 1, 1, "the values")
def values_of(evaluation: Evaluation, mapping: Any) -> list[Any]:
    """The values of a mapping; null gives []."""
    return list(_entries(evaluation, mapping, 8).values())


@_declare("items(mapping)", 1, 1, "the entries")
def items_of(evaluation: Evaluation, mapping: Any) -> list[dict[str, Any]]:
    """A list of {key, value}, one for each key of a mapping; null gives []."""
    return [{"key": key, "value": value} for key, value in _entries(evaluation, mapping, 250).items()]


@_declare("merge(a, b)", 1, None, "all mappings in one")
def merge(evaluation: Evaluation, *mappings: Any) -> dict[str, Any] | None:
    """One mapping of several; the right one wins, also with its nulls; null counts as {}, other kinds give null."""
    result: dict[str, Any] = {}
    for mapping in mappings:
        if mapping is not None and mapping.__class__ is not dict:
            return None
        result.update(_entries(evaluation, mapping, _KEY_BYTES))
    return result


@_declare("pick(mapping, 'a', 'b')", 2, None, "some members")
def pick(evaluation: Evaluation, mapping: Any, *keys: Any) -> dict[str, Any] | None:
    """A mapping with these keys only, as far as it has them; null gives null."""
    if mapping.__class__ is not dict:
        return None
    evaluation.charge(len(keys))
    evaluation.take(_KEY_BYTES * len(keys) + 64)
    return {key: mapping[key] for key in map(evaluation.key_of, keys) if key is not None and key in mapping}


@_declare("omit(mapping, 'a', 'b')", 2, None, "all other members")
def omit(evaluation: Evaluation, mapping: Any, *keys: Any) -> dict[str, Any] | None:
    """A mapping without these keys; null gives null."""
    if mapping.__class__ is not dict:
        return None
    left_out = set(map(evaluation.key_of, keys))
    entries = _entries(evaluation, mapping, _KEY_BYTES)
    return {key: value for key, value in entries.items() if key not in left_out}


@_declare("default(x, y)", 2, 2, "the first that is not null")
def default(evaluation: Evaluation, value: Any, otherwise: Any) -> Any:
    """The first value, or the second if the first is null; false, 0 and '' stay."""
    return otherwise if value is None else value


@_declare("range(n)", 1, 1, "integer[] of any")
def numbers(evaluation: Evaluation, amount: Any) -> list[int]:
    """The numbers from 0 to n - 1, for n up to 1,000; null and anything else give []."""
    if amount.__class__ is not int or not 0 <= amount <= MAX_RANGE:
        return []
    evaluation.charge(amount)
    evaluation.take(40 * amount + 56)
    return list(range(amount))
