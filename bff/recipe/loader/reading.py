"""Reads plain values out of nodes by the declarations in `bff.recipe.keys`, and gathers every mistake on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bff.errors import Finding
from bff.recipe.keys import KEYS, Key
from bff.recipe.model import Mark, Marks, RateLimit
from bff.recipe.source import ListNode, MapNode, Node, ScalarNode, mark_of
from bff.text import nearest, parse_duration

_RATE = re.compile(r"([1-9]\d{0,5})/(s|min|h)")
_PERIODS = {"s": 1.0, "min": 60.0, "h": 3600.0}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_]*)*")
_DURATION_FORM = "a duration such as 300ms, 2s, 5m or 1h"

# What a key is called elsewhere.
_KEYS_ELSEWHERE = {
    **{"retry": "retries", "params": "query", "data": "body", "json": "body", "description": "summary"},
    **{
        "response": "shape",
        "output": "shape",
        "default": "fallback",
        "foreach": "each",
        "parallel": "concurrency",
    },
}

Table = dict[str, tuple[ScalarNode, Node]]


def suggest(name: str, known: Iterable[str], label: str = "allowed are") -> str:
    """The hint behind an unknown name: the nearest one, and all there are."""
    names = list(known)
    elsewhere = _KEYS_ELSEWHERE.get(name)
    near = elsewhere if elsewhere in names else nearest(name, names)
    meant = f"did you mean '{near}'?  " if near else ""
    return f"{meant}{label}: {', '.join(names)}" if names else "there are none"


def kind_of(node: Node) -> str:
    """What a node is, for messages."""
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list" if node.items else "an empty list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the boolean {node.text}"
    if isinstance(node.value, int | float):
        return f"the number {node.text}"
    return f"the text '{_shortened(node.text)}'"


def _cut_off(node: MapNode, value: Node) -> str:
    """The cure for what YAML took for a key because a value before it has a comma; '' for any other key."""
    if node.flow and value.start == value.stop:
        return "YAML ends a value at , in {…}; put the value before it in quotes, or write one line per key"
    return ""


def _shortened(text: str) -> str:
    line = text.split("\n")[0]
    return line if len(line) <= 40 and line == text else line[:40] + "…"


class Reading:
    """One reading of one file; every method adds to `findings` and gives None for what is wrong."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def say(self, mark: Mark, message: str, hint: str = "") -> None:
        self.findings.append(mark.finding(message, hint))

    def table(self, node: Node, table: str, title: str, mark: Mark | None = None) -> Table | None:
        """The written keys of a mapping, those that its table declares; says what is unknown or missing.

        A misspelt key is read as the one that it is near. What is missing is said at `mark`, by default at the
        mapping itself.
        """
        if not isinstance(node, MapNode):
            names = ", ".join(key.name for key in KEYS[table])
            self.say(mark_of(node), f"{title} is a mapping, not {kind_of(node)}", f"its keys are: {names}")
            return None
        declared = {key.name: key for key in KEYS[table]}
        found: Table = {key.text: (key, value) for key, value in node.items if key.text in declared}
        for key, value in node.items:
            if key.text not in declared:
                hint = _cut_off(node, value) or suggest(key.text, declared)
                self.say(key.whole, f"unknown key '{key.text}' in {title}", hint)
                found.setdefault(nearest(key.text, declared) or "", (key, value))
        found.pop("", None)
        for name in declared:
            if declared[name].required and name not in found:
                self.say(mark or mark_of(node), f"{title} has no '{name}'", declared[name].doc)
        return found

    def wrong(self, name: str, node: Node, wanted: str, hint: str = "") -> None:
        self.say(mark_of(node), f"'{name}' takes {wanted}, not {kind_of(node)}", hint)

    def text(self, name: str, node: Node) -> str | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return node.text
        self.wrong(name, node, "a text")
        return None

    def boolean(self, name: str, node: Node) -> bool | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        self.wrong(name, node, "true or false")
        return None

    def choice(self, key: Key, node: Node) -> str | None:
        if isinstance(node, ScalarNode) and node.text in key.choices:
            return node.text
        text = node.text if isinstance(node, ScalarNode) else ""
        self.wrong(key.name, node, f"one of {', '.join(key.choices)}", _near(text, key.choices))
        return None

    def duration(self, name: str, node: Node, zero: bool = False) -> float | None:
        seconds = parse_duration(node.text) if isinstance(node, ScalarNode) else None
        if seconds is None:
            number = isinstance(node, ScalarNode) and type(node.value) in (int, float)
            hint = f"a duration has its unit: {node.text}s or {node.text}ms" if number else ""  # type: ignore[union-attr]
            self.wrong(name, node, _DURATION_FORM, hint)
        elif seconds == 0 and not zero:
            self.say(mark_of(node), f"'{name}' takes a duration over 0")
            return None
        return seconds

    def integer(self, key: Key, node: Node) -> int | None:
        value = node.value if isinstance(node, ScalarNode) else None
        if type(value) is int and key.minimum <= value <= key.maximum:
            return value
        self.wrong(key.name, node, f"a whole number from {key.minimum} to {key.maximum}")
        return None

    def name(self, name: str, node: Node) -> str | None:
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and NAME.fullmatch(node.text):
            return node.text
        self.wrong(name, node, "a plain name")
        return None

    def field_name(self, name: str, node: Node) -> str | None:
        """The name of a field of JSON: any text but an empty one."""
        if isinstance(node, ScalarNode) and node.text and node.value is not None:
            return node.text
        self.wrong(name, node, "the name of a field")
        return None

    def rate(self, name: str, node: Node) -> RateLimit | None:
        match = _RATE.fullmatch(node.text) if isinstance(node, ScalarNode) else None
        if match is None:
            self.wrong(name, node, "a rate such as 10/s, 10/min or 100/h")
            return None
        return RateLimit(int(match[1]), _PERIODS[match[2]])

    def references(self, name: str, node: Node) -> tuple[str, ...]:
        """A list of `recipe` or `recipe.step`."""
        if not isinstance(node, ListNode):
            self.wrong(name, node, "a list of recipe or recipe.step")
            return ()
        found = []
        for item in node.items:
            if isinstance(item, ScalarNode) and _REFERENCE.fullmatch(item.text):
                found.append(item.text)
            else:
                self.wrong(name, item, "names such as home or home.todos")
        return tuple(found)


def _near(text: str, choices: Iterable[str]) -> str:
    found = nearest(text, choices)
    return f"did you mean '{found}'?" if found else ""


def marks_of(name: Mark, found: Table) -> Marks:
    """The places of the written keys, of their values, and of all keys below them (`cache.ttl`)."""
    keys: dict[str, Mark] = {}
    values: dict[str, Mark] = {}

    def add(prefix: str, items: Iterable[tuple[ScalarNode, Node]]) -> None:
        for key, value in items:
            path = prefix + key.text
            keys[path], values[path] = key.whole, mark_of(value)
            # Each step has marks of its own.
            if isinstance(value, MapNode) and path != "steps":
                add(f"{path}.", value.items)
            elif isinstance(value, ListNode):
                values.update({f"{path}[{index}]": mark_of(item) for index, item in enumerate(value.items)})

    add("", found.values())
    return Marks(name, keys, values)
