"""Pages of every kind, and what the matrix says of one case of them."""

from __future__ import annotations

from bff.testing import Matrix

READING = """
route: GET /api/reading
auth: none
deadline: 400ms
steps:
  me:
    client: people
    get: /me
  todos:
    client: todos
    get: /todos
    take: reply.body.rows
  notice:
    client: notices
    get: /notice
    cache:
      ttl: 1m
      stale_if_error: 1h
    fallback:
      text: f"none"
headers:
  X-Name: me.name
shape:
  name: me.name
  notice: notice.text
  todos:
    each: todo in todos
    item:
      id: todo.id
      due: todo.due
  errors: errors
"""
WRITING = """
route: POST /api/writing
auth: none
deadline: 400ms
input:
  body:
    type: object
    required: [title]
    properties:
      title:
        type: string
steps:
  first:
    client: todos
    post: /first
    body:
      title: body.title
  taken_back:
    client: todos
    post: /taken
    body:
      title: body.title
    undo:
      delete: /taken/{taken_back.id}
  second:
    client: todos
    post: /second
    body:
      first: first.id
status: 201
shape:
  id: second.id
"""
MANY = """
route: GET /api/many
auth: none
deadline: 400ms
steps:
  ids:
    client: todos
    get: /ids
  rows:
    client: people
    each: id in ids
    get: /rows/{id}
    fallback:
      id: id
      missing: true
  other:
    when: rows[0].missing
    client: notices
    get: /other
    fallback: null
shape:
  rows: rows
  other: other.text
  errors: errors
"""
FETCHING = """
route: GET /api/fetching
auth: none
pass: true
deadline: 400ms
steps:
  file:
    client: people
    get: /file
"""
SENDING = """
route: PUT /api/sending
auth: none
pass: true
deadline: 400ms
steps:
  file:
    client: people
    put: /file
"""
SIGNING = """
route: POST /api/signing
auth: none
deadline: 400ms
steps:
  login:
    client: people
    post: /login
session:
  user:
    id: login.id
shape:
  id: login.id
"""


def problems(matrix: Matrix, page: str, step: str | None, fault: str | None) -> list[str]:
    """What the matrix says of one case."""
    [case] = [
        case
        for case in matrix.cases
        if (case.page, case.step, None if case.fault is None else case.fault.name) == (page, step, fault)
    ]
    return list(case.run().problems)
