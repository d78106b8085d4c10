"""Replies decoded to what is read of them: the same page as from the whole reply."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path as File
from typing import Any

import pytest
from flask import Flask
from msgspec import Struct
from msgspec.structs import asdict

from bff import jsontext
from bff.expressions.inspect import ANY, Any_, Path
from bff.expressions.operators import get
from bff.plan.holding import Held, UnmetNeed, hold
from bff.plan.partial_decoding import ExactDecoder, NarrowDecoder, decoder_of
from tests.project import app_of
from tests.properties import given, st

KEY = base64.urlsafe_b64encode(bytes(32)).decode()
NAMES = ("id", "name", "items", "todo", "a-b", "名")
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=40,
)
PATHS: st.SearchStrategy[Path] = st.lists(st.sampled_from([*NAMES, ANY]), max_size=4).map(tuple)


def plain(value: Any) -> Any:
    """A value without structs; of these there is what is not null."""
    if isinstance(value, Struct):
        return {key[2:]: plain(found) for key, found in asdict(value).items() if found is not None}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return {key: plain(found) for key, found in value.items()} if isinstance(value, dict) else value


def at(value: Any, path: Path) -> Any:
    """All that an expression can tell of what is at a path, null-safe as expressions are."""
    if not path:
        return value
    key, *rest = path
    if isinstance(key, Any_):
        if isinstance(value, list):
            return [at(element, tuple(rest)) for element in value]
        return {k: at(v, tuple(rest)) for k, v in value.items()} if isinstance(value, dict) else None
    return at(get(value, str(key)), tuple(rest))


def told(decode: Any, raw: bytes, path: Path) -> Any:
    try:
        return at(decode(raw, 100), path)
    except ValueError as error:
        return type(error)


@given(VALUES, st.lists(PATHS, min_size=1, max_size=6))
def test_what_is_read_of_a_reply_is_the_same_as_of_the_whole(value: Any, paths: list[Path]) -> None:
    raw = json.dumps(value).encode()
    narrow = decoder_of(paths)
    for path in paths:
        whole = told(jsontext.decode, raw, path)
        assert repr(told(narrow, raw, path)) == repr(whole)


FORMS = st.sampled_from([("any", False), ("object", False), ("list", False), ("list", True)])
NEEDS: st.SearchStrategy[Held] = st.builds(
    lambda path, required, nullable, form: Held(path, required, nullable, *form),
    *(PATHS, st.booleans(), st.booleans(), FORMS),
)


def unmet(decode: Any, *arguments: Any) -> Any:
    """What a reply lacks, None where it has all that is needed."""
    try:
        decode(*arguments)
    except UnmetNeed as lacking:
        return lacking.path, lacking.why
    except ValueError as error:
        return type(error)
    return None


def test_nothing_is_held_of_what_is_in_a_list_that_is_none() -> None:
    needs = [Held((), form="list", looked_at=True), Held(("id",))]
    assert unmet(decoder_of([()], [], needs), b"{}", 100) is None
    assert unmet(lambda: hold({}, needs)) is None


@given(
    VALUES, st.lists(PATHS, min_size=1, max_size=4), st.lists(PATHS, max_size=2), st.lists(NEEDS, max_size=4)
)
def test_a_decoder_takes_just_what_a_look_at_the_whole_reply_takes(
    value: Any, paths: list[Path], mappings: list[Path], needs: list[Held]
) -> None:
    raw = json.dumps(value).encode()
    found = {need.path: need for need in sorted(needs, key=lambda need: len(need.path))}
    narrow = decoder_of(paths, mappings, found.values())
    expected = unmet(lambda: hold(jsontext.decode(raw), found.values()))
    assert unmet(narrow, raw, 100) == expected
    for decode in (narrow, pickle.loads(pickle.dumps(narrow))):
        assert unmet(decode, raw, 100) == expected
    if expected is None:
        for path in paths:
            assert repr(told(narrow, raw, path)) == repr(told(jsontext.decode, raw, path))


def test_what_a_write_is_made_of_is_held_too() -> None:
    decode = pickle.loads(pickle.dumps(ExactDecoder((Held(("id",), nullable=False),))))
    assert unmet(decode, b'{"id": 1}', 100) is None
    assert unmet(decode, b'{"id": null}', 100) == (("id",), "null")
    assert unmet(decode, b"{}", 100) == (("id",), "absent")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b'{"items": [',
        b'{"items": []} x',
        b'{"x": "\xff", "items": []}',
        b'{"x": {"y": [}, "items": []}',
        b'{"items": "\xff"}',
        b'{"items": ' + b"[" * 200 + b"]" * 200 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_reply_is_refused_either_way(raw: bytes) -> None:
    narrow = decoder_of([("items", ANY, "id")])
    refused = told(jsontext.decode, raw, ())
    assert isinstance(refused, type)
    assert told(narrow, raw, ()) is refused


@pytest.mark.parametrize(
    "raw", [b'\xef\xbb\xbf{"id": 1}', b'{"id": 1, "x": NaN}', b'{"id": 1, "x": "\\ud800"}']
)
def test_what_only_the_lenient_way_reads_is_read(raw: bytes) -> None:
    narrow = decoder_of([("id",)])
    assert plain(narrow(raw, 100)) == jsontext.decode(raw)


def test_members_that_nothing_reads_are_left_out() -> None:
    narrow = decoder_of([("items", ANY, "id"), ("page",)])
    raw = b'{"page": 1, "total": 9, "items": [{"id": 1, "title": "a"}, null]}'
    assert plain(narrow(raw, 100)) == {"page": 1, "items": [{"id": 1}, None]}


def test_a_bound_on_depth_holds() -> None:
    narrow = decoder_of([("id",)])
    with pytest.raises(jsontext.TooDeep):
        narrow(b'{"id": [[[1]]]}', 3)


def test_what_is_too_deep_and_never_read_refuses_no_reply_not_even_the_first() -> None:
    deep = b'{"id": 1, "never": ' + b"[" * 150 + b"]" * 150 + b"}"
    first = NarrowDecoder((("id",),))
    assert [plain(first(deep, 100)), plain(first(deep, 100))] == [{"id": 1}] * 2
    with pytest.raises(jsontext.TooDeep):
        NarrowDecoder((("never",),))(deep, 100)


SLOW = b"[" + b",".join([b"1e300"] * 2000) + b"]"


def test_slow_numbers_that_nobody_reads_cost_nothing() -> None:
    narrow = decoder_of([("id",)])
    for _ in range(2):
        assert plain(narrow(b'{"id": 1, "never": ' + SLOW + b"}", 100)) == {"id": 1}


def test_floats_are_read_from_the_first_on(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = decoder_of([("id",), ("all",)])
    for number in (1, 1.5, 2, -0.0, 1e300):
        raw = b'{"id": %s, "never": 1}' % repr(number).encode()
        assert repr(plain(narrow(raw, 100))) == repr({"id": number})
    looked_at: list[int] = []
    is_slow = jsontext.is_slow
    monkeypatch.setattr(jsontext, "is_slow", lambda raw: looked_at.append(len(raw)) or is_slow(raw))
    slow = b'{"id": 1, "all": ' + SLOW + b"}"
    assert plain(narrow(slow, 100)) == {"id": 1, "all": [1e300] * 2000}
    assert len(slow) in looked_at


ROW = {"id": 1, "name": "Lin", "todo": 7}
LIST = {"items": [ROW]}


def decoded_by(app: Flask, reply: Any) -> Any:
    """What the first step of an app's page decodes of a reply."""
    step = app.extensions["bff"].pages["page"].plan.steps[0]
    return plain(step.decode(json.dumps(reply).encode(), 100))


