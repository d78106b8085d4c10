"""What expressions say that they read."""

import pytest

from bff.expressions.fields import fields
from bff.expressions.inspect import ANY, Use, flows, inspect, inspect_tree, item_paths, path_text
from bff.expressions.parse import parse, parse_each, parse_path
from bff.expressions.tree import Constant, Each, Let, Mapping, Sequence


def read(text, bindings=None):
    return sorted(map(path_text, inspect(parse(text), bindings).reads))


def iterated(text):
    return [path_text(path) for path, _, _ in inspect(parse(text)).iterates]


@pytest.mark.parametrize(
    "text, paths",
    [
        ("me.name", ["me.name"]),
        ("me", ["me"]),
        ("me['first name'].x", ["me['first name'].x"]),
        ("1", []),
        ("me.tags[0]", ["me.tags[*]"]),
        ("me.tags[1:].x", ["me.tags.x"]),
        ("helpers[todo.helper_id].name", ["helpers[*].name", "todo.helper_id"]),
        ("a.x or b.y", ["a.x", "b.y"]),
        ("(a or b).x", ["a", "b.x"]),
        ("(a if b.c else d).x", ["a.x", "b.c", "d.x"]),
        ("a.x + b.y", ["a.x", "b.y"]),
        ("a.x == b.y", ["a.x", "b.y"]),
        ("not a.x", ["a.x"]),
        ("f'{a.x}{b.y:3d}'", ["a.x", "b.y"]),
        ("[a.x, b.y]", ["a.x", "b.y"]),
        ("[a, b][0].x", ["a.x", "b.x"]),
        ("{'k': a, b.c: 1}.k.x", ["a.x", "b.c"]),
        ("[t.id for t in todos]", ["todos[*].id"]),
        ("[t for t in todos if t.done]", ["todos[*]", "todos[*].done"]),
        ("[t for t in todos][0].id", ["todos[*].id"]),
        ("[x.id for x in [t.helper for t in todos]]", ["todos[*].helper.id"]),
        ("[g.id for t in todos for g in t.tags]", ["todos[*].tags[*].id"]),
        ("{t.id: t.name for t in todos}", ["todos[*].id", "todos[*].name"]),
        ("{t.id: t for t in todos}[me.k].name", ["me.k", "todos[*].id", "todos[*].name"]),
        ("[1 for t in todos]", ["todos[*]"]),
        ("count(t for t in todos if not t.done)", ["todos[*].done"]),
        ("count(t for t in todos)", ["todos[*]"]),
        ("count(todos)", ["todos[*]"]),
        ("len(todos)", ["todos"]),
        ("sum(t.n for t in todos)", ["todos[*].n"]),
        ("[t.id for t in sort(todos, 'due', '-n')]", ["todos[*].due", "todos[*].id", "todos[*].n"]),
        ("[t.id for t in sort(todos)]", ["todos[*]", "todos[*].id"]),
        ("[t.id for t in sort(todos, q.by)]", ["q.by", "todos[*]", "todos[*].id"]),
        ("[t.id for t in unique(todos, 'name')]", ["todos[*].id", "todos[*].name"]),
        ("index(todos, 'id')[k].name", ["k", "todos[*].id", "todos[*].name"]),
        ("group(todos, 's').open[0].name", ["todos[*].name", "todos[*].s"]),
        ("default(a, b).x", ["a.x", "b.x"]),
        ("merge(a, b).x", ["a.x", "b.x"]),
        ("pick(a, 'x', k).x", ["a.x", "k"]),
        ("[v.x for v in values(people)]", ["people[*].x"]),
        ("items(people)[0].value.x", ["people"]),
        ("keys(people)", ["people"]),
        ("ours(a.b)", ["a.b"]),
        ("a[b[c.d].e].f", ["a[*].f", "b[*].e", "c.d"]),
        ("x.a[1:y.n]", ["x.a", "y.n"]),
    ],
)  # fmt: skip
def test_it_reads(text, paths):
    assert read(text) == paths


@pytest.mark.parametrize(
    "text, paths",
    [
        ("[t for t in todos]", ["todos"]),
        ("[1 for t in a.b for g in t.tags]", ["a.b", "a.b[*].tags"]),
        ("sort(a.b, 'x')", ["a.b"]),
        ("[t for t in sort(unique(todos), 'x')]", ["todos"]),
        ("count(todos)", ["todos"]),
        ("join(todos, ',')", ["todos"]),
        ("max(todos)", ["todos"]),
        ("max(a, b)", []),
        ("len(todos)", []),
        ("[t for t in a or b]", ["a"]),
        ("[t for t in (a if c else b)]", []),
        ("[t for t in [a, b]]", []),
        ("[u for t in [a, b] for u in t]", ["a", "b"]),
        ("[x for x in [t.g for t in todos]]", ["todos"]),
        ("[x for x in a[1:]]", ["a"]),
        ("x in todos", []),
        ("[v for v in values(people)]", []),
    ],
)
def test_it_goes_over(text, paths):
    assert iterated(text) == paths


