"""No value of an expression falls outside of the type that is told of it."""

from __future__ import annotations

from typing import Any

from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse
from bff.expressions.rooms import SEALS
from bff.expressions.types.typing import Typing, known
from bff.types.model import holds
from bff.types.text import text_of
from tests.expressions.generated import SCOPE, texts
from tests.expressions.reference import PlainSeals
from tests.expressions.types.drawn import types, value_of
from tests.properties import given, st

QUOTES = {"quote": repr, "quote_like": repr}


@given(st.data())
def test_no_value_falls_outside_its_type(data: Any) -> None:
    names = {name: data.draw(types, label=name) for name in SCOPE}
    expression = parse(data.draw(texts(), label="expression"))
    told = Typing().of(expression, known(names))
    compiled = compile_tree(expression, quotes=QUOTES)
    for _ in range(3):
        scope = {name: data.draw(value_of(one)) for name, one in names.items()}
        value = compiled({**scope, SEALS: PlainSeals()}, Evaluation())
        assert holds(told, value), f"{value!r} is not of {text_of(told)}"
