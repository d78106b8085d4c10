"""A page that gives back what it takes."""

from __future__ import annotations

from typing import Any

ECHO = """
    route: POST /api/things/{id}
    auth: none
    input:
      path:
        id: {type: integer, minimum: 1}
      query:
        status: {type: string, enum: [open, done], default: open}
        page: {type: integer, minimum: 1}
        ratio: {type: number}
        deep: {type: boolean}
        tag:
          type: array
          items: {type: string, maxLength: 3}
        maybe: {type: [integer, 'null']}
        must: {type: string, required: true}
      headers:
        X-Team: {type: string, pattern: '^[a-z]+$'}
      body:
        type: object
        required: [title]
        properties:
          title: {type: string, minLength: 1, maxLength: 10}
          due: {type: string, format: date}
          parts:
            type: array
            items:
              type: object
              properties:
                name: {type: string}
          free:
            type: object
            additionalProperties: true
    shape:
      path: path
      query: query
      headers: headers
      body: body
    """


def mistakes(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == "urn:bff:problem:invalid-input"
    return {error["pointer"]: error["detail"] for error in answer.json["errors"]}