def test_what_it_goes_over_has_a_place():
    assert inspect(parse("[t for t in me.todos]")).iterates == ((("me", "todos"), 12, 8),)


def test_names_functions_and_variables_are_told_in_order_and_place():
    found = inspect(parse("sort([t.a + b.c for t in todos if ours(t)], c)"))
    assert found.names == (Use("todos", 25, 5), Use("b", 12, 1), Use("c", 44, 1))
    assert found.functions == (Use("sort", 0, 4), Use("ours", 34, 4))
    assert found.bound == (Use("t", 20, 1),)


def test_the_variables_around_an_expression_stand_for_paths():
    assert read("todo.tags[0].x", {"todo": ("todos", ANY)}) == ["todos[*].tags[*].x"]
    assert inspect(parse("todo.x + y"), {"todo": ("todos", ANY)}).names == (Use("y", 9, 1),)


def test_a_clause_reads_its_list_and_condition():
    found = inspect(parse_each("todo in me.todos if todo.done and q.x"))
    assert sorted(map(path_text, found.reads)) == ["me.todos[*].done", "q.x"]
    assert found.iterates == ((("me", "todos"), 8, 8),)
    assert found.bound == (Use("todo", 0, 4),)
    assert sorted(map(path_text, inspect(parse_each("todo in todos")).reads)) == ["todos[*]"]


def test_the_items_of_a_clause_are_paths_where_they_are_plain():
    assert item_paths(parse_each("t in sort(me.todos, 'x')")) == (("me", "todos", ANY),)
    assert item_paths(parse_each("t in range(3)")) == ()
    assert item_paths(parse_each("g in t.tags"), {"t": ("todos", ANY)}) == (("todos", ANY, "tags", ANY),)


def test_a_path_reads_its_holes():
    found = inspect(parse_path("/people/{user.id}/{todo.x}"), {"todo": ("todos", ANY)})
    assert sorted(map(path_text, found.reads)) == ["todos[*].x", "user.id"]


PAGE = Mapping(
    (
        ("name", parse("me.name")),
        (
            "todos",
            Each(
                (parse_each("todo in shown if todo.x"),),
                Mapping(
                    (
                        ("id", parse("todo.id")),
                        ("helper", parse("helpers[todo.helper_id].name")),
                        ("tags", Each((parse_each("tag in todo.tags"),), parse("tag.name"))),
                    )
                ),
            ),
        ),
        ("two", Sequence((parse("a"), Constant(1), parse("b.c")))),
        ("odd key", parse("d")),
    )
)


def test_a_tree_tells_what_each_part_of_the_page_reads():
    found = {path: sorted(map(path_text, part.reads)) for path, part in fields(PAGE)}
    assert found == {
        "name": ["me.name"],
        "todos": ["shown[*].x"],
        "todos[*].id": ["shown[*].id"],
        "todos[*].helper": ["helpers[*].name", "shown[*].helper_id"],
        "todos[*].tags": ["shown[*].tags[*]"],
        "todos[*].tags[*]": ["shown[*].tags[*].name"],
        "two[0]": ["a"],
        "two[2]": ["b.c"],
        "['odd key']": ["d"],
    }


def test_a_whole_tree_reads_all_that_its_parts_read():
    found = inspect_tree(PAGE)
    parts = set().union(*(part.reads for _, part in fields(PAGE)))
    assert found.reads <= parts
    assert {path_text(path) for path in parts - found.reads} == {"shown[*].tags[*]"}
    assert [use.name for use in found.names] == ["me", "shown", "helpers", "a", "b", "d"]
    assert [use.name for use in found.bound] == ["todo", "tag"]
    assert [path_text(path) for path, _, _ in found.iterates] == ["shown", "shown[*].tags"]


def test_a_page_that_is_one_expression_has_one_path():
    assert [path for path, _ in fields(parse("me"))] == [""]
    assert [path for path, _ in fields(Each((parse_each("t in todos"),), parse("t.id")))] == ["", "[*]"]


