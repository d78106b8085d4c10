"""What each function of the library says that it gives, held against what it gives."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from bff.errors import BoundError
from bff.expressions import Evaluation, compile_tree
from bff.expressions.functions import FUNCTIONS
from bff.expressions.parse import parse
from bff.expressions.rooms import PATTERNED, SEALS
from bff.expressions.types.calls import RULES, declared
from bff.expressions.types.typing import Typing, known
from bff.identity import Visitor
from bff.identity.seals import Seals
from bff.types.model import Literal, holds
from bff.types.text import text_of
from tests.expressions.types.drawn import types, value_of
from tests.properties import given, settings, st

SEALED_FOR = Seals([Fernet.generate_key().decode()], "page").of(Visitor())
_NAMES = ("a", "b", "c", "d")
_CONSTANTS = ("'id'", "'-n'", "'name'", "','", "2", "'UTC'", "null")


def told(text: str, **names: Any) -> str:
    return text_of(Typing().of(parse(text), known(names)))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_says_what_it_gives(name: str) -> None:
    gives = FUNCTIONS[name].gives
    assert gives in RULES or declared(gives, [])


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@settings(max_examples=25)
@given(st.data())
def test_what_a_function_gives_is_of_its_type(name: str, data: Any) -> None:
    function = FUNCTIONS[name]
    most = len(_NAMES) if function.most is None else function.most
    written = [
        data.draw(st.sampled_from([*_NAMES, *_CONSTANTS]) if at else st.sampled_from(_NAMES))
        for at in range(data.draw(st.integers(function.least, most)))
    ]
    if name in PATTERNED:  # which are constants
        written[1] = data.draw(st.sampled_from(["r'([a-z])(x)?'", "''", "'id'"]))
    expression = parse(f"{name}({', '.join(written)})")
    names = {one: data.draw(types, label=one) for one in _NAMES}
    one = Typing().of(expression, known(names))
    compiled = compile_tree(expression, quotes={"quote": repr})
    for _ in range(3):
        scope = {key: data.draw(value_of(part)) for key, part in names.items()}
        try:
            value = compiled({**scope, SEALS: SEALED_FOR}, Evaluation())
        except BoundError:
            assert name == "seal", "nothing else that is drawn here is too much"
            continue
        assert holds(one, value), f"{value!r} is not of {text_of(one)}"


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("len([1])", "integer"),
        ("len(null)", "null"),
        ("lower('A')", "string"),
        ("lower(1)", "null"),
        ("split('a,b', ',')", "string[]"),
        ("split('a,b', '')", "string[] | null"),
        ("sum([1, 2])", "integer | null"),
        ("sum([1, 2.5])", "number | null"),
        ("min(1, 'a')", '1 | "a" | null'),
        ("sort([{'a': 1}], 'a')", "{a: 1}[]"),
        ("unique(['a', 'b'])", '("a" | "b")[]'),
        ("index([{'id': 'x', 'n': 1}, null], 'id')", '{[key]: {id: "x", n: 1}}'),
        ("group([{'id': 'x'}], 'id')", '{[key]: {id: "x"}[]}'),
        ("merge({'a': 1, 'b': 2}, {'a': 'x'})", '{a: "x", b: 2}'),
        ("pick({'a': 1, 'b': 2}, 'b')", "{b: 2}"),
        ("omit({'a': 1, 'b': 2}, 'b')", "{a: 1}"),
        ("items({'a': 1, 'b': 'x'})", '{key: string, value: 1 | "x"}[]'),
        ("values({'a': 1, 'b': 'x'})", '(1 | "x")[]'),
        ("default(null, [])", "never[]"),
        ("default(1, 'x')", "1"),
        ("round(2.5)", "integer | null"),
        ("quote('a')", "string | null"),
        ("matches('a', r'b')", "boolean"),
        ("matches(null, r'b')", "null"),
        ("find('a', r'(b)?')", "(string | null)[] | null"),
        ("find(1, r'b')", "null"),
        ("sub('a', 'b', 'c')", "string"),
        ("url_encode(1)", "string"),
        ("url('/a', {})", "string | null"),
        ("base64('a')", "string"),
        ("unbase64('a')", "string | null"),
        ("parse_json(1)", "null"),
        ("parse_json('1')", "unknown"),
        ("to_json(1)", "string"),
        ("int('ff', 16)", "integer | null"),
        ("instant(now())", "string | null"),
        ("epoch(now())", "number | null"),
        ("[local(now()).date, local(now()).time]", "(string | null)[]"),
        ("local(now()).hour", "integer | null"),
        ("language('de', ['de', 'en'])", '"de" | "en" | null'),
        ("default(language('de', ['de', 'en']), 'de')", '"de" | "en"'),
        ("seal({'a': 1})", "string"),
        ("seal(null)", "null"),
        ("unseal(1)", "null"),
        ("unseal('a')", "unknown"),
    ],
)
def test_what_a_call_gives(text: str, gives: str) -> None:
    assert told(text) == gives


def test_the_first_that_is_not_null_is_an_empty_list_of_the_other() -> None:
    assert told("x or []", x=Literal("a")) == '"a"'
