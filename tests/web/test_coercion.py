"""Parameters as texts: lists, what is empty, and what is no text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.project import visitor
from tests.web.echo import mistakes


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
