"""What of a page is one visitor's, and that what is not kept for one never reaches another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses
from cryptography.fernet import Fernet
from flask import Flask
from requests import PreparedRequest

from bff.http import Client
from bff.recipe.taint import Taint, taint_of
from tests.project import app_of, write_project

LOGIN = """
    route: POST /api/login
    auth: none
    input:
      body: {type: object, properties: {id: {type: integer}, token: {type: string}}}
    session:
      user: {id: body.id}
      tokens: {people: body.token}
    shape: 1
    """
STEP = """
    route: GET /api/page
    auth: optional
    input:
      query: {q: {type: string}}
      headers: {X-Team: {type: string}}
    steps:
      before: {client: todos, get: "/before/{user.id}"}
      same: {client: todos, get: /same}
      who: {value: before.id}
      read: {client: %s, get: /read, cache: 60s%s}
    shape:
      read: read
      rest: "[before, same, who, query.q]"
    """
PART = """
    auth: optional
    input:
      query: {of: {type: [string, integer, 'null']}}
    steps:
      inner: {client: todos, get: /read, cache: 60s%s}
    shape: inner
    """
HOLDING = """
    route: GET /api/page
    auth: optional
    steps:
      same: {client: todos, get: /same}
      me: {value: user.id}
      read: {recipe: part, with: {query: {of: %s}}%s}
    shape: [read, me, same]
    """

# How a step may read, what it reads, and whether something of the visitor is in it.
ALONE = {
    "nothing": ("todos", "", False),
    "a path of the page's query": ("todos", ", query: {q: query.q}", False),
    "a step that is the same for all": ("todos", ", query: {q: same.id}", False),
    "user in its query": ("todos", ", query: {q: user.id}", True),
    "user in a header": ("todos", ", headers: {X-Q: user.id}", True),
    "user in its when": ("todos", ", when: user is None or user.id", True),
    "user in its take": ("todos", ", take: '[reply.body.of, user.id]'", True),
    "user in its fallback": ("todos", ", fallback: user.id", True),
    "user in its ok": ("todos", ", ok: user.id != 5", True),
    "user in what a status means": ("todos", ", on_status: {404: user.id}", True),
    "a header of the visitor": ("todos", ", query: {q: \"headers['X-Team']\"}", True),
    "all headers of the visitor": ("todos", ", query: {q: len(headers)}", True),
    "a step that reads user": ("todos", ", query: {q: before.id}", True),
    "a value of a step that reads user": ("todos", ", when: who is not None or True", True),
    "a list for its each": ("todos", ", each: 'x in [user.id]', fallback: null", True),
    "a list for its batch": ("todos", ", batch: 'x in [before.id]', take: '[reply.body]'", True),
    "a client that sends the visitor's token": ("people", "", True),
}
HELD = {
    "a constant": ("1", "", "", False),
    "a step that is the same for all": ("same.id", "", ", query: {q: query.of}", False),
    "user, which it does not read": ("user.id", "", "", False),
    "user, which it reads": ("user.id", "", ", query: {q: query.of}", True),
    "a value of user": ("me", "", ", query: {q: query.of}", True),
    "a condition with user": ("1", ", when: user is None or user.id > 0", "", True),
    "user by itself": ("1", "", ", query: {q: user.id}", True),
}
CASES = {
    f"alone: {name}": ({"page": STEP % (client, more)}, private)
    for name, (client, more, private) in ALONE.items()
}
CASES |= {
    f"held: {name}": ({"page": HOLDING % (given, more), "part": PART % read}, private)
    for name, (given, more, read, private) in HELD.items()
}


@pytest.fixture
def backends() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        # Every reply says whom it was made for, as far as a backend can know.
        for name in ("todos", "people"):
            mock.add_callback("GET", re.compile(rf"http://{name}\.test/.*"), callback=_reply)
        yield mock


def _reply(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
    if str(request.url).endswith("/same"):
        return 200, {}, json.dumps({"id": "same"})
    return 200, {}, json.dumps({"id": str(request.url)[-1], "of": request.headers.get("Authorization")})


def app(root: Path, recipes: dict[str, str]) -> Flask:
    return app_of(
        *(root, {"login": LOGIN, **recipes}),
        clients={"people": "auth=__import__('bff').forward_token('people')"},
        environ={"BFF_SESSION_KEYS": Fernet.generate_key().decode()},
    )


def asked(mock: responses.RequestsMock) -> int:
    return len([call for call in mock.calls if re.search(r"/read\b", str(call.request.url))])


@pytest.mark.parametrize(("recipes", "private"), CASES.values(), ids=CASES)
def test_two_visitors_share_a_kept_reply_only_where_nothing_of_them_is_in_it(
    recipes: dict[str, str], private: bool, tmp_path: Path, backends: responses.RequestsMock
) -> None:
    site = app(tmp_path, recipes)
    counts = []
    for number in (1, 2):
        client = site.test_client()
        assert client.post("/api/login", json={"id": number, "token": f"token-{number}"}).status_code == 200
        for _ in range(2):
            assert client.get("/api/page?q=a", headers={"X-Team": "blue"}).status_code == 200
        counts.append(asked(backends))
    assert counts == ([1, 2] if private else [1, 1])
    [planned] = [step for step in site.extensions["bff"].pages["page"].plan.requests if step.cache]
    assert planned.private is private


def test_one_visitor_with_another_token_is_another_for_a_private_step(
    tmp_path: Path, backends: responses.RequestsMock
) -> None:
    client = app(tmp_path, CASES["alone: a client that sends the visitor's token"][0]).test_client()
    found = []
    for token in ("old", "new"):
        client.post("/api/login", json={"id": 1, "token": token})
        found.append(client.get("/api/page").json["read"]["of"])
    assert found == ["Bearer old", "Bearer new"]


# --- the way that it takes ---------------------------------------------------------------------------------------


def taint(root: Path, text: str, auth: str = "none") -> Taint:
    from bff.recipe.check import check_folder
    from bff.recipe.composition import compose

    recipe = f"route: GET /page\nauth: {auth}\ninput: {{headers: {{X-Team: {{type: string}}}}}}\n{text}\n"
    project, _ = check_folder(write_project(root, {"page": recipe}))
    clients: dict[str, Client] = project.clients
    return taint_of(compose(project.recipes["page"], project).recipe, clients)


PAGES = {
    "nothing": ("shape: 1", ()),
    "its shape": ("shape: headers['X-Team']", ("the shape reads headers['X-Team']",)),
    "its status": ("status: 201 if headers else 200\nshape: 1", ("the status reads headers",)),
    "its headers": (
        "headers: {X-A: \"headers['X-Team']\"}\nshape: 1",
        ("the headers reads headers['X-Team']",),
    ),
    "a step that it reads": (
        "steps: {a: {client: todos, get: '/{user.id}'}, b: {value: a.id}}\nshape: b",
        ("the page reads b", "b reads a", "a reads user.id"),
    ),
    "a let in its shape": (
        "shape: {each: 'x in [1]', let: {who: user.id}, item: [x, who]}",
        ("the shape reads user.id",),
    ),
    "a later loop in its shape": (
        "shape: {each: ['x in [1]', y in headers], item: x}",
        ("the shape reads headers[*]",),
    ),
    "a let of a value that it reads": (
        "steps: {a: {value: {each: 'x in [1]', let: {who: user}, item: who.id}}}\nshape: a",
        ("the page reads a", "a reads user.id"),
    ),
    "a guard that can end it": (
        "steps: {a: {require: user is None, fail: {status: 403}}}\nshape: 1",
        ("the page runs a", "a reads user"),
    ),
}


@pytest.mark.parametrize(("text", "way"), PAGES.values(), ids=PAGES)
def test_the_way_of_something_private_to_a_page_is_told(
    text: str, way: tuple[str, ...], tmp_path: Path
) -> None:
    assert taint(tmp_path, text).page == way


def test_a_page_for_signed_in_visitors_is_private_whatever_it_reads(tmp_path: Path) -> None:
    assert taint(tmp_path, "shape: 1", "required").page == (
        "the page is for signed-in visitors, whom a CDN does not know",
    )


def test_a_long_chain_of_steps_is_followed_in_no_time(tmp_path: Path) -> None:
    steps = ["s0: {client: todos, get: /a}", "t0: {client: todos, get: /a}"]
    steps += [
        f"{kind}{at}: {{value: '[s{at - 1}, t{at - 1}]'}}" for at in range(1, 60) for kind in ("s", "t")
    ]  # two ways to each step: 2 ** 60 in all
    text = "steps:\n  " + "\n  ".join(steps) + "\nshape: [s59, t59]"
    assert set(taint(tmp_path, text).steps.values()) == {()}
