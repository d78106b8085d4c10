"""What a page takes: coerced, pruned, validated; every mistake at once."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.web.input import MOST_MISTAKES
from tests.project import visitor

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


@pytest.fixture
def echo(tmp_path: Path) -> FlaskClient:
    return visitor(tmp_path, ECHO)


def mistakes(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == "urn:bff:problem:invalid-input"
    return {error["pointer"]: error["detail"] for error in answer.json["errors"]}


def test_texts_become_what_their_schemas_ask_for(echo: FlaskClient) -> None:
    answer = echo.post(
        "/api/things/7?page=2&ratio=1.5&deep=true&tag=a&tag=b&maybe=&must=x&unlisted=1",
        json={"title": "待办"},
        headers={"X-Team": "red", "X-Other": "1"},
    )
    assert answer.json["path"] == {"id": 7}
    assert answer.json["query"] == {
        "status": "open",
        "page": 2,
        "ratio": 1.5,
        "deep": True,
        "tag": ["a", "b"],
        "maybe": None,
        "must": "x",
    }
    assert answer.json["headers"] == {"X-Team": "red"}


def test_a_parameter_that_is_absent_is_null_or_its_default(echo: FlaskClient) -> None:
    query = echo.post("/api/things/7?must=x", json={"title": "a"}).json["query"]
    assert query["page"] is None and query["tag"] is None and query["status"] == "open"


def test_every_mistake_is_named_at_once(echo: FlaskClient) -> None:
    answer = echo.post(
        "/api/things/0?status=opne&page=two&ratio=nan&deep=maybe&tag=abcd",
        json={"due": "tomorrow", "parts": [{"name": 5}]},
        headers={"X-Team": "RED"},
    )
    assert mistakes(answer) == {
        "#/path/id": "0 is less than the minimum of 1",
        "#/query/status": '"opne" is not one of "open" or "done"',
        "#/query/page": '"two" is not of type "integer"',
        "#/query/ratio": '"nan" is not of type "number"',
        "#/query/deep": '"maybe" is not of type "boolean"',
        "#/query/tag/0": '"abcd" is longer than 3 characters',
        "#/query/must": "is required",
        "#/headers/X-Team": '"RED" does not match "^[a-z]+$"',
        "#/body/title": "is required",
        "#/body/due": '"tomorrow" is not a "date"',
        "#/body/parts/0/name": '5 is not of type "string"',
    }
    assert answer.json["detail"] == "11 values are not as this page takes them."


def test_each_mistake_names_the_rule_and_its_limit_for_programs(echo: FlaskClient) -> None:
    answer = echo.post(
        "/api/things/0?status=opne&page=two&tag=abcd",
        json={"title": "x" * 11, "due": "tomorrow", "parts": {}},
        headers={"X-Team": "RED"},
    )
    rules = {
        error["pointer"]: {k: v for k, v in error.items() if k in ("rule", "limit")}
        for error in answer.json["errors"]
    }
    assert rules == {
        "#/path/id": {"rule": "minimum", "limit": 1},
        "#/query/status": {"rule": "enum"},
        "#/query/page": {"rule": "type", "limit": "integer"},
        "#/query/tag/0": {"rule": "maxLength", "limit": 3},
        "#/query/must": {"rule": "required"},
        "#/headers/X-Team": {"rule": "pattern", "limit": "^[a-z]+$"},
        "#/body/title": {"rule": "maxLength", "limit": 10},
        "#/body/due": {"rule": "format", "limit": "date"},
        "#/body/parts": {"rule": "type", "limit": "array"},
    }


def test_a_rule_is_named_wherever_its_schema_stands(tmp_path: Path) -> None:
    page = """
        route: POST /api/page
        auth: none
        input:
          body:
            $defs:
              name: {type: string, maxLength: 2}
            type: object
            properties:
              first: {$ref: '#/$defs/name'}
              either: {anyOf: [{type: integer}, {type: string, maxLength: 1}]}
              never: false
              names: {type: object, propertyNames: {maxLength: 1}, additionalProperties: true}
              pair: {type: [integer, 'null'], multipleOf: 2}
            dependentRequired: {pair: [first]}
        shape: body
        """
    client = visitor(tmp_path, page)

    def rules(body: object) -> list[dict[str, Any]]:
        errors = client.post("/api/page", json=body).json["errors"]
        return [{name: error[name] for name in error if name != "detail"} for error in errors]

    assert rules({"first": "abc"}) == [{"pointer": "#/body/first", "rule": "maxLength", "limit": 2}]
    assert rules({"either": "abc"}) == [{"pointer": "#/body/either", "rule": "anyOf"}]
    assert rules({"never": 1}) == [{"pointer": "#/body/never", "rule": "falseSchema"}]
    assert rules({"names": {"long": 1}}) == [{"pointer": "#/body/names", "rule": "propertyNames"}]
    assert rules({"first": "a", "pair": 3}) == [{"pointer": "#/body/pair", "rule": "multipleOf", "limit": 2}]
    assert rules({"pair": 2}) == [{"pointer": "#/body/first", "rule": "required"}]


def test_members_that_no_schema_lists_are_dropped_at_every_depth(echo: FlaskClient) -> None:
    body = {
        "title": "a",
        "role": "admin",
        "parts": [{"name": "x", "price": 0}, {}],
        "free": {"any": {"thing": 1}},
    }
    assert echo.post("/api/things/1?must=x", json=body).json["body"] == {
        "title": "a",
        "parts": [{"name": "x"}, {}],
        "free": {"any": {"thing": 1}},
    }


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "The body is empty; this page takes a JSON body."),
        (b"  ", "The body is empty; this page takes a JSON body."),
        (b'{"title": ', "The body is not JSON in UTF-8."),
        (b'{"title": NaN}', "The body is not JSON in UTF-8."),
        (b'{"title": "\xff"}', "The body is not JSON in UTF-8."),
        (b'{"title": "\\ud800"}', "The body is not JSON in UTF-8."),
        (b"[" * 101 + b"]" * 101, "The body nests too deeply."),
        (b"[" * 100_000 + b"]" * 100_000, "The body nests too deeply."),
    ],
)
def test_a_body_that_is_no_json_is_400(echo: FlaskClient, raw: bytes, detail: str) -> None:
    answer = echo.post("/api/things/1?must=x", data=raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:bff:problem:malformed-body"
    assert answer.json["detail"] == detail


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_of_another_type_is_415(echo: FlaskClient, content_type: str) -> None:
    answer = echo.post("/api/things/1?must=x", data=b'{"title": "a"}', content_type=content_type)
    assert answer.status_code == 415
    assert answer.json["type"] == "urn:bff:problem:unsupported-media-type"
    assert answer.headers["Accept"] == "application/json"


@pytest.mark.parametrize("packed", ["gzip", "br", "gzip, br", "rot13"])
def test_a_packed_body_is_415_and_told_how_to_come(echo: FlaskClient, packed: str) -> None:
    raw, sent = gzip.compress(b'{"title": "a"}'), {"Content-Encoding": packed}
    answer = echo.post("/api/things/1?must=x", data=raw, content_type="application/json", headers=sent)
    assert answer.status_code == 415
    assert answer.json["type"] == "urn:bff:problem:unsupported-media-type"
    assert (
        answer.json["detail"] == "The body is packed; this page takes it as it is, without Content-Encoding."
    )
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("named", ["identity", "Identity", ""])
def test_a_body_that_says_it_is_not_packed_is_taken(echo: FlaskClient, named: str) -> None:
    sent = {"Content-Encoding": named}
    assert echo.post("/api/things/1?must=x", json={"title": "a"}, headers=sent).status_code == 200


def test_json_with_a_charset_or_a_suffix_is_taken(echo: FlaskClient) -> None:
    for content_type in ("application/json; charset=utf-8", "application/merge-patch+json"):
        answer = echo.post("/api/things/1?must=x", data=b'{"title": "a"}', content_type=content_type)
        assert answer.status_code == 200


def test_a_body_over_the_bound_is_413(tmp_path: Path) -> None:
    small = visitor(tmp_path, ECHO, environ={"BFF_MAX_REQUEST_BODY": "100"})
    answer = small.post("/api/things/1?must=x", json={"title": "a" * 100})
    assert answer.status_code == 413
    assert answer.json["type"] == "urn:bff:problem:body-too-large"


def test_a_page_without_a_body_schema_does_not_read_the_body(tmp_path: Path) -> None:
    page = visitor(tmp_path, "route: POST /api/page\nauth: none\nshape:\n  ok: true\n")
    assert page.post("/api/page", data=b"not json").json == {"ok": True}


def test_a_number_over_64_bits_is_no_integer(echo: FlaskClient) -> None:
    answer = echo.post(f"/api/things/1?must=x&page={'9' * 30}", json={"title": "a"})
    assert list(mistakes(answer)) == ["#/query/page"]


def test_members_of_composed_schemas_are_kept(tmp_path: Path) -> None:
    page = visitor(
        tmp_path,
        """
        route: POST /api/page
        auth: none
        input:
          body:
            $defs:
              named:
                type: object
                properties:
                  name: {type: string}
            allOf:
              - $ref: '#/$defs/named'
            properties:
              id: {type: integer}
        shape: body
        """,
    )
    assert page.post("/api/page", json={"id": 1, "name": "a", "role": "admin"}).json == {"id": 1, "name": "a"}


LIST = """
    route: POST /api/list
    auth: none
    input:
      body:
        type: array
        anyOf:
          - items: {type: string}
          - maxItems: 2
    shape: len(body)
    """


def test_a_large_body_full_of_mistakes_is_refused_in_few_words(tmp_path: Path) -> None:
    body = b"[" + b",".join([b"1"] * 500_000) + b"]"
    answer = visitor(tmp_path, LIST).post("/api/list", data=body, content_type="application/json")
    assert mistakes(answer) == {"#/body": "does not fit, and is too large to say where"}


def test_many_mistakes_are_told_up_to_a_number(tmp_path: Path) -> None:
    recipe = LIST.replace("anyOf:", "items: {type: string}").replace("- items: {type: string}", "")
    recipe = recipe.replace("- maxItems: 2", "")
    answer = visitor(tmp_path, recipe).post("/api/list", json=[1] * 3000)
    assert len(mistakes(answer)) == MOST_MISTAKES


def test_a_mistake_quotes_no_whole_novel(echo: FlaskClient) -> None:
    answer = echo.post("/api/things/1?must=1", json={"title": "x" * 900_000})
    (detail,) = mistakes(answer).values()
    assert len(detail) < 400
    assert detail.endswith("is longer than 10 characters")


def test_a_default_is_the_same_for_every_visitor(tmp_path: Path) -> None:
    recipe = """
        route: GET /api/page
        auth: none
        input:
          query:
            tags: {type: array, default: []}
        shape: with_one_more(query.tags)
        """
    functions = "def with_one_more(tags):\n    tags.append(1)\n    return tags\n"
    client = visitor(tmp_path, recipe, functions={"functions": functions})
    assert [client.get("/api/page").json for _ in range(2)] == [[1], [1]]


@pytest.mark.parametrize(
    ("body", "announced", "status"),
    [
        (b"{}", None, 200),
        (b"{}" + b" " * 2**20, None, 413),
        (b'{"a": "' + b"x" * 2**20 + b'"}', None, 413),
        (b"{}", "2", 200),
        (b"{}", "50", 400),
    ],
    ids=["chunked", "padded over the bound", "over the bound", "with a length", "cut off"],
)
def test_a_body_is_taken_whole_or_not_at_all(
    tmp_path: Path, body: bytes, announced: str | None, status: int
) -> None:
    """As granian hands it over: framed by the server, which also ends it where the visitor hung up."""
    recipe = "route: POST /api/page\nauth: none\ninput:\n  body: {type: object}\nshape: body\n"
    environ = {
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    }
    if announced is not None:
        environ["CONTENT_LENGTH"] = announced
    answered = visitor(tmp_path, recipe).post("/api/page", environ_overrides=environ)
    assert answered.status_code == status


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (["1,2,3"], [1, 2, 3]),
        (["1", "2, 3"], [1, 2, 3]),
        ([" 1 ,, 2, "], [1, 2]),
        (['"1", 2'], [1, 2]),
        ([""], []),
    ],
)
def test_a_header_that_is_a_list_is_taken_apart(sent: list[str], read: list[int], tmp_path: Path) -> None:
    recipe = """
        route: GET /page
        auth: none
        input:
          headers:
            X-Ids: {type: array, maxItems: 3, items: {type: integer}}
            X-One: {type: string}
        shape: "[headers['X-Ids'], headers['X-One']]"
        """
    site = visitor(tmp_path, recipe)
    headers = [*(("X-Ids", text) for text in sent), ("X-One", "a,b")]
    assert site.get("/page", headers=headers).json == [read, "a,b"]
    assert site.get("/page").json == [None, None]
    refused = site.get("/page", headers={"X-Ids": "1,x,2,3"}).json["errors"]
    assert [error["pointer"] for error in refused] == ["#/headers/X-Ids", "#/headers/X-Ids/1"]
