"""Recipes that do as they say, whatever they read where: the fault matrix has nothing to say against them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.testing import Matrix, matrix_of
from tests.project import write_project

WRITES = """
    route: POST /api/page
    auth: none
    deadline: 400ms
    """
NAMES = """
    input:
      body:
        type: object
        required: [names]
        properties:
          names: {type: array, maxItems: 5, items: {type: string}}
    """
AFTER = """
      after: {client: people, get: /after}
    shape: after.text
    """
RECIPES = {
    "few visits a minute": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    rate_limit: 2/min
    steps:
      one: {client: people, get: /one}
    shape: one.text
    """,
    "undo of the value": WRITES
    + """
    steps:
      made:
        client: todos
        post: /made
        undo: {delete: "/made/{made.slug}"}
    """
    + AFTER,
    "undo of the reply": WRITES
    + """
    steps:
      made:
        client: todos
        post: /made
        take: reply.body.inner
        undo:
          post: /gone/{reply.headers['x-rev']}
          body: {at: reply.body.at, how: made.how}
    """
    + AFTER,
    "undo of what is taken apart": WRITES
    + """
    steps:
      made:
        client: todos
        post: /made
        take: "{'x': reply.body.x}"
        undo: {delete: "/made/{reply.body.deep.slug}"}
    """
    + AFTER,
    "undo of each": WRITES
    + NAMES
    + """
    steps:
      made:
        client: todos
        each: name in body.names
        post: /made
        body: {name: name}
        undo: {delete: "/made/{made.slug}/{name}"}
    """
    + AFTER,
    "undo of another step": WRITES
    + """
    steps:
      first: {client: people, get: /first}
      made:
        client: todos
        post: /made
        undo: {patch: "/made/{first.parent}", body: {v: first.version}}
    """
    + AFTER.replace("shape: ", "shape: first.name + "),
    "undo that cannot be made": WRITES
    + """
    input:
      query: {slug: {type: string, default: ""}}
    steps:
      made:
        client: todos
        post: /made
        undo: {delete: "/made/{query.slug}"}
    """
    + AFTER,
    "undo by a function": WRITES
    + """
    steps:
      made:
        client: todos
        post: /made
        undo: {delete: "/made/{strict(made.slug)}"}
    """
    + AFTER,
    "key of a reply": WRITES
    + """
    steps:
      draft: {client: people, get: /draft}
      made: {client: todos, post: /made, idempotency_key: draft.version}
    shape: made.text
    """,
    "key of an input": WRITES
    + """
    input:
      query: {k: {type: string, default: ""}}
      headers: {X-K: {type: string, default: ""}}
    steps:
      made: {client: todos, post: /made, idempotency_key: "query.k + headers['X-K']"}
    shape: made.text
    """,
    "key of each": WRITES
    + NAMES
    + """
    steps:
      drafts: {client: people, get: /drafts}
      made:
        client: todos
        each: draft in drafts
        post: /made
        idempotency_key: draft.key
        fallback: error.kind
    shape: made
    """,
    "fallback": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      one: {client: people, get: /one}
      two:
        client: todos
        get: /two
        fallback: {id: one.spare.id, rows: one.rows}
    shape: {two: two.id, rows: two.rows, name: one.name}
    """,
    "fallback on the reply": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      one: {client: people, get: /one}
      two:
        client: todos
        get: /two
        take: reply.body.inner
        fallback: {why: reply.body.message, status: reply.status, kind: error.kind}
      three:
        client: todos
        each: row in [1, 2]
        get: /three/{row}
        fallback: {why: reply.body, row: row}
      four: {client: notices, get: /four, fallback: "{'wait': reply.headers['retry-after']}"}
    shape: {two: two, three: three, four: four, name: one.name, errors: errors}
    """,
    "on_status": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      one: {client: people, get: /one}
      two:
        client: todos
        get: /two
        on_status:
          404: "{'id': one.spare, 'why': reply.body.why}"
          429: "{'id': reply.headers['retry-after']}"
    shape: {two: two.id, name: one.name}
    """,
    "headers and errors": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      one: {client: people, get: /one}
      two: {client: todos, get: /two, headers: {X-Rev: one.rev}, query: {q: one.q}, fallback: null}
    headers: {X-Total: one.total, X-Failed: len(errors)}
    shape: two.id
    """,
    "session": WRITES
    + """
    steps:
      login: {client: people, post: /login}
    session:
      user: {id: login.id}
      tokens: {todos: login.token}
      expires: login.until
    shape: login.until
    """,
    "functions": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      one: {client: people, get: /one, take: strict(reply.body.text), fallback: null}
      two:
        client: todos
        each: row in [1, 2]
        get: /two/{row}
        take: strict(reply.body.text)
        fallback: error.kind
      three: {client: todos, get: /three, when: strict(one), fallback: error}
    shape: {one: one, two: two, three: three, errors: errors}
    """,
    "signed": WRITES
    + """
    signed: {scheme: standard, secret: [NEW_SECRET, OLD_SECRET]}
    idempotency_key: body.id
    input:
      body:
        type: object
        required: [id]
        properties:
          id: {type: string, minLength: 3}
    steps:
      known: {client: people, get: "/known/{body.id}", fallback: null}
      made: {client: todos, post: /made, body: {id: body.id, all: raw}, idempotency_key: true}
    shape: {made: made.text, known: known.text}
    """,
    "signed, by an id": WRITES
    + """
    signed: {scheme: standard, secret: SECRET}
    idempotency_key: headers['webhook-id']
    input: {headers: {webhook-id: {type: string, required: true, minLength: 9}}}
    steps:
      made: {client: todos, post: /made, idempotency_key: true}
    shape: {made: made.text, id: "headers['webhook-id']"}
    """,
    "signed, of any body": WRITES
    + """
    signed: {scheme: hmac, header: X-Own, secret: SECRET, encoding: base64}
    rate_limit: 2/min
    steps:
      made: {client: todos, post: /made, body: {all: raw}}
    shape: made.text
    """,
    "deferred": """
    route: GET /api/page
    auth: none
    deadline: 400ms
    steps:
      one: {client: people, get: /one}
      two: {client: todos, get: /two, defer: true, take: strict(reply.body.text), fallback: one.spare}
    shape: {two: two, name: one.name, errors: errors}
    """,
}
STRICT = "def strict(text):\n    return text.upper()\n"


def matrix(root: Path, recipe: str) -> Matrix:
    text = "\n".join(line for line in recipe.splitlines() if line.strip())
    return matrix_of(write_project(root, {"page": text}, functions={"functions": STRICT}))


@pytest.mark.parametrize("what", RECIPES)
def test_a_page_that_does_as_its_recipe_says_raises_no_alarm(what: str, tmp_path: Path) -> None:
    found = matrix(tmp_path, RECIPES[what])
    assert [unreached.why for unreached in found.unreached] == []
    alarms = {str(case): verdict.problems for case, verdict in found.run().items() if verdict.problems}
    assert alarms == {}


@pytest.mark.parametrize("what", [what for what in RECIPES if what.startswith("undo of")])
def test_good_replies_hold_what_only_an_undo_reads(what: str, tmp_path: Path) -> None:
    cases = matrix(tmp_path, RECIPES[what]).cases
    [case] = [case for case in cases if str(case) == "page-after-refused"]
    problem = case.see().problem
    assert problem is not None
    assert problem["undone"] == ["made"]


def test_a_step_whose_key_is_always_empty_is_told_of(tmp_path: Path) -> None:
    recipe = RECIPES["key of a reply"].replace("draft.version", '"{}[draft.a]"')
    [unreached] = matrix(tmp_path, recipe).unreached
    assert unreached.why.startswith(
        "no replies were found with which this page is well: it ends with 502 at step made"
    )


def test_code_of_a_client_that_asks_elsewhere_before_it_signs_is_not_run(tmp_path: Path) -> None:
    root = write_project(
        tmp_path,
        {
            "page": "route: GET /page\nauth: none\nsteps: {one: {client: people, get: /one}}\nshape: one.text\n"
        },
    )
    (root / "clients" / "people.py").write_text(
        "from bff import Client, env\nfrom requests.auth import AuthBase\n\n\n"
        "class Fetched(AuthBase):\n    def __init__(self, url):\n        self.url = url\n\n"
        "    def __call__(self, request):\n        raise OSError('nobody gives a token')\n\n\n"
        "client = Client(base_url=env('PEOPLE_URL'), auth=Fetched(env('TOKEN_URL')))\n"
    )
    verdicts = matrix_of(root, ["page"], ["500"]).run()
    assert verdicts and not [verdict.problems for verdict in verdicts.values() if verdict.problems]
