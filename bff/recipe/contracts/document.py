"""A YAML or JSON file beside the recipes, whose parts know their lines and become values when they are asked for.

Such a file was often written elsewhere: tabs, anchors and merge keys are read, and a megabyte takes a moment.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bff.errors import Finding, Place
from bff.recipe.source.scalars import NotJSONNumber, plain_value
from bff.recipe.source.text import Source
from bff.recipe.source.traps import syntax_finding

MOST_BYTES = 32 * 2**20
_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_READER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class Document:
    """The file, and the places of the parts below it.

    Parts know it and it knows none: when they are no longer needed they are gone, without the collector.
    """

    def __init__(self, source: Source, root: yaml.Node | None) -> None:
        self.source = source
        self._root = root

    @property
    def root(self) -> Any:
        """What the file holds; None where that is nothing."""
        return None if self._root is None else self.value(self._root)

    def value(self, node: yaml.Node) -> Any:
        """What a node stands for; of mappings and lists the parts stay nodes until they are asked for."""
        if isinstance(node, yaml.MappingNode):
            return Table(self, node)
        if isinstance(node, yaml.SequenceNode):
            return Items(self, node)
        assert isinstance(node, yaml.ScalarNode)
        if not _is_plain(node):
            return node.value
        try:
            return plain_value(node.value)
        except NotJSONNumber:
            return node.value

    def place_of(self, part: Any) -> str:
        """`file:line` of a mapping or list of this document; '' of anything else."""
        if not isinstance(part, Table | Items):
            return ""
        return f"{self.source.file}:{part.node.start_mark.line + 1}"

    def finding(self, node: yaml.Node, message: str, hint: str = "") -> Finding:
        """What is wrong with a node."""
        start, stop = node.start_mark.index, node.end_mark.index
        return self.source.mark(start, max(stop, start + 1)).finding(message, hint)


def _is_plain(node: yaml.ScalarNode) -> bool:
    """Whether a scalar is written without quotes; libyaml and PyYAML have different words for it."""
    return node.style not in ("'", '"', "|", ">")


class Table(Mapping[str, Any]):
    """A mapping of the document; of a doubled key the last counts."""

    def __init__(self, document: Document, node: yaml.MappingNode) -> None:
        self._document = document
        self.node = node
        self._nodes: dict[str, tuple[yaml.Node, yaml.Node]] | None = None
        self._values: dict[str, Any] = {}

    @property
    def nodes(self) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The nodes of key and value by key."""
        if self._nodes is None:
            self._nodes = dict(_pairs(self.node, 0))
        return self._nodes

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            self._values[key] = self._document.value(self.nodes[key][1])
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self.nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)


class Items(Sequence[Any]):
    """A list of the document."""

    def __init__(self, document: Document, node: yaml.SequenceNode) -> None:
        self._document = document
        self.node = node

    def __getitem__(self, index: Any) -> Any:
        return self._document.value(self.node.value[index])

    def __len__(self) -> int:
        return len(self.node.value)


_MOST_MERGED = 8


def _pairs(node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    """The members of a mapping; those that `<<` takes in come first, so that its own win."""
    own = []
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value == "<<" and _is_plain(key) and depth < _MOST_MERGED:
            for part in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                if isinstance(part, yaml.MappingNode):
                    yield from _pairs(part, depth + 1)
        else:
            own.append((key.value, (key, value)))
    yield from own


def read_document(path: Path, file: str) -> tuple[Document | None, list[Finding]]:
    """The document in a file, or what keeps it from being read; `file` is its name as printed."""
    start = Place(file, 1, 1)
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Finding(start, f"cannot be read: {error.strerror}")]
    if len(raw) > MOST_BYTES:
        return None, [Finding(start, f"has {len(raw):,} bytes; a schema may have {MOST_BYTES:,}")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [Finding(Place(file, line, 1), "is not UTF-8 text; save the file as UTF-8")]
    if path.suffix == ".json":
        text = _as_yaml(text)
    source = Source(file, text)
    try:
        with _collecting_nothing():
            return Document(source, yaml.compose(text, Loader=_READER)), []
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [_unread(source, error)]


def _as_yaml(text: str) -> str:
    """JSON as YAML reads it, in the same lines: tabs, and the escapes of two halves of a character, are other there."""

    def whole(pair: re.Match[str]) -> str:
        return chr(0x10000 + ((int(pair[1], 16) - 0xD800) << 10) + int(pair[2], 16) - 0xDC00)

    return _PAIR.sub(whole, text.replace("\t", " "))


def _unread(source: Source, error: Exception) -> Finding:
    """Why a text is no YAML, in the words that recipes have for it."""
    try:
        yaml.compose(source.text, Loader=yaml.SafeLoader)  # libyaml's words are others
    except yaml.MarkedYAMLError as plain:
        return syntax_finding(plain, source)
    except (yaml.YAMLError, ValueError, RecursionError):
        pass
    if isinstance(error, yaml.MarkedYAMLError):
        return syntax_finding(error, source)
    return Finding(Place(source.file, 1, 1), "is no YAML that can be read")


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Without the collector, which would look at a growing number of nodes again and again, none of them garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
