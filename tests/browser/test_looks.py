"""Languages, colours, sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect


def test_the_browser_chooses_the_language_and_the_visitor_another(
    page: Page, make_todo: Callable[..., Any], look: Any
) -> None:
    make_todo("Same in both", due="2031-02-03")
    search = {"en": "Search titles and notes", "zh": "搜索标题和备注"}
    other = "zh" if look.language == "en" else "en"
    page.goto("/?q=same")
    expect(page.get_by_placeholder(search[look.language])).to_be_visible()
    page.get_by_test_id("composer").locator("[name=title]").fill("Half a title")
    page.get_by_test_id("account").click()
    page.get_by_role("radio", name={"en": "English", "zh": "中文"}[other]).click(force=True)
    expect(page.get_by_placeholder(search[other])).to_be_visible()
    expect(page.get_by_test_id("todo")).to_contain_text({"en": "2031", "zh": "2031年2月3日"}[other])
    expect(page.get_by_test_id("composer").locator("[name=title]")).to_have_value("Half a title")
    expect(page).to_have_url("/?q=same")
    page.reload()
    expect(page.get_by_placeholder(search[other])).to_be_visible()


def test_every_text_is_there_in_both_languages(fresh_page: Page) -> None:
    fresh_page.goto("/signin")
    texts = fresh_page.evaluate("import('/texts.js').then((module) => module.TEXTS)")
    assert len(texts) > 150
    assert [key for key, pair in texts.items() if len(pair) != 2 or not all(pair)] == []
    assert [
        key for key, (_, zh) in texts.items() if not any("\u4e00" <= letter <= "\u9fff" for letter in zh)
    ] == []


def test_the_look_follows_the_system_and_can_be_chosen(
    page: Page, look: Any, words: Callable[..., str]
) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    first = page.evaluate(background)
    other = "light" if look.scheme == "dark" else "dark"
    page.get_by_test_id("account").click()
    page.get_by_role("radio", name=words(f"theme.{other}")).check(force=True)
    second = page.evaluate(background)
    assert first != second
    page.reload()
    expect(page.get_by_test_id("empty")).to_be_visible()
    assert page.evaluate(background) == second


def test_on_a_phone_everything_can_be_touched(page: Page, make_todo: Callable[..., Any]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    todo = make_todo("Touch me", note="A note " * 30, due="2030-01-01")
    make_todo("W" * 200)
    for path in ("/", f"/todos/{todo['id']}", "/stats"):
        page.goto(path)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        small = page.evaluate(
            """() => [...document.querySelectorAll('main :is(button, input, select), nav a, .account')]
              .filter((element) => element.checkVisibility())
              .map((element) => [element.closest('.select-box, .segment') ?? element, element])
              .filter(([box]) => box.getBoundingClientRect().height < 43.5)
              .filter(([, element]) => !element.matches('.link, .skip'))
              .map(([, element]) => element.outerHTML.slice(0, 120))"""
        )
        assert small == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_at_320_pixels_nothing_needs_sideways_scrolling(page: Page, make_todo: Callable[..., Any]) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    todo = make_todo("Averyveryverylongwordwithoutanyspaceinit" * 4)
    for path in ("/", f"/todos/{todo['id']}", "/stats"):
        page.goto(path)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_who_wants_less_motion_gets_none(page: Page, make_todo: Callable[..., Any]) -> None:
    page.emulate_media(reduced_motion="reduce")
    make_todo("Keep still")
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    slow = """() => [...document.querySelectorAll('*')].map(getComputedStyle)
      .flatMap((style) => [style.animationDuration, style.transitionDuration])
      .filter((time) => parseFloat(time) > 0.01).length"""
    assert page.evaluate(slow) == 0