@pytest.mark.parametrize(
    "text, foreign",
    [
        ("'done = true'", []),
        ("f'title ~ {quote(q)}'", []),
        ("f'title ~ {q}'", ["q"]),
        ("f'a = {q.x} && b = {quote(q.y)}'", ["q.x"]),
        ("'a = ' + q", ["q"]),
        ("'a' if q.x else 'b'", []),
        ("'a' if q.x else q.y", ["q.y"]),
        ("q or 'a'", ["q"]),
        ("join([f'id = {quote(id)}' for id in ids], ' || ')", []),
        ("join((f'id = {id}' for id in ids), ' || ')", ["id"]),
        ("join([f'{k} = true' for k in ['a', 'b']], q)", ["q"]),
        ("join(parts, ' && ')", ["parts"]),
        ("{'open': 'done = false'}[q.status]", []),
        ("default({'open': 'x'}[q.s], 'y')", []),
        ("{'open': q.x}[q.status]", ["{'open': q.x}[q.status]"]),
        ("lower(quote(q))", ["lower(quote(q))"]),
        ("ours(q)", ["ours(q)"]),
        ("str(q)", ["q"]),
        ("q.a == 1", []),
        ("not q", []),
        ("5", []),
        ("q * 2", ["q * 2"]),
        ("quote_like(q)", []),
        ("quote(q)[1:]", ["quote(q)[1:]"]),
        ("quote(q)[0]", ["quote(q)[0]"]),
        ("f'a = {quote(q):.3f}'", ["quote(q)"]),
        ("f'{1:.2f}'", []),
        ("join([quote(x) for x in q][:9], ' || ')", []),
        ("[quote(x) for x in q][0]", []),
        ("[quote(x) for x in q][0][1:]", ["[quote(x) for x in q][0][1:]"]),
        ("join([c[1:] for c in [quote(q)]], '')", ["c[1:]"]),
        ("f'a = {quote(q)}'[q.at]", ["f'a = {quote(q)}'[q.at]"]),
        ("(quote(q) + 'x')[:-1]", ["(quote(q) + 'x')[:-1]"]),
        ("[f'{quote(x)}' for x in q if x.y]", []),
    ],
)  # fmt: skip
def test_foreign_text_is_found(text, foreign):
    assert [flow.text for flow in flows(parse(text), quotes={"quote", "quote_like"})] == foreign


def test_a_plain_name_can_be_followed_to_its_value_step():
    (flow,) = flows(parse("f'x {part}'"))
    assert (flow.name, flow.offset, flow.length) == ("part", 5, 4)
    assert flows(parse("f'x {q.part}'"))[0].name is None


def test_foreign_text_is_found_in_trees():
    tree = Mapping((("filter", Sequence((parse("q.x"), parse("'a'")))), ("n", Constant(1))))
    assert [flow.text for flow in flows(tree)] == ["q.x"]
    assert flows(Each((parse_each("k in ['a', 'b']"),), parse("f'{k} = 1'"))) == ()
    assert [flow.text for flow in flows(Each((parse_each("k in q"),), parse("f'{k} = 1'")))] == ["k"]


LINES = Each(
    (parse_each("order in orders if order.paid"), parse_each("line in order.lines")),
    Mapping((("name", parse("product.name")), ("sum", parse("price * line.n")), ("at", parse("order.at")))),
    (
        Let("product", parse("products[line.sku]")),
        Let("price", parse("default(line.price, product.price) if rates[order.zone] else 0")),
    ),
)


def test_a_list_reads_what_its_loops_and_lets_read():
    found = inspect_tree(LINES)
    assert sorted(map(path_text, found.reads)) == [
        "orders[*].at",
        "orders[*].lines[*].n",
        "orders[*].lines[*].price",
        "orders[*].lines[*].sku",
        "orders[*].paid",
        "orders[*].zone",
        "products[*].name",
        "products[*].price",
        "rates[*]",
    ]
    assert [use.name for use in found.names] == ["orders", "products", "rates"]
    assert [use.name for use in found.bound] == ["order", "line"]
    assert [path_text(path) for path, _, _ in found.iterates] == ["orders", "orders[*].lines"]


def test_a_part_of_the_page_reads_what_the_lets_read_that_it_names():
    found = {path: sorted({str(path[0]) for path in part.reads}) for path, part in fields(LINES)}
    assert found == {
        "": ["orders"],
        "[*].name": ["orders", "products"],
        "[*].sum": ["orders", "products", "rates"],
        "[*].at": ["orders"],
    }


def test_what_a_let_stands_for_is_read_only_where_its_name_is():
    tree = Each((parse_each("t in todos"),), parse("t.id"), (Let("o", parse("t.owner")),))
    assert sorted(map(path_text, inspect_tree(tree).reads)) == ["todos[*].id"]


def test_foreign_text_is_followed_through_loops_and_lets():
    lets = (Let("a", parse("k")), Let("b", parse("quote(k)")), Let("c", parse("a + b")))
    tree = Each((parse_each("g in q.groups"), parse_each("k in g")), parse("f'{b} = {c}'"), lets)
    assert [flow.text for flow in flows(tree)] == ["c"]
    assert flows(Each(tree.clauses, parse("b"), lets)) == ()
