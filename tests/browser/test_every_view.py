"""Every view as it looks: kept as a picture, read by axe-core."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import whole
from tests.servers import Visitor

TITLES = {
    "en": [
        ("Book the train to Hangzhou", "Window seats, the early one if it is not sold out"),
        ("Answer the auditors", ""),
        ("Write the release notes", "Thank the people who reported the time zone bug"),
        ("Fix the projector in the large meeting room, and write on the wall how it is switched on", ""),
        ("Order coffee", "The dark one"),
        ("Plan the autumn trip", ""),
        ("Renew the certificate", ""),
        ("Say thank you to the cleaning crew", ""),
    ],
    "zh": [
        ("订去杭州的火车票", "靠窗的座位，早班没卖完的话就要早班"),
        ("回复审计人员", ""),
        ("写发布说明", "感谢报告时区问题的同事"),
        ("修好大会议室的投影仪，并在墙上写清楚怎么打开", ""),
        ("买咖啡豆", "深烘的"),
        ("计划秋游", ""),
        ("更新证书", ""),
        ("感谢保洁人员", ""),
    ],
}


@pytest.fixture
def furnished(
    make_todo: Callable[..., dict[str, Any]], other_account: Visitor, look: Any
) -> list[dict[str, Any]]:
    """A list that has something of everything."""
    today = date.today()
    extras: list[dict[str, Any]] = [
        {"due": (today + timedelta(days=9)).isoformat(), "helper": other_account.id},
        {"due": (today - timedelta(days=2)).isoformat()},
        {"due": today.isoformat(), "helper": other_account.id},
        {"due": (today + timedelta(days=1)).isoformat()},
        {"status": "done"},
        {"status": "paused"},
        {"status": "closed"},
        {"status": "done", "helper": other_account.id},
    ]
    texts = TITLES[look.language]
    todos = [
        make_todo(title, note=note, **extra)
        for (title, note), extra in reversed(list(zip(texts, extras, strict=True)))
    ]
    return todos[::-1]


def test_signing_in_and_up(
    fresh_page: Page, shot: Callable[[str], None], serious: Callable[[], list[str]]
) -> None:
    for name in ("signin", "signup"):
        fresh_page.goto(f"/{name}")
        expect(fresh_page.get_by_test_id(f"{name}-form")).to_be_visible()
        shot(name)
        assert serious() == []
    fresh_page.get_by_test_id("signup-form").locator("button[type=submit]").click()
    expect(fresh_page.locator("[aria-invalid]")).to_have_count(3)
    shot("signup-errors")
    assert serious() == []
    fresh_page.get_by_test_id("account").click()
    shot("signup-settings")
    assert serious() == []


@pytest.mark.usefixtures("furnished")
def test_the_list(page: Page, shot: Callable[[str], None], serious: Callable[[], list[str]]) -> None:
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(8)
    shot("list")
    assert serious() == []
    page.locator(".composer [name=title]").click()
    shot("list-adding")
    assert serious() == []
    page.locator(".composer [role=combobox]").click()
    expect(page.get_by_role("option").first).to_be_visible()
    shot("list-helper")
    assert serious() == []
    page.keyboard.press("Escape")
    page.get_by_test_id("select-mode").click()
    rows.nth(0).get_by_role("checkbox").check()
    rows.nth(2).get_by_role("checkbox").check()
    shot("list-selecting")
    assert serious() == []
    page.get_by_test_id("select-mode").click()
    rows.nth(1).locator("[data-focus=more]").click()
    shot("list-menu")
    assert serious() == []
    page.keyboard.press("Escape")
    page.get_by_test_id("account").click()
    shot("list-settings")
    assert serious() == []


@pytest.mark.usefixtures("furnished")
def test_dialogs_and_messages(
    page: Page, shot: Callable[[str], None], serious: Callable[[], list[str]]
) -> None:
    page.goto("/")
    row = page.get_by_test_id("todo").first
    row.locator("[data-focus=tick]").click()
    expect(page.get_by_test_id("toast")).to_be_visible()
    shot("toast")
    assert serious() == []
    row.locator("a").focus()
    page.keyboard.press("e")
    expect(page.get_by_test_id("edit-dialog")).to_be_visible()
    shot("edit")
    assert serious() == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_test_id("keys-dialog")).to_be_visible()
    shot("keys")
    assert serious() == []


def test_an_empty_list(page: Page, shot: Callable[[str], None], serious: Callable[[], list[str]]) -> None:
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    shot("list-empty")
    assert serious() == []
    page.goto("/?q=unicorn")
    expect(page.get_by_test_id("empty")).to_be_visible()
    shot("list-nothing-found")


def test_one_todo(
    page: Page, furnished: list[dict[str, Any]], shot: Callable[[str], None], serious: Callable[[], list[str]]
) -> None:
    todo = furnished[0]
    for text in ("On it.", "有靠窗的座位了。\nG12, 08:15."):
        page.request.post(f"/api/todos/{todo['id']}/comments", data={"text": text})
    page.goto(f"/todos/{todo['id']}")
    expect(page.get_by_test_id("comments").get_by_role("listitem")).to_have_count(2)
    shot("todo")
    assert serious() == []
    page.goto("/todos/unknownunknown0")
    expect(page.get_by_test_id("failed")).to_be_visible()
    shot("todo-gone")
    assert serious() == []
    page.goto("/no/such/page")
    shot("unknown")
    assert serious() == []


@pytest.mark.usefixtures("furnished")
def test_statistics(page: Page, shot: Callable[[str], None], serious: Callable[[], list[str]]) -> None:
    def with_a_past(route: Route) -> None:
        answer = whole(route)
        body = answer.json()
        for at, finished in enumerate((0, 2, 3, 1, 5, 0, 0, 4, 7, 6, 2, 3, 0)):
            body["days"][at]["finished"] = finished
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/api/stats?*", with_a_past)
    page.goto("/stats")
    expect(page.get_by_test_id("chart")).to_be_visible()
    shot("stats")
    page.locator("summary").click()
    shot("stats-table")
    assert serious() == []


@pytest.mark.usefixtures("furnished")
def test_what_fails_and_what_is_missing(
    page: Page, shot: Callable[[str], None], serious: Callable[[], list[str]]
) -> None:
    def partial(route: Route) -> None:
        answer = whole(route)
        body = answer.json()
        failure = {
            "type": "urn:bff:problem:backend-timeout",
            "title": "",
            "status": 504,
            "detail": "",
            "step": "x",
        }
        body |= {"notice": None, "counts": None, "errors": [{**failure, "fields": ["notice", "counts.open"]}]}
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/api/home?**", partial)
    page.goto("/")
    expect(page.get_by_test_id("missing")).to_have_count(2)
    shot("list-partial")
    assert serious() == []
    page.unroute_all()
    page.route("**/api/home?**", lambda route: route.abort())
    page.goto("/?sort=title")
    expect(page.get_by_test_id("failed")).to_be_visible()
    shot("list-failed")
    assert serious() == []
