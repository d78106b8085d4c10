"""Floats stand for the decimals that they show: what is computed with them is the float nearest to the exact result."""

import math
import operator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest

from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse
from tests.expressions.reference import written
from tests.properties import example, given, settings, st

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
FORMS = ("a {} b", "[x {} b for x in [a]][0]", "[x {} y for x in [a] for y in [b]][0]")
COMPILED = {sign: [compile_tree(parse(form.format(sign))) for form in FORMS] for sign in OPERATORS}

digits = st.integers(-(10**15) + 1, 10**15 - 1)
# Prices, rates, and all others of at most 15 digits, each as the text that somebody wrote.
decimals = st.one_of(
    st.integers(-(10**7), 10**7).map(lambda cents: f"{cents}e-2"),
    st.integers(-(10**6), 10**6).map(lambda rate: f"{rate}e-4"),
    st.tuples(digits, st.integers(-20, 8)).map(lambda one: f"{one[0]}e{one[1]}"),
    st.tuples(digits, st.integers(-320, 290)).map(lambda one: f"{one[0]}e{one[1]}"),
)
prices = st.integers(-(10**7), 10**7).map(lambda cents: cents / 100)
floats = st.floats(allow_nan=False, allow_infinity=False)


def is_nearest(found: float, exact: Fraction) -> bool:
    """Whether no float is nearer to a fraction; of two that are as near, the one whose last bit is 0 is it."""
    apart = abs(Fraction(found) - exact)
    for other in (math.nextafter(found, math.inf), math.nextafter(found, -math.inf)):
        if math.isfinite(other):
            away = abs(Fraction(other) - exact)
            if away < apart or (away == apart and int(math.frexp(found)[0] * 2**53) % 2 and found):
                return False
    return True


def value(compiled, **scope):
    fast, safe = compiled(scope, Evaluation()), compiled.safely(scope, Evaluation())
    assert repr(fast) == repr(safe)
    return fast


@settings(max_examples=400)
@given(left=decimals, right=decimals, sign=st.sampled_from(sorted(OPERATORS)))
@example("1e-1", "2e-1", "+")
@example("11e-1", "11e-1", "*")
@example("3e-1", "1e-1", "%")
@example("999999999999999e-15", "1e-15", "+")
@example("49e-2", "7e-2", "//")
@example("99999999999999e-3", "99999999999999e-3", "*")
def test_the_result_is_the_float_nearest_to_the_exact_one(left, right, sign):
    one, two = float(left), float(right)
    if 0.0 < abs(one) < 2.3e-308 or 0.0 < abs(two) < 2.3e-308:
        return  # these have fewer digits than 15
    exact = None if two == 0 and sign in "//%" else OPERATORS[sign](Fraction(left), Fraction(right))
    for compiled in COMPILED[sign]:
        found = value(compiled, a=one, b=two)
        if exact is None:
            assert found is None
        elif found is None:
            assert abs(exact) > Fraction(1.7976931348623157e308)
        else:
            assert is_nearest(found, Fraction(exact))


@given(left=decimals, right=st.integers(-(10**6), 10**6), sign=st.sampled_from(sorted(OPERATORS)))
def test_an_integer_beside_a_float_is_a_decimal_too(left, right, sign):
    one = float(left)
    for compiled in COMPILED[sign]:
        assert repr(value(compiled, a=one, b=right)) == repr(value(compiled, a=one, b=float(right)))
        assert repr(value(compiled, a=right, b=one)) == repr(value(compiled, a=float(right), b=one))


@settings(max_examples=300)
@given(left=floats, right=floats, sign=st.sampled_from(sorted(OPERATORS)))
def test_what_has_more_than_fifteen_digits_is_binary(left, right, sign):
    if all(len(Decimal(repr(one)).normalize().as_tuple().digits) <= 15 for one in (left, right)):
        return
    try:
        expected = OPERATORS[sign](left, right)
    except ArithmeticError:
        expected = None
    expected = None if expected is None or not math.isfinite(expected) else expected
    for compiled in COMPILED[sign]:
        assert repr(value(compiled, a=left, b=right)) == repr(expected)


