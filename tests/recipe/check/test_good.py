"""Recipes that are right, and say nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.recipe.check.conftest import Check

ROOT = Path(__file__).parents[3]

HOME = """
# Everything the home page shows, in one request.
route: GET /api/home
auth: required                       # required (default) | optional | none
deadline: 2s

input:                               # JSON Schema per name; checked before anything is called
  query:
    status: {type: string, enum: [open, done, all], default: open}

steps:
  me:
    client: people
    get: /people/{user.id}
    cache: 60s

  todos:
    client: todos
    get: /todos?order=due.asc
    query:
      owner: user.id

  helpers:                           # waits for todos, because it names it
    client: people
    get: /people
    batch: ids in (todo.helper_id for todo in todos)
    query:
      id: ids
    key_by: id                       # a mapping by id, for joins
    fallback: {}

  notice:
    client: notices
    get: /notices/latest
    timeout: 300ms
    fallback: null                   # the page lives without it

  shown:
    value: "[todo for todo in todos if query.status == 'all' or todo.status == query.status]"

shape:
  name: me.name
  open: count(todo for todo in todos if not todo.done)
  todos:
    each: todo in shown
    item:
      id: todo.id
      title: todo.title
      helper: helpers[todo.helper_id].name
  notice: notice.text
"""

GOOD = {
    "the home page of the docs": HOME,
    "a page without steps": "route: GET /page\nauth: none\nshape: {hello: f'world'}\n",
    "a list at the root": """
        route: GET /page
        auth: none
        steps:
          todos: {client: todos, get: /todos}
        shape:
          each: todo in todos if not todo.done
          item: todo.title
        """,
    "a write with guard, second source and form": """
        route: POST /page/{id}
        auth: none
        input:
          path:
            id: {type: integer}
          body:
            type: object
            properties:
              ids: {type: array, items: {type: string}, maxItems: 20}
        steps:
          todo:
            client: todos
            get: /todos/{path.id}
            on_status: {404: null}
          old:
            client: todos
            get: /old/{path.id}
            when: todo is None
            fallback: null
          exists:
            require: todo is not None or old is not None
            fail:
              status: 404
              title: "'No such todo'"
              errors: "[{'pointer': '/id', 'detail': f'{path.id} is not there'}]"
          created:
            client: todos
            post: /todos
            form:
              title: default(todo.title, old.title)
              id: "[id for id in body.ids]"
            retries: 0
        status: 201 if created else 202
        headers:
          Location: f"/todos/{url_encode(created.id)}"
        shape: created.id
        """,
    "a write below a read that it does not name": """
        route: POST /page
        auth: none
        steps:
          me: {client: people, get: /me}
          created: {client: todos, post: /todos}
        shape: created
        """,
    "a write that looks at its optional source first": """
        route: POST /page
        auth: none
        steps:
          todo: {client: todos, get: /todo, fallback: null}
          gone:
            client: todos
            when: todo
            delete: /todos/{todo.id}
          tagged:
            client: todos
            put: /tags
            body:
              title: default(todo.title, 'none')
              by: todo.by if todo else 'nobody'
              at: todo.at or 'now'
        shape: [gone, tagged]
        """,
    "filters of constants and quotes, through values and joins": """
        route: GET /page
        auth: none
        input:
          query:
            q: {type: string}
            status: {type: string}
            ids: {type: array, items: {type: string}, maxItems: 10}
        steps:
          parts:
            value:
              - f"title = {quote(query.q)}" if query.q else "id != ''"
              - "{'open': 'done = false', 'done': 'done = true'}[query.status]"
          todos:
            client: todos
            get: /todos
            query:
              filter: join(parts, ' && ')
          some:
            client: todos
            get: /todos
            batch: ids in query.ids
            query:
              filter: join([f"id = {quote(id)}" for id in ids], ' || ')
        shape: [todos, some]
        """,
    "the names of each place": """
        route: POST /page
        auth: none
        input:
          headers:
            X-Key: {type: string}
        steps:
          todos:
            client: todos
            get: /todos
            take: "{'items': reply.body.items, 'total': reply.headers['x-total'], 'status': reply.status}"
            ok: reply.status < 300 and not reply.body.error
            on_status: {404: reply.body}
            fallback: {kind: error.kind, status: error.status}
          people:
            client: people
            each: todo in todos.items
            get: /people/{todo.owner}
            fallback: {id: todo.owner, why: error.kind}
          added:
            client: todos
            post: /todos
            idempotency_key: headers['X-Key']
            headers: {X-Correlation: idempotency_key}
            undo: {delete: "/todos/{added.id}/{reply.body.id}"}
          checked: {client: todos, get: /check}
        status: 200 if not errors else 207
        shape: {people: people, added: added, checked: checked, errors: errors}
        """,
    "undos and keys": """
        route: POST /page
        auth: none
        input:
          body:
            type: object
            properties:
              rows: {type: array, maxItems: 9}
        steps:
          first:
            client: people
            post: /people
            retries: 3
            idempotency_key: true
            take: [reply.body, idempotency_key]
            on_status: {409: idempotency_key}
            ok: reply.status == 200 and idempotency_key is not None
            fallback: idempotency_key
            undo:
              client: todos
              post: /todos/remove
              query:
                filter: f"id = {quote(idempotency_key)}"
          made:
            each: row in body.rows
            client: todos
            post: /todos
            idempotency_key: row.key
            body: {id: "digest(idempotency_key, 15)"}
            undo:
              delete: /todos/{digest(idempotency_key, 15)}
              query: {title: row.title, of: made.id, by: first.id, status: reply.status}
        shape: [first, made]
        """,
    "functions of the project": """
        route: GET /page
        auth: none
        steps:
          me: {client: people, get: /me}
        shape: [initials(me.name), "initials(me.name, 1)"]
        """,
    "a private step with a private cache": """
        route: GET /page
        auth: required
        cache: 30s
        steps:
          me: {client: account, get: "/people/{user.id}", cache: 60s}
        shape: me
        """,
    "a session that hands its token to a client": """
        route: POST /page
        auth: none
        input: {body: {type: object}}
        session:
          user: {id: login.record.id}
          tokens: {account: auth.token}
          expires: login.expires
        steps:
          login: {client: people, post: /login, body: body}
          auth: {value: {token: login.token}}
          known: {require: login.token is not None, fail: {status: 401}}
        shape: login.record
        """,
    "a redirect below a path of our own": """
        route: GET /page/{id}
        auth: none
        status: 303
        headers:
          Location: f"https://example.org/todos/{url_encode(path.id)}" if path.id else '/'
        """,
    "addresses with input in holes, chosen by input, or of a backend": """
        route: GET /page
        auth: none
        input: {query: {to: {type: string}, n: {type: integer, default: 1}}}
        steps:
          started: {client: todos, get: /start, take: {url: reply.body.url, asked: query.to}}
        status: 303
        headers:
          Location: >-
            url('/start', {'at': started.url}) if query.to else {'home': '/', 'list': '/todos'}[query.to] or
            default(null, '/todos?page=' + url_encode(query.n))
          Content-Location: "{'home': '/', 'list': '/todos'}[query.to]"
          Link:
            - f"</todos?page={query.n + 1}>; rel=\\"next\\""
          X-Asked: started.asked
        """,
}


@pytest.mark.parametrize("recipe", GOOD.values(), ids=GOOD)
def test_a_good_recipe_says_nothing(recipe: str, check: Check) -> None:
    assert check({"orchestrations/page.yaml": recipe}) == []


def test_the_recipe_of_the_docs_with_a_misspelt_name_reads_as_the_docs_say(check: Check) -> None:
    broken = HOME.replace("helper: helpers[", "helper: helper[")
    (printed,) = check({"orchestrations/home.yaml": broken})
    assert re.sub(r":\d+:", ":52:", printed, count=1) == (
        "orchestrations/home.yaml:52:15: unknown name 'helper'\n"
        "      helper: helper[todo.helper_id].name\n"
        "              ^^^^^^ did you mean 'helpers'?  here are: path, query, headers, body, user, "
        "me, todos, helpers, notice, shown, todo"
    )


def test_the_recipes_of_this_project_are_right() -> None:
    from bff.recipe.check import check_folder

    project, findings = check_folder(ROOT)
    assert findings == []
    assert project.recipes
