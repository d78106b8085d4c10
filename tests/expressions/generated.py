"""Expressions, trees and JSON values as hypothesis makes them."""

from __future__ import annotations

from bff.expressions.parse import parse, parse_each
from bff.expressions.tree import Constant, Each, Let, Mapping, Sequence
from tests.properties import st

KEYS = ("id", "name", "n", "due", "tags", "done", "1", "true", "2.5", "待办")
TEXTS = (
    "",
    "a",
    "b",
    "id",
    "open",
    "待办",
    "it's",
    "1",
    "12",
    "true",
    "2.5",
    " x ",
    "2026-11-15",
    "2026-03-29 02:30:00.5",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "de-AT, en;q=0.8, *;q=0.1",
    "a,b",
    "{",
    "\\",
    '"',
)
NUMBERS = (
    0,
    1,
    -1,
    2,
    3,
    7,
    2**31,
    2**53,
    2**63,
    2**64 - 1,
    -(2**63),
    -(2**63) + 1,
    2**64,
    -(2**70),
    -(10**300),
    10**999 + 7,
    10**18,
    123_456_789_012_345_678,
)
FLOATS = (0.0, -0.0, 1.0, 0.5, 2.5, -1.5, 1e-7, 1e16, 1e18, 1.7e308, -1.7e308, 5e-324)
FLOATS += (0.1, 0.2, 1.005, 2.675, -19.99, 0.07, 33.33, 1e23, -1e22, 0.1 + 0.2, 1 / 3, 123456789012345.6)
FLOATS += (99999999999.9999, -450359962737049.5, 0.00005, 2.0**53)
# Prices and rates, and what has more digits than that; up to sixteen of them, so that some are too long.
decimals = st.one_of(
    st.integers(-(10**8), 10**8).map(lambda cents: cents / 100),
    st.tuples(st.integers(-(10**16), 10**16), st.integers(-30, 12)).map(
        lambda one: float(f"{one[0]}e{one[1]}")
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.sampled_from(FLOATS),
    decimals,
    st.sampled_from(TEXTS),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
_row = {
    "id": st.sampled_from([1, 0, 2, "a", "b", None, True, 2.5]),
    "name": st.sampled_from(["a", "b", "", "id", "待办", "1", None]),
    "n": st.sampled_from([0, 1, 2, -3, 2.5, 1.0, 2**63, 2**53, 2**64, 1e16, 1.7e308, None, True, "7"])
    | st.sampled_from([0.1, 0.2, 0.7, 1.005, -19.99, 10**400, -0.0])
    | decimals,
    "due": st.sampled_from(["2026-11-15", "2026-01-02", "2025-12-31", None]),
    "tags": st.lists(scalars, max_size=3) | st.none(),
    "done": st.sampled_from([True, False, None, 1, 0]),
    "of": st.fixed_dictionaries(
        {}, optional={"id": st.sampled_from([1, "a", None]), "n": st.sampled_from([2, -1, "x", {"id": 3}])}
    )
    | st.sampled_from([None, "a", [1]]),
}
rows = st.lists(
    st.fixed_dictionaries(_row) | st.fixed_dictionaries({}, optional=_row), min_size=1, max_size=3
)
people = st.dictionaries(
    st.sampled_from(("1", "a", "b", "true", "2.5", "2")),
    st.fixed_dictionaries({"name": st.sampled_from(TEXTS), "n": st.sampled_from(NUMBERS)})
    | st.none()
    | values,
    min_size=2,
    max_size=5,
)
# What a page has every day, and now and then something else in its place.
SCOPE = {
    "todos": rows | rows | rows | values,
    "people": people | people | values,
    "me": st.fixed_dictionaries(_row)
    | st.dictionaries(st.sampled_from(KEYS), scalars, max_size=4)
    | st.none(),
    "x": values,
    "y": values,
}
scopes = st.fixed_dictionaries(SCOPE)

ONE = (
    "len",
    "count",
    "sum",
    "any",
    "all",
    "abs",
    "str",
    "int",
    "float",
    "keys",
    "values",
    "items",
    "lower",
    "upper",
)
ONE += ("instant", "epoch", "local")
ONE += ("strip", "range", "round", "min", "max", "sort", "unique", "join", "split", "digest", "quote")
ONE += ("url_encode", "base64", "unbase64", "parse_json", "to_json", "seal", "unseal")
TWO = ("min", "max", "round", "index", "group", "pick", "omit", "default", "join", "split", "merge", "unique")
TWO += ("startswith", "endswith", "sort", "digest", "url", "int", "instant", "local")
TWO += ("start_of", "language")
PATTERNS = (
    r"[a-z]+",
    r"(\d)(x)?",
    "a|b",
    "^",
    "",
    "(?P<one>.)",
    r"\b",
    "[^a-z]",
    r"i(d|)?",
    "办",
    "(a*)(b)?",
)
SPECS = (".2f", "03d", "8d", "f", ",d", ".0f", "012,.3f", ".1%", "%", ".20f", "9,.0f")
ARITHMETIC = ("+", "-", "*", "/", "//", "%")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")


@st.composite
def texts(draw, names=tuple(SCOPE), depth=4, loops=3):
    """The text of an expression over these names."""
    if depth == 0:
        return draw(_leaf(names))
    kind = draw(st.integers(0, 17))

    def inner(more=(), spent=0):
        return draw(texts(names=(*names, *more), depth=depth - 1, loops=loops - spent))

    if kind <= 3:
        return draw(_leaf(names))
    if kind == 4:
        return f"({inner()} {draw(st.sampled_from(ARITHMETIC))} {inner()})"
    if kind == 5:
        return f"({inner()} {draw(st.sampled_from(COMPARISONS))} {inner()})"
    if kind == 6:
        return f"({inner()} {draw(st.sampled_from(['and', 'or']))} {inner()})"
    if kind == 7:
        return f"({inner()} if {inner()} else {inner()})"
    if kind == 8:
        return draw(st.sampled_from(["(not {})", "(-{})", "({} is None)", "({} is not null)"])).format(
            inner()
        )
    if kind == 9:
        return f"{_value(inner())}{draw(_look_up(names))}"
    if kind == 10:
        return f"people[{inner()}]{draw(st.sampled_from(['', '.name', '.n', '[0]']))}"
    if kind == 11:
        return f"[{', '.join(inner() for _ in range(draw(st.integers(0, 3))))}]"
    if kind == 12:
        return f"{{{', '.join(f'{inner()}: {inner()}' for _ in range(draw(st.integers(0, 2))))}}}"
    if kind == 13:
        return draw(_f_string(inner))
    if kind == 14:
        return draw(_call(inner))
    return _loop(draw, inner, loops) if loops else draw(_leaf(names))


def _value(text):
    return text if text.endswith((")", "]", "}")) else f"({text})"


def _leaf(names):
    constants = [repr(value) for value in (*TEXTS, *NUMBERS[:8], *FLOATS[:6])] + ["True", "false", "null"]
    name = st.sampled_from(names)
    key = st.sampled_from(["id", "name", "n", "due", "tags", "done"])
    return st.one_of(
        st.sampled_from(constants),
        name,
        name,
        st.tuples(name, key).map(".".join),
        st.tuples(name, key).map(".".join),
    )


def _look_up(names):
    return st.one_of(
        st.sampled_from(KEYS[:6]).map(lambda key: f".{key}"),
        st.sampled_from(KEYS).map(lambda key: f"[{key!r}]"),
        st.sampled_from(
            ["[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "[-2:]", "[x:y]", "[y]", "[2.5]", "[true]"]
        ),
    )


@st.composite
def _f_string(draw, inner):
    hole = inner()
    # The same quotes would end the text for older Pythons, which the grammar is compared with.
    hole = hole.replace("'", '"') if "\\" not in hole and '"' not in hole else "x"
    spec = draw(st.sampled_from(["", "", *(f":{spec}" for spec in SPECS)]))
    return f"f'a{{ {hole} {spec}}}{{{{}}}}{{y}}'"


_PATHS = ("'of.id'", "'-of.n'", "'of.n.id'", "'name.id'", "'of.'", "'.'", "'-.'")


@st.composite
def _call(draw, inner):
    if draw(st.booleans()):
        return f"{draw(st.sampled_from(ONE))}({inner()})"
    if draw(st.integers(0, 4)) == 0:
        return draw(_patterned(inner))
    if draw(st.integers(0, 5)) == 0:
        unit = draw(st.sampled_from(["'hour'", "'day'", "'month'", inner()]))
        zone = draw(st.sampled_from(["", ", 'Europe/Berlin'", ", x"]))
        return f"shift({draw(st.sampled_from(['now()', inner()]))}, {inner()}, {unit}{zone})"
    name, first = draw(st.sampled_from(TWO)), inner()
    second = (
        draw(
            st.sampled_from(
                [
                    "'id'",
                    "'-n'",
                    "'name'",
                    "'-'",
                    "2",
                    "', '",
                    "me",
                    "'Europe/Berlin'",
                    "'week'",
                    "['de', 'b', 'id']",
                    *_PATHS,
                ]
            )
        )
        if draw(st.booleans())
        else inner()
    )
    return f"{name}({first}, {second})"


@st.composite
def _patterned(draw, inner):
    value, pattern = inner(), draw(st.sampled_from(PATTERNS))
    name = draw(st.sampled_from(["matches", "find", "sub"]))
    raw = "r" if draw(st.booleans()) else ""
    written = f"r'{pattern}'" if raw else repr(pattern)
    if name != "sub":
        return f"{name}({value}, {written})"
    constant = r"'<\\1\\0>'" if "(" in pattern else "'-'"
    return f"sub({value}, {written}, {draw(st.sampled_from([constant, f'default(null, {inner()})']))})"


def _loop(draw, inner, loops):
    variable = f"v{loops}"
    spent = 2 if loops > 1 and draw(st.integers(0, 3)) == 0 else 1
    source = draw(st.sampled_from(["todos", "todos", "me.tags", "values(people)", "[1, 'a', null]"]))
    if draw(st.integers(0, 3)) == 0:
        source = inner(spent=spent)
    more = (variable,) * 3
    clause = f"for {variable} in ({source})"
    if draw(st.booleans()):
        clause += f" if {inner(more, spent)}"
    if spent == 2:
        clause += f" for w{loops} in {draw(st.sampled_from([f'{variable}.tags', 'todos', 'y']))}"
        more += (f"w{loops}",)
        if draw(st.booleans()):
            clause += f" if {inner(more, spent)}"
    element = inner(more, spent)
    form = draw(st.integers(0, 3))
    if form == 0:
        return f"{{{inner(more, spent)}: {element} {clause}}}"
    if form == 1:
        return f"{draw(st.sampled_from(['count', 'any', 'all', 'sum', 'sort', 'unique', 'join']))}({element} {clause})"
    return f"[{element} {clause}]"


_OPERANDS = (
    "t.n",
    "t.n",
    "t.id",
    "t.due",
    "t.name",
    "t.done",
    "t.tags",
    "u.n",
    "u.id",
    "me",
    "me.n",
    "me.id",
)
_OPERANDS += ("x", "x.n", "people[t.id]", "people[t.id].name", "people[t.name]", "count(todos)", "[t.n]")
_OPERANDS += ("1", "2.5", "0", "-3", "0.1", "1.19", "'a'", "'2026-03-01'", "null", "true", "['a', 1]")
_OPERANDS += ("people[t.id].name", "people[t.id].n") * 2
_operands = st.sampled_from(_OPERANDS)
# What is almost equal, or almost of one order: booleans beside numbers, lists of them.
_ALMOST = (
    "t.done",
    "t.id",
    "u.done",
    "me.done",
    "me.id",
    "1",
    "0",
    "true",
    "1.0",
    "[1]",
    "[true]",
    "[t.done]",
    "t.tags",
)
_almost = st.sampled_from(_ALMOST)
_almost_signs = st.sampled_from(
    ["==", "==", "!=", "<", ">=", "in", "not in", "in [2, 0] or 1 ==", "in [t.done] or 1 =="]
)


@st.composite
def row_texts(draw):
    """A loop over rows that computes with their values: what pages do most."""

    def part(depth=2):
        if draw(st.integers(0, 3)) == 0:
            return f"({draw(_almost)} {draw(_almost_signs)} {draw(_almost)})"
        if depth == 0 or draw(st.integers(0, 3)) == 0:
            return draw(_operands)
        sign = draw(st.sampled_from(ARITHMETIC + COMPARISONS + ("and", "or", "in", "==", "<", "+", "*")))
        form = draw(
            st.sampled_from(["({0} {1} {2})"] * 6 + ["f'{{{0}}}-{{{2}}}'", "(not {0})", "default({0}, {2})"])
        )
        # Quotes in a hole are the other ones, so that the text ends where it seems to.
        left, right = part(depth - 1), part(depth - 1)
        if form[0] == "f" and "f'" in left + right:
            form = "[{0}, {2}]"
        elif form[0] == "f":
            left, right = left.replace("'", '"'), right.replace("'", '"')
        return form.format(left, sign, right)

    def outer(depth=2):
        return part(depth).replace("u.", "t.")

    element = draw(st.sampled_from(["part", "mapping", "inner", "keyed"]))
    if element == "mapping":
        body = f"{{'a': {outer()}, {outer(1)}: {outer(1)}}}"
    elif element == "inner":
        body = f"[{part()} for u in todos{draw(st.sampled_from(['', f' if {part()}', f' if {part(1)}']))}]"
    else:
        body = f"{outer(1)}: {outer()}" if element == "keyed" else outer()
    loop = f"{body} for t in todos{draw(st.sampled_from(['', f' if {outer(1)}']))}"
    return f"{{{loop}}}" if element == "keyed" else f"[{loop}]"


@st.composite
def trees(draw, names=tuple(SCOPE), depth=2):
    """A tree of a recipe: structure, expressions, and lists made by `each`."""
    kind = draw(st.integers(0, 4)) if depth else 4
    if kind == 0:
        keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3))
        return Mapping(tuple((key, draw(trees(names, depth - 1))) for key in keys))
    if kind == 1:
        return Sequence(tuple(draw(trees(names, depth - 1)) for _ in range(draw(st.integers(0, 2)))))
    if kind == 2:
        return Constant(draw(scalars))
    if kind == 3:
        return draw(lists(names, depth))
    return parse(draw(texts(names, 3, 2)))


@st.composite
def lists(draw, names=tuple(SCOPE), depth=2):
    """A list of one loop or several, each of them with or without a condition, and of lets that its item may read."""
    clauses, lets, first = [], [], names
    for at in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        variable = f"e{depth}_{at}"
        sources = ["todos", "todos", "values(people)", "x", "sort(todos, 'n')"]
        sources += [f"{name}.tags" for name in names[len(first) :]] * 2
        condition = ""
        if draw(st.booleans()):
            condition = f" if ({draw(texts((*names, variable, variable), 2, 2))})"
        clauses.append(parse_each(f"{variable} in {draw(st.sampled_from(sources))}{condition}"))
        names = (*names, variable, variable)
    for at in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        name = f"l{depth}_{at}"
        lets.append(Let(name, draw(trees(names, min(depth - 1, draw(st.integers(0, 1)))))))
        names = (*names, name, name, name)
    return Each(tuple(clauses), draw(trees(names, depth - 1)), tuple(lets))