@given(left=st.integers(-(2**65), 2**66), right=st.integers(-(2**65), 2**66), sign=st.sampled_from("+-*"))
def test_integers_are_exact_within_64_bits_and_nothing_beyond(left, right, sign):
    exact = OPERATORS[sign](left, right)
    fit = all(-(2**63) <= one < 2**64 for one in (left, right, exact))
    for compiled in COMPILED[sign]:
        assert value(compiled, a=left, b=right) == (exact if fit else None)


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [
        (19.99, 3, 59.97),
        (3, 19.99, 59.97),
        (-0.0001, 99999999999, -9999999.9999),
        (0.0001, 0.0001, 1e-08),
        (99999999999.9999, 1, 99999999999.9999),
        (99999999999.9999, 0.1, 9999999999.99999),
        (3162.2776, 3162.2776, 9999999.61946176),
        (1234567.8912, 1234567.8912, 1524157877982.0151),
        (0.5, 2**64 - 1, 0.5 * (2**64 - 1)),
        (0.5, 10**400, None),
        (0.30000000000000004, 10, 3.0000000000000004),
        (1e308, 1e308, None),
        (1.7e308, 0, 0.0),
    ],
)
def test_products_at_the_edges_of_what_is_multiplied_at_once(left, right, product):
    compiled = compile_tree(parse("[a * b, [x * b for x in [a]][0]]"))
    assert value(compiled, a=left, b=right) == [product, product]


@pytest.mark.parametrize(
    ("x", "n", "expected"),
    [
        (0.4990000001, 0, 0.0),
        (-0.4, 0, -0.0),
        (0.5005, 3, 0.501),
        (-0.5005, 3, -0.501),
        (99999999999.4989, 0, 99999999999.0),
        (999999999.4995, 3, 999999999.5),
        (1e-20, 20, 1e-20),
        (1.5e-20, 20, 2e-20),
        (5e-324, 20, 0.0),
        (1e300, 5, 1e300),
    ],
)
def test_what_is_near_to_a_half_is_not_rounded_at_once(x, n, expected):
    found = value(compile_tree(parse("round(x, n)")), x=x, n=n)
    assert (found, math.copysign(1, found)) == (expected, math.copysign(1, expected))


SUM = compile_tree(parse("sum(xs)"))


@settings(max_examples=200)
@given(xs=st.lists(decimals, max_size=40) | st.lists(prices.map(str), max_size=2_500))
def test_a_sum_is_exact_and_rounded_once(xs):
    values = [float(x) for x in xs]
    if any(0.0 < abs(x) < 2.3e-308 for x in values):
        return
    exact = sum((Fraction(x) for x in xs), Fraction(0))
    found = value(SUM, xs=values)
    if found is None:
        assert abs(exact) > Fraction(1.7976931348623157e308)
    else:
        assert is_nearest(found, exact)


@given(xs=st.lists(floats, min_size=1))
def test_a_sum_with_a_longer_number_is_rounded_once_too(xs):
    xs.append(0.1 + 0.2)
    try:
        expected = math.fsum(xs)
    except OverflowError:
        expected = None
    found = value(SUM, xs=xs)
    assert found == (expected if expected is None or math.isfinite(expected) else None)


def test_a_sum_of_a_million_prices_is_right_to_the_cent():
    xs = [0.1, 0.07, 19.99, 1234.5] * 250_000
    assert value(SUM, xs=xs) == 250_000 * 125466 / 100


@given(xs=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 99)), max_size=30))
def test_a_bill_is_right_to_the_cent(xs):
    items = [{"price": cents / 100, "amount": amount} for cents, amount in xs]
    compiled = compile_tree(parse("round(sum(item.price * item.amount for item in items) * 1.19, 2)"))
    exact = sum((Decimal(cents) * amount for cents, amount in xs), Decimal(0)) * Decimal("0.0119")
    assert value(compiled, items=items) == float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


ROUND, ROUND_TO = compile_tree(parse("round(x)")), compile_tree(parse("round(x, n)"))
numbers = st.one_of(
    floats, decimals.map(float), prices, st.integers(-(10**9), 10**9).map(lambda one: one / 2000)
)


@settings(max_examples=400)
@given(x=numbers, n=st.integers(-20, 20))
@example(2.675, 2)
@example(1.005, 2)
@example(-0.5, 0)
@example(0.49999999999999994, 0)
@example(450359962737049.5, 0)
def test_halves_of_the_shortest_decimal_go_away_from_zero(x, n):
    with localcontext(prec=1_000):
        exact = Decimal(repr(x)).quantize(Decimal((0, (1,), -n)), ROUND_HALF_UP)
        assert repr(value(ROUND_TO, x=x, n=n)) == repr(float(exact))
        whole = int(Decimal(repr(x)).quantize(Decimal(1), ROUND_HALF_UP)) if abs(x) < 2**53 else int(x)
        assert value(ROUND, x=x) == (whole if -(2**63) <= whole < 2**64 else None)


