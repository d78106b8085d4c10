"""A visitor who sends again what was perhaps done: on the real backend it is there once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from clients.local.pocketbase import Backend
from tests.app.conftest import Account
from tests.servers import Layer, RedisServer, Visitor, layer

pytestmark = pytest.mark.backend
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture(scope="module")
def remembering(
    app_backend: Backend, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Layer, Layer]]:
    """Two instances that share a Redis."""
    redis_server.start()
    folder = tmp_path_factory.mktemp("remembering")
    with (
        layer(app_backend.url, folder, BFF_STATE_URL=redis_server.url) as one,
        layer(app_backend.url, folder, BFF_STATE_URL=redis_server.url) as other,
    ):
        yield one, other


def test_a_todo_sent_again_with_its_key_is_the_same_todo_and_its_helper_is_told_once(
    account: Account, app_backend: Backend
) -> None:
    ann, bo = account("Ann"), account("Bo")
    sent = {"title": "Tea", "helper": bo.id}
    first = ann.ask("POST", "/api/todos", json=sent, headers=KEY)
    again = ann.ask("POST", "/api/todos", json=sent, headers=KEY)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert ann.titles() == ["Tea"]
    assert len([row for row in app_backend.rows("messages") if row["recipient"] == bo.id]) == 1


def test_a_comment_sent_again_with_its_key_is_there_once(account: Account) -> None:
    ann = account()
    todo = ann.add("Tea")
    path = f"/api/todos/{todo}/comments"
    first, again = (ann.ask("POST", path, json={"text": "Green?"}, headers=KEY) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(ann.ask("GET", f"/api/todos/{todo}").json()["comments"]) == 1


def test_two_visitors_with_one_key_have_a_todo_each(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo")
    ids = [
        who.ask("POST", "/api/todos", json={"title": who.name}, headers=KEY).json()["id"] for who in (ann, bo)
    ]
    assert ids[0] != ids[1]
    assert (ann.titles(), bo.titles()) == (["Ann"], ["Bo"])


def test_the_same_key_for_comments_of_two_todos_makes_two_comments(account: Account) -> None:
    ann = account()
    todos = [ann.add("Tea"), ann.add("Coffee")]
    for todo in todos:
        sent = ann.ask("POST", f"/api/todos/{todo}/comments", json={"text": "Now"}, headers=KEY)
        assert sent.status_code == 201
    assert [len(ann.ask("GET", f"/api/todos/{todo}").json()["comments"]) for todo in todos] == [1, 1]


def test_many_at_once_with_one_key_make_one_todo(account: Account) -> None:
    ann = account()
    statuses: list[int] = []

    def send() -> None:
        found = ann.ask("POST", "/api/todos", json={"title": "Tea"}, headers=KEY)
        statuses.append(found.status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {201}
    assert ann.titles() == ["Tea"]


def test_instances_that_share_a_redis_answer_a_repeat_as_the_first(
    account: Account, remembering: tuple[Layer, Layer]
) -> None:
    one, other = remembering
    ann = account("Ann", one.url)
    there = Visitor(other.url)
    there.session.cookies = ann.session.cookies
    first = ann.ask("POST", "/api/todos", json={"title": "Tea"}, headers=KEY)
    again = there.ask("POST", "/api/todos", json={"title": "Tea"}, headers=KEY)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    differs = there.ask("POST", "/api/todos", json={"title": "Coffee"}, headers=KEY)
    assert (differs.status_code, differs.json()["type"]) == (422, "urn:bff:problem:repeat-differs")


def test_a_removal_sent_again_says_again_that_it_went(
    account: Account, remembering: tuple[Layer, Layer]
) -> None:
    ann = account("Ann", remembering[0].url)
    todo = ann.add("Tea")
    first, again = (ann.ask("DELETE", f"/api/todos/{todo}", headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json() == {"id": todo}


def test_without_its_redis_the_app_writes_only_what_cannot_be_done_twice(
    account: Account, remembering: tuple[Layer, Layer], redis: RedisServer
) -> None:
    ann = account("Ann", remembering[0].url)
    redis.stop()
    try:
        refused = ann.ask("POST", "/api/todos", json={"title": "Tea"}, headers=KEY)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:bff:problem:state-unavailable")
        assert ann.titles() == []
    finally:
        redis.start()
    assert ann.ask("POST", "/api/todos", json={"title": "Tea"}, headers=KEY).status_code == 201
