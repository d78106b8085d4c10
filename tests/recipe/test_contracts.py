"""What a client's backend promises: the file that its `schema` names, and the types that were learned."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import responses

from bff import create_app
from bff.expressions.parse import parse_path
from bff.recipe.contracts import Promise
from bff.recipe.loader import Project, load_project
from bff.types.model import Record, Unknown
from bff.types.text import text_of
from tests.project import write_built, write_project

SCHEMA = """\
openapi: 3.0.3
info: {title: People, version: "1"}
servers:
  - url: https://people.example/api/{version}/
    variables: {version: {default: v2}}
paths:
  /people/{id}:
    get:
      responses:
        "200":
          description: A person
          content:
            application/json; charset=utf-8:
              schema: {$ref: "#/components/schemas/Person"}
        "404": {description: Nobody}
    delete:
      responses:
        "204": {description: Gone}
  /people/me:
    get:
      responses:
        2XX: {$ref: "#/components/responses/Me"}
  /people/{id}.json:
    get:
      responses:
        default:
          description: Anything
          content:
            application/problem+json:
              schema: {type: string}
  /files/{name}:
    get:
      responses:
        "200":
          description: A file
          content: {image/png: {}}
    put:
      responses:
        "200":
          description: The file
          content: {application/json: {schema: {type: integer}}}
        "201": {description: Nothing is said of it}
components:
  responses:
    Me:
      description: Who asks
      content:
        "*/*":
          schema:
            type: object
            required: [me]
            properties:
              me: {type: boolean}
  schemas:
    Person:
      required: [id]
      properties:
        id: {type: string}
        name: {type: string, nullable: true}
        friends: {type: array, items: {$ref: "#/components/schemas/Person"}}
"""
RECIPE = """
    route: GET /api/page/{id}
    auth: none
    steps:
      found: {client: people, get: "/people/{path.id}"}
    shape: found.id
    """
CLIENT = 'schema="people.openapi.yaml"'


def write(root: Path, files: dict[str, str], recipe: str = RECIPE, client: str = CLIENT) -> Path:
    write_project(root, {"page": recipe}, clients={"people": client})
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def load(root: Path, files: dict[str, str], recipe: str = RECIPE, client: str = CLIENT) -> Project:
    project, findings = load_project(write(root, files, recipe, client))
    assert findings == []
    return project


def mistakes(root: Path, files: dict[str, str], client: str = CLIENT) -> list[str]:
    return [str(finding) for finding in load_project(write(root, files, client=client))[1]]


def promised(project: Project, method: str, path: str) -> Promise | None:
    return project.contracts["people"].promise(method, parse_path(path))


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ("GET /people/{id}", "Person"),
        ("GET /people/7", "Person"),
        ("GET /people/{x}?expand=1", "Person"),
        ("GET /people/me", "{me: boolean}"),
        ("GET /people/%6De", "{me: boolean}"),
        ("GET /people/{id}.json", "string"),
        ("DELETE /people/{id}", "null"),
        ("PUT /files/{name}", "integer | null"),
        ("GET /api/v2/people/{id}", "Person"),
    ],
)
def test_a_request_is_promised_what_its_operation_says(request_: str, text: str, tmp_path: Path) -> None:
    project = load(tmp_path, {"clients/people.openapi.yaml": SCHEMA})
    found = promised(project, *request_.split())
    assert found is not None
    assert found.enforced
    assert text_of(found.type) == text


def test_the_path_of_the_base_url_comes_before_that_of_a_step(tmp_path: Path) -> None:
    project = load(tmp_path, {"clients/people.openapi.yaml": SCHEMA})
    client = project.clients["people"].at("http://people.test")
    assert client.base_path == ""
    (tmp_path / "clients" / "people.py").write_text(
        'from bff import Client\n\nclient = Client("http://people.test/api/v2/people", schema="people.openapi.yaml")\n'
    )
    project, _ = load_project(tmp_path)
    found = promised(project, "GET", "/me")
    assert found is not None
    assert text_of(found.type) == "{me: boolean}"


def test_places_are_those_of_the_file(tmp_path: Path) -> None:
    project = load(tmp_path, {"clients/people.openapi.yaml": SCHEMA})
    found = promised(project, "GET", "/people/me")
    assert found is not None
    assert isinstance(found.type, Record)
    assert (found.source, found.type.source) == (
        "clients/people.openapi.yaml:21",
        "clients/people.openapi.yaml:50",
    )


def test_a_client_may_hold_replies_to_what_is_needed_alone(tmp_path: Path) -> None:
    client = f'{CLIENT}, enforce="needs"'
    project = load(tmp_path, {"clients/people.openapi.yaml": SCHEMA}, client=client)
    found = promised(project, "GET", "/people/me")
    assert found is not None
    assert not found.enforced


def test_a_schema_in_json_is_read_with_its_tabs_and_escapes(tmp_path: Path) -> None:
    text = (
        '{\n\t"openapi": "3.1.0",\n\t"paths": {"/a": {"get": {"responses": {"200": {"content":\n'
        '\t\t{"application/json": {"schema": {"const": "\\ud83d\\ude00"}}}}}}}}\n}'
    )
    project = load(tmp_path, {"clients/people.json": text}, client='schema="people.json"')
    found = promised(project, "GET", "/a")
    assert found is not None
    assert text_of(found.type) == '"😀"'


def test_anchors_and_merge_keys_are_read(tmp_path: Path) -> None:
    text = """\
