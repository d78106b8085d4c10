"""Expressions that can only give null or nothing, whatever the values are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bff.expressions.addresses import keys_of
from bff.expressions.paths import field_path
from bff.expressions.tree import Expression
from bff.recipe.check.operators import AS_NUMBER, AS_TEXT, SIGNS
from bff.recipe.check.page import Page, Spot

_PATH = re.compile(r"[^.\[]+[.\[].*")
_POSITION = re.compile(r"[^\[]+\[-?\d*\].*")
_BY_PATHS = {
    **dict.fromkeys(
        ("sort", "unique", "group"), "write {0}([merge(x, {{'by': x.{1}}}) for x in list], 'by')"
    ),
    "index": "write {{x.{1}: x for x in list}}",
}
"""The functions that name fields of items by paths of keys, and what to write in place of a path with a position."""
_BY_KEYS = {"pick": "write {{'name': x.{1}}}", "omit": "write merge(x, {{'a': omit(x.a, 'b')}})"}
"""The functions that name keys, and what to write in place of a path."""

_INSTANTS = frozenset({"now", "instant", "shift", "start_of"})
_TEXTS = _INSTANTS | {"date", "digest", "str", "join", "lower", "upper", "strip", "replace", "quote"}
_NUMBERS = frozenset({"len", "count", "round", "abs", "int", "float", "epoch"})
_LONG_AGO = 1_000_000_000


def check_values(page: Page) -> None:
    """Say paths where one key is meant, arithmetic with texts, and times of a session that are none."""
    for step in page.requests:
        if step.key_by is not None:
            hint = f"leave key_by out and make a value of it: {{x.{step.key_by}: x for x in {step.name}}}"
            wrong = _wrong_path(step.key_by, hint)
            if wrong is not None:
                page.say(step.marks.value("key_by"), *wrong)
    for spot in page.spots:
        for node in spot.nodes:
            if isinstance(node, ast.Call):
                _check_fields(page, spot, node)
            elif isinstance(node, ast.BinOp):
                _check_arithmetic(page, spot, node)
    _check_expires(page)


def _say(page: Page, spot: Spot, node: ast.expr, message: str, hint: str) -> None:
    page.say(spot.mark_of(node), message, hint)


def _check_fields(page: Page, spot: Spot, call: ast.Call) -> None:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in page.project.functions.get(page.recipe.name, {}):
        return
    for argument in call.args[1:]:
        key = argument.value if isinstance(argument, ast.Constant) else None
        if not isinstance(key, str):
            continue
        if name in _BY_KEYS and _PATH.fullmatch(key):
            hint = _BY_KEYS[name].format(name, key)
            _say(page, spot, argument, f"'{key}' is one key here, not a path", hint)
        elif name in _BY_PATHS:
            key = key.removeprefix("-") if name == "sort" else key
            wrong = _wrong_path(key, _BY_PATHS[name].format(name, key))
            if wrong is not None:
                _say(page, spot, argument, *wrong)


def _wrong_path(path: str, instead: str) -> tuple[str, str] | None:
    """What is wrong with the path of a field, and its cure; `instead` is what says it without a path."""
    if _POSITION.fullmatch(path):
        return f"'{path}' has a position, and the path of a field is made of keys", instead
    keys = field_path(path)
    if len(keys) > 1 and "" in keys:
        return f"'{path}' has an empty key", f"write {'.'.join(filter(None, keys)) or 'a.b'}"
    return None


# --- arithmetic --------------------------------------------------------------------------------------------------


def _check_arithmetic(page: Page, spot: Spot, node: ast.BinOp) -> None:
    sign = SIGNS.get(type(node.op), "")
    for text, other in ((node.left, node.right), (node.right, node.left)):
        instant = _is_call(text, _INSTANTS)
        never_adds = _is_number(other) or (instant and not _is_text(other))
        if _is_text(text) and (sign != "+" or never_adds):
            if instant:
                hint = _with_an_instant(spot, text, sign, other)
            elif sign == "+":
                hint = AS_TEXT
            else:
                hint = AS_NUMBER
            _say(page, spot, node, f"'{sign}' with a text is always null", hint)
            return


def _with_an_instant(spot: Spot, instant: ast.expr, sign: str, other: ast.expr) -> str:
    """What to write where an instant is reckoned with as if it were a number."""
    one, written = (
        spot.leaf.text[node.col_offset : node.end_col_offset].strip() for node in (instant, other)
    )
    if sign == "-" and _is_call(other, _INSTANTS):
        return f"write epoch({one}) - epoch({written}): the seconds between them"
    minus = "-" if sign == "-" else ""
    if _is_call(instant, {"now"}):
        return f"write now({minus}{written}): so many seconds from now"
    return f"write shift({one}, {minus}{written}, 'second'): so many seconds later"


def _is_call(node: ast.expr, names: frozenset[str] | set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _is_text(node: ast.expr) -> bool:
    """Whether a value is certainly a text."""
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return constant or isinstance(node, ast.JoinedStr) or _is_call(node, _TEXTS)


def _is_number(node: ast.expr) -> bool:
    constant = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return constant or _is_call(node, _NUMBERS)


# --- the end of a session ----------------------------------------------------------------------------------------


def _check_expires(page: Page) -> None:
    for spot in page.spots:
        if spot.key == "session.expires" and isinstance(spot.leaf, Expression):
            node = spot.leaf.node
            found = node.value if isinstance(node, ast.Constant) else None
            if isinstance(found, int | float) and found < _LONG_AGO:
                hint = f"it is seconds since 1970; write now({found}): so many seconds from now"
                _say(page, spot, node, "a session that ended long ago", hint)
            for part in _durations(node):
                written = spot.leaf.text[part.col_offset : part.end_col_offset]
                hint = f"it is a number of seconds; write now({written}): so many seconds from now"
                _say(page, spot, part, "'expires_in' is no time", hint)


def _durations(node: ast.expr) -> Iterator[ast.expr]:
    """The look-ups of what OAuth calls a duration, outside of what makes a time of one."""
    if _is_call(node, {"now"}) or isinstance(node, ast.BinOp):
        return
    if keys_of(node)[-1:] == ("expires_in",):
        yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _durations(child)
