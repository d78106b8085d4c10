"""The recipes of pictures: what goes through, and to whom."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.pages.backends import Backends
from tests.pages.conftest import (
    ANN,
    ID,
    LIN,
    TOKEN,
    TROUBLE_OF_ONE,
    ended,
    listed,
    mistakes,
    pictured,
    row,
)

AT = f"/api/people/{LIN['id']}/picture/lin_1.png"
UPSTREAM = f"/api/files/pictures/{LIN['id']}/lin_1.png"
PNG = b"\x89PNG\r\n\x1a\n\x00"
FORM = "multipart/form-data; boundary=x"
OWN = f"records/{ANN['id']}"
METHODS = {"POST": "POST", "PUT": "PATCH", "DELETE": "DELETE"}
TROUBLE = {name: trouble for name, trouble in TROUBLE_OF_ONE.items() if trouble[1] != "not-json"}


def test_a_picture_comes_small_and_may_be_kept_for_a_day_by_one_browser(
    backends: Backends, visitor: FlaskClient
) -> None:
    told = {"Last-Modified": "Mon, 23 Nov 2026 08:54:15 GMT"}
    backends.answer_at("people", UPSTREAM, body=PNG, content_type="image/png", headers=told)
    page = visitor.get(AT)
    assert (page.status_code, page.data, page.mimetype) == (200, PNG, "image/png")
    assert page.headers["Cache-Control"] == "private, max-age=86400"
    assert page.headers["Last-Modified"] == told["Last-Modified"]
    assert page.headers["Vary"] == "Cookie, Authorization"
    [asked] = backends.calls()
    assert asked.target == f"{UPSTREAM}?thumb=128x128"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "wrong", ["..%2F..%2Fsecret", "..", ".hidden", "a..png", "a b.png", "a%00.png", "a" * 101]
)
def test_no_other_file_can_be_named(wrong: str, backends: Backends, visitor: FlaskClient) -> None:
    page = visitor.get(f"/api/people/{LIN['id']}/picture/{wrong}")
    assert page.status_code in (400, 404)
    assert backends.calls() == []


def test_a_person_has_an_id(backends: Backends, visitor: FlaskClient) -> None:
    assert mistakes(visitor.get("/api/people/nobody/picture/lin_1.png")) == ["#/path/id"]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_picture_that_does_not_come_is_a_problem(
    trouble: str, backends: Backends, visitor: FlaskClient
) -> None:
    reply, kind, status = TROUBLE[trouble]
    backends.answer_at("people", UPSTREAM, **reply)
    assert ended(visitor.get(AT)) == (status, kind, "picture")


def test_the_first_picture_goes_up_as_it_is(backends: Backends, visitor: FlaskClient) -> None:
    backends.answer("people", "pictures", "POST", json={"file": "ann_1.png"})
    page = visitor.post("/api/picture", data=b"--x\r\n\x00--x--", content_type=FORM)
    assert (page.status_code, page.json, page.headers["Cache-Control"]) == (
        200,
        {"file": "ann_1.png"},
        "no-store",
    )
    [sent] = backends.calls()
    assert sent.body == b"--x\r\n\x00--x--"
    assert {name: sent.headers[name] for name in ("Content-Type", "Content-Length", "Authorization")} == {
        "Content-Type": FORM,
        "Content-Length": "11",
        "Authorization": f"Bearer {TOKEN}",
    }


def test_another_picture_goes_to_the_visitors_own_row(backends: Backends, visitor: FlaskClient) -> None:
    backends.answer("people", "pictures", "PATCH", f"records/{ANN['id']}", json={"file": "ann_2.png"})
    assert visitor.put("/api/picture", data=b"x", content_type=FORM).json == {"file": "ann_2.png"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_the_backend_does_not_take_is_told_without_its_words(
    method: str, backends: Backends, visitor: FlaskClient
) -> None:
    reply = {"status": 400, "json": {"message": "secret trouble"}}
    backends.answer("people", "pictures", "POST", **reply)
    backends.answer("people", "pictures", "PATCH", f"records/{ANN['id']}", **reply)
    page = visitor.open("/api/picture", method=method, data=b"x", content_type=FORM)
    assert ended(page) == (422, "status", "picture")


@pytest.mark.parametrize(("method", "at"), [("POST", "records"), ("PUT", OWN), ("DELETE", OWN)])
@pytest.mark.parametrize("page", ["/api/home", f"/api/todos/{ID}"])
def test_who_changes_their_picture_sees_it_in_every_list_at_once(
    page: str, method: str, at: str, backends: Backends, visitor: FlaskClient
) -> None:
    mine = row(owner=ANN["id"])
    backends.answer("people", "people", at=OWN, json=pictured(ANN, "ann_1.png"))
    backends.answer("todos", "todo_list", json=listed(mine))
    backends.answer("todos", "todo_counts", json=listed())
    backends.answer("notices", "notices", json=listed())
    backends.answer("todos", "todos", at=f"records/{ID}", json=mine)
    backends.answer("todos", "comments", json=listed())
    backends.answer("people", "people", json=listed(pictured(ANN, "ann_1.png")))
    assert picture_of_owner(visitor.get(page)) == "ann_1.png"
    backends.answer("people", "people", json=listed(pictured(ANN, "ann_2.png")))
    assert picture_of_owner(visitor.get(page)) == "ann_1.png"
    backends.answer("people", "pictures", METHODS[method], at, json={"file": "ann_2.png"})
    with visitor.open("/api/picture", method=method, data=b"x", content_type=FORM) as saved:
        assert saved.status_code in (200, 204)
    assert picture_of_owner(visitor.get(page)) == "ann_2.png"


def picture_of_owner(page: TestResponse) -> str | None:
    shown = page.json["todos"][0] if "todos" in page.json else page.json
    found: str | None = shown["owner"]["picture"]
    return found


@pytest.mark.parametrize("reply", [{"status": 204}, {"status": 404, "json": {}}])
def test_a_picture_is_removed_also_twice(
    reply: dict[str, object], backends: Backends, visitor: FlaskClient
) -> None:
    backends.answer("people", "pictures", "DELETE", f"records/{ANN['id']}", **reply)
    assert visitor.delete("/api/picture").status_code == 204
