"""The recipes of pictures: what goes through, and to whom."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.pages.conftest import ANN, HOSTS, LIN, TOKEN, TROUBLE_OF_ONE, Backends, ended, mistakes

AT = f"/api/people/{LIN['id']}/picture/lin_1.png"
UPSTREAM = f"{HOSTS['people']}/api/files/pictures/{LIN['id']}/lin_1.png"
PNG = b"\x89PNG\r\n\x1a\n\x00"
FORM = "multipart/form-data; boundary=x"
TROUBLE = {name: trouble for name, trouble in TROUBLE_OF_ONE.items() if trouble[1] != "not-json"}


def test_a_picture_comes_small_and_may_be_kept_for_a_day_by_one_browser(
    backends: Backends, visitor: FlaskClient
) -> None:
    told = {"Last-Modified": "Mon, 23 Nov 2026 08:54:15 GMT"}
    backends.mock.get(UPSTREAM, body=PNG, content_type="image/png", headers=told)
    page = visitor.get(AT)
    assert (page.status_code, page.data, page.mimetype) == (200, PNG, "image/png")
    assert page.headers["Cache-Control"] == "private, max-age=86400"
    assert page.headers["Last-Modified"] == told["Last-Modified"]
    assert page.headers["Vary"] == "Cookie, Authorization"
    [asked] = [call.request for call in backends.mock.calls]
    assert asked.url == f"{UPSTREAM}?thumb=128x128"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "wrong", ["..%2F..%2Fsecret", "..", ".hidden", "a..png", "a b.png", "a%00.png", "a" * 101]
)
def test_no_other_file_can_be_named(wrong: str, backends: Backends, visitor: FlaskClient) -> None:
    page = visitor.get(f"/api/people/{LIN['id']}/picture/{wrong}")
    assert page.status_code in (400, 404)
    assert len(backends.mock.calls) == 0


def test_a_person_has_an_id(backends: Backends, visitor: FlaskClient) -> None:
    assert mistakes(visitor.get("/api/people/nobody/picture/lin_1.png")) == ["#/path/id"]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_picture_that_does_not_come_is_a_problem(
    trouble: str, backends: Backends, visitor: FlaskClient
) -> None:
    reply, kind, status = TROUBLE[trouble]
    backends.mock.get(UPSTREAM, **reply)
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
    assert b"".join(sent.body) == b"--x\r\n\x00--x--"
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


@pytest.mark.parametrize("reply", [{"status": 204}, {"status": 404, "json": {}}])
def test_a_picture_is_removed_also_twice(
    reply: dict[str, object], backends: Backends, visitor: FlaskClient
) -> None:
    backends.answer("people", "pictures", "DELETE", f"records/{ANN['id']}", **reply)
    assert visitor.delete("/api/picture").status_code == 204
