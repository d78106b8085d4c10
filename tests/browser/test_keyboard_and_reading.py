"""Everything without a mouse, and for those who listen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import settled, stop_time
from tests.servers import Visitor


def test_keys_move_and_act(page: Page, make_todo: Callable[..., Any], words: Callable[..., str]) -> None:
    for title in ("Third", "Second", "First"):
        make_todo(title)
    page.clock.install()
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(3)
    stop_time(page)  # messages stay, and what they offer
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="First")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="Second")).to_be_focused()
    page.keyboard.press("d")
    expect(rows.nth(1)).to_have_attribute("data-status", "done")
    expect(page.get_by_role("link", name="Second")).to_be_focused()
    # The message comes with the answer: before it, the newest to undo would be another.
    expect(page.get_by_test_id("toast")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.get_by_test_id("selection")).to_contain_text(words("selected", n=1))
    page.keyboard.press("#")
    expect(rows).to_have_count(2)
    page.keyboard.press("u")
    expect(rows).to_have_count(3)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("j?")
    expect(page.get_by_role("searchbox")).to_have_value("j?")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_test_id("composer").get_by_label(words("title"))).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page).to_have_url("/stats")
    page.keyboard.press("h")
    expect(page).to_have_url("/")


def test_the_keys_are_listed_and_can_be_switched_off(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_test_id("keys-dialog")
    expect(dialog).to_contain_text(words("key.search"))
    dialog.get_by_label(words("keys.on")).uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("s")
    expect(page).to_have_url("/")
    page.keyboard.press("?")
    dialog.get_by_label(words("keys.on")).check()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page).to_have_url("/stats")


def test_dialogs_hold_the_focus_and_give_it_back(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Edit me")
    page.goto("/")
    link = page.get_by_role("link", name="Edit me")
    link.focus()
    page.keyboard.press("e")
    dialog = page.get_by_test_id("edit-dialog")
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(link).to_be_focused()


def test_a_menu_is_walked_with_arrows(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Open my menu")
    page.goto("/")
    button = page.get_by_test_id("todo").locator("[data-focus=more]")
    button.press("Enter")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_have_count(0)
    expect(button).to_be_focused()


def test_the_first_tab_skips_to_the_content(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name=words("skip"))
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_the_focus_can_be_seen(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Look at me")
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    look = """() => {
      const focused = document.activeElement;
      // The card around the title of a new todo shows the title's focus.
      const style = getComputedStyle(focused.closest('.title-field') ? focused.closest('.card') : focused);
      return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
    }"""
    page.emulate_media(reduced_motion="reduce")
    seen = []
    for _ in range(18):
        page.keyboard.press("Tab")
        # Even without motion a shadow takes a frame to come.
        settled(page)
        element = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        if not element.startswith("<body") and not page.evaluate(look):
            seen.append(element)
    assert seen == []


def test_passing_through_with_the_tab_key_moves_nothing(page: Page, make_todo: Callable[..., Any]) -> None:
    for at in range(3):
        make_todo(f"Todo {at}")
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(3)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    # On a phone the line of statuses scrolls in itself, as the page does, to show what has the focus.
    where = """() => [...document.querySelectorAll('main *')].filter((element) => element.checkVisibility())
      .map((element) => { const { x, y, width, height } = element.getBoundingClientRect();
        const aside = element.closest('.statuses > *')?.parentElement.scrollLeft ?? 0;
        return [element.tagName, x + aside, y + scrollY, width, height].join(); }).join('; ')"""
    before = page.evaluate(where)
    statuses = page.get_by_test_id("statuses").locator("a")
    passed = []
    for step in ["Tab"] * 14 + ["Shift+Tab"] * 14:
        page.keyboard.press(step)
        passed.append(page.evaluate("document.activeElement.name ?? ''"))
        assert page.evaluate(where) == before
        for focused in statuses.and_(page.locator(":focus")).all():
            expect(focused).to_be_in_viewport(ratio=1)
    assert passed.count("title") == 2


def test_the_form_of_a_new_todo_opens_where_it_is_used(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    form = page.get_by_test_id("composer")
    title, note = form.get_by_label(words("title")), form.get_by_label(words("note"))
    title.focus()
    expect(note).to_be_hidden()
    page.keyboard.type("x")
    expect(note).to_be_visible()
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    page.keyboard.press("n")
    expect(note).to_be_visible()
    expect(title).to_be_focused()
    page.keyboard.press("Escape")
    title.click()
    expect(note).to_be_visible()


def test_a_helper_is_named_as_one(
    page: Page, make_todo: Callable[..., Any], other_account: Visitor, words: Callable[..., str]
) -> None:
    make_todo("Ours", helper=other_account.id)
    page.goto("/")
    fact = page.get_by_test_id("todo").locator(".fact-person")
    name = fact.locator(".fact-name")
    expect(name).to_have_text(words("helper.is", name=other_account.name))
    expect(fact).to_have_attribute("title", words("helper.is", name=other_account.name))


def test_landmarks_and_headings_tell_the_page(page: Page, words: Callable[..., str], look: Any) -> None:
    page.goto("/")
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("navigation", name=words("status"))).to_be_visible()
    expect(page.get_by_role("search")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[look.language])


def test_what_happens_is_said(page: Page, make_todo: Callable[..., Any], words: Callable[..., str]) -> None:
    make_todo("Listen")
    page.goto("/")
    said = page.get_by_test_id("said")
    expect(said).to_have_role("status")
    page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    expect(said).to_contain_text(words("became.done", title="Listen"))
    page.get_by_test_id("statuses").locator("[data-status=paused]").click()
    expect(said).to_have_text(words("found", n=0))
