"""What a page takes: coerced, pruned, validated; every mistake at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from bff.validation import MOST_MISTAKES
from tests.project import visitor
from tests.web.echo import mistakes


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
        "#/path/id": "is less than the minimum of 1",
        "#/query/status": 'is not one of "open" or "done"',
        "#/query/page": 'is not of type "integer"',
        "#/query/ratio": 'is not of type "number"',
        "#/query/deep": 'is not of type "boolean"',
        "#/query/tag/0": "is longer than 3 characters",
        "#/query/must": "is required",
        "#/headers/X-Team": 'does not match "^[a-z]+$"',
        "#/body/title": "is required",
        "#/body/due": 'is not a "date"',
        "#/body/parts/0/name": 'is not of type "string"',
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


def test_a_number_of_too_many_digits_is_no_integer(echo: FlaskClient) -> None:
    answer = echo.post(f"/api/things/1?must=x&page={'9' * 1_001}", json={"title": "a"})
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


def test_a_mistake_quotes_nothing_of_a_novel(echo: FlaskClient) -> None:
    answer = echo.post("/api/things/1?must=1", json={"title": "x" * 900_000})
    assert mistakes(answer) == {"#/body/title": "is longer than 10 characters"}


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


def test_a_content_type_and_a_method_are_not_repeated(echo: FlaskClient) -> None:
    wrong_type = echo.post("/api/things/1?must=x", data=b"{}", content_type="secret/passphrase")
    assert wrong_type.json["detail"] == "This page takes a body of the type application/json."
    assert "secret" not in wrong_type.text
    wrong_method = echo.open("/api/things/1", method="SECRET")
    assert wrong_method.json["detail"] == "Allowed here are OPTIONS, POST."
    assert "SECRET" not in wrong_method.text