openapi: 3.0.0
x: &ok {description: d, content: {application/json: {schema: {type: string}}}}
paths:
  /a: {get: {responses: {200: {<<: *ok}}}}
"""
    project = load(tmp_path, {"clients/people.openapi.yaml": text})
    found = promised(project, "GET", "/a")
    assert found is not None
    assert text_of(found.type) == "string"


@pytest.mark.parametrize(
    ("request_", "cause", "cure"),
    [
        ("GET /peple/{id}", "clients/people.openapi.yaml lists no GET /peple/{id}", "did you mean /people/{id}?"),
        ("POST /people/{id}", "clients/people.openapi.yaml lists no POST of /people/{id}", "it has: GET, DELETE"),
        ("GET /x/y/z", "clients/people.openapi.yaml lists no GET /x/y/z", "add it there, or correct the path"),
        (
            "GET /files/{name}",
            "clients/people.openapi.yaml:33 describes no JSON body of a good reply",
            "write it there: responses: 200: content: application/json: schema:",
        ),
    ],
)  # fmt: skip
def test_what_nothing_is_promised_of_says_why(request_: str, cause: str, cure: str, tmp_path: Path) -> None:
    project = load(tmp_path, {"clients/people.openapi.yaml": SCHEMA})
    found = promised(project, *request_.split())
    assert found is not None
    assert found.type == Unknown(cause, cure)
    assert not found.enforced


LEARNED = """\
# Ours.
GET /people/{id}:
  type: object
  properties:
    id: {type: string}
GET /people:
  type: array
