"""What went wrong where YAML reads something else than the author meant, with the cure."""

from __future__ import annotations

import re

import yaml

from bff.errors import Finding
from bff.recipe.source.text import Source

_QUOTE_ALL = "put the whole value in quotes"
_TERNARY = "write 'b if a else c'"


def tag_cure(raw: str) -> str:
    """What an author who wrote a YAML tag probably meant."""
    word = raw.lstrip("!")
    if raw.startswith("!!") or not word:
        return "tags are not allowed"
    return f"tags are not allowed; for negation write 'not {word}'"


def syntax_finding(error: yaml.MarkedYAMLError, source: Source) -> Finding:
    """A text that is no YAML, said in the words of somebody who writes recipes."""
    mark = error.problem_mark or error.context_mark
    assert mark is not None
    index = min(mark.index, len(source.text))
    problem = error.problem or ""
    line = source.line(source.place(index).line)
    before = line[: source.place(index).column - 1]
    if problem.startswith("mapping values are not allowed"):
        return _second_colon(source, index, before)
    if problem.startswith("could not find expected ':'") and error.context_mark:
        return _no_colon(source, error.context_mark.index)
    if "unexpected end of stream" in problem and error.context_mark:
        start = error.context_mark.index
        return source.mark(start, start + 1).finding(
            "a quote that is never closed", "close it on the same line"
        )
    if problem.startswith("found unknown escape"):
        hint = "in double quotes a backslash begins an escape; write single quotes around the value"
        return source.mark(index - 1, index + 1).finding("an unknown escape", hint)
    if "cannot start any token" in problem:
        return _bad_start(source, index)
    return _structure(error, source, index, before)


def _second_colon(source: Source, index: int, before: str) -> Finding:
    mark = source.mark(index, index + 1)
    if re.search(r"\S:\s+\S.*\s\?\s", before):
        return mark.finding("'a ? b : c' is not an expression here", _TERNARY)
    if value := re.search(r"\S:\s+(\S.*)", before):
        line = source.line(source.place(index).line)
        cure = f"{_QUOTE_ALL}: {_requoted(line[value.start(1) :].rstrip())}"
        return mark.finding("': ' inside a value", f"YAML reads it as a second key; {cure}")
    return mark.finding(
        "a key where no key can stand", "the line above already has a value; is the indentation right?"
    )


def _no_colon(source: Source, start: int) -> Finding:
    line = source.line(source.place(start).line)
    length = len(line.rstrip()) - source.place(start).column + 1
    return source.mark(start, start + length).finding(
        "no ':' after this key", "a key is written 'name: value'"
    )


def _bad_start(source: Source, index: int) -> Finding:
    char = source.text[index]
    mark = source.mark(index, index + 1)
    if char == "`":
        hint = 'a text with holes is written f"Hello {me.name}", without backticks'
        return mark.finding("a backtick", hint)
    return mark.finding(f"a value cannot begin with '{char}'", _QUOTE_ALL)


def _structure(error: yaml.MarkedYAMLError, source: Source, index: int, before: str) -> Finding:
    mark = source.mark(index, index + 1)
    context = error.context or ""
    in_flow = "flow mapping" in context or "flow sequence" in context
    begins = r":\s+" if in_flow else r"(?:^|[:\-]\s+)"
    if quoted := re.search(begins + r"""(["'])[^"']*\1\s*$""", before):
        return _leading_quote(source, index, before, quoted)
    if in_flow:
        return _flow(error, source, index)
    if (
        "block mapping" in context
        or "block collection" in context
        or "document start" in (error.problem or "")
    ):
        return mark.finding(
            "wrong indentation",
            "the keys of one mapping stand in one column, those below a key further right",
        )
    if "scanning an alias" in context or "scanning an anchor" in context:
        return source.mark(index - 1, index).finding(f"'{source.text[index - 1]}' begins a value", _QUOTE_ALL)
    found = re.sub(r"[<>]", "", error.problem or "").replace("but found", "found")
    return mark.finding(f"not YAML: {found}", _QUOTE_ALL)


def _leading_quote(source: Source, index: int, before: str, quoted: re.Match[str]) -> Finding:
    line = source.line(source.place(index).line)
    value = line[quoted.start(1) :].rstrip()
    cure = f"quote the whole: {_requoted(value)}"
    length = len(line.rstrip()) - len(before)
    message = "text after the closing quote"
    return source.mark(index, index + length).finding(message, f"YAML ends the value at that quote; {cure}")


def _requoted(value: str) -> str:
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    return "'" + value.replace("'", "''") + "'"


def _flow(error: yaml.MarkedYAMLError, source: Source, index: int) -> Finding:
    start = error.context_mark.index if error.context_mark else index
    opening = source.text[start : start + 1]
    if index >= len(source.text.rstrip()):
        return source.mark(start, start + 1).finding(f"'{opening}' is never closed")
    if source.text[index] == "?" and (found := _question(source, index)):
        return found
    pair = {"{": "{…}", "[": "[…]"}.get(opening, "{…}")
    return source.mark(index, index + 1).finding(
        f"'{source.text[index]}' inside YAML's {pair}",
        "there an expression with [ ] { } , or ? needs quotes; or write one line per key",
    )


_OPERATORS = {"??": "write default(a, b)", "?.": "write a plain dot: reading from null gives null"}


def _question(source: Source, index: int) -> Finding | None:
    """What a question mark within `{…}` was meant for: an operator of other languages, or the query of a path."""
    place = source.place(index)
    before, behind = source.line(place.line)[: place.column - 1], source.line(place.line)[place.column - 1 :]
    if cure := _OPERATORS.get(behind[:2]):
        return source.mark(index, index + 2).finding(f"'{behind[:2]}' is not an operator here", cure)
    if re.match(r"\?[^,}\]]*\s:\s", behind):
        return source.mark(index, index + 1).finding("'a ? b : c' is not an expression here", _TERNARY)
    if path := re.search(r":\s+(/[^\s,]*)$", before):
        query = re.match(r"[^\s,}\]]*", behind)
        written = f"{path[1]}{query[0] if query else ''}"
        hint = f'put the path in quotes: "{written}"; or write one line per key'
        return source.mark(index, index + 1).finding("'?' inside YAML's {…}", hint)
    return None
