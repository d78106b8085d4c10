""""""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

ECHO = """
    auth: none
    input:
      path:
        id: {type: string, minLength: 2}
      query:
        page: {type: integer, default: 1}
        tags: {type: array, items: {type: string}}
      headers:
        Accept-Language: {type: string, default: en}
      body:
        type: object
        properties:
          title: {type: string}
    shape:
      id: path.id
      query: query
      page: query['page']
      language: headers['Accept-Language']
      title: body.title
      body: body
      tags:
        each: tag in query.tags
        item: f"{tag} {query.page}"
    """


def echoing(given: str) -> str:
    return f"""
    route: POST /api/page
    auth: none
    input:
      query:
        id: {{type: string, default: abc}}
        page: {{type: integer}}
      body: {{type: object, additionalProperties: true}}
    steps:
      todo: {{client: todos, get: /todo, fallback: null, retries: 0}}
      echo: {{recipe: echo, with: {given}}}
    shape: [echo, todo]
    """


def posted(client: FlaskClient, path: str = "/api/page", **body: Any) -> Any:
    return client.post(path, json=body)
