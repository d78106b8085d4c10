"""Finishing with one click; deleting one or many, with a moment to take it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import stop_time
from tests.servers import PATIENCE


def titles(page: Page) -> set[str]:
    """The todos that the backend holds for this account."""
    return {todo["title"] for todo in page.request.get("/api/home?per_page=100").json()["todos"]}


def test_one_click_finishes_and_undo_opens_again(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Water the plants")
    page.clock.install()
    page.goto("/")
    tick = page.get_by_role("checkbox", name=words("finish", title="Water the plants"))
    expect(tick).not_to_be_checked()
    stop_time(page)
    tick.click()
    expect(tick).to_be_checked()
    statuses = page.get_by_test_id("statuses")
    expect(statuses.locator("[data-status=done] .count")).to_have_text("1")
    assert page.request.get(f"/api/todos/{todo['id']}").json()["status"] == "done"
    page.get_by_test_id("toast").get_by_role("button", name=words("undo")).click()
    expect(tick).not_to_be_checked()
    expect(statuses.locator("[data-status=done] .count")).to_have_text("0")
    assert page.request.get(f"/api/todos/{todo['id']}").json()["status"] == "open"


def test_what_cannot_be_finished_is_open_again_and_can_be_retried(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Water the plants")
    page.goto("/")
    page.route("**/api/todos/*", lambda route: route.abort())
    tick = page.get_by_role("checkbox", name=words("finish", title="Water the plants"))
    tick.click()
    message = page.get_by_test_id("toast")
    expect(message).to_contain_text(words("cause.cut"))
    expect(message).to_contain_text(words("maybe.saved"))
    expect(tick).not_to_be_checked()
    page.unroute_all()
    message.get_by_role("button", name=words("retry")).click()
    expect(tick).to_be_checked()


def test_a_todo_is_paused_and_closed_from_its_menu(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Wait for the parts")
    page.goto("/")
    row = page.get_by_test_id("todo")
    for status in ("paused", "closed"):
        row.locator("[data-focus=more]").click()
        page.get_by_role("menuitem", name=words(f"become.{status}")).click()
        expect(row).to_have_attribute("data-status", status)
        expect(row).to_contain_text(words(f"status.{status}"))


def test_a_finished_todo_leaves_the_list_of_open_ones_and_the_focus_stays(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    for title in ("Third", "Second", "First"):
        make_todo(title)
    page.goto("/?status=open")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(3)
    page.get_by_role("checkbox", name=words("finish", title="Second")).press("Enter")
    expect(rows).to_have_count(2)
    expect(page.get_by_role("checkbox", name=words("finish", title="Third"))).to_be_focused()


def test_deleting_waits_and_undo_takes_it_back(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Keep me")
    page.clock.install()
    page.goto("/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    expect(page.get_by_test_id("todo")).to_have_count(1)
    stop_time(page)
    page.get_by_test_id("todo").locator("[data-focus=more]").click()
    page.get_by_role("menuitem", name=words("remove")).click()
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.get_by_test_id("toast").get_by_role("button", name=words("undo")).click()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    # Longer than the moment for undoing: nothing may follow.
    page.clock.run_for(10_000)
    page.get_by_role("searchbox").fill("Keep")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url("/?q=Keep")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert set(sent) <= {"GET"}
    assert titles(page) == {"Keep me"}


def test_many_are_deleted_when_the_moment_has_passed(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    for title in ("Keep", "Drop one", "Drop two"):
        make_todo(title)
    page.clock.install()
    page.goto("/")
    page.get_by_test_id("select-mode").click()
    for title in ("Drop one", "Drop two"):
        page.get_by_role("checkbox", name=words("select.one", title=title)).check()
    bar = page.get_by_test_id("selection")
    expect(bar).to_contain_text(words("selected", n=2))
    stop_time(page)
    bar.get_by_role("button", name=words("remove")).click()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    page.clock.run_for(5999)
    assert titles(page) == {"Keep", "Drop one", "Drop two"}
    with page.expect_response("**/api/todos/remove") as answer:
        page.clock.run_for(1)
    assert len(answer.value.json()["removed"]) == 2
    assert titles(page) == {"Keep"}
    expect(page.get_by_test_id("statuses").locator("[data-status=all] .count")).to_have_text("1")


def test_many_are_finished_at_once(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    for title in ("One", "Two"):
        make_todo(title)
    page.goto("/")
    page.get_by_test_id("select-mode").click()
    bar = page.get_by_test_id("selection")
    bar.get_by_role("button", name=words("select.all")).click()
    bar.get_by_role("button", name=words("become.done")).click()
    expect(page.locator(".todo[data-status=done]")).to_have_count(2)
    expect(bar).to_be_hidden()


def test_leaving_the_page_sends_what_waits(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Gone when I leave")
    page.goto("/")
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.goto("about:blank")
    # The browser sends it after the page has gone; nothing tells when it has arrived.
    until = time.monotonic() + PATIENCE
    while titles(page) and time.monotonic() < until:
        time.sleep(0.02)
    assert titles(page) == set()


def test_a_reload_does_not_bring_back_what_was_deleted(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Gone on reload")
    page.goto("/")
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("#")
    page.reload()
    expect(page.get_by_test_id("empty")).to_be_visible()
    assert titles(page) == set()


def test_what_cannot_be_deleted_comes_back_with_the_reason(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Not yours to delete")
    kept = {"type": "urn:bff:problem:forbidden", "status": 403, "detail": ""}
    page.route(f"**/api/todos/{todo['id']}", lambda route: route.fulfill(status=403, json=kept))
    page.clock.install()
    page.goto("/")
    page.get_by_test_id("todo").locator("a").focus()
    stop_time(page)
    page.keyboard.press("Delete")
    page.get_by_test_id("toast").get_by_role("button", name=words("dismiss")).click()
    expect(page.get_by_test_id("toast")).to_contain_text(words("problem.forbidden"))
    expect(page.get_by_test_id("todo")).to_have_count(1)
