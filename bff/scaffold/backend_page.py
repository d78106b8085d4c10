"""The first page of a project about what a backend answered, and its test."""

from __future__ import annotations

import json
import keyword
import re
from typing import Final

from bff.recipe.keys import PLACE_NAMES, SCOPE_NAMES
from bff.scaffold.probe import Asked

_TAKEN: Final = {*SCOPE_NAMES, *PLACE_NAMES, "row", "api"}
_PLAIN: Final = re.compile(r"/[A-Za-z0-9/_.~-]*(\?[A-Za-z0-9_=&.,~-]*)?")


def files_for(asked: Asked) -> dict[str, str]:
    """A recipe and its test, by path."""
    name = name_of(asked.target)
    return {f"orchestrations/{name}.yaml": _recipe(name, asked), f"tests/test_{name}.py": _test(name, asked)}


def name_of(target: str) -> str:
    """A name for the page of a path: its last word, without the name of a format."""
    path = re.sub(r"\.(json|php|aspx?)$", "", target.partition("?")[0].lower())
    words = re.findall(r"[a-z][a-z0-9_]*", path.replace("-", "_"))
    fit = [word for word in words if word not in _TAKEN and not keyword.iskeyword(word)]
    return fit[-1] if fit else "rows"


def _recipe(name: str, asked: Asked) -> str:
    take = f"    take: reply.body.{asked.within}\n" if asked.within else ""
    return (
        "# yaml-language-server: $schema=../recipe.schema.json\n\n"
        f"{_about(asked)}"
        f"route: GET /api/{name}\n"
        "auth: none\n\n"
        "steps:\n"
        f"  {name}:\n"
        "    client: backend\n"
        f"    get: {_text(asked.target)}\n"
        f"{take}\n"
        f"{_shape(name, asked)}"
    )


def _about(asked: Asked) -> str:
    if asked.trouble:
        return (
            f"# When this was written the backend told nothing of its rows: the address {asked.trouble}. The page\n"
            "# hands on whatever it answers; say in `shape` what the page needs of it.\n"
        )
    return "# What the backend had when this was written: rename, leave out, and add what the page needs.\n"


def _shape(name: str, asked: Asked) -> str:
    if not asked.fields:
        return f"shape:\n  {name}: {name}\n"
    if not asked.is_list:
        return "shape:\n" + "".join(
            f"  {json.dumps(field)}: {_read(name, field)}\n" for field in asked.fields
        )
    fields = "".join(f"      {json.dumps(field)}: {_read('row', field)}\n" for field in asked.fields)
    return f"shape:\n  {name}:\n    each: row in {name}\n    item:\n{fields}"


def _read(value: str, field: str) -> str:
    """An expression that reads a member, as YAML."""
    return json.dumps(f"{value}['{field}']") if keyword.iskeyword(field) else f"{value}.{field}"


def _text(target: str) -> str:
    return target if _PLAIN.fullmatch(target) else json.dumps(target)


def _test(name: str, asked: Asked) -> str:
    row = {field: field for field in asked.fields} or {"id": "1"}
    reply: object = [row] if asked.is_list else row
    shown = reply if not asked.fields or asked.is_list else row
    answer = shown if asked.fields and not asked.is_list else {name: shown}
    if asked.within:
        reply = {asked.within: reply}
    return f'''"""The page {name}, with a backend that is played by `responses`."""

import responses
from flask.testing import FlaskClient

ADDRESS = "{{{{url}}}}{asked.target.partition("?")[0]}"


@responses.activate
def test_the_page_shows_what_its_backend_has(visitor: FlaskClient) -> None:
    responses.get(ADDRESS, json={json.dumps(reply)})
    assert visitor.get("/api/{name}").json == {json.dumps(answer)}


@responses.activate
def test_the_page_fails_with_its_backend(visitor: FlaskClient) -> None:
    responses.get(ADDRESS, status=500)
    reply = visitor.get("/api/{name}")
    assert reply.status_code == 502
    assert reply.content_type == "application/problem+json"
'''
