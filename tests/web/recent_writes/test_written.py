"""A visitor sees what they wrote, whichever instance answers; others see it when what is kept is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bff import create_app
from tests.fakes import FakeBackend
from tests.project import write_project
from tests.servers import RedisServer
from tests.web.recent_writes.visits import ALL, KEY, MINE, NAME, changed, cookies, look, move, urls, write


def test_a_write_shows_its_visitor_nothing_private_from_before_it_on_another_instance(make: Any) -> None:
    here, there = make(), make()
    before = look(there)
    assert look(there) == before
    found = write(here)
    assert (cookies(found), found.headers["Cache-Control"]) == (["bff-written"], "no-store")
    move(here, there)
    assert changed(before, look(there)) == {MINE, NAME}


def test_a_write_shows_its_visitor_nothing_private_from_before_it_on_the_same_instance(make: Any) -> None:
    ann = make()
    before = look(ann)
    write(ann)
    assert changed(before, look(ann)) == {MINE, NAME}


def test_a_write_of_one_visitor_is_nothing_to_another(make: Any) -> None:
    ann = make()
    bob = ann.application.test_client()
    bob.post("/api/login", json={"name": "bob"})
    before = look(bob)
    write(ann)
    assert look(bob) == before


@pytest.mark.parametrize(
    ("invalidates", "wanted"),
    [
        ("[home.mine]", {MINE}),
        ("[home.all]", {ALL}),
        ("[home.shell.name]", {NAME}),
        ("[home.shell]", {NAME}),
        ("[shell]", {NAME}),
        ("[shell.name, home.all]", {NAME, ALL}),
        ("[home]", {MINE, NAME, ALL}),
        ("[]", set()),
    ],
)
def test_a_recipe_says_what_its_write_makes_old(invalidates: str, wanted: set[str], make: Any) -> None:
    ann = make(more=f"invalidates: {invalidates}")
    before = look(ann)
    write(ann)
    assert changed(before, look(ann)) == wanted


def test_what_a_visitor_reads_after_their_write_is_kept_for_all_where_it_is_everybodys(make: Any) -> None:
    ann = make(more="invalidates: [home.all]")
    bob = ann.application.test_client()
    before = look(bob)
    write(ann)
    assert look(ann)[ALL] != before[ALL]
    assert changed(before, look(bob)) == {ALL}


def test_with_two_writing_recipes_in_a_page_one_narrows_nothing_for_the_other(
    make: Any, tmp_path: Path, backend: FakeBackend
) -> None:
    make(more="invalidates: [home.all]")
    outer = """
        route: POST /api/outer
        auth: optional
        steps:
          own: {client: todos, delete: /rows}
          inner: {recipe: write}
        shape: [own, inner]
        """
    write_project(tmp_path, {"outer": outer})
    ann = create_app(tmp_path, environ={**urls(backend), "BFF_SESSION_KEYS": KEY}).test_client()
    ann.post("/api/login", json={"name": "ann"})
    before = look(ann)
    assert ann.post("/api/outer").status_code == 200
    assert changed(before, look(ann)) == {ALL, MINE, NAME}


@pytest.mark.parametrize(
    ("upload", "wanted"),
    [
        ("", {MINE, NAME}),
        ("invalidates: [home.all]", {ALL}),
        ("invalidates: [home.mine, shell.name]", {MINE, NAME}),
        ("invalidates: []", set()),
    ],
)
def test_a_body_that_went_through_makes_old_what_its_recipe_says_on_every_instance(
    upload: str, wanted: set[str], make: Any
) -> None:
    here, there = make(upload=upload), make(upload=upload)
    before, before_there = look(here), look(there)
    assert here.put("/api/upload", data=b"x").status_code == 200
    assert changed(before, look(here)) == wanted
    move(here, there)
    assert changed(before_there, look(there)) == wanted


def test_a_repeated_write_is_answered_again_and_says_so_again(
    make: Any, backend: FakeBackend, redis: RedisServer
) -> None:
    here, there = make(BFF_STATE_URL=redis.url), make(BFF_STATE_URL=redis.url)
    before = look(there)
    first = write(here, Idempotency_Key="key-1")
    again = write(there, Idempotency_Key="key-1")  # the first answer was lost, and its cookie with it
    assert (again.headers["Idempotent-Replayed"], again.data) == ("true", first.data)
    assert cookies(first) == cookies(again) == ["bff-written"]
    assert len([request for request in backend.requests if request.method == "POST"]) == 1
    assert changed(before, look(there)) == {MINE, NAME}


@pytest.mark.parametrize("shared", [False, True])
def test_an_instance_that_shares_what_it_keeps_shows_nothing_old_either(
    shared: bool, make: Any, redis: RedisServer
) -> None:
    environ = {"BFF_CACHE_URL": redis.url} if shared else {}
    here, there, third = make(**environ), make(**environ), make(**environ)
    before = look(there)
    write(here)
    for other in (there, third):
        move(here, other)
        assert {MINE, NAME} <= changed(before, look(other))
