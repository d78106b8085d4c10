"""One expression over data: what it gives, and what is said of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bff.errors import AuthorError, BoundError, FunctionError, OperatorError
from bff.explaining.scratchpad import evaluated, read_data, shared_functions

DATA = {
    "todos": [{"title": "Write", "done": True}, {"title": "写", "done": False}],
    "query": {"q": "w"},
    "reply": {"status": 200},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("[todo.title for todo in todos if not todo.done]", ["写"]),
        ("f'{query.q}: {len(todos)}'", "w: 2"),
        ("reply.status == 200", True),
        ("user.name", None),
        ("todos[5].title", None),
    ],
)
def test_it_gives_what_it_would_give_on_a_page(text: str, value: object) -> None:
    assert json.loads(evaluated(text, DATA, {})) == value


def test_what_it_gives_is_json_to_be_read() -> None:
    assert evaluated("{'titles': [todo.title for todo in todos]}", DATA, {}) == (
        '{\n  "titles": [\n    "Write",\n    "写"\n  ]\n}'
    )


def test_an_integer_of_the_data_is_exact() -> None:
    assert evaluated("n", {"n": 12345678901234567890123}, {}) == "12345678901234567890123"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[todo.title for todo in tods]",
            "expression:1:25: unknown name 'tods'\n"
            "[todo.title for todo in tods]\n"
            "                        ^^^^ did you mean 'todos'?  "
            "here are: path, query, headers, body, user, todos, reply",
        ),
        (
            "lenn(todos)",
            "expression:1:1: unknown function 'lenn'\n"
            "lenn(todos)\n"
            "^^^^ did you mean 'len'?; functions of your own stand in orchestrations/functions.py",
        ),
        (
            "todos && user",
            "expression:1:7: '&&' is not an operator here\ntodos && user\n      ^^ write and",
        ),
        (
            "f'写 {tods}'",
            "expression:1:6: unknown name 'tods'\nf'写 {tods}'\n      ^^^^ did you mean 'todos'?  "
            "here are: path, query, headers, body, user, todos, reply",
        ),
        (
            "len(\n  todos.length)",
            "expression:2:9: .length is not a property here\n  todos.length)\n"
            "        ^^^^^^ write len(todos); a key of this name is todos['length']",
        ),
        (
            "query.p",
            "expression:1:7: input.query declares no 'p'\nquery.p\n      ^ declared are: q",
        ),
        (
            "now() + 1",
            "expression:1:1: '+' with a text is always null\n"
            "now() + 1\n^^^^^^^^^ write now(1): so many seconds from now",
        ),
        ("", "expression:1:1: the expression is empty\n  write null for nothing"),
    ],
)
def test_a_mistake_is_told_as_check_tells_it(text: str, said: str) -> None:
    with pytest.raises(AuthorError) as raised:
        evaluated(text, DATA, {})
    assert str(raised.value) == said


def test_it_works_within_the_bounds_of_a_page() -> None:
    loops = "[1 for a in range(1000) for b in range(1000) for c in range(1000)]"
    with pytest.raises(BoundError) as raised:
        evaluated(loops, {}, {})
    assert raised.value.log == "over the bound: work of a page's expressions (BFF_MAX_WORK)"


def test_it_calls_the_functions_that_every_recipe_may_call(tmp_path: Path) -> None:
    (tmp_path / "orchestrations").mkdir()
    text = "def shout(text):\n    return text.upper() + '!'\n"
    (tmp_path / "orchestrations" / "functions.py").write_text(text)
    functions = shared_functions(tmp_path)
    assert evaluated("shout('yes')", {}, functions) == '"YES!"'
    with pytest.raises(FunctionError) as raised:
        evaluated("shout(1)", {}, functions)
    assert (raised.value.log or "").startswith("function shout: AttributeError")


def test_there_need_not_be_a_project(tmp_path: Path) -> None:
    assert shared_functions(tmp_path) == {}


def test_functions_that_cannot_be_read_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "orchestrations").mkdir()
    (tmp_path / "orchestrations" / "functions.py").write_text("x = (\n")
    with pytest.raises(
        AuthorError, match=r"orchestrations/functions\.py:1:5: SyntaxError: '\(' was never closed"
    ):
        shared_functions(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", ":1:2: Expecting property name enclosed in double quotes: it is not JSON"),
        (b"[]", ' holds no object: write a member for each name, as {"todos": []}'),
        (b'{"a": "\xff"}', " is not text in UTF-8"),
        (b"[" * 100_000, " nests too deeply"),
    ],
)
def test_data_that_is_none_is_one_clear_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(OperatorError) as raised:
        read_data(path)
    assert str(raised.value) == f"{path}{said}"


def test_data_is_a_member_for_each_name(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text('{"todos": [], "n": NaN}')
    assert read_data(path) == {"todos": [], "n": None}
    assert read_data(None) == {}
    with pytest.raises(OperatorError, match="No such file or directory"):
        read_data(tmp_path / "none.json")


def test_what_seals_needs_a_page() -> None:
    with pytest.raises(AuthorError) as raised:
        evaluated("[1, unseal(query.q)]", DATA, {})
    assert str(raised.value) == (
        "expression:1:5: 'unseal' needs a page and its visitor\n"
        "[1, unseal(query.q)]\n"
        "    ^^^^^^ ask the page: bff call PAGE"
    )
