"""Each rule of the operators, one line each, in the compiled form outside and inside of a loop."""

import pytest

from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse
from tests.expressions.reference import evaluate

SCOPE = {
    "me": {
        "name": "Ada",
        "age": 36,
        "admin": True,
        "tags": ["a", "b"],
        "from": "x",
        "1": "one",
        "true": "yes",
        "0.5": "half",
    },
    "rows": [{"id": 1, "n": 2}, {"id": "b", "n": None}, None, "text"],
    "people": {"1": {"name": "One"}, "b": {"name": "Bee"}},
    "nothing": None,
    "待办": "todo",
}

RULES = [
    # Look-ups
    ("me.name", "Ada"),
    ("me['name']", "Ada"),
    ("me['from']", "x"),
    ("me.missing", None),
    ("me.missing.more['still']", None),
    ("nothing.a", None),
    ("me.name.upper", None),
    ("me.tags.a", None),
    ("待办", "todo"),
    ("me[1]", "one"),
    ("me[true]", "yes"),
    ("me[0.5]", "half"),
    ("me[null]", None),
    ("me[[1]]", None),
    ("me[{}]", None),
    ("me.tags[0]", "a"),
    ("me.tags[-1]", "b"),
    ("me.tags[2]", None),
    ("me.tags[-3]", None),
    ("me.tags[true]", None),
    ("me.tags[0.0]", None),
    ("me.tags['0']", None),
    ("me.name[0]", None),
    ("nothing[0]", None),
    ("me.tags[1:]", ["b"]),
    ("me.tags[:-1]", ["a"]),
    ("me.tags[::-1]", ["b", "a"]),
    ("me.name[1:]", "da"),
    ("me.tags[5:]", []),
    ("me.tags[null:1]", ["a"]),
    ("me.tags['a':]", None),
    ("me.tags[::0]", None),
    ("me[0:1]", None),
    ("nothing[1:]", None),
    ("people[rows[0].id].name", "One"),
    ("[people[row.id].name for row in rows]", ["One", "Bee", None, None]),
    # Truth, choice
    ("nothing or 'x'", "x"),
    ("0 or ''", ""),
    ("[] or {} or 5", 5),
    ("'a' and 0", 0),
    ("'a' and 'b'", "b"),
    ("not []", True),
    ("not 'a'", False),
    ("1 if me.admin else 2", 1),
    ("1 if nothing else 2", 2),
    ("true and True", True),
    ("false or False", False),
    # Equality
    ("1 == 1.0", True),
    ("true == 1", False),
    ("false == 0", False),
    ("1 == true", False),
    ("0.0 == false", False),
    ("null == false", False),
    ("null == null", True),
    ("'1' == 1", False),
    ("[1, true] == [1.0, true]", True),
    ("[1] == [true]", False),
    ("{'a': 1} == {'a': 1.0}", True),
    ("{'a': 1} == {'a': true}", False),
    ("{'a': 1} == {'b': 1}", False),
    ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", True),
    ("[] == {}", False),
    ("me.admin == true", True),
    ("me.admin != 1", True),
    ("nothing is None", True),
    ("nothing is not null", False),
    ("0 is null", False),
    ("me.missing is null", True),
    # Order
    ("1 < 2", True),
    ("1 < 1.5 <= 2", True),
    ("'a' < 'b'", True),
    ("2 < '3'", None),
    ("null < 1", None),
    ("1 >= null", None),
    ("true < 2", None),
    ("[1] < [2]", None),
    ("1 < 2 < 'a'", None),
    ("3 < 2 < 'a'", False),
    ("'2026-01-02' < '2026-11-15'", True),
    # in
    ("'a' in me.tags", True),
    ("'c' not in me.tags", True),
    ("'name' in me", True),
    ("1 in me", True),
    ("null in me", False),
    ("'d' in me.name", True),
    ("1 in 'a1'", False),
    ("1 in nothing", False),
    ("1 in [1.0]", True),
    ("true in [1]", False),
    ("1 in [true]", False),
    ("null in [null]", True),
    ("[1] in [[1.0]]", True),
    ("me.age in ['a', 36]", True),
    ("me.tags in ['a']", False),
    # Arithmetic
    ("1 + 2", 3),
    ("1 + 2.0", 3.0),
    ("'a' + 'b'", "ab"),
    ("[1] + [2]", [1, 2]),
    ("'a' + 1", None),
    ("1 + null", None),
    ("{} + {}", None),
    ("true + 1", None),
    ("5 - 7", -2),
    ("'a' * 3", None),
    ("[1] * 3", None),
    ("3 * 1.5", 4.5),
    ("7 / 2", 3.5),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("7 % 3", 1),
    ("-7 % 3", 2),
    ("'%s' % 3", None),
    ("1 / 0", None),
    ("1 // 0.0", None),
    ("1 % 0", None),
    ("-me.age", -36),
    ("-me.admin", None),
    ("-me.name", None),
    ("18446744073709551615 + 0", 18446744073709551615),
    ("18446744073709551615 + 1", None),
    ("-9223372036854775808", -(2**63)),
    ("-9223372036854775808 - 1", None),
    ("-18446744073709551615", None),
    ("1e308 * 10", None),
    ("1e308 + 1e308 - 1e308", None),
    # Decimals
    ("0.1 + 0.2", 0.3),
    ("0.1 + 0.2 == 0.3", True),
    ("1.1 - 1", 0.1),
    ("19.99 * 3", 59.97),
    ("19.99 * 1.19", 23.7881),
    ("0.3 / 0.1", 3.0),
    ("0.3 // 0.1", 3.0),
    ("0.3 % 0.1", 0.0),
    ("-0.3 % 0.2", 0.1),
    ("0.3 % -0.1", -0.0),
    ("-0.1 // 0.3", -1.0),
    ("1e-7 + 2e-7", 3e-07),
    ("1000000.1 - 1000000", 0.1),
    ("123456789012.345 - 0.005", 123456789012.34),
    ("0.1 + 1e22", 1e22),
    ("5e-324 * 0.1", 0.0),
    ("-5e-324 / 10", -0.0),
    ("1e308 * 1e308", None),
    ("1e308 // 1e-308", None),
    ("0.0 * -1.5", -0.0),
    ("0.30000000000000004 - 0.1", 0.20000000000000004),  # 17 digits: no decimal, so in binary
    ("18446744073709551615 * 0.1", 1.8446744073709552e18),
    ("18446744073709551615 + 0.1", 1.8446744073709552e19),
    ("100000000000000000 * 0.1", 1e16),
    # Texts
    ("f'{me.name}: {me.age}'", "Ada: 36"),
    ("f'{nothing}|{me.admin}|{1.0}|{me.tags}|{me}'", "|true|1.0||"),
    ("f'{{}}'", "{}"),
    ("f'{1/3:.2f}|{7:03d}|{7:5d}|{1234567:,d}|{-7.0:d}'", "0.33|007|    7|1,234,567|-7"),
    ("f'{1.005:.2f}|{2.675:.2f}|{0.125:.0%}|{2.5:.0f}|{-0.045:.1%}'", "1.01|2.68|13%|3|-4.5%"),
    ("f'{1234567.891:,.2f}|{-12.5:08.1f}|{1234.5:010,.2f}'", "1,234,567.89|-00012.5|001,234.50"),
    ("f'{0.1:.20f}|{0.1 + 0.2:.20f}'", "0.10000000000000000000|0.30000000000000000000"),
    ("f'{1e23:.0f}|{1.5e300:.0f}'", "1" + "0" * 23 + "|15" + "0" * 299),
    ("f'{nothing:.2f}|{me.name:.2f}|{me.admin:d}|{1.5:d}'", "|||"),
    ("f'{f\"{me.name}\"}!'", "Ada!"),
    ("f'plain'", "plain"),
    ("f''", ""),
    ("'\\n\\x41\\u5f85\\'\\101'", "\nA待'A"),
    ('"it\'s"', "it's"),
    # Displays
    ("[1, 'a', null]", [1, "a", None]),
    ("{'a': 1, 2: 'b', true: 'c', null: 'd'}", {"a": 1, "2": "b", "true": "c"}),
    ("{'a': 1, 'a': 2}", {"a": 2}),
    ("{me.tags: 1, me.name: 2}", {"Ada": 2}),
    ("{row.id: row.n for row in rows}", {"1": 2, "b": None}),
    ("[row.n for row in rows if row]", [2, None, None]),
    ("[a + b for a in [1, 2] for b in [10, 20] if a < 2]", [11, 21]),
    ("[[a * b for b in [1, 2]] for a in [3, 4]]", [[3, 6], [4, 8]]),
    ("[x for x in me]", []),
    ("[x for x in 'abc']", []),
    ("[x for x in nothing]", []),
    ("{x: 1 for x in 5}", {}),
    ("[1 for x in rows if x.id == 1 if x.n == 2]", [1]),
]  # fmt: skip


