"""Every function of the library, with what null gives."""

from datetime import UTC, datetime

import pytest

from bff.expressions import Evaluation, compile_tree, zones
from bff.expressions.functions import FUNCTIONS
from bff.expressions.parse import parse

# 04:30 on the 16th in Shanghai
NOW = datetime(2026, 11, 15, 20, 30, 1, 234567, tzinfo=UTC)
ROWS = [
    {"id": 1, "title": "b", "due": "2026-03-01", "done": True},
    {"id": 2, "title": "a", "due": None, "done": False},
    {"id": "3", "title": "c", "due": "2026-01-01", "done": True},
    {"id": None, "title": "a", "done": None},
]
SCOPE = {"rows": ROWS, "m": {"a": 1, "b": None}, "text": "Hello, 待办"}

CASES = {
    "len": [("len(rows)", 4), ("len(m)", 2), ("len(text)", 9), ("len(null)", None), ("len(5)", None)],
    "count": [
        ("count(r for r in rows if r.done)", 2),
        ("count(rows)", 4),
        ("count(null)", 0),
        ("count(m)", 0),
        ("count(r.missing for r in rows)", 4),
    ],
    "sum": [
        ("sum([1, null, 2.5])", 3.5),
        ("sum(r.id for r in rows)", None),
        ("sum(null)", 0),
        ("sum([])", 0),
        ("sum([true])", None),
        ("sum([18446744073709551615, 1])", None),
    ],
    "min": [
        ("min([3, null, 1.5])", 1.5),
        ("min(r.title for r in rows)", "a"),
        ("min(3, 2, null)", 2),
        ("min(null)", None),
        ("min([])", None),
        ("min([1, 'a'])", None),
        ("min([true, false])", None),
    ],
    "max": [
        ("max([3, null, 1.5])", 3),
        ("max('a', 'b')", "b"),
        ("max(null)", None),
        ("max([[1], [2]])", None),
    ],
    "any": [("any(r.done for r in rows)", True), ("any([0, ''])", False), ("any(null)", False)],
    "all": [("all(r.title for r in rows)", True), ("all([1, null])", False), ("all(null)", True)],
    "round": [
        ("round(2.5)", 2),
        ("round(3.5)", 4),
        ("round(2.345, 1)", 2.3),
        ("round(1234, -2)", 1200),
        ("round(7)", 7),
        ("round(null)", None),
        ("round(true)", None),
        ("round(1.5, 'a')", None),
        ("round(1.5, 21)", None),
    ],
    "abs": [("abs(-2)", 2), ("abs(-0.5)", 0.5), ("abs(null)", None), ("abs('a')", None)],
    "str": [
        ("str(1.0)", "1.0"),
        ("str(true)", "true"),
        ("str('a')", "a"),
        ("str(null)", ""),
        ("str([1])", None),
        ("str(m)", None),
    ],
    "matches": [
        ("matches('ab-12', r'[0-9]')", True),
        ("matches('ab-12', r'^[0-9]')", False),
        ("matches('a\\n', r'^a$')", False),
        ("matches('', '')", True),
        ("matches('待办', r'^\\p{L}{2}$')", True),
        ("matches(null, 'a')", None),
        ("matches(12, '1')", None),
    ],
    "find": [
        (r"find('call 030-12', r'(\d+)-(\d+)')", ["030-12", "030", "12"]),
        ("find('ac', r'(?P<one>a)(b)?')", ["a", "a", None]),
        ("find('待办', '办')", ["办"]),
        ("find('a', 'b')", None),
        ("find('待', r'\\C')", ["\ufffd"]),
        ("find(null, 'a')", None),
        ("find([1], 'a')", None),
    ],
    "sub": [
        (r"sub('a1b22', r'\d+', '#')", "a#b#"),
        (r"sub('5123 4567', r'(\d{4}) (\d{4})', r'\2-\1 \0 \\')", "4567-5123 5123 4567 \\"),
        (r"sub('a', r'(a)|(b)', r'<\2>')", "<>"),
        (r"sub('a', 'a', f'{null}\\{1}')", "\\1"),
        ("sub('abxd', 'x*', '-')", "-a-b--d-"),
        ("sub('待办', '', '-')", "-待-办-"),
        (r"sub('aa', '^a', '')", "a"),
        (r"sub('ab ab', r'\bb', '')", "ab ab"),
        ("sub('abc', 'z', 'y')", "abc"),
        ("sub(null, 'a', 'b')", None),
        ("sub('a', 'a', null)", None),
        ("sub('a', 'a', 5)", None),
    ],
    "url_encode": [
        ("url_encode('a/b c?&=#+ä')", "a%2Fb%20c%3F%26%3D%23%2B%C3%A4"),
        ("url_encode(1.5)", "1.5"),
        ("url_encode(true)", "true"),
        ("url_encode(null)", None),
        ("url_encode([1])", None),
    ],
    "url": [
        ("url('/a', {'b': 1})", "/a?b=1"),
        ("url('/a?x=1#top', {'b': 'c&d', 'e f': true})", "/a?x=1&b=c%26d&e%20f=true#top"),
        ("url('/a?', {'b': 1})", "/a?b=1"),
        ("url('/a?x=1&', {'b': 1})", "/a?x=1&b=1"),
        ("url('/a#b?c', {'b': 1})", "/a?b=1#b?c"),
        ("url('/a', {'b': [1, null, 'z'], 'c': null, 'd': []})", "/a?b=1&b=z"),
        ("url('/a', {})", "/a"),
        ("url('/a', null)", "/a"),
        ("url('/a', {'b': {}})", None),
        ("url('/a', {'b': [[1]]})", None),
        ("url('/a', 5)", None),
        ("url(null, {'b': 1})", None),
    ],
    "base64": [
        ("base64('hé')", "aMOp"),
        ("base64('a')", "YQ=="),
        ("base64('')", ""),
        ("base64(null)", None),
        ("base64(5)", None),
    ],
    "unbase64": [
        ("unbase64('aMOp')", "hé"),
        ("unbase64('YQ==')", "a"),
        ("unbase64('YQ')", "a"),
        ("unbase64('aM\\r\\nOp\\n')", "hé"),
        ("unbase64('4p-_')", "⟿"),
        ("unbase64('4p+/')", "⟿"),
        ("unbase64('')", ""),
        ("unbase64('_w')", None),
        ("unbase64('Y')", None),
        ("unbase64('Y=Q')", None),
        ("unbase64('Y!Q')", None),
        ("unbase64('é')", None),
        ("unbase64(null)", None),
        ("unbase64(5)", None),
    ],
    "parse_json": [
        ('parse_json(\'{"a": [1, 2.5, null, "x"]}\')', {"a": [1, 2.5, None, "x"]}),
        ("parse_json('5')", 5),
        ("parse_json('null')", None),
        ("parse_json('NaN')", None),
        ("parse_json('{')", None),
        ("parse_json('')", None),
        (f"parse_json('{'[' * 101 + ']' * 101}')", None),
        (f"len(parse_json('{'[' * 100 + ']' * 100}'))", 1),
        ("parse_json(null)", None),
        ("parse_json(5)", None),
    ],
    "to_json": [
        (
            "to_json({'b': 1, 'a': [null, 'é', {'d': true, 'c': 1.5}]})",
            '{"a":[null,"é",{"c":1.5,"d":true}],"b":1}',
        ),
        ("to_json('a\\n\"')", '"a\\n\\""'),
        ("to_json(18446744073709551615)", "18446744073709551615"),
        ("to_json(null)", "null"),
        ("parse_json(to_json(rows)) == rows", True),
    ],
    "int": [
        ("int('ff', 16)", 255),
        ("int('0x1F', 16)", 31),
        ("int('-101', 2)", -5),
        ("int('z', 36)", 35),
        ("int('2', 2)", None),
        ("int('1_0', 10)", None),
        ("int('f', 37)", None),
        ("int('f', null)", None),
        ("int(15, 16)", None),
        (f"int('{'f' * 17}', 16)", None),
        ("int('12')", 12),
        ("int(' -7 ')", -7),
        ("int(2.9)", 2),
        ("int(-2.9)", -2),
        ("int(null)", None),
        ("int('2.5')", None),
        ("int('')", None),
        ("int(true)", None),
        ("int('99999999999999999999')", None),
    ],
    "float": [
        ("float('1.5')", 1.5),
        ("float(2)", 2.0),
        ("float('1e3')", 1000.0),
        ("float(null)", None),
        ("float('nan')", None),
        ("float('1e999')", None),
        ("float('x')", None),
    ],
    "sort": [
        ("[r.id for r in sort(rows, 'due')]", ["3", 1, 2, None]),
        ("[r.id for r in sort(rows, '-due')]", [1, "3", 2, None]),
        ("[r.id for r in sort(rows, 'title', '-due')]", [2, None, 1, "3"]),
        ("sort([3, 1, 2])", [1, 2, 3]),
        ("sort([3, null, 1], '-')", [3, 1, None]),
        ("sort(['b', 2, true, 'a', null, 1.5, false])", [False, True, 1.5, 2, "a", "b", None]),
        ("sort([[2], {}, [1]])", [[2], {}, [1]]),
        ("sort(null)", []),
        ("sort(m)", []),
        ("sort([1], 5)", None),
    ],
    "unique": [
        ("unique([1, 1.0, true, 'a', 'a', null, null])", [1, True, "a", None]),
        ("unique([[1], [1.0], {'a': 1}, {'a': 1}, {}, []])", [[1], {"a": 1}, {}, []]),
        ("[r.id for r in unique(rows, 'title')]", [1, 2, "3"]),
        ("unique(null)", []),
    ],
    "index": [
        ("keys(index(rows, 'id'))", ["1", "2", "3"]),
        ("index(rows, 'title').a.id", None),
        ("index(rows, 'id')['2'].title", "a"),
        ("index([['x', 1]], 0).x[1]", 1),
        ("index(null, 'id')", {}),
        ("index([1, 'a'], 'id')", {}),
    ],
    "group": [
        ("{k.key: len(k.value) for k in items(group(rows, 'title'))}", {"b": 1, "a": 2, "c": 1}),
        ("keys(group(rows, 'done'))", ["true", "false"]),
        ("group(null, 'id')", {}),
    ],
    "keys": [("keys(m)", ["a", "b"]), ("keys(null)", []), ("keys(rows)", [])],
    "values": [("values(m)", [1, None]), ("values(null)", [])],
    "items": [("items(m)", [{"key": "a", "value": 1}, {"key": "b", "value": None}]), ("items(null)", [])],
    "merge": [
        ("merge(m, {'a': null, 'c': 3})", {"a": None, "b": None, "c": 3}),
        ("merge(null, m)", {"a": 1, "b": None}),
        ("merge(null)", {}),
        ("merge(m, [])", None),
    ],
    "pick": [
        ("pick(m, 'b', 'x')", {"b": None}),
        ("pick({1: 'a'}, 1)", {"1": "a"}),
        ("pick(null, 'a')", None),
        ("pick(m, null)", {}),
    ],
    "omit": [("omit(m, 'b', 'x')", {"a": 1}), ("omit({1: 'a'}, 1)", {}), ("omit(null, 'a')", None)],
    "default": [
        ("default(m.b, 'x')", "x"),
        ("default(0, 'x')", 0),
        ("default('', 'x')", ""),
        ("default(false, 'x')", False),
        ("default(null, null)", None),
        ("[default(r.due, '-') for r in rows]", ["2026-03-01", "-", "2026-01-01", "-"]),
    ],
    "join": [
        ("join(['a', 1, true, null, [1]], '-')", "a-1-true--"),
        ("join(r.title for r in rows)", "baca"),
        ("join([])", ""),
        ("join(null, ',')", ""),
        ("join(['a'], 5)", None),
    ],
    "split": [
        ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
        ("split(' a  b ')", ["a", "b"]),
        ("split('', ',')", [""]),
        ("split(null, ',')", None),
        ("split('a', '')", None),
        ("split('a', null)", None),
    ],
    "replace": [
        ("replace('banana', 'an', 'x')", "bxxa"),
        ("replace('ab', '', '-')", "-a-b-"),
        ("replace(null, 'a', 'b')", None),
        ("replace('a', 'a', null)", None),
    ],
    "lower": [("lower('ÄB')", "äb"), ("lower(null)", None), ("lower(5)", None)],
    "upper": [("upper('straße')", "STRASSE"), ("upper(null)", None)],
    "strip": [("strip('  a b \n')".replace("\n", "\\n"), "a b"), ("strip(null)", None)],
    "startswith": [
        ("startswith(text, 'Hell')", True),
        ("startswith(text, 'x')", False),
        ("startswith(null, 'a')", None),
        ("startswith('a', ['a'])", None),
    ],
    "endswith": [("endswith(text, '办')", True), ("endswith(null, 'a')", None)],
    "range": [
        ("range(3)", [0, 1, 2]),
        ("range(0)", []),
        ("len(range(1000))", 1000),
        ("range(1001)", []),
        ("range(-1)", []),
        ("range(2.0)", []),
        ("range(true)", []),
        ("range(null)", []),
    ],
    "now": [
        ("now()", "2026-11-15T20:30:01.234Z"),
        ("[now() for r in rows][3]", "2026-11-15T20:30:01.234Z"),
        ("now(300)", "2026-11-15T20:35:01.234Z"),
        ("now(-0.234)", "2026-11-15T20:30:01.000Z"),
        ("now(null)", None),
        ("now('300')", None),
        ("now(true)", None),
        ("now(1e300)", None),
    ],
    "days": [
        ("days(2)", ["2026-11-14", "2026-11-15"]),
        ("days(2, 'Asia/Shanghai')", ["2026-11-15", "2026-11-16"]),
        ("days(0)", []),
        ("days(null)", []),
        ("days(1001)", []),
        ("days(1, 'Nowhere')", None),
        ("days(1, null)", None),
    ],
    "date": [
        ("date('2026-11-15T20:30:00Z')", "2026-11-15"),
        ("date('2026-11-15T20:30:00Z', 'Asia/Shanghai')", "2026-11-16"),
        ("date('2026-11-15 20:30:00.000Z', 'Asia/Shanghai')", "2026-11-16"),
        ("date('2026-11-15T20:30', 'Asia/Shanghai')", "2026-11-16"),
        ("date('2026-11-15T20:30:00.123456789+08:00')", "2026-11-15"),
        ("date('2026-11-15T04:30:00+08:00')", "2026-11-14"),
        ("date('2026-11-15T20:30:00Z', 'America/New_York')", "2026-11-15"),
        ("date('2026-11-15', 'Asia/Shanghai')", "2026-11-15"),
        ("date('2026-02-30')", None),
        ("date('2026-11-15T25:00:00Z')", None),
        ("date('soon')", None),
        ("date(null)", None),
        ("date('2026-11-15', '../../etc/passwd')", None),
    ],
    "digest": [
        ("digest('a', 8)", "ca978112"),
        ("len(digest('待办'))", 64),
        ("digest(1) == digest('1')", True),
        ("digest('a', 0)", None),
        ("digest(null)", None),
        ("digest(rows)", None),
    ],
    "quote": [
        ("quote(text)", "<Hello, 待办>"),
        ("quote(5)", "<5>"),
        ("quote(null)", "<>"),
        ("quote([1])", "<>"),
    ],
}


