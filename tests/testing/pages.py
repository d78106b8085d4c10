"""Pages of every kind, and what the matrix says of one case of them."""

from __future__ import annotations

from pathlib import Path

from bff.testing import Matrix
from tests.project import write_project

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
PROMISED = """
route: GET /api/promised
auth: none
deadline: 400ms
steps:
  person:
    client: register
    get: /people/1
  rows:
    client: register
    get: /rows
    fallback: null
  settings:
    client: register
    get: /settings
  old:
    require: person.age > 2 and person.state == 'married'
    fail:
      status: 403
shape:
  name: person.name
  age: person.age
  rows: "[{'id': row.id, 'due': row.due} for row in rows.found]"
  settings: settings
  errors: errors
"""
REGISTER = """
openapi: 3.1.0
info: {title: Register, version: "1"}
paths:
  /people/{id}:
    get:
      responses:
        "200":
          content:
            application/json:
              schema:
                type: object
                required: [name, age, state]
                properties:
                  name: {type: string}
                  age: {type: integer}
                  state: {enum: [single, married]}
  /rows:
    get:
      responses:
        "200":
          content:
            application/json:
              schema:
                type: object
                required: [found]
                properties:
                  found:
                    type: array
                    items:
                      type: object
                      required: [id]
                      properties:
                        id: {type: integer}
                        due: {type: [boolean, "null"]}
  /settings:
    get:
      responses:
        "200":
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Settings"}
components:
  schemas:
    Settings:
      type: object
      required: [depth, colour, by_name, inner]
      properties:
        depth: {type: number}
        colour: {enum: [red, blue]}
        by_name: {type: object, additionalProperties: {type: boolean}}
        inner: {type: array, items: {$ref: "#/components/schemas/Settings"}}
"""
"""What the backend of PROMISED promises."""


def write_pages(root: Path) -> Path:
    """Write a project of all of these pages."""
    recipes = {"reading": READING, "writing": WRITING, "many": MANY, "promised": PROMISED}
    recipes |= {"fetching": FETCHING, "sending": SENDING, "signing": SIGNING}
    write_project(root, recipes, clients={"register": 'schema="register.openapi.yaml"'})
    (root / "clients" / "register.openapi.yaml").write_text(REGISTER, encoding="utf-8")
    return root


def problems(matrix: Matrix, page: str, step: str | None, fault: str | None) -> list[str]:
    """What the matrix says of one case."""
    [case] = [
        case
        for case in matrix.cases
        if (case.page, case.step, None if case.fault is None else case.fault.name) == (page, step, fault)
    ]
    return list(case.run().problems)