@pytest.mark.parametrize(
    ("keys", "shape", "reply", "decoded"),
    [
        ("", "x.name", ROW, {"name": "Lin"}),
        ("", "x", ROW, ROW),
        ("", "len(x)", ROW, ROW),
        ("", "[row.id for row in x]", [ROW], [{"id": 1}]),
        ("", "count(1 for row in x)", [ROW], [ROW]),
        ("", "x[0].name", [ROW], [{"name": "Lin"}]),
        ("", "sort(x, '-id')[0].name", [ROW], [{"id": 1, "name": "Lin"}]),
        ("", "pick(x, 'id')", ROW, ROW),
        ("take: reply.body.items", "x[0].id", {**LIST, "total": 1}, {"items": [{"id": 1}]}),
        ("take: reply.body.items", "x", {**LIST, "total": 1}, LIST),
        ("take: reply.body.items", "[1 for row in x]", {**LIST, "total": 1}, LIST),
        (
            "take: '[row for row in reply.body.items]'",
            "[row.id for row in x]",
            LIST,
            {"items": [{"id": 1}]},
        ),
        (
            "take: '[row for row in reply.body.items if row.todo]'",
            "count(x)",
            LIST,
            LIST,
        ),
        ("take: '[row.id for row in reply.body.items]'", "len(x)", LIST, {"items": [{"id": 1}]}),
        (
            "take: group(reply.body.items, 'name')",
            "x.Lin[0].id",
            LIST,
            {"items": [{"id": 1, "name": "Lin"}]},
        ),
        ('take: "reply.body.id if reply else 1"', "x", ROW, ROW),
        ("take: {a: reply.body.id, b: reply.body.todo}", "x.a", ROW, {"id": 1}),
        (
            "take: reply.body.items\n        key_by: id",
            "x['1'].name",
            LIST,
            {"items": [{"id": 1, "name": "Lin"}]},
        ),
        (
            "each: n in [1]\n        take: reply.body.items",
            "x[0][0].name",
            LIST,
            {"items": [{"name": "Lin"}]},
        ),
        ("take: reply.status", "x", ROW, ROW),
        ("take: reply", "x.body.id", ROW, {"id": 1}),
        ("take: reply", "x", ROW, ROW),
        ("ok: reply.body.id is not None", "x.name", ROW, ROW),
        ("key_by: id", "x['1'].name", [ROW], [{"id": 1, "name": "Lin"}]),
        ("each: n in [1]", "x[0].name", ROW, {"name": "Lin"}),
        ("each: n in [1]", "[row.id for row in x]", ROW, {"id": 1}),
        ("batch: n in [1]", "[row.id for row in x]", [ROW], [{"id": 1}]),
        ("batch: n in [1]\n        key_by: id", "x['1'].name", [ROW], [{"id": 1, "name": "Lin"}]),
        ("each: n in [1]\n        key_by: id", "x['1'].name", ROW, {"id": 1, "name": "Lin"}),
        ("", "(x or y).name", ROW, ROW),
        ("", "[row.id for row in x or y]", [ROW], [{"id": 1}]),
        ("", "[row.id for row in (x or y).todo]", ROW, ROW),
        ("", "default(x, y).name", ROW, {"name": "Lin"}),
    ],
)
def test_a_plan_decodes_what_its_recipe_reads(
    tmp_path: File, keys: str, shape: str, reply: Any, decoded: Any
) -> None:
    recipe = f"""
    route: GET /page
    auth: none
    steps:
      x:
        client: todos
        get: /x
        {keys}
      y:
        client: todos
        get: /y
    shape: ["{shape}", y.id]
    """
    assert decoded_by(app_of(tmp_path, {"page": recipe}), reply) == decoded


