"""What is read: expressions as Python reads them, clauses, paths, and where each part stands."""

import ast

import pytest

from bff.expressions.parse import is_name, parse, parse_each, parse_path
from bff.expressions.tree import Expression

ORIGIN = object()


@pytest.mark.parametrize(
    "text",
    [
        "a.b['c'][0][-1].d",
        "not a == b and c or d",
        "a or b and not c",
        "(a or b) or c",
        "a or b or c",
        "-a * b - -c + d % e // f / g",
        "a - b - c",
        "a - (b - c)",
        "a < b <= c['d'] != -1",
        "a not in b",
        "not a in b",
        "a is not None",
        "a if b else c if d else e",
        "(a if b else c) if d else e",
        "[a, b,]",
        "{'a': 1, b: c,}",
        "{}",
        "[]",
        "[x + z for x in y if x for z in x.w]",
        "{x: y for x in z}",
        "count(x for x in y)",
        "g(a, b,)",
        "f('a')",
        "0x1F + 1_000 + 1e3 + .5 + 5. + 0b11 + 0o17",
        "'a\\n\\'\\x41\\u5f85'",
        "f'a{b}c{d.e:5d}{{}}'",
        "f'{a[\"b\"]}'",
        "x[1:2]",
        "x[::2]",
        "x[:-1]",
        "x[a if b else c]",
        "待办.名字",
        "a\n  + b",
        "1 if a else -1",
        "a.b in c.d",
        "(((a)))",
        "match.case + type",
    ],
)
def test_it_is_read_as_python_reads_it(text):
    expected = ast.parse(f"({text})", mode="eval").body
    assert ast.dump(parse(text).node) == ast.dump(expected)


def test_several_conditions_of_a_loop_are_one():
    assert ast.dump(parse("[x for x in y if a if b]").node) == ast.dump(
        parse("[x for x in y if a and b]").node
    )


@pytest.mark.parametrize(
    "text, value", [("true", True), ("false", False), ("null", None), ("None", None), ("True", True)]
)
def test_both_spellings_of_constants_are_read(text, value):
    assert parse(text).node.value is value


def test_the_parts_know_where_they_stand_in_characters():
    text = "待办 + f'待{ name.first :05d}' + [x for x in rows][0]"
    spans = {
        text[node.col_offset : node.end_col_offset]
        for node in ast.walk(parse(text).node)
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.ListComp, ast.JoinedStr))
    }
    names = {"待办", "name.first", "name", "x", "rows"}
    assert spans == names | {"f'待{ name.first :05d}'", "05d", "[x for x in rows][0]", "[x for x in rows]"}


def test_an_expression_keeps_its_text_and_origin():
    expression = parse(" a.b ", ORIGIN)
    assert (expression.text, expression.origin, expression.written) == (" a.b ", ORIGIN, "a.b")
    assert (expression.offset, expression.length) == (1, 3)


def test_a_function_may_be_named_like_a_value_and_the_other_way_round():
    node = parse("items(items)").node
    assert (node.func.id, node.args[0].id) == ("items", "items")


def test_a_clause_has_a_variable_a_list_and_a_condition():
    clause = parse_each("todo in sort(todos, 'due') if todo.done or todo.late", ORIGIN)
    assert (clause.variable, clause.offset, clause.origin) == ("todo", 0, ORIGIN)
    assert clause.source.written == "sort(todos, 'due')"
    assert clause.condition.written == "todo.done or todo.late"


def test_a_clause_needs_no_condition_and_takes_several():
    assert parse_each("todo in todos").condition is None
    assert isinstance(parse_each("a in b if c if d").condition.node, ast.BoolOp)


def test_a_clause_takes_a_generator_in_brackets():
    clause = parse_each("ids in (todo.helper_id for todo in todos)", allow_condition=False)
    assert isinstance(clause.source.node, ast.GeneratorExp)
    assert clause.source.written == "(todo.helper_id for todo in todos)"


def test_a_path_is_constant_texts_and_holes():
    path = parse_path("/people/{user.id}/tags/{f'{a}}}'}x?order=due&n=1", ORIGIN)
    parts = [part.written if isinstance(part, Expression) else part for part in path.parts]
    assert parts == ["/people/", "user.id", "/tags/", "f'{a}}}'", "x"]
    assert (path.query, path.origin) == ("order=due&n=1", ORIGIN)
    assert [hole.offset for hole in path.holes] == [9, 24]


@pytest.mark.parametrize(
    "text", ["/{a['}']}", "/{ {'a': b}['a'] }", "/{a[b[0]]}/{c}", '/{f"{a}"}', "/{a if b else c}"]
)
def test_braces_inside_of_a_hole_do_not_end_it(text):
    assert all(hole.written in text for hole in parse_path(text).holes)


@pytest.mark.parametrize("text", ["/", "/a", "/a/%20/b;v=1", "/待办", "/v1/todos:search", "/a?", "/a?x=1?y"])
def test_a_path_may_have_no_hole(text):
    path = parse_path(text)
    assert path.holes == ()
    assert path.parts == (text.partition("?")[0],)
    assert path.query == text.partition("?")[2]


@pytest.mark.parametrize("text", ["a", "待办", "items", "a_1", "match"])
def test_it_is_a_name(text):
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", "_a", "1a", "a-b", "class", "true", "null", "None", "undefined", "ｘ", "a b"]
)
def test_it_is_no_name(text):
    assert not is_name(text)
