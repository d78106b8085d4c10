"""Todos on the real backend: adding, finishing, editing, removing, comments, who sees what."""

from __future__ import annotations

import datetime

import pytest

from clients.local.pocketbase import Backend
from tests.app.conftest import Account

pytestmark = pytest.mark.backend
NOBODY = "a" * 15


def test_an_added_todo_is_on_the_home_page_with_its_people(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo 波")
    todo = ann.add("  Tea 茶  ", note="green", due="2026-12-24", helper=bo.id)
    for visitor in (ann, bo):
        (shown,) = visitor.ask("GET", "/api/home").json()["todos"]
        assert shown["id"] == todo
        assert (shown["title"], shown["note"], shown["due"]) == ("Tea 茶", "green", "2026-12-24")
        assert shown["owner"] == {"id": ann.id, "name": "Ann", "picture": None}
        assert shown["helper"] == {"id": bo.id, "name": "Bo 波", "picture": None}


def test_a_helper_is_told_by_a_message(account: Account, app_backend: Backend) -> None:
    ann, bo = account("Ann"), account("Bo")
    todo = ann.add("Tea", helper=bo.id)
    ann.add("Without help")
    messages = [row for row in app_backend.rows("messages") if row["recipient"] == bo.id]
    assert [(row["sender"], row["todo"], row["text"]) for row in messages] == [(ann.id, todo, "Tea")]


def test_nobody_sends_an_owner_or_a_status_along(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo")
    todo = ann.add("Tea", owner=bo.id, status="done", finished="2020-01-01")
    shown = ann.ask("GET", f"/api/todos/{todo}").json()
    assert (shown["owner"]["id"], shown["status"], shown["finished"]) == (ann.id, "open", None)


def test_only_the_fields_that_are_sent_change(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo")
    todo = ann.add("Tea", note="green", due="2026-12-24", helper=bo.id)
    assert ann.ask("PATCH", f"/api/todos/{todo}", json={"title": " Coffee "}).json()["title"] == "Coffee"
    shown = ann.ask("GET", f"/api/todos/{todo}").json()
    assert (shown["note"], shown["due"], shown["helper"]["id"]) == ("green", "2026-12-24", bo.id)
    cleared = ann.ask("PATCH", f"/api/todos/{todo}", json={"due": None, "helper": None, "note": ""}).json()
    assert (cleared["due"], cleared["helper"], cleared["note"]) == (None, None, "")


def test_finishing_stamps_the_time_once_and_taking_up_again_removes_it(account: Account) -> None:
    ann = account()
    todo = ann.add("Tea")
    done = ann.ask("PATCH", f"/api/todos/{todo}", json={"status": "done"}).json()
    stamp = datetime.datetime.fromisoformat(done["finished"])
    assert abs((datetime.datetime.now(datetime.UTC) - stamp).total_seconds()) < 60
    again = ann.ask("PATCH", f"/api/todos/{todo}", json={"status": "done", "title": "Tea!"}).json()
    assert again["finished"] == done["finished"]
    assert ann.ask("PATCH", f"/api/todos/{todo}", json={"status": "paused"}).json()["finished"] is None


@pytest.mark.parametrize(
    "body", [{}, {"status": "gone"}, {"title": ""}, {"title": "x" * 201}, {"due": "soon"}, {"helper": "x"}]
)
def test_a_wrong_change_changes_nothing(account: Account, body: dict[str, str]) -> None:
    ann = account()
    todo = ann.add("Tea")
    assert ann.ask("PATCH", f"/api/todos/{todo}", json=body).status_code == 400
    assert ann.ask("GET", f"/api/todos/{todo}").json()["title"] == "Tea"


def test_a_helper_may_read_change_and_finish_a_todo_but_not_remove_it(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo")
    todo = ann.add("Tea", helper=bo.id)
    assert bo.ask("GET", f"/api/todos/{todo}").json()["title"] == "Tea"
    changes = {"title": "Coffee", "note": "so", "status": "done", "due": "2031-02-03"}
    assert bo.ask("PATCH", f"/api/todos/{todo}", json=changes).status_code == 200
    shown = ann.ask("GET", f"/api/todos/{todo}").json()
    assert {name: shown[name] for name in changes} == changes
    refused = bo.ask("DELETE", f"/api/todos/{todo}")
    assert (refused.status_code, refused.json()["detail"]) == (403, "Only the owner of a todo can remove it.")
    assert ann.ask("DELETE", f"/api/todos/{todo}").json() == {"id": todo}
    assert ann.ask("GET", f"/api/todos/{todo}").status_code == 404


def test_others_see_and_change_nothing(account: Account) -> None:
    ann, eve = account("Ann"), account("Eve")
    todo = ann.add("Tea")
    ann.ask("POST", f"/api/todos/{todo}/comments", json={"text": "mine"})
    assert eve.titles() == []
    for method, path, body in (
        ("GET", f"/api/todos/{todo}", None),
        ("PATCH", f"/api/todos/{todo}", {"title": "x"}),
        ("DELETE", f"/api/todos/{todo}", None),
        ("POST", f"/api/todos/{todo}/comments", {"text": "x"}),
    ):
        assert eve.ask(method, path, json=body).status_code == 404
    gone = eve.ask("POST", "/api/todos/remove", json={"ids": [todo]}).json()
    assert gone == {"removed": [], "kept": [{"id": todo, "status": 404, "kind": "status"}]}
    assert eve.ask("GET", "/api/stats").json()["people"] == []
    assert ann.titles() == ["Tea"]


def test_removing_many_says_which_went_and_why_the_others_did_not(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo")
    mine = [ann.add(f"Tea {number}") for number in range(12)]
    helped = bo.add("Help", helper=ann.id)
    answer = ann.ask("POST", "/api/todos/remove", json={"ids": [*mine, helped, NOBODY]})
    assert answer.status_code == 200
    assert answer.json() == {
        "removed": mine,
        "kept": [
            {"id": helped, "status": 404, "kind": "status"},
            {"id": NOBODY, "status": 404, "kind": "status"},
        ],
    }
    assert ann.titles() == ["Help"]


def test_removing_more_than_a_hundred_is_refused_whole(account: Account) -> None:
    ann = account()
    answer = ann.ask("POST", "/api/todos/remove", json={"ids": [f"{number:015d}" for number in range(101)]})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "#/body/ids")


def test_comments_have_their_authors(account: Account) -> None:
    ann, bo = account("Ann"), account("Bo")
    todo = ann.add("Tea", helper=bo.id)
    ann.ask("POST", f"/api/todos/{todo}/comments", json={"text": "Green?"})
    said = bo.ask("POST", f"/api/todos/{todo}/comments", json={"text": " 好的 "})
    assert said.status_code == 201 and said.json()["author"] == {"id": bo.id, "name": "Bo"}
    comments = ann.ask("GET", f"/api/todos/{todo}").json()["comments"]
    assert [(comment["text"], comment["author"]["name"]) for comment in comments] == [
        ("Green?", "Ann"),
        ("好的", "Bo"),
    ]


def test_counts_pages_and_sorting(account: Account) -> None:
    ann = account()
    for number, due in enumerate(["2026-12-03", None, "2026-12-01"], 1):
        ann.add(f"t{number}", due=due)
    done = ann.add("t4")
    ann.ask("PATCH", f"/api/todos/{done}", json={"status": "done"})
    home = ann.ask("GET", "/api/home?per_page=3&page=2&sort=oldest").json()
    assert home["counts"] == {"open": 3, "done": 1, "paused": 0, "closed": 0}
    assert ([todo["title"] for todo in home["todos"]], home["pages"], home["total"]) == (["t4"], 2, 4)
    assert ann.titles("sort=newest") == ["t4", "t3", "t2", "t1"]
    assert ann.titles("sort=due")[:2] == ["t3", "t1"]
    assert ann.titles("sort=title") == ["t1", "t2", "t3", "t4"]
    assert ann.titles("status=done") == ["t4"]


def test_people_are_found_by_name_and_never_by_address(account: Account) -> None:
    ann = account("Ann Zyx%")
    found = ann.ask("GET", "/api/people", params={"q": "zyx%"}).json()["people"]
    assert found == [{"id": ann.id, "name": "Ann Zyx%", "picture": None}]
    assert ann.ask("GET", "/api/people", params={"q": "example.com"}).json()["people"] == []


def test_notices_are_listed(account: Account) -> None:
    (notice,) = account().ask("GET", "/api/notices").json()["notices"]
    assert (notice["en"], notice["zh"]) == ("Hello", "你好")


def test_stats_count_per_person_and_status_and_per_day_with_zeros(
    account: Account, app_backend: Backend
) -> None:
    ann, bo = account("Ann"), account("Bo")
    for _ in range(2):
        ann.add("open", helper=bo.id)
    done = ann.add("done")
    ann.ask("PATCH", f"/api/todos/{done}", json={"status": "done"})
    bo.add("helped", helper=ann.id)
    today = datetime.datetime.now(datetime.UTC)
    for days, title in ((3, "a"), (3, "b"), (20, "old")):
        moment = f"{today - datetime.timedelta(days=days):%Y-%m-%d} 12:00:00.000Z"
        app_backend.add("todos", title=title, status="done", owner=ann.id, finished=moment)
    stats = ann.ask("GET", "/api/stats").json()
    assert stats["people"] == [
        {"id": ann.id, "name": "Ann", "open": 2, "done": 4, "paused": 0, "closed": 0, "total": 6},
        {"id": bo.id, "name": "Bo", "open": 1, "done": 0, "paused": 0, "closed": 0, "total": 1},
    ]
    assert stats["statuses"] == {"open": 3, "done": 4, "paused": 0, "closed": 0}
    expected = {f"{today - datetime.timedelta(days=13 - at):%Y-%m-%d}": 0 for at in range(14)}
    expected[f"{today:%Y-%m-%d}"] = 1
    expected[f"{today - datetime.timedelta(days=3):%Y-%m-%d}"] = 2
    assert {day["day"]: day["finished"] for day in stats["days"]} == expected
    assert bo.ask("GET", "/api/stats").json()["statuses"] == {"open": 3, "done": 0, "paused": 0, "closed": 0}


def test_a_day_is_the_day_of_the_visitors_zone(account: Account, app_backend: Backend) -> None:
    ann = account()
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    app_backend.add(
        "todos", title="late", status="done", owner=ann.id, finished=f"{yesterday:%Y-%m-%d} 22:30:00.000Z"
    )

    def day(zone: str) -> str:
        days = ann.ask("GET", "/api/stats", params={"zone": zone}).json()["days"]
        return next(str(day["day"]) for day in days if day["finished"])

    assert day("UTC") == f"{yesterday:%Y-%m-%d}"
    assert day("Asia/Shanghai") == f"{yesterday + datetime.timedelta(days=1):%Y-%m-%d}"
    assert day("No/Where") == f"{yesterday:%Y-%m-%d}"