def same(left, right):
    return type(left) is type(right) and left == right and repr(left) == repr(right)


@pytest.mark.parametrize("text, expected", RULES)
def test_the_rule_holds_in_both_versions(text, expected):
    for source in (text, f"[{text} for x in [1]][0]"):
        compiled = compile_tree(parse(source))
        assert same(compiled(SCOPE, Evaluation()), expected)
        assert same(compiled.safely(SCOPE, Evaluation()), expected)


MEETING = [
    None,
    True,
    False,
    0,
    1,
    2,
    -3,
    0.0,
    1.0,
    2.5,
    2**63,
    2**64 - 1,
    -(2**63),
    1.7e308,
    0.1,
    -19.99,
    1e-7,
    0.1 + 0.2,
    -0.0,
    7.0,
    10**999 + 7,
    -(2**70),
    "",
    "a",
    "b",
    "1",
]
MEETING += [[], [1], [True], ["a"], {}, {"1": 1}]
SIGNS = ["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "in", "not in", "and", "or"]


@pytest.mark.parametrize(
    "form", ["a {} b", "a {} c", "c {} a", "a {} x.b", "x.a {} b", "c {} x.a", "(a {} 1)", "(true {} a)"]
)
@pytest.mark.parametrize("sign", SIGNS)
def test_any_two_values_meet_by_the_rules_wherever_they_come_from(sign, form):
    expression = parse(f"[[{form.format(sign)} for b in values] for a in values]")
    compiled = compile_tree(expression)
    for constant in MEETING if "c" in form or "x" in form else [None]:
        scope = {"values": MEETING, "c": constant, "x": {"a": constant, "b": constant}}
        expected = repr(evaluate(expression, scope))
        assert repr(compiled(scope, Evaluation())) == expected
        assert repr(compiled.safely(scope, Evaluation())) == expected


@pytest.mark.parametrize(
    "text",
    ["m[k]", "m[k].n", "[m[k] for k in keys][0]", "[m[k].n for k in keys][0]", "[x[k] for x in [m]][0]"],
)
@pytest.mark.parametrize(
    "value", [*MEETING, {"a": {"n": 1}, "1": {"n": 2}, "true": 3, "2.5": []}, ["a", {"n": 4}]]
)
def test_anything_is_looked_up_in_anything(text, value):
    expression = parse(text)
    compiled = compile_tree(expression)
    for key in MEETING:
        scope = {"m": value, "k": key, "keys": [key]}
        expected = repr(evaluate(expression, scope))
        assert repr(compiled(scope, Evaluation())) == expected
        assert repr(compiled.safely(scope, Evaluation())) == expected
