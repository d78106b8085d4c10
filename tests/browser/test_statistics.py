"""The statistics: a drawn chart, and the same numbers for who cannot see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

SEEN_GROWING = """() => new Promise((done) => {
  const look = () => (window.seen?.includes("grow") ? done() : requestAnimationFrame(look));
  look();
})"""


def test_the_numbers_are_those_of_the_todos(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str], account: Any
) -> None:
    for title, status in (("One", "open"), ("Two", "done"), ("Three", "done"), ("Four", "paused")):
        make_todo(title, status=status)
    page.goto("/stats")
    expect(page.get_by_test_id("stats-statuses").locator("dd")).to_have_text(["1", "1", "2", "0"])
    chart = page.get_by_test_id("chart")
    expect(chart).to_have_role("img")
    expect(chart).to_have_accessible_name(words("chart.title", n=2))
    expect(chart.locator(".chart-day")).to_have_count(14)
    expect(chart.locator(".chart-bar")).to_have_count(1)
    expect(chart.locator(".chart-day").last.locator(".chart-n")).to_have_text("2")
    mine = page.get_by_test_id("stats-people").get_by_role("row").filter(has_text=account.name)
    expect(mine.locator("td.n")).to_have_text(["1", "1", "2", "0", "4"])


def test_the_bars_grow_once_and_not_again_when_the_window_changes(
    page: Page, make_todo: Callable[..., Any], look: Any
) -> None:
    make_todo("One", status="done")
    page.add_init_script(
        "addEventListener('animationstart', (e) => (window.seen ??= []).push(e.animationName))"
    )
    page.goto("/stats")
    chart = page.get_by_test_id("chart")
    page.evaluate(SEEN_GROWING)
    before = chart.get_attribute("viewBox")
    page.evaluate("window.seen = []")
    page.set_viewport_size({"width": 1280 if look.is_phone else 390, "height": 860})
    expect(chart).not_to_have_attribute("viewBox", before or "")
    # An animation that is to run has been told of two frames later.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert "grow" not in page.evaluate("window.seen")


def test_the_chart_is_a_table_too(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("One", status="done")
    page.goto("/stats")
    page.get_by_text(words("as-table")).press("Enter")
    rows = page.get_by_role("table", name=words("chart.days")).locator("tbody tr")
    expect(rows).to_have_count(14)
    expect(rows.last.locator("td")).to_have_text("1")


def test_a_part_that_is_missing_is_told_and_can_be_asked_for_again(
    page: Page, words: Callable[..., str]
) -> None:
    failure = {"type": "urn:bff:problem:backend-failed", "status": 502, "fields": ["days"]}
    partial = {
        "people": [],
        "statuses": {"open": 3, "done": 0, "paused": 0, "closed": 0},
        "days": None,
        "errors": [failure],
    }
    page.route("**/api/stats?*", lambda route: route.fulfill(json=partial), times=1)
    page.goto("/stats")
    expect(page.get_by_test_id("stats-statuses").locator("dd").first).to_have_text("3")
    missing = page.get_by_test_id("stats-days").get_by_test_id("missing")
    expect(missing).to_contain_text(words("missing.part", what=words("chart.days")))
    missing.get_by_role("button", name=words("retry")).click()
    expect(page.get_by_test_id("chart")).to_be_visible()
