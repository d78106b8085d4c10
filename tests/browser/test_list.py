"""The list: filters, search, order and pages, all held by the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import stop_time, whole


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
    page.clock.install()
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(3)
    stop_time(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/home" in request.url else None)
    for key in "50%":
        page.clock.run_for(299)
        page.get_by_role("searchbox").press(key)
    page.clock.run_for(299)
    assert asked == []
    page.clock.resume()
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


def test_by_due_date_what_is_to_be_done_comes_first(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("done long ago", due="2020-01-01", status="done")
    make_todo("closed", due="2021-01-01", status="closed")
    make_todo("no date")
    make_todo("paused", due="2030-01-01", status="paused")
    make_todo("late", due="2025-01-01")
    page.goto("/?sort=due")
    titles = page.locator(".todo-title")
    expect(titles).to_have_text(["late", "paused", "no date", "done long ago", "closed"])
    page.goto("/?sort=due&status=done")
    expect(titles).to_have_text(["done long ago"])


def test_by_title_large_letters_do_not_come_first(page: Page, make_todo: Callable[..., Any]) -> None:
    for title in ("Zebra", "apple", "Banana", "读书"):
        make_todo(title)
    page.goto("/?sort=title")
    expect(page.locator(".todo-title")).to_have_text(["apple", "Banana", "Zebra", "读书"])


def scroll_to(page: Page, y: int) -> None:
    page.evaluate("(y) => scrollTo(0, y)", y)
    assert scroll_of(page) == y


def scroll_of(page: Page) -> int:
    return round(page.evaluate("scrollY"))


def expect_scroll(page: Page, y: int) -> None:
    page.wait_for_function("(y) => Math.abs(scrollY - y) < 2", arg=y)


def test_back_and_forward_lead_to_the_place_one_left(page: Page, make_todo: Callable[..., Any]) -> None:
    for at in range(25):
        make_todo(f"Todo {at:02}", note="Long enough to be read. " * 4)
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(20)
    link = page.get_by_role("link", name="Todo 14")
    # In the middle nothing lies above it, and the click need not scroll.
    link.evaluate("(link) => link.scrollIntoView({ block: 'center' })")
    left_at = scroll_of(page)
    assert left_at > 300
    link.click()
    expect(page.get_by_role("heading", level=1, name="Todo 14")).to_be_visible()
    expect_scroll(page, 0)
    page.go_back()
    expect(rows).to_have_count(20)
    expect_scroll(page, left_at)
    scroll_to(page, 300)
    page.go_forward()
    expect(page.get_by_role("heading", level=1, name="Todo 14")).to_be_visible()
    page.go_back()
    expect_scroll(page, 300)
    page.reload()
    expect(rows).to_have_count(20)
    expect_scroll(page, 300)


def test_a_turned_page_begins_at_its_top_and_back_ends_where_it_was_turned(
    page: Page, make_todo: Callable[..., Any]
) -> None:
    for at in range(42):
        make_todo(f"Todo {at:02}", note="Long enough to be read.")
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(20)
    following = page.get_by_test_id("pager").locator("[rel=next]")
    following.scroll_into_view_if_needed()
    turned_at = scroll_of(page)
    assert turned_at > 300
    following.click()
    expect(rows.first).to_contain_text("Todo 21")
    expect_scroll(page, 0)
    scroll_to(page, 200)
    page.go_back()
    expect(rows.first).to_contain_text("Todo 41")
    expect_scroll(page, turned_at)
    page.go_forward()
    expect(rows.first).to_contain_text("Todo 21")
    expect_scroll(page, 200)


def test_another_language_leaves_the_place(page: Page, make_todo: Callable[..., Any], look: Any) -> None:
    for at in range(20):
        make_todo(f"Todo {at:02}", note="Long enough to be read.")
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(20)
    scroll_to(page, 400)
    page.get_by_test_id("account").click()
    other = {"en": "中文", "zh": "English"}[look.language]
    page.get_by_role("radio", name=other).click(force=True)
    expect(page.locator("html")).to_have_attribute("lang", {"en": "zh-CN", "zh": "en"}[look.language])
    expect_scroll(page, 400)


def test_a_list_that_does_not_come_leaves_no_rows_of_another(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    for at in range(21):
        make_todo(f"Todo {at:02}")
    rows = page.get_by_test_id("todo")
    statuses = page.get_by_test_id("statuses")
    failed = page.get_by_test_id("failed")
    page.goto("/stats")
    for change, act, there in (
        ("status", lambda: statuses.locator("[data-status=done]").click(), 0),
        ("search", lambda: page.get_by_role("searchbox").fill("unicorn"), 0),
        ("order", lambda: page.locator("select").select_option("title"), 20),
        ("page", lambda: page.get_by_test_id("pager").locator("[rel=next]").click(), 1),
        ("back", lambda: page.go_back(), 20),
    ):
        page.locator("a.brand").click()
        statuses.locator("[data-status=open]").click()
        expect(page).to_have_url("/?status=open")
        expect(rows).to_have_count(20)
        statuses.locator("[data-status=all]").click()
        expect(page).to_have_url("/")
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        page.route("**/api/home?**", lambda route: route.abort())
        act()
        expect(failed, change).to_contain_text(words("problem.offline"))
        expect(rows, change).to_have_count(0)
        expect(page.get_by_test_id("pager"), change).to_be_hidden()
        expect(page.get_by_test_id("missing"), change).to_have_count(0)
        page.unroute_all()
        failed.get_by_role("button", name=words("retry")).click()
        expect(failed, change).to_have_count(0)
        expect(rows, change).to_have_count(there)


@pytest.mark.parametrize("pressed", ["[data-status=open]", "[data-testid=todo] a"])
def test_an_answer_takes_nothing_from_under_a_button_that_is_held(
    page: Page, make_todo: Callable[..., Any], pressed: str
) -> None:
    made = make_todo("One")
    to = "/?status=open" if "status" in pressed else f"/todos/{made['id']}"
    page.goto("/?status=open")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    held: list[Route] = []
    page.route("**/api/home?**", lambda route: held.append(route))
    page.get_by_test_id("statuses").locator("[data-status=all]").click()
    expect(page).to_have_url("/")
    page.locator(pressed).first.hover()
    page.mouse.down()
    held[0].fulfill(response=whole(held[0]))
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.mouse.up()
    expect(page).to_have_url(to)


def test_a_list_that_could_not_be_read_anew_keeps_its_rows(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("One")
    make_todo("Two")
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(2)
    page.route("**/api/home?**", lambda route: route.abort())
    page.get_by_role("checkbox", name=words("finish", title="One")).click()
    expect(page.get_by_test_id("failed")).to_be_visible()
    expect(rows).to_have_count(2)


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