@pytest.mark.parametrize("text, expected", [case for cases in CASES.values() for case in cases])
def test_the_function_gives(text, expected):
    compiled = compile_tree(parse(text), quotes={"quote": lambda text: f"<{text}>"})
    for run in (compiled, compiled.safely):
        made = run(SCOPE, Evaluation(now=NOW))
        assert made == expected
        assert type(made) is type(expected)


def test_every_function_is_tried_also_with_null():
    assert CASES.keys() == FUNCTIONS.keys()
    for cases in CASES.values():
        assert any("null" in text for text, _ in cases)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_it_is_documented_in_one_line_with_a_signature_that_is_one(function):
    assert function.doc.endswith((".", "'."))
    assert "\n" not in function.doc and len(function.doc) < 140
    assert "null" in function.doc
    assert parse(function.signature).node.func.id == function.name


def test_an_unknown_zone_is_not_looked_for_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor may name the zone, and thousands of rows then ask for it."""
    looked_for: list[str] = []
    monkeypatch.setattr(zones, "_loaded", looked_for.append)
    names = ["Nowhere/Land", "asia/shanghai", "../Asia/Shanghai", "Asia", "/etc/localtime", "posixrules"]
    evaluation = Evaluation(work=1000, memory=10_000, now=datetime(2026, 11, 15, tzinfo=UTC))
    assert [FUNCTIONS["days"].call(evaluation, 1, name) for name in names] == [None] * len(names)
    assert looked_for == []
