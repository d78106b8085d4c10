"""The list: filters, search, order and pages, all held by the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect


def test_statuses_filter_and_count(page: Page, make_todo: Callable[..., Any]) -> None:
    for title, status in (("One", "open"), ("Two", "open"), ("Three", "done"), ("Four", "paused")):
        make_todo(title, status=status)
    page.goto("/")
    rows = page.get_by_test_id("todo")
    statuses = page.get_by_test_id("statuses")
    expect(rows).to_have_count(4)
    for status, count in (("all", 4), ("open", 2), ("paused", 1), ("done", 1), ("closed", 0)):
        expect(statuses.locator(f"[data-status={status}] .count")).to_have_text(str(count))
    statuses.locator("[data-status=done]").click()
    expect(page).to_have_url("/?status=done")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Three")
    expect(statuses.locator("[data-status=done]")).to_have_attribute("aria-current", "page")


def test_the_search_waits_for_a_pause_and_says_how_many(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    for title in ("Buy 50% more milk", "Buy 500 nails", "读《红楼梦》"):
        make_todo(title)
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(3)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/home" in request.url else None)
    page.get_by_role("searchbox").press_sequentially("50%", delay=40)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Buy 50% more milk")
    expect(page.get_by_test_id("said")).to_have_text(words("found", n=1))
    assert len(asked) == 1
    page.get_by_role("searchbox").fill("红楼")
    expect(rows).to_contain_text("读《红楼梦》")
    page.get_by_role("button", name=words("search.clear")).click()
    expect(rows).to_have_count(3)
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_the_order_can_be_chosen(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("b", due="2030-01-01")
    make_todo("a", due="2031-01-01")
    page.goto("/?sort=title")
    titles = page.locator(".todo-title")
    expect(titles).to_have_text(["a", "b"])
    page.locator("select").select_option("due")
    expect(titles).to_have_text(["b", "a"])
    expect(page).to_have_url("/?sort=due")


def test_back_forward_and_reload_keep_what_is_seen(page: Page, make_todo: Callable[..., Any]) -> None:
    for at in range(25):
        make_todo(f"Todo {at:02}", status="done" if at < 3 else "open")
    page.goto("/")
    rows = page.get_by_test_id("todo")
    pager = page.get_by_test_id("pager")
    expect(rows).to_have_count(20)
    pager.locator("[rel=next]").click()
    expect(page).to_have_url("/?page=2")
    expect(rows).to_have_count(5)
    page.get_by_test_id("statuses").locator("[data-status=done]").click()
    expect(rows).to_have_count(3)
    page.reload()
    expect(rows).to_have_count(3)
    page.go_back()
    expect(page).to_have_url("/?page=2")
    expect(rows).to_have_count(5)
    page.go_back()
    expect(rows).to_have_count(20)
    page.go_forward()
    expect(rows).to_have_count(5)
    page.goto("/?page=9")
    expect(page).to_have_url("/?page=2")
    expect(rows).to_have_count(5)


def test_a_todo_opens_and_back_leads_to_the_same_list(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Find me")
    make_todo("Something else")
    page.goto("/?q=find")
    page.get_by_role("link", name="Find me").click()
    expect(page.get_by_role("heading", level=1, name="Find me")).to_be_visible()
    page.locator(".back").click()
    expect(page).to_have_url("/?q=find")
    expect(page.get_by_test_id("todo")).to_have_count(1)


def test_an_odd_address_is_as_good_as_none(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Still here")
    page.goto("/?status=nonsense&sort=&page=-1&more=1")
    expect(page.get_by_test_id("todo")).to_have_count(1)


def test_titles_are_text_and_never_markup(page: Page, make_todo: Callable[..., Any]) -> None:
    title = "<img src=x onerror=document.title='caught'> {title} a|b"
    todo = make_todo(title, note="<script>document.title='caught'</script>")
    page.goto("/")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.goto(f"/todos/{todo['id']}")
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.title() != "caught"
