"""What users of other gateways asked for in vain, each as a recipe that does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import responses

from tests.project import visitor

PEOPLE, TODOS, NOTICES = "http://people.test", "http://todos.test", "http://notices.test"


@pytest.fixture
def backends() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


def sent(mock: Any, base: str) -> list[str]:
    """The paths with queries that one backend was asked."""
    return [call.request.url.removeprefix(base) for call in mock.calls if call.request.url.startswith(base)]


def test_ids_of_the_first_reply_go_into_the_next_request(tmp_path: Path, backends: Any) -> None:
    backends.get(
        f"{TODOS}/todos", json=[{"helper_id": 7}, {"helper_id": None}, {"helper_id": 9}, {"helper_id": 7}]
    )
    backends.get(f"{PEOPLE}/people", json=[{"id": 7, "name": "李雷"}, {"id": 9, "name": "Ann"}])
    page = visitor(
        tmp_path,
        """
        route: GET /api/page
        auth: none
        steps:
          todos:
            client: todos
            get: /todos
          helpers:
            client: people
            batch: ids in (todo.helper_id for todo in todos)
            get: /people
            query:
              id: ids
        shape:
          each: helper in helpers
          item: helper.name
        """,
    )
    assert page.get("/api/page").json == ["李雷", "Ann"]
    assert sent(backends, PEOPLE) == ["/people?id=7&id=9"]


def test_two_collections_are_merged_by_id(tmp_path: Path, backends: Any) -> None:
    backends.get(f"{TODOS}/todos", json=[{"id": 1, "title": "a"}, {"id": 2, "title": "b"}])
    backends.get(f"{NOTICES}/scores", json=[{"id": 2, "score": 20}, {"id": 3, "score": 30}])
    page = visitor(
        tmp_path,
        """
        route: GET /api/page
        auth: none
        steps:
          todos:
            client: todos
            get: /todos
          scores:
            client: notices
            get: /scores
            key_by: id
        shape:
          each: todo in todos
          item: merge(todo, scores[todo.id])
        """,
    )
    assert page.get("/api/page").json == [{"id": 1, "title": "a"}, {"id": 2, "title": "b", "score": 20}]


def test_a_list_stands_at_the_root(tmp_path: Path, backends: Any) -> None:
    backends.get(f"{TODOS}/todos", json=[{"id": 1, "secret": "x"}])
    page = visitor(
        tmp_path,
        """
        route: GET /api/page
        auth: none
        steps:
          todos:
            client: todos
            get: /todos
        shape:
          each: todo in todos
          item:
            id: todo.id
        """,
    )
    assert page.get("/api/page").data == b'[{"id":1}]'


def test_a_diamond_of_dependencies_asks_each_backend_once(tmp_path: Path, backends: Any) -> None:
    backends.get(f"{PEOPLE}/a", json={"b": 1, "c": 2})
    backends.get(f"{TODOS}/b/1", json={"x": 10})
    backends.get(f"{TODOS}/c/2", json={"y": 20})
    backends.get(f"{NOTICES}/d/10-20", json={"z": "end"})
    page = visitor(
        tmp_path,
        """
        route: GET /api/page
        auth: none
        steps:
          d:
            client: notices
            get: /d/{b.x}-{c.y}
          c:
            client: todos
            get: /c/{a.c}
          b:
            client: todos
            get: /b/{a.b}
          a:
            client: people
            get: /a
        shape: d.z
        """,
    )
    assert page.get("/api/page").json == "end"
    assert len(backends.calls) == 4


@pytest.mark.parametrize(("kind", "asked"), [("vip", ["/extras"]), ("plain", [])])
def test_a_conditional_request_is_made_only_when_it_should(
    tmp_path: Path, kind: str, asked: list[str]
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as backends:
        backends.get(f"{PEOPLE}/me", json={"kind": kind})
        backends.get(f"{NOTICES}/extras", json={"gift": "tea"})
        page = visitor(
            tmp_path,
            """
            route: GET /api/page
            auth: none
            steps:
              me:
                client: people
                get: /me
              extras:
                when: me.kind == 'vip'
                client: notices
                get: /extras
            shape:
              gift: extras.gift
            """,
        )
        assert page.get("/api/page").json == {"gift": "tea" if asked else None}
        assert sent(backends, NOTICES) == asked


SECOND_SOURCE = """
    route: GET /api/page
    auth: none
    steps:
      first:
        client: people
        get: /me
        retries: 0
        fallback: null
      second:
        when: first is None
        client: notices
        get: /copy/me
        retries: 0
        fallback: null
    shape:
      name: default(first.name, second.name)
    """


def test_a_second_source_answers_when_the_first_fails_and_the_page_is_whole(
    tmp_path: Path, backends: Any
) -> None:
    backends.get(f"{PEOPLE}/me", status=500)
    backends.get(f"{NOTICES}/copy/me", json={"name": "Ann"})
    answer = visitor(tmp_path, SECOND_SOURCE).get("/api/page")
    assert answer.json == {"name": "Ann"}
    assert "X-Page-Partial" not in answer.headers


def test_when_both_sources_fail_the_page_is_partial(tmp_path: Path, backends: Any) -> None:
    backends.get(f"{PEOPLE}/me", status=500)
    backends.get(f"{NOTICES}/copy/me", status=500)
    answer = visitor(tmp_path, SECOND_SOURCE).get("/api/page")
    assert answer.json == {"name": None}
    assert answer.headers["X-Page-Partial"] == "first, second"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_each_backend_gets_its_own_query_headers_and_body(tmp_path: Path, backends: Any) -> None:
    backends.get(f"{PEOPLE}/people", json=[])
    backends.post(f"{TODOS}/search", json={"hits": []})
    page = visitor(
        tmp_path,
        """
        route: GET /api/page
        auth: none
        input:
          query:
            q: {type: string}
        steps:
          people:
            client: people
            get: /people?limit=5
            query:
              name: query.q
              tag: ["'a'", "'b'"]
              nothing: null
            headers:
              X-Team: f"red"
          hits:
            client: todos
            post: /search
            safe: true
            body:
              text: query.q
              size: 10
        shape:
          people: people
          hits: hits.hits
        """,
    )
    assert page.get("/api/page?q=%E5%BE%85%E5%8A%9E&other=1").json == {"people": [], "hits": []}
    (people,) = (call.request for call in backends.calls if call.request.url.startswith(PEOPLE))
    (search,) = (call.request for call in backends.calls if call.request.url.startswith(TODOS))
    assert people.url == f"{PEOPLE}/people?limit=5&name=%E5%BE%85%E5%8A%9E&tag=a&tag=b"
    assert people.headers["X-Team"] == "red"
    assert json.loads(search.body) == {"text": "待办", "size": 10}
    assert "X-Team" not in search.headers


@pytest.mark.parametrize("status", [404, 409, 410, 412, 422, 429])
def test_the_real_upstream_status_is_kept(tmp_path: Path, backends: Any, status: int) -> None:
    backends.get(
        f"{TODOS}/todos/1", status=status, json={"secret": "of the backend"}, headers={"Retry-After": "7"}
    )
    page = visitor(
        tmp_path,
        """
        route: GET /api/todos/{id}
        auth: none
        steps:
          todo:
            client: todos
            get: /todos/{path.id}
            retries: 0
        shape: todo
        """,
    )
    answer = page.get("/api/todos/1")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "7"
    assert b"secret" not in answer.data


def test_one_slow_part_does_not_take_the_page(tmp_path: Path, backends: Any) -> None:
    import requests

    backends.get(f"{TODOS}/todos", json=[1, 2])
    backends.get(f"{NOTICES}/notices/latest", body=requests.exceptions.ReadTimeout())
    page = visitor(
        tmp_path,
        """
        route: GET /api/page
        auth: none
        steps:
          todos:
            client: todos
            get: /todos
          notice:
            client: notices
            get: /notices/latest
            timeout: 300ms
            retries: 0
            fallback: null
        shape:
          todos: todos
          notice: notice.text
          errors: errors
        """,
    )
    answer = page.get("/api/page")
    assert answer.status_code == 200
    assert answer.headers["X-Page-Partial"] == "notice"
    assert answer.json == {
        "todos": [1, 2],
        "notice": None,
        "errors": [
            {
                "type": "urn:bff:problem:backend-timeout",
                "title": "A backend took too long",
                "status": 504,
                "detail": "'notice' did not answer in time.",
                "step": "notice",
                "retryable": True,
                "kind": "timeout",
                "fields": ["notice"],
            }
        ],
    }
