"""The types of bodies that are no JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.explaining.types import pages_of
from bff.types.text import text_of
from tests.project import write_project


@pytest.mark.parametrize(
    ("rest", "shape", "told"),
    [
        ("format: csv", "a", "{[key]: string | null}[] | null"),
        ("format: csv", "'[one.price for one in a]'", "(string | null)[]"),
        ("format: csv, key_by: id", "a", "{[key]: {id: string, [key]: string | null}}"),
        ("format: {csv: {header: [id, price]}}", "a", "{id: string | null, price: string | null}[]"),
        ("format: {csv: {header: [id]}}, needs: ['[*].id']", "a", "{id: string}[]"),
        ("format: csv, needs: ['[*].id']", "a", "{id: string, [key]: string | null}[]"),
        ("format: text", "a", "string"),
        ("format: text, fallback: null", "a", "string | null"),
        ("format: text, on_status: {404: 7}", "a", "string | 7"),
        ("format: ndjson", "a", "unknown[]"),
        ("format: form", "a", "{[key]: string}"),
        ("format: form", "a.token", "string | null"),
        ("format: form, needs: [token]", "a.token", "string"),
        ("format: text, each: x in [1]", "a", "string[]"),
    ],
)
def test_a_format_has_its_type(tmp_path: Path, rest: str, shape: str, told: str) -> None:
    rest = rest.replace("each: x in [1]", 'each: "x in [1]"')
    text = f"route: GET /api/page\nauth: none\nsteps: {{a: {{client: todos, get: /a, {rest}}}}}\nshape: {shape}\n"
    write_project(tmp_path, {"page": text})
    [page] = pages_of(tmp_path, [])
    assert text_of(page.types.shape) == told


def test_what_a_schema_promises_is_not_of_a_body_that_is_read_as_a_format(tmp_path: Path) -> None:
    text = "route: GET /api/page\nauth: none\nsteps: {a: {client: todos, get: /a, format: text}}\nshape: a\n"
    write_project(tmp_path, {"page": text}, clients={"todos": 'schema="todos.yaml"'})
    schema = "{type: object, required: [id], properties: {id: {type: integer}}}"
    content = f"{{application/json: {{schema: {schema}}}}}"
    answers = f"{{'200': {{description: a, content: {content}}}}}"
    (tmp_path / "clients" / "todos.yaml").write_text(
        f"openapi: 3.0.0\ninfo: {{title: t, version: '1'}}\npaths: {{/a: {{get: {{responses: {answers}}}}}}}\n"
    )
    [page] = pages_of(tmp_path, [])
    assert text_of(page.types.shape) == "string"
