"""Replies held to what their backend promises, as far as a page reads them."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from bff.errors import Place
from bff.expressions.inspect import ANY, Path
from bff.expressions.parse import parse
from bff.expressions.tree import Expression, PathTemplate
from bff.http import Client
from bff.plan.holding import UnmetNeed
from bff.plan.partial_decoding import decoder_of
from bff.plan.planner import make_plan
from bff.plan.promised import promised
from bff.recipe.contracts import Promise
from bff.recipe.model import Mark, Marks, Recipe, Request
from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    Array,
    Literal,
    Member,
    Named,
    Record,
    Type,
    Unknown,
    nullable,
    union_of,
    unverified,
)

PERSON = Record(
    (
        ("id", Member(INTEGER)),
        ("name", Member(STRING)),
        ("mail", Member(nullable(STRING))),
        ("nick", Member(STRING, required=False)),
        ("of", Member(Record((("city", Member(STRING)), ("zip", Member(STRING)))))),
        ("size", Member(NUMBER, required=False)),
        ("fine", Member(BOOLEAN, required=False)),
        ("kind", Member(union_of(Literal("a"), Literal("b")), required=False)),
        ("any", Member(Unknown(), required=False)),
        ("seen", Member(unverified(STRING), required=False)),
        ("mixed", Member(union_of(STRING, INTEGER), required=False)),
        ("one", Member(union_of(Record((("x", Member(STRING)),)), Array(STRING)), required=False)),
    )
)
GOOD: dict[str, Any] = {"id": 1, "name": "Ann", "mail": None, "of": {"city": "Wien", "zip": "1010"}}
COMMENTS: dict[str, Type] = {}
COMMENT = Named("Comment", COMMENTS)
COMMENTS["Comment"] = Record((("text", Member(STRING)), ("replies", Member(Array(COMMENT), required=False))))


def off(one: Type, paths: list[Path], reply: Any) -> Any:
    """What is wrong with a reply of which these paths are read, by the decoder."""
    needs, types = promised(one, paths)
    decode = pickle.loads(pickle.dumps(decoder_of(paths, (), needs, types)))
    found = []
    for decoder in (decode, decoder_of(paths, (), needs, types)):
        try:
            decoder(json.dumps(reply).encode(), 100)
        except UnmetNeed as unmet:
            found.append((".".join("*" if key is ANY else str(key) for key in unmet.path), unmet.why))
        else:
            found.append(None)
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("path", "change", "wrong"),
    [
        ("name", {}, None),
        ("name", {"id": "x"}, None),  # nobody reads it
        ("name", {"name": 1}, ("name", "no-string")),
        ("name", {"name": None}, ("name", "null")),
        ("name", None, ("name", "absent")),
        ("mail", {"mail": "x"}, None),
        ("mail", None, ("mail", "absent")),
        ("nick", None, None),
        ("nick", {"nick": None}, ("nick", "null")),
        ("id", {"id": 7.0}, None),
        ("id", {"id": 7.5}, ("id", "no-integer")),
        ("id", {"id": 2**70}, None),
        ("id", {"id": True}, ("id", "no-integer")),
        ("size", {"size": 7.5}, None),
        ("size", {"size": 7}, None),
        ("size", {"size": "7"}, ("size", "no-number")),
        ("fine", {"fine": 0}, ("fine", "no-boolean")),
        ("kind", {"kind": "c"}, None),
        ("kind", {"kind": 1}, ("kind", "no-string")),
        ("any", {"any": [1]}, None),
        ("seen", {"seen": 1}, None),
        ("mixed", {"mixed": 1}, None),
        ("mixed", {"mixed": True}, ("mixed", "other-kind")),
        ("of", {"of": {"city": "Rom"}}, ("of.zip", "absent")),
        ("of", {"of": {"city": "Rom", "zip": 1}}, ("of.zip", "no-string")),
        ("of.city", {"of": {"city": "Rom"}}, None),
        ("of.city", {"of": {}}, ("of.city", "absent")),
        ("of.city", {"of": []}, ("of", "no-object")),
        ("one", {"one": {"x": "a"}}, None),
        ("one", {"one": {"x": 1}}, ("one.x", "no-string")),
        ("one.x", {"one": {}}, ("one.x", "absent")),
        ("one.x", {"one": 5}, ("one", "other-kind")),
        ("unknown", {"unknown": 1}, None),
    ],
)
def test_members_that_are_read_are_what_was_promised(path: str, change: Any, wrong: Any) -> None:
    reply = {**GOOD, **change} if change is not None else {key: GOOD[key] for key in GOOD if key != path}
    keys = tuple(path.split("."))
    assert off(PERSON, [keys], reply) == wrong
    of_elements = None if wrong is None else (f"items.*.{wrong[0]}", wrong[1])
    page = Record((("items", Member(Array(PERSON))),))
    assert off(page, [("items", ANY, *keys)], {"items": [GOOD, reply]}) == of_elements
    mapping = Record((), PERSON)
    assert off(mapping, [(ANY, *keys)], {"a": reply}) == (
        None if wrong is None else (f"*.{wrong[0]}", wrong[1])
    )


@pytest.mark.parametrize(
    ("reply", "wrong"), [([], ("", "no-object")), (None, ("", "null")), ("x", ("", "no-object"))]
)
def test_a_root_is_what_was_promised(reply: Any, wrong: Any) -> None:
    assert off(PERSON, [("name",)], reply) == wrong


def test_a_type_that_holds_itself_is_held_level_by_level() -> None:
    good = {"text": "a", "replies": [{"text": "b", "replies": [{"text": "c"}]}]}
    assert off(COMMENT, [()], good) is None
    good["replies"][0]["replies"][0]["text"] = 1  # type: ignore[index]
    assert off(COMMENT, [()], good) == ("replies.*.replies.*.text", "no-string")
    assert off(COMMENT, [("replies", ANY, "text")], good) is None


def test_a_type_that_holds_itself_is_held_as_deep_as_replies_are() -> None:
    reply: dict[str, Any] = {"text": 1}
    for _ in range(45):
        reply = {"text": "a", "replies": [reply]}
    assert off(COMMENT, [()], reply) == ("replies.*." * 45 + "text", "no-string")


class Promising:
    """A contract that promises a person whatever is asked."""

    def __init__(self, *, enforced: bool) -> None:
        self.enforced = enforced

    def promise(self, method: str, path: PathTemplate) -> Promise:
        return Promise(PERSON, self.enforced)


@pytest.mark.parametrize(("enforced", "why"), [(True, "no-string"), (False, None)])
@pytest.mark.parametrize("ok", [None, parse("reply.status == 200")])
def test_a_plan_holds_replies_to_what_is_promised_and_enforced(
    enforced: bool, why: str | None, ok: Expression | None
) -> None:
    marks = Marks(Mark(Place("page.yaml", 1, 1)))
    path = PathTemplate(("/",), "", "/")
    step = Request("row", "people", "GET", path, safe=True, ok=ok, marks=marks)
    recipe = Recipe("page", "page.yaml", "GET", "/page", steps=(step,), shape=parse("row.name"), marks=marks)
    client = Client(base_url="http://backend.test")
    plan = make_plan(recipe, {"people": client}, {}, contracts={"people": Promising(enforced=enforced)})
    decode = plan.requests[0].decode
    decode(json.dumps({**GOOD, "id": "not read"}).encode(), 100)
    try:
        decode(json.dumps({**GOOD, "name": 1}).encode(), 100)
    except UnmetNeed as unmet:
        assert unmet.why == why
    else:
        assert why is None
