"""What a page takes: coerced, pruned, validated; every mistake at once."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.validation import MOST_MISTAKES
from tests.clock import Clock
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
        ([""], None),
    ],
)
def test_a_header_that_is_a_list_is_taken_apart(
    sent: list[str], read: list[int] | None, tmp_path: Path
) -> None:
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


# --- what is empty, and what is no text --------------------------------------------------------------------------


EMPTY = """
    route: GET /api/things
    auth: none
    input:
      query:
        page: {type: integer, default: 1}
        ratio: {type: number, minimum: 1}
        deep: {type: boolean, default: true}
        maybe: {type: [integer, 'null'], default: 5}
        ids: {type: array, items: {type: integer}}
        tags: {type: array, items: {type: string}, default: [a]}
        word: {type: string, default: x}
        either: {type: [integer, string]}
        untyped: {maxLength: 5}
      headers:
        X-Count: {type: integer, default: 3}
        X-Word: {type: string}
    shape: {query: query, headers: headers}
    """


def test_an_empty_text_is_as_if_it_were_not_there_unless_a_text_is_asked_for(tmp_path: Path) -> None:
    names = ["page", "ratio", "deep", "maybe", "ids", "tags", "word", "either", "untyped"]
    found = visitor(tmp_path, EMPTY).get(
        f"/api/things?{'&'.join(f'{name}=' for name in names)}", headers={"X-Count": "", "X-Word": ""}
    )
    assert found.json == {
        "query": {
            **{"page": 1, "ratio": None, "deep": True, "maybe": 5, "ids": None},
            **{"tags": [""], "word": "", "either": "", "untyped": ""},
        },
        "headers": {"X-Count": 3, "X-Word": ""},
    }


def test_an_empty_text_among_others_is_left_out(tmp_path: Path) -> None:
    found = visitor(tmp_path, EMPTY).get("/api/things?page=2&page=&ids=&ids=7&ids=&tags=a&tags=")
    query = found.json["query"]
    assert (query["page"], query["ids"], query["tags"]) == (2, [7], ["a", ""])


def test_a_required_parameter_that_is_empty_is_missing(tmp_path: Path) -> None:
    recipe = """
        route: GET /api/things
        auth: none
        input:
          query:
            page: {type: integer, required: true}
            ids: {type: array, items: {type: boolean}, required: true}
            word: {type: string, required: true}
          headers:
            X-Count: {type: number, required: true}
        shape: 1
        """
    answer = visitor(tmp_path, recipe).get("/api/things?page=&ids=&ids=&word=", headers={"X-Count": ""})
    assert mistakes(answer) == {
        "#/query/page": "is required",
        "#/query/ids": "is required",
        "#/headers/X-Count": "is required",
    }


BYTES = """
    route: GET /api/things/{id}/{part}
    auth: none
    input:
      path:
        id: {type: string}
      query:
        q: {type: string}
        tag: {type: array, items: {type: string}}
    shape: [path, query]
    """


def raw(client: FlaskClient, path: str, query: str = "") -> Any:
    """A request whose path holds these bytes, as a server hands it over."""
    return client.get("/", environ_overrides={"PATH_INFO": path, "QUERY_STRING": query})


@pytest.mark.parametrize(
    ("path", "query", "wrong"),
    [
        ("/api/things/caf\xe9/x", "", ["#/path/id"]),
        ("/api/things/x/\xff", "", ["#/path/part"]),
        ("/api/things/\xed\xa0\x80/x", "", ["#/path/id"]),
        ("/api/things/x/y", "q=%ff", ["#/query/q"]),
        ("/api/things/x/y", "tag=a&tag=%C3&q=b", ["#/query/tag"]),
        ("/api/things/x/y", "q=%ed%a0%80", ["#/query/q"]),
        ("/api/things/\xff/y", "q=%ff&tag=%fe", ["#/query/q", "#/query/tag", "#/path/id"]),
    ],
)
def test_what_is_no_text_in_utf8_is_a_mistake_and_goes_nowhere(
    tmp_path: Path, path: str, query: str, wrong: list[str]
) -> None:
    assert mistakes(raw(visitor(tmp_path, BYTES), path, query)) == dict.fromkeys(
        wrong, "is not text in UTF-8"
    )


def test_a_query_that_nobody_can_read_is_400(tmp_path: Path) -> None:
    answer = raw(visitor(tmp_path, BYTES), "/api/things/x/y", "q=\xff")
    assert (answer.status_code, answer.json["detail"]) == (400, "The query is not text in UTF-8.")


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/api/things/\xe6\xb5\x8b/x", "q=%E6%B5%8B", [{"id": "测", "part": "x"}, {"q": "测", "tag": None}]),
        ("/api/things/\xef\xbf\xbd/x", "q=%EF%BF%BD", [{"id": "\ufffd", "part": "x"}, {"q": "\ufffd", "tag": None}]),
        ("/api/things/%ff/x", "q=%25ff", [{"id": "%ff", "part": "x"}, {"q": "%ff", "tag": None}]),
        ("/api/things/x/y", "other=%ff&q=\xc3\xa9", [{"id": "x", "part": "y"}, {"q": "é", "tag": None}]),
    ],
)  # fmt: skip
def test_what_is_text_is_taken_as_it_is(tmp_path: Path, path: str, query: str, expected: Any) -> None:
    assert raw(visitor(tmp_path, BYTES), path, query).json == expected


# --- what it says, and how long it takes -------------------------------------------------------------------------


def test_a_content_type_and_a_method_are_not_repeated(echo: FlaskClient) -> None:
    wrong_type = echo.post("/api/things/1?must=x", data=b"{}", content_type="secret/passphrase")
    assert wrong_type.json["detail"] == "This page takes a body of the type application/json."
    assert "secret" not in wrong_type.text
    wrong_method = echo.open("/api/things/1", method="SECRET")
    assert wrong_method.json["detail"] == "Allowed here are OPTIONS, POST."
    assert "SECRET" not in wrong_method.text


class _Slow(io.BytesIO):
    """A body that takes a minute to come."""

    def __init__(self, body: bytes, clock: Clock) -> None:
        super().__init__(body)
        self._clock = clock

    def readinto(self, room: Any) -> int:
        self._clock.go_on(60.0)
        return super().readinto(room)


def test_the_deadline_counts_while_the_body_comes(tmp_path: Path, clock: Clock) -> None:
    client = visitor(tmp_path, "route: POST /api/page\nauth: none\ninput:\n  body: true\nshape: body\n")
    environ = {
        "wsgi.input": _Slow(b"{}", clock),
        "CONTENT_LENGTH": "2",
        "CONTENT_TYPE": "application/json",
    }
    answer = client.post("/api/page", environ_overrides=environ)
    assert (answer.status_code, answer.json["type"]) == (408, "urn:bff:problem:upload-too-slow")


def test_the_deadline_counts_while_the_body_is_checked(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = "route: POST /api/page\nauth: none\ninput:\n  body: {type: object}\nshape: body\n"
    client = visitor(tmp_path, recipe)

    def slowly(schema: Any, value: Any) -> Any:
        clock.go_on(60.0)
        return value

    monkeypatch.setattr("bff.web.body.prune", slowly)
    assert client.post("/api/page", json={}).status_code == 408
