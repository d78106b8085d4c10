"""How bodies are read and written that are no JSON: the formats that a recipe names, with their options."""

from __future__ import annotations

from typing import cast

from bff.expressions.parse import parse_file_name
from bff.expressions.tree import Expression, Mapping
from bff.recipe.keys import FORMATS
from bff.recipe.loader.reading import Reading, kind_of
from bff.recipe.loader.trees import TreeReading
from bff.recipe.model import BodyFormat, FormatName, Table
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


# --- pages -------------------------------------------------------------------------------------------------------

DISPOSITION = "Content-Disposition"
MOST_COLUMNS = 1_000


def read_table(reading: TreeReading, node: Node) -> tuple[Table | None, Expression | None]:
    """What a page is written as in place of JSON, and the name of its file."""
    if isinstance(node, ScalarNode) and node.text == "csv":
        reading.wrong(
            "format", node, "{csv: {columns: […]}}", "columns names the fields of a row in their order"
        )
        return None, None
    if isinstance(node, ScalarNode) or not isinstance(node, MapNode) or not node.items:
        is_json = isinstance(node, ScalarNode) and node.text == "json"
        hint = "JSON is what a page is without a format: leave it out" if is_json else ""
        reading.wrong("format", node, "{csv: {columns: […]}}", hint)
        return None, None
    found = reading.table(node, "page format", "'format'") or {}
    table = reading.table(found["csv"][1], "page csv", "'csv'") if "csv" in found else None
    if table is None:
        return None, None
    columns = _columns(reading, table["columns"][1]) if "columns" in table else ()
    partial = "partial" in table and reading.boolean("partial", table["partial"][1]) is True
    file = _file(reading, table["file"][1]) if "file" in table else None
    return (Table(columns, file is not None, partial) if columns else None), file


def with_file(headers: Mapping | None, file: Expression) -> Mapping:
    """The headers of a page with the name of its file."""
    items = () if headers is None else headers.items
    return Mapping((*(pair for pair in items if pair[0].lower() != DISPOSITION.lower()), (DISPOSITION, file)))


def _columns(reading: Reading, node: Node) -> tuple[tuple[str, str], ...]:
    if isinstance(node, ListNode):
        pairs: list[tuple[Node, Node]] = [(item, item) for item in node.items]
    else:
        pairs = [(key, value) for key, value in node.items] if isinstance(node, MapNode) else []
    if not 0 < len(pairs) <= MOST_COLUMNS:
        wanted = f"the fields of a row, or a mapping of titles to fields, at most {MOST_COLUMNS:,}"
        reading.wrong("columns", node, wanted)
        return ()
    found: dict[str, str] = {}
    for title, field in pairs:
        if not isinstance(field, ScalarNode) or not field.text or field.value is None:
            reading.say(mark_of(field), f"'columns' holds names of fields, not {kind_of(field)}")
        elif isinstance(title, ScalarNode) and title.text in found:
            cure = "each has a title of its own: {Title: field}"
            reading.say(mark_of(title), f"two columns have the title '{title.text}'", cure)
        elif isinstance(title, ScalarNode):
            found[title.text] = field.text
    return tuple(found.items())


def _file(reading: TreeReading, node: Node) -> Expression | None:
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.text.strip():
        reading.wrong("file", node, "the name of a file such as orders.csv or orders-{query.day}.csv")
        return None
    return reading.parsed(parse_file_name, node)