FORMATS = (
    "d",
    "8d",
    ",d",
    "05d",
    "f",
    ".0f",
    ".2f",
    ",.2f",
    "012,.2f",
    "10.1f",
    ".20f",
    ".99f",
    "%",
    ".1%",
    "09.2%",
)
TEXTS = {spec: compile_tree(parse(f"f'{{x:{spec}}}'")) for spec in FORMATS}


@settings(max_examples=400)
@given(x=numbers | st.integers(-(10**30), 10**30), spec=st.sampled_from(FORMATS))
@example(1.005, ".2f")
@example(0.125, ".0f")
@example(-1234.5, "012,.2f")
@example(0.0285, ".1%")
def test_a_format_shows_the_rounded_decimal(x, spec):
    if spec.endswith("d") and isinstance(x, float) and not (x.is_integer() and abs(x) < 2**53):
        expected = ""
    else:
        negative = math.copysign(1, x) < 0 and not (x == 0 and spec.endswith("d"))
        expected = written(Fraction(Decimal(repr(x))), negative, spec)
    assert value(TEXTS[spec], x=x) == expected


@given(
    x=st.integers(-(10**6), 10**6).map(lambda one: one / 1024),
    spec=st.sampled_from(["012,.4f", "9.3%", ",.5f", "07d"]),
)
def test_widths_and_commas_are_pythons(x, spec):
    x = float(int(x)) if spec.endswith("d") else round(x, 3) + 1e-5
    assert value(compile_tree(parse(f"f'{{x:{spec}}}'")), x=x) == format(
        int(x) if spec.endswith("d") else x, spec
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("people[7.0].name", "Ada"),
        ("[people[row.id].name for row in rows]", ["Ada", "Ada", "Ada", None]),
        ("index(rows, 'id')", {"7": {"id": "7"}, "7.5": {"id": 7.5}}),
        ("keys(group(rows, 'id'))", ["7", "7.5"]),
        ("len(unique(rows, 'id'))", 3),
        ("{row.id: 1 for row in rows}", {"7": 1, "7.5": 1}),
        ("7.0 in people", True),
        ("[row.id in people for row in rows]", [True, True, True, False]),
        ("pick(people, 7.0)", {"7": {"name": "Ada"}}),
        ("omit(people, 7.0)", {}),
        ("{7.0: 1, 7: 2}", {"7": 2}),
        ("{1e300: 1, 9007199254740992.0: 2}", {"1e+300": 1, "9007199254740992.0": 2}),
        ("str(7.0)", "7.0"),
    ],
)
def test_a_whole_float_is_the_same_key_as_the_integer(text, expected):
    scope = {"people": {"7": {"name": "Ada"}}, "rows": [{"id": 7}, {"id": 7.0}, {"id": "7"}, {"id": 7.5}]}
    compiled = compile_tree(parse(text))
    assert compiled(scope, Evaluation()) == compiled.safely(scope, Evaluation()) == expected


LONG = 10**999 + 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x == y", True),
        ("x > 1e308 and -1e308 < x and x > 18446744073709551615", True),
        ("x in [1, y]", True),
        ("max(1, x, 2.5) == y and min([x, 0.5]) == 0.5", True),
        ("sort([x, 1, -0.5])[2] == y", True),
        ("len(unique([x, y, 1]))", 2),
        ("{x: 1}", {str(LONG): 1}),
        ("{'a': index([{'i': x}], 'i')[y].i == x}", {"a": True}),
        ("str(x)", str(LONG)),
        ("f'{x}|{x:d}'", f"{LONG}|{LONG}"),
        ("f'{x:.1f}'", f"{LONG}.0"),
        ("f'{x:,d}'", f"{LONG:,}"),
        ("f'{x:.0%}'", f"{LONG}00%"),
        ("join([x, 1], '-')", f"{LONG}-1"),
        ("digest(x) == digest(str(x))", True),
        ("[x + 1, x - x, x * 0, x / x, x // x, x % 2, -x]", [None] * 7),
        ("[abs(x), round(x), round(x, 2), sum([x]), int(x), float(x)]", [None] * 6),
        ("[sum([x, 1e30, 0.5]), sum([-1e30, x]), sum([-1e30, x, 1e30])]", [None] * 3),
        ("[[r + 1, r - r, r * 0, 0 * r, r / r, r // r, r % 2, 2 % r, 1 - r] for r in [x]][0]", [None] * 9),
    ],
)  # fmt: skip
def test_an_integer_over_64_bits_is_exact_and_not_calculated_with(text, expected):
    compiled, scope = compile_tree(parse(text)), {"x": LONG, "y": int(str(LONG))}
    assert compiled(scope, Evaluation()) == compiled.safely(scope, Evaluation()) == expected
