"""No value of an answer falls outside of the type of its page, whatever the backends answer."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import responses
from flask import Flask

from bff import create_app
from bff.recipe.check import check_folder
from bff.recipe.contracts import promise_of
from bff.recipe.model import Request
from bff.recipe.types.project import type_of_visitors, types_of_page
from bff.types.model import STRING, Array, Member, Record, Type, Unknown, holds, nullable
from bff.types.text import text_of
from tests.expressions.generated import values
from tests.expressions.types.drawn import value_of
from tests.properties import HealthCheck, given, settings, st
from tests.recipe.types.shop import CASES, write_shop

Reply = tuple[int, str] | Exception
_FAILURES: tuple[Reply, ...] = (
    *((status, "{}") for status in (400, 404, 429, 500, 503)),
    *((200, text) for text in ("", "<html>", "{")),
    requests.ConnectionError("refused"),
    requests.Timeout("late"),
)


_DIRECTOR = Record((("name", Member(STRING)),))
_FILM = Record(
    (
        ("id", Member(STRING)),
        ("title", Member(STRING)),
        ("director", Member(nullable(_DIRECTOR), required=False)),
    )
)
FILMS = Record((("data", Member(Record((("films", Member(Array(_FILM))),)))),))
"""What documents are answered with, which nobody promises."""


class Subject(NamedTuple):
    """The app of one case, the type of its page, and what its backends promise, by the paths of requests."""

    app: Flask
    type: Type
    promised: Mapping[str, Type]


def subject_of(root: Path, case: str, enforce: str) -> Subject:
    """The page of a case, where its schema is held or its needs alone are."""
    write_shop(root, case, enforce)
    project, findings = check_folder(root)
    assert not findings
    shape = types_of_page(project, "page", type_of_visitors(project)).shape
    promised: dict[str, Type] = {}
    for recipe in project.recipes.values():
        for step in recipe.steps:
            if isinstance(step, Request):
                promise = promise_of(project.contracts, step)
                base = f"http://{step.client}.test{step.path.parts[0]}"
                unsaid = Unknown() if step.graphql is None else FILMS
                promised[base] = unsaid if promise is None else promise.type
    return Subject(create_app(root), shape, promised)


@pytest.fixture(scope="module", params=CASES)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("held") / "shop", request.param, "schema")


@pytest.fixture(scope="module", params=CASES)
def loose(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("loose") / "shop", request.param, "needs")


def within(one: Type) -> Any:
    """Replies of a type."""
    return value_of(one).map(lambda value: (200, json.dumps(value)))


@st.composite
def spoilt(draw: Any, one: Type) -> Reply:
    """A reply with something else in one place, or without it."""
    value = draw(value_of(one))
    holder, key, inner = None, None, value
    for _ in range(draw(st.integers(0, 4))):
        keys = (
            list(inner)
            if isinstance(inner, dict)
            else list(range(len(inner)))
            if isinstance(inner, list)
            else []
        )
        if not keys:
            break
        holder, key = inner, draw(st.sampled_from(keys))
        inner = holder[key]
    other = draw(values)
    if holder is None:
        return 200, json.dumps(other)
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = other
    return 200, json.dumps(value)


def failing(one: Type) -> Any:
    """Failures, and replies of a type between them."""
    return st.sampled_from(_FAILURES) | within(one)


def ask(subject: Subject, prepared: Mapping[str, Sequence[Reply]]) -> None:
    """Ask the page, and hold a good answer against its type."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        base = max((one for one in prepared if request.url.startswith(one)), key=len)
        found = prepared[base][zlib.crc32(request.url.encode()) % len(prepared[base])]
        if isinstance(found, Exception):
            raise found
        return found[0], {"Content-Type": "application/json"}, found[1]

    with responses.RequestsMock(assert_all_requests_are_fired=False) as backend:
        for method in (responses.GET, responses.POST):
            backend.add_callback(method, re.compile(".*"), answer)
        answered = subject.app.test_client().get("/api/page?deep=true")
    if answered.status_code == 200:
        value = json.loads(answered.data)
        assert holds(subject.type, value), f"{value!r} is not of {text_of(subject.type)}"
    else:
        assert answered.content_type == "application/problem+json"


def prepare(data: Any, subject: Subject, replies: Callable[[Type], Any]) -> Mapping[str, Sequence[Reply]]:
    return {
        base: data.draw(st.lists(replies(one), min_size=2, max_size=2), label=base)
        for base, one in subject.promised.items()
    }


_few = settings(max_examples=25, suppress_health_check=list(HealthCheck))


@_few
@given(st.data())
def test_replies_as_promised(subject: Subject, data: Any) -> None:
    ask(subject, prepare(data, subject, within))


@_few
@given(st.data())
def test_replies_that_fail(subject: Subject, data: Any) -> None:
    ask(subject, prepare(data, subject, failing))


@_few
@given(st.data())
def test_replies_of_another_form_where_only_needs_are_held(loose: Subject, data: Any) -> None:
    ask(loose, prepare(data, loose, spoilt))


@_few
@given(st.data())
def test_replies_of_another_form(subject: Subject, data: Any) -> None:
    ask(subject, prepare(data, subject, spoilt))
