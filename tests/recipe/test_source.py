"""A recipe's file as nodes: YAML 1.2 core values, and the place of every character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bff.errors import Finding
from bff.recipe.loader.schemas import plain
from bff.recipe.source import MapNode, Node, ScalarNode, Source, read_nodes, read_source
from bff.recipe.source.nodes import MAX_DEPTH
from bff.recipe.source.text import MAX_BYTES
from tests.properties import example, given, settings, st


def nodes_of(text: str) -> Node:
    node, findings = read_nodes(Source("r.yaml", text))
    assert findings == []
    assert node is not None
    return node


def value_of(text: str) -> Any:
    return plain(nodes_of(f"x: {text}"))["x"]


def scalar_at(text: str, key: str = "x") -> ScalarNode:
    node = nodes_of(text)
    assert isinstance(node, MapNode)
    value = next(value for name, value in node.items if name.text == key)
    assert isinstance(value, ScalarNode)
    return value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("NULL", None),
        ("12", 12), ("-12", -12), ("+3", 3), ("0o17", 15), ("0x1F", 31), ("007", 7),
        ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0), ("6.02E+23", 6.02e23), ("1.", 1.0),
        ("on", "on"), ("no", "no"), ("Yes", "Yes"), ("off", "off"), ("y", "y"),
        ("2026-11-15", "2026-11-15"), ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("0b11", "0b11"),
        ("'12'", "12"), ('"true"', "true"), ("nULL", "nULL"), ("=", "="), ("18446744073709551615", 2**64 - 1),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_yaml_1_2_says(written: str, value: object) -> None:
    found = value_of(written)
    assert found == value
    assert type(found) is type(value)


def test_a_key_is_the_text_that_was_written() -> None:
    assert plain(nodes_of("on: 1\n404: 2\nnull: 3\n1.0: 4")) == {"on": 1, "404": 2, "null": 3, "1.0": 4}


def places_of(scalar: ScalarNode) -> list[tuple[str, int, int]]:
    """Each character with the line and column that it is said to stand at."""
    marks = [scalar.mark(offset, 1) for offset in range(len(scalar.text))]
    return [(char, mark.place.line, mark.place.column) for char, mark in zip(scalar.text, marks, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x: 待a", "待1:4 a1:5", id="plain"),
        pytest.param("x: a\n  待\n\n  c", "a1:4 _1:5 待2:3 ⏎2:4 c4:3", id="plain over lines"),
        pytest.param("x: '待''b'", "待1:5 '1:6 b1:8", id="single quotes"),
        pytest.param("x: '待\n  b'", "待1:5 _1:6 b2:3", id="single quotes over lines"),
        pytest.param(r'x: "\u5f85\/b\x41"', "待1:5 /1:11 b1:13 A1:14", id="escapes"),
        pytest.param('x: "a\\\n   b\n  c"', "a1:5 b2:4 _2:5 c3:3", id="escaped line end"),
        pytest.param("x: |\n  待b\n   c\n", "待2:3 b2:4 ⏎2:5 _3:3 c3:4 ⏎3:5", id="literal"),
        pytest.param("x: >-\n  待\n  b\n\n  c\n", "待2:3 _2:4 b3:3 ⏎4:1 c5:3", id="folded"),
        pytest.param(
            "x: >\n  a\n   b\n  c", "a2:3 ⏎2:4 _3:3 b3:4 ⏎3:5 c4:3", id="folded, with a deeper line"
        ),
        pytest.param("x: |2-\n    a\n", "_2:3 _2:4 a2:5", id="indentation written"),
        pytest.param("x: a\r\n  b\r\n", "a1:4 _1:5 b2:3", id="Windows line ends"),
    ],
)
def test_every_character_of_a_scalar_has_its_place(text: str, expected: str) -> None:
    shown = str.maketrans({" ": "_", "\n": "⏎"})
    found = " ".join(
        f"{char.translate(shown)}{line}:{column}" for char, line, column in places_of(scalar_at(text))
    )
    assert found == expected


# What the escapes, folds and quotes of YAML are made of; tabs and controls are refused before.
TEXTS = st.text(alphabet="ab待'\"\\ \n:#-{}[],&*!|>%@`é🙂", max_size=40)


@given(TEXTS, st.sampled_from([None, "'", '"', "|", ">"]), st.integers(10, 80), st.booleans())
def test_the_places_of_whatever_yaml_writes_lead_to_its_characters(
    value: str, style: str | None, width: int, unicode: bool
) -> None:
    text = yaml.safe_dump(
        {"k": {"x": value}}, default_style=style, width=width, allow_unicode=unicode, indent=4
    )
    node = nodes_of(text)
    assert isinstance(node, MapNode)
    inner = node.items[0][1]
    assert isinstance(inner, MapNode)
    scalar = inner.items[0][1]
    assert isinstance(scalar, ScalarNode)
    # PyYAML folds some texts such that it reads others back: what it reads is what is written there.
    assert scalar.text == yaml.safe_load(text)["k"]["x"]
    lines = text.split("\n")
    for char, line, column in places_of(scalar):
        at = (lines[line - 1] + "\n")[column - 1]
        # A fold stands for white space, an escape for any character; all others stand for themselves.
        assert at == char or (char in " \n" and at in " \n") or (scalar.style == '"' and at == "\\")


def test_a_mark_past_the_end_of_a_text_stands_behind_it() -> None:
    mark = scalar_at("x: abc").mark(3, 1)
    assert (mark.place.column, mark.length) == (7, 1)


def test_a_mark_over_several_lines_ends_with_the_first() -> None:
    mark = scalar_at("x: >\n  abc def\n  ghi\n").mark(4, 6)
    assert (mark.place.line, mark.place.column, mark.length) == (2, 7, 3)


def read(tmp_path: Path, raw: bytes) -> tuple[Source | None, list[Finding]]:
    path = tmp_path / "r.yaml"
    path.write_bytes(raw)
    return read_source(path, "r.yaml")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    source, findings = read(tmp_path, b"\xef\xbb\xbfroute: 1")
    assert findings == []
    assert source is not None
    assert source.text == "route: 1"


def test_a_file_over_the_bound_is_not_read(tmp_path: Path) -> None:
    _, findings = read(tmp_path, b"x" * (MAX_BYTES + 1))
    assert list(map(str, findings)) == ["r.yaml:1:1: has 262,145 bytes; a recipe may have 262,144"]


def test_a_file_that_is_not_utf_8_is_told_by_its_line(tmp_path: Path) -> None:
    _, findings = read(tmp_path, b"a: 1\nb: \xff\n")
    assert list(map(str, findings)) == ["r.yaml:2:1: is not UTF-8 text; save the file as UTF-8"]


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        (b"a: \x1bb", "r.yaml:1:4: the control character U+001B\na: \ufffdb\n   ^ {only}"),
        ("a: \u2028b".encode(), "r.yaml:1:4: the control character U+2028\na: \ufffdb\n   ^ {only}"),
        (b"a: b\rc: d", "r.yaml:1:5: a lone carriage return\na: b\ufffdc: d\n    ^ {only}"),
        (b"a:\tb\nc:\td", "r.yaml:1:3: a tab\na: b\n  ^ write spaces; 1 more in this file"),
    ],
)
def test_characters_that_nobody_sees_are_told(raw: bytes, printed: str, tmp_path: Path) -> None:
    _, findings = read(tmp_path, raw)
    only = "only visible characters, spaces and line ends may stand in a recipe"
    assert list(map(str, findings)) == [printed.format(only=only)]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_without_end_is_cut_off(opening: str) -> None:
    node, findings = read_nodes(Source("r.yaml", "x:\n  " + opening * 5000))
    assert node is None
    assert [finding.message for finding in findings] == [f"nested more than {MAX_DEPTH} deep"]


@given(st.text(alphabet="ab:- \n'\"{}[],#&*!|>%@`?\\~<.0", max_size=80))
def test_any_text_gives_nodes_or_findings(text: str) -> None:
    node, findings = read_nodes(Source("r.yaml", text))
    assert node is not None or findings or not text.strip() or "#" in text or text.strip(" \n.") == ""
    for finding in findings:
        assert str(finding).startswith("r.yaml:")


PIECES = (
    *"ab:\n'\"{}[],#|>?%@`\\~<.0é待😀\t\r\x85\u2028\ufeff!",
    *(
        "- ",
        "? ",
        ": ",
        "a: ",
        "\n  ",
        "\n    - ",
        "{a: ",
        "[a, ",
        "a: |\n  x\n",
        "a: >-\n  x\n",
        "|2\n",
        "|+\n",
    ),
    *("'x'", '"y"', "\\u0041", "\r\n", "---", "...", "&a", "*a"),
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("{get: /todos?sort=due}")
@example("a: |#")
@example("[a, {b: }]")
@example("a\t")
@example("\ufeffa: b")
def test_a_text_means_the_same_where_libyaml_is_missing(text: str) -> None:
    source = Source("r.yaml", text)
    found = read_nodes(source)
    with pytest.MonkeyPatch.context() as missing:
        missing.setattr(yaml, "__with_libyaml__", False)
        assert found == read_nodes(source)
