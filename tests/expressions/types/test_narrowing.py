"""What conditions say of the values that they are about."""

from __future__ import annotations

import pytest

from bff.expressions.parse import parse
from bff.expressions.types.typing import Typing, known
from bff.types.model import (
    BOOLEAN,
    INTEGER,
    STRING,
    Array,
    Literal,
    Member,
    Record,
    Type,
    Unknown,
    Unverified,
    nullable,
    union_of,
)
from bff.types.text import text_of


def record(source: str = "", **members: Type) -> Record:
    return Record(tuple((name, Member(one)) for name, one in members.items()), None, source)


TODO = Record(
    (
        ("title", Member(STRING)),
        ("owner", Member(nullable(STRING))),
        ("due", Member(STRING, required=False)),
        ("status", Member(union_of(Literal("open"), Literal("done"), Literal("paused")))),
    ),
    None,
    "todos.yaml:3",
)
NAMES: dict[str, Type] = {
    "todo": TODO,
    "none": nullable(TODO),
    "todos": Array(TODO),
    "event": union_of(record(kind=Literal("note"), text=STRING), record(kind=Literal("pay"), amount=INTEGER)),
    "people": Record((), record(name=STRING)),
    "anything": Unknown("drawn"),
    "expected": Unverified(TODO),
    "flag": BOOLEAN,
    "k": STRING,
}


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("todo.owner", "string | null"),
        ("todo.due", "string | null"),
        ("none.title", "string | null"),
        ("todo.owner if todo.owner else 1", "string | 1"),
        ("todo.owner if todo.owner is not None else 1", "string | 1"),
        ("todo.owner if todo.owner != null else 1", "string | 1"),
        ("1 if todo.owner is None else todo.owner", "1 | string"),
        ("1 if not todo.owner else todo.owner", "1 | string"),
        ("todo.owner and todo.owner", "string | null"),
        ("todo.owner or 'x'", "string"),
        ("none.title if none else 1", "string | 1"),
        ("none.title if none and none.owner else 1", "string | 1"),
        ("todo.due if todo.due and todo.owner else 1", "string | 1"),
        ("todo.status if todo.status == 'open' else 1", '"open" | 1'),
        ("todo.status if todo.status != 'open' else 1", '"done" | "paused" | 1'),
        ("todo.status if todo.status in ['open', 'done'] else 1", '"open" | "done" | 1'),
        ("todo.status if todo.status not in ['open', 'done'] else 1", '"paused" | 1'),
        ("todo.status if todo.status == 'open' or todo.status == 'done' else 1", '"open" | "done" | 1'),
        ("anything if anything == 'a' else 1", '"a" | 1'),
        ("event.text", "string | null"),
        ("event.text if event.kind == 'note' else event.amount", "string | integer"),
        ("[one.title for one in todos if one.owner]", "string[]"),
        ("[one.owner for one in todos if one.owner]", "string[]"),
        ("people[k]", "{name: string} | null"),
        ("people[k].name if people[k] else 1", "string | 1"),
        ("todos[0]", text_of(nullable(TODO), 300)),
        ("todos[0].title if todos[0] else 1", "string | 1"),
        ("todo.due > 'a' and todo.due", "false | string | null"),
        ("{'a': 1, 'b': 'x'}[todo.status]", "null"),
        ("{'open': 1, 'done': 2, 'paused': 3}[todo.status]", "1 | 2 | 3"),
        ("flag or null", "true | null"),
        ("not todo.title", "boolean"),
        ("not todos", "boolean"),
        ("expected.title", "string | null (unverified)"),
        ("f'{expected.title}'", "string"),
        ("expected.title == 'a'", "boolean"),
        ("[one for one in [expected.title] if one == 'a']", '"a"[]'),
        ("{'title': expected.title, 'fixed': 1}", "{title: string | null (unverified), fixed: 1}"),
        ("anything.x.y", "unknown"),
        ("anything or []", "unknown"),
        ("todos or {}", text_of(union_of(Array(TODO), Record()), 300)),
        ("todo.owner + 'x'", "string | null"),
        ("todo.title + 'x'", "string"),
        ("1 + 2", "integer | null"),
        ("1 / 2", "number | null"),
        ("1 < 2", "boolean"),
        ("1 < 'a'", "null"),
        ("-1", "-1"),
        ("[]", "never[]"),
        ("[1, 'a', null]", '(1 | "a" | null)[]'),
        ("{k: 1}", "{[key]: 1}"),
        ("{one.title: 1 for one in todos}", "{[key]: 1}"),
        ("todo.title[:3]", "string"),
        ("todos[:3][0].title", "string | null"),
    ],
)
def test_an_expression_has_its_type(text: str, gives: str) -> None:
    assert text_of(Typing().of(parse(text), known(NAMES)), 300) == gives