"""


def test_learned_types_are_for_warnings(tmp_path: Path) -> None:
    project = load(tmp_path, {"clients/people.types.yaml": LEARNED}, client="")
    found = promised(project, "GET", "/people/{path.id}")
    assert found is not None
    assert (text_of(found.type), found.enforced, found.source) == (
        "{id?: string}",
        False,
        "clients/people.types.yaml:3",
    )
    assert promised(project, "POST", "/people") is None


def test_a_schema_wins_where_it_has_the_operation(tmp_path: Path) -> None:
    files = {"clients/people.openapi.yaml": SCHEMA, "clients/people.types.yaml": LEARNED}
    project = load(tmp_path, files)
    described, learned = promised(project, "GET", "/people/{id}"), promised(project, "GET", "/people")
    assert described is not None
    assert learned is not None
    assert text_of(described.type) == "Person"
    assert (text_of(learned.type), learned.enforced) == ("unknown[]", False)


def test_without_schema_and_learned_types_there_is_no_contract(tmp_path: Path) -> None:
    assert load(tmp_path, {}, client="").contracts == {}


LINE = 'client = Client(base_url=env("PEOPLE_URL", default="http://people.test"), timeout="10s", schema='


@pytest.mark.parametrize(
    ("named", "message", "hint"),
    [
        ("people.openapi.yml", "no file clients/people.openapi.yml", "did you mean people.openapi.yaml?"),
        ("../people.yaml", "a schema stands in clients/ or below", "save it beside the client"),
        ("/etc/people.yaml", "a schema is named from clients/ on, by no absolute path", "save it beside the client"),
        ("C:/people.yaml", "a schema is named from clients/ on, by no absolute path", "save it beside the client"),
        ("https://people.test/a", "a schema is a file of the project, no address", "save it beside the client"),
        ("people.py", "a schema is a file of .yaml, .yml, .json", ""),
    ],
)  # fmt: skip
def test_a_schema_is_a_file_of_clients(named: str, message: str, hint: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, {"clients/people.openapi.yaml": SCHEMA}, client=f'schema="{named}"')
    carets = " " * len(LINE) + "^" * (len(named) + 2)
    assert found == [
        f'clients/people.py:3:{len(LINE) + 1}: {message}\n{LINE}"{named}")\n{carets}'
        + (f" {hint}" if hint else "")
    ]


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text(SCHEMA)
    root = write(tmp_path / "project", {})
    (root / "clients" / "people.openapi.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (found,) = load_project(root)[1]
    assert found.message == "a schema stands in clients/ or below"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (
            'swagger: "2.0"\n',
            '1:10: Swagger 2.0 is not read\nswagger: "2.0"\n         ^^^^^ convert it to OpenAPI 3.0 or 3.1',
        ),
        (
            "openapi: 4.0.0\n",
            "1:10: OpenAPI 4.0.0 is not read\nopenapi: 4.0.0\n         ^^^^^ 3.0 and 3.1 are",
        ),
        (
            "info: {}\n",
            "1:1: has no key 'openapi'\n  a schema is an OpenAPI description, 3.0 or 3.1, in YAML or JSON",
        ),
        (
            "[]\n",
            "1:1: is no mapping\n  a schema is an OpenAPI description, 3.0 or 3.1, in YAML or JSON",
        ),
        (
            "openapi: 3.1.0\npaths: []\n",
            "2:8: 'paths' is no mapping\npaths: []\n       ^^ write /path: and its operations",
        ),
        (
            "openapi: 3.1.0\npaths: {a: b: c}\n",
            "2:13: ':' inside YAML's {…}\npaths: {a: b: c}\n            ^ "
            "there an expression with [ ] { } , or ? needs quotes; or write one line per key",
        ),
    ],
)
def test_what_is_no_description_is_told(text: str, printed: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, {"clients/people.openapi.yaml": text})
    assert [one.replace("clients/people.openapi.yaml:", "") for one in found] == [printed]


def test_what_is_referred_to_is_in_the_file(tmp_path: Path) -> None:
    text = SCHEMA.replace(
        'schema: {$ref: "#/components/schemas/Person"}', 'schema: {$ref: "#/components/schemas/Persn"}'
    )
    text = text.replace('$ref: "#/components/responses/Me"', "$ref: other.yaml#/Me")
    (found,) = mistakes(tmp_path, {"clients/people.openapi.yaml": text})
    assert found == (
        "clients/people.openapi.yaml:14:30: the $ref #/components/schemas/Persn leads nowhere\n"
        '              schema: {$ref: "#/components/schemas/Persn"}\n'
        "                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean #/components/schemas/Person?"
    ), "what no recipe asks for is not read"
    write(tmp_path, {}, recipe=RECIPE.replace("/people/{path.id}", "/people/me"))
    (other,) = load_project(tmp_path)[1]
    assert str(other) == (
        "clients/people.openapi.yaml:22:21: the $ref other.yaml#/Me is of another file\n"
        "        2XX: {$ref: other.yaml#/Me}\n"
        "                    ^^^^^^^^^^^^^^ write what it stands for into this file: '#/components/…'"
    )


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (
            "GET people: {}\n",
            "1:1: is no request\nGET people: {}\n^^^^^^^^^^ a key is a request such as 'GET /people/{id}', "
            "with the JSON Schema of its reply",
        ),
        (
            "GET /people: 1\n",
            "1:14: is no JSON Schema\nGET /people: 1\n             ^ a key is a request such as "
            "'GET /people/{id}', with the JSON Schema of its reply",
        ),
    ],
)
def test_learned_types_are_of_requests(text: str, printed: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, {"clients/people.types.yaml": text}, client="")
    assert found == [f"clients/people.types.yaml:{printed}"]


def test_what_replies_are_held_to_has_two_words(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, {}, client='enforce="all"')
    assert "ValueError: enforce= takes 'schema' or 'needs'" in found


def test_only_operations_that_recipes_ask_for_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bff.types.schemas import Schemas

    read: list[object] = []
    whole = Schemas._type_of
    monkeypatch.setattr(Schemas, "_type_of", lambda self, schema: read.append(schema) or whole(self, schema))
    load(tmp_path, {"clients/people.openapi.yaml": SCHEMA})
    assert len(read) == 6  # the reference, the person, and what is in it


@pytest.mark.parametrize(
    ("client", "more", "status", "body"),
    [
        ('schema="people.openapi.yaml"', "", 502, None),
        ('schema="people.openapi.yaml"', "on_status: {204: null}", 200, None),
        ('schema="people.openapi.yaml"', "ok: reply.status == 204", 200, None),
        ('schema="people.openapi.yaml", enforce="needs"', "", 200, None),
        ("", "", 200, None),
    ],
)
def test_nothing_is_no_reply_where_the_schema_has_a_body_for_each(
    tmp_path: Path, client: str, more: str, status: int, body: object
) -> None:
    page = f"""
        route: GET /api/page
        auth: none
        steps:
          person:
            client: people
            get: /people/7
            {more}
        shape: person
        """
    root = write_project(tmp_path, {"page": page}, clients={"people": client})
    (root / "clients" / "people.openapi.yaml").write_text(SCHEMA)
    with responses.RequestsMock() as backend:
        backend.get("http://people.test/people/7", status=204)
        answered = create_app(root).test_client().get("/api/page")
    assert answered.status_code == status
    assert status == 502 or answered.json == body


def test_what_was_built_needs_no_schema(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"clients/people.openapi.yaml": SCHEMA})
    out = write_built(root, tmp_path / "built")
    assert list(out.rglob("*.yaml")) == []
    assert create_app(out, environ={}).extensions["bff"].pages.keys() == {"page"}


def test_a_document_goes_with_those_who_use_it(tmp_path: Path) -> None:
    root = write(tmp_path, {"clients/people.openapi.yaml": SCHEMA})
    gc.disable()
    try:
        project, _ = load_project(root)
        schema = project.contracts["people"]._schema
        assert schema is not None
        document = weakref.ref(schema._document)
        del project, schema
        assert document() is None, "without the collector: a server freezes what is there when it starts"
    finally:
        gc.enable()