@pytest.mark.parametrize(
    ("values", "shape", "reply", "decoded"),
    [
        ({"v": "x"}, "v.name", ROW, {"name": "Lin"}),
        ({"v": "x"}, "v", ROW, ROW),
        ({"v": "[row for row in x if row.todo]"}, "[row.id for row in v]", [ROW], [{"id": 1, "todo": 7}]),
        ({"v": "[row for row in x if row.todo][:5]"}, "v", [ROW], [ROW]),
        ({"v": "[row for row in x]"}, "count(v)", [ROW], [ROW]),
        ({"v": "[row.id for row in x]", "w": "v[:2]"}, "w", [ROW], [{"id": 1}]),
        ({"v": "{row.id: row for row in x}"}, "v['1'].name", [ROW], [{"id": 1, "name": "Lin"}]),
        ({"v": "[1 for row in x]"}, "v", [ROW], [ROW]),
        ({"v": "x or y"}, "v.name", ROW, ROW),
        ({"v": "x or y", "w": "[row.id for row in v]"}, "w", [ROW], [{"id": 1}]),
        ({"v": "sort(x, 'id')", "w": "v[0]"}, "w.name", [ROW], [{"id": 1, "name": "Lin"}]),
        ({"v": "len(x)"}, "v", ROW, ROW),
        ({"v": "x"}, "[v, x.id]", ROW, ROW),
    ],
)
def test_what_a_value_passes_on_is_read_where_it_is_used(
    tmp_path: File, values: dict[str, str], shape: str, reply: Any, decoded: Any
) -> None:
    steps = "".join(f'\n      {name}:\n        value: "{value}"' for name, value in values.items())
    recipe = f"""
    route: GET /page
    auth: none
    steps:
      x:
        client: todos
        get: /x
      y:
        client: todos
        get: /y{steps}
    shape: ["{shape}", y.id]
    """
    assert decoded_by(app_of(tmp_path, {"page": recipe}), reply) == decoded


def test_what_a_value_in_the_form_of_yaml_passes_on_is_read_where_it_is_used(tmp_path: File) -> None:
    recipe = """
    route: GET /page
    auth: none
    steps:
      x:
        client: todos
        get: /x
      v:
        value:
          rows:
            each: row in x.items if row.todo
            item: {of: row, by: row.name}
          first: x.first
    shape:
      each: row in v.rows
      item: [row.of.id, row.by]
    """
    app = app_of(tmp_path, {"page": recipe})
    assert decoded_by(app, {"items": [{**ROW, "more": 1}], "first": ROW}) == {"items": [ROW]}


def test_what_a_session_and_other_steps_take_is_read_too(tmp_path: File) -> None:
    recipe = """
    route: POST /login
    auth: none
    steps:
      x:
        client: todos
        post: /x
      name:
        value: x.name
      y:
        client: todos
        get: /y/{x.todo}
    session:
      user: {id: x.record.id}
      tokens: {todos: x.token}
    shape: [name, y.id]
    """
    clients = {"todos": 'auth=__import__("bff").forward_token("todos")'}
    app = app_of(tmp_path, {"page": recipe}, clients=clients, environ={"BFF_SESSION_KEYS": KEY})
    assert decoded_by(app, {**ROW, "token": "t", "record": {"id": 2, "more": 3}}) == {
        "name": "Lin",
        "todo": 7,
        "token": "t",
        "record": {"id": 2},
    }
