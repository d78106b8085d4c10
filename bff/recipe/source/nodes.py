"""A recipe's file as nodes that know where they stand: YAML 1.2 core, without what hides meaning.

Anchors, aliases, tags, merge keys, doubled keys and several documents are refused, each at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import yaml

from bff.errors import Finding, Place
from bff.recipe.model import Mark
from bff.recipe.source.scalars import NotJSONNumber, ScalarValue, Span, plain_value, spans
from bff.recipe.source.text import Source
from bff.recipe.source.traps import syntax_finding, tag_cure

MAX_DEPTH = 60

# libyaml is ten times as quick as PyYAML's own reader. What it takes for something else, or stands elsewhere for it:
# tabs, line ends but "\n", marks of byte order, a comment right behind | or >, no value within braces.
_READ_OTHERWISE = re.compile("[\t\r\x85\u2028\u2029\ufeff]|[|>][-+0-9]*#|:\\s*[]},]")


@dataclass(frozen=True, slots=True)
class ListNode:
    """A YAML sequence; `flow` when written as `[…]`."""

    source: Source
    start: int
    stop: int
    items: tuple[Node, ...]
    flow: bool = False

    @property
    def mark(self) -> Mark:
        return self.source.mark(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class MapNode:
    """A YAML mapping, its keys as written and each once; `flow` when written as `{…}`."""

    source: Source
    start: int
    stop: int
    items: tuple[tuple[ScalarNode, Node], ...]
    flow: bool = False

    @property
    def mark(self) -> Mark:
        return self.source.mark(self.start, self.stop)


@dataclass(frozen=True)
class ScalarNode:
    """A YAML scalar: its value, its text, and the place of every character of that text."""

    source: Source = field(repr=False)
    start: int
    stop: int
    value: ScalarValue
    text: str
    style: str | None = None
    in_flow: bool = False

    @property
    def whole(self) -> Mark:
        """The mark of the scalar with its quotes; of its first line when it has several."""
        return self.source.mark(self.start, max(self.stop, self.start + 1))

    @cached_property
    def _spans(self) -> list[Span]:
        try:
            return spans(self.source.text[self.start : self.stop], self.style, self.text, self.start)
        except LookupError:
            # Better the place of the whole text than none.
            return []

    def mark(self, offset: int, length: int) -> Mark:
        """The mark of `length` characters from `offset` of the text, cut at the end of the first line."""
        if not self._spans:
            return self.whole
        if offset >= len(self._spans):
            end = self._spans[-1][1]
            return self.source.mark(end, end + 1)
        first = self._spans[offset]
        last = self._spans[min(offset + max(1, length), len(self._spans)) - 1]
        return self.source.mark(first[0], last[1])


Node = ScalarNode | ListNode | MapNode


def mark_of(node: Node) -> Mark:
    """The mark of a whole node: of its first line."""
    return node.whole if isinstance(node, ScalarNode) else node.mark


def read_nodes(source: Source) -> tuple[Node | None, list[Finding]]:
    """The root node of a file, and every mistake on the way; None when nothing can be made of the text."""
    # Its words for what is wrong are not these, so only what libyaml reads whole is taken.
    if yaml.__with_libyaml__ and not _READ_OTHERWISE.search(source.text):
        with suppress(yaml.YAMLError, _TooDeep, ValueError):
            composer = _Composer(source, yaml.CSafeLoader)
            root = composer.document()
            if not composer.findings and not composer.asks_within_braces:
                return root, []
    composer = _Composer(source, yaml.SafeLoader)
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        return None, [*composer.findings, syntax_finding(error, source)]
    except _TooDeep as deep:
        return None, [*composer.findings, deep.finding]
    except ValueError:
        # chr() of an escape such as \U00110000.
        finding = Finding(Place(source.file, 1, 1), "an escape stands for no character")
        return None, [*composer.findings, finding]
    return root, composer.findings


class _TooDeep(Exception):
    def __init__(self, finding: Finding) -> None:
        self.finding = finding


def _start(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.index


def _stop(event: yaml.Event) -> int:
    assert event.end_mark is not None
    return event.end_mark.index


class _Composer:
    """Makes nodes of PyYAML's events; goes on after everything that leaves the structure whole."""

    def __init__(self, source: Source, reader: type[yaml.SafeLoader | yaml.CSafeLoader]) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self._events: Iterator[yaml.Event] = yaml.parse(source.text, Loader=reader)
        self.asks_within_braces = False  # a '?' there, which PyYAML's own reader refuses
        self._depth = 0

    def document(self) -> Node | None:
        """The first document's root; None for an empty file."""
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    mark = self.source.mark(_start(event), _stop(event))
                    self.findings.append(mark.finding("a second document", "one file holds one recipe"))
                    return root
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, in_flow=False)
        return root

    def _node(self, event: yaml.Event, in_flow: bool) -> Node:
        self._refuse_properties(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, in_flow)
        if isinstance(event, yaml.AliasEvent):
            index = _start(event)
            return ScalarNode(self.source, index, _stop(event), None, "", None, in_flow)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.source.mark(_start(event), _start(event) + 1)
            raise _TooDeep(mark.finding(f"nested more than {MAX_DEPTH} deep"))
        node = self._collection(event)
        self._depth -= 1
        return node

    def _collection(self, event: yaml.Event) -> Node:
        start = _start(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items, stop = self._items(bool(event.flow_style))
            return ListNode(self.source, start, stop, items, bool(event.flow_style))
        assert isinstance(event, yaml.MappingStartEvent)
        pairs, stop = self._pairs(bool(event.flow_style))
        return MapNode(self.source, start, stop, pairs, bool(event.flow_style))

    def _items(self, flow: bool) -> tuple[tuple[Node, ...], int]:
        items: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                return tuple(items), _stop(event)
            items.append(self._node(event, flow))
        raise AssertionError("PyYAML ended within a sequence")

    def _pairs(self, flow: bool) -> tuple[tuple[tuple[ScalarNode, Node], ...], int]:
        pairs: dict[str, tuple[ScalarNode, Node]] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                return tuple(pairs.values()), _stop(event)
            key = self._node(event, flow)
            value = self._node(next(self._events), flow)
            if self._fits(key, pairs) and isinstance(key, ScalarNode):
                pairs[key.text] = (key, value)
        raise AssertionError("PyYAML ended within a mapping")

    def _fits(self, key: Node, pairs: dict[str, tuple[ScalarNode, Node]]) -> bool:
        if not isinstance(key, ScalarNode):
            self.findings.append(
                key.mark.finding(
                    "a list or mapping as a key", "a key is a text; quote an expression as a whole"
                )
            )
        elif key.text == "<<" and key.style is None:
            self.findings.append(
                key.whole.finding("a merge key", "merge keys are not allowed; write the keys out")
            )
        elif key.text in pairs:
            line = pairs[key.text][0].whole.place.line
            self.findings.append(
                key.whole.finding(f"doubled key '{key.text}'", f"first written in line {line}")
            )
        else:
            return True
        return False

    def _refuse_properties(self, event: yaml.Event) -> None:
        start = _start(event)
        anchor: str = getattr(event, "anchor", None) or ""
        if isinstance(event, yaml.AliasEvent):
            mark = self.source.mark(start, start + 1 + len(anchor))
            self.findings.append(
                mark.finding(f"the alias '*{anchor}'", "aliases are not allowed; write it out")
            )
        elif anchor:
            mark = self.source.mark(start, start + 1 + len(anchor))
            self.findings.append(
                mark.finding(f"the anchor '&{anchor}'", "anchors are not allowed; write it out")
            )
        elif getattr(event, "tag", None):
            found = re.match(r"\S*", self.source.text[start:])
            raw = found[0] if found else "!"
            mark = self.source.mark(start, start + len(raw))
            self.findings.append(mark.finding(f"the YAML tag '{raw}'", tag_cure(raw)))

    def _after_properties(self, event: yaml.ScalarEvent) -> int:
        """Where the scalar itself begins, behind a (refused) anchor and tag."""
        start = _start(event)
        if event.anchor is None and event.tag is None:
            return start
        match = re.compile(r"(?:[&!]\S*[ \r\n]*)*").match(self.source.text, start, _stop(event))
        return match.end() if match and match.end() < _stop(event) else start

    def _scalar(self, event: yaml.ScalarEvent, in_flow: bool) -> ScalarNode:
        start, stop, text = self._after_properties(event), _stop(event), event.value
        if event.style in ("'", '"', "|", ">"):
            return ScalarNode(self.source, start, stop, self._whole_text(event), text, event.style, in_flow)
        self.asks_within_braces |= in_flow and "?" in text
        try:
            value = plain_value(text)
        except NotJSONNumber:
            mark = self.source.mark(start, stop)
            self.findings.append(
                mark.finding(f"{text[:30]} is no number of JSON", "a number is finite, of 64 bits")
            )
            value = None
        return ScalarNode(self.source, start, stop, value, text, None, in_flow)

    def _whole_text(self, event: yaml.ScalarEvent) -> str:
        if any("\ud800" <= char <= "\udfff" for char in event.value):
            mark = self.source.mark(_start(event), _stop(event))
            self.findings.append(
                mark.finding("half a character (a lone surrogate)", "write the character itself")
            )
        return str(event.value)
