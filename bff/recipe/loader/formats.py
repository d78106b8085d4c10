"""How bodies are read and written that are no JSON: the formats that a recipe names, with their options."""

from __future__ import annotations

from typing import cast

from bff.recipe.keys import FORMATS
from bff.recipe.loader.reading import Reading, kind_of
from bff.recipe.model import BodyFormat, FormatName
from bff.recipe.source import ListNode, MapNode, Node, ScalarNode, mark_of
from bff.text import nearest

_NAMES = ", ".join(FORMATS)
_ELSEWHERE = {
    "json": "JSON is what is read without a format: leave it out",
    "xml": "XML is not read here: ask the backend for JSON, or take the whole as text",
    "jsonl": "did you mean 'ndjson'?",
    "tsv": 'write {csv: {delimiter: "\\t"}}',
    "urlencoded": "did you mean 'form'?",
    "html": "write text",
}
_SPELT = {"\\t": 'a tab is written "\\t", in double quotes'}


def read_format(reading: Reading, node: Node) -> BodyFormat | None:
    """The format of a reply: a name, or `csv` with its options."""
    if isinstance(node, ScalarNode):
        if node.text in FORMATS:
            return BodyFormat(cast(FormatName, node.text))
        near = nearest(node.text, FORMATS)
        hint = _ELSEWHERE.get(node.text.lower()) or (f"did you mean '{near}'?" if near else "")
        reading.wrong("format", node, f"one of {_NAMES}", hint)
        return None
    if not isinstance(node, MapNode) or not node.items:
        reading.wrong("format", node, f"one of {_NAMES}, or {{csv: {{…}}}}")
        return None
    for key, _ in node.items:
        if key.text in FORMATS and key.text != "csv":
            reading.say(key.whole, f"'{key.text}' has no options", f"write format: {key.text}")
            return None
    found = reading.table(node, "format", "'format'")
    return _csv(reading, found["csv"][1]) if found else None


def _csv(reading: Reading, node: Node) -> BodyFormat | None:
    found = reading.table(node, "csv", "'csv'")
    if found is None:
        return None
    before = len(reading.findings)
    delimiter = _character(reading, "delimiter", found["delimiter"][1]) if "delimiter" in found else ","
    quote: str | None = '"'
    if "quote" in found:
        written = found["quote"][1]
        is_none = isinstance(written, ScalarNode) and written.value is None
        quote = None if is_none else _character(reading, "quote", written)
    if delimiter == quote and len(reading.findings) == before:
        key = found.get("quote", found.get("delimiter"))
        assert key is not None, "they are two by default"
        reading.say(
            mark_of(key[1]), f"'{delimiter}' stands between cells and around them", "choose two characters"
        )
    header = _header(reading, found["header"][1]) if "header" in found else ()
    if len(reading.findings) > before:
        return None
    assert delimiter is not None
    return BodyFormat("csv", delimiter, quote, header)


def _character(reading: Reading, name: str, node: Node) -> str | None:
    """A character that is no part of texts as people write them."""
    text = node.text if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
    if len(text) == 1 and not text.isalnum() and text not in "\r\n\0":
        return text
    reading.wrong(name, node, "one character that is no letter, digit or line break", _SPELT.get(text, ""))
    return None


def _header(reading: Reading, node: Node) -> tuple[str, ...]:
    if isinstance(node, ScalarNode) and node.value is True:
        return ()
    if not isinstance(node, ListNode) or not node.items:
        reading.wrong("header", node, "true, or a list of the columns' names")
        return ()
    names: list[str] = []
    for item in node.items:
        if not isinstance(item, ScalarNode) or not item.text or item.value is None:
            reading.say(mark_of(item), f"'header' holds names, not {kind_of(item)}")
        elif item.text in names:
            reading.say(mark_of(item), f"two columns are named '{item.text}'", "each has a name of its own")
        else:
            names.append(item.text)
    return tuple(names)
