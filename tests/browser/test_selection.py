"""Choosing many: the bar that says what can be done with them, and the messages above it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import no_sideways_scroll, settled, stop_time
from tests.servers import Visitor


def box_of(found: Locator) -> dict[str, float]:
    box = found.bounding_box()
    assert box is not None
    return dict(box)


def lies_on(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two boxes have a pixel in common."""
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


SIZES = [(1280, 860), (720, 600), (390, 844), (320, 640)]


@pytest.mark.parametrize("count", [1, 3, 14])
def test_messages_stand_above_the_bar(
    page: Page,
    make_todo: Callable[..., Any],
    words: Callable[..., str],
    shot: Callable[[str], None],
    count: int,
) -> None:
    for at in range(count):
        make_todo(f"Todo {at}")
    page.clock.install()
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(count)
    stop_time(page)  # the message stays for as long as the test looks at it
    page.get_by_test_id("todo").first.locator("[data-focus=tick]").click()
    message = page.get_by_test_id("toast")
    expect(message).to_be_visible()
    page.get_by_test_id("select-mode").click()
    bar = page.get_by_test_id("selection")
    bar.get_by_role("button", name=words("select.all")).click()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        no_sideways_scroll(page)
        if count == 14:
            shot(f"selection-and-message-{width}")
        assert not lies_on(box_of(bar), box_of(message)), width
        for part in (*bar.get_by_role("button").all(), bar.get_by_role("status")):
            assert not lies_on(box_of(part), box_of(message)), width
            # What is at that point is the thing itself, not something over it.
            assert part.evaluate(
                """element => {
                    const { x, y, width, height } = element.getBoundingClientRect();
                    return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
                }"""
            ), width
    bar.get_by_role("button", name=words("become.done")).click()
    expect(page.locator(".todo[data-status=done]")).to_have_count(count)
    expect(bar).to_be_hidden()


def test_the_last_row_can_be_chosen_beside_the_bar(page: Page, make_todo: Callable[..., Any]) -> None:
    for at in range(22):
        make_todo(f"Todo {at}")
    page.goto("/")
    page.get_by_test_id("select-mode").click()
    expect(page.get_by_test_id("selection")).to_be_visible()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    bar = box_of(page.get_by_test_id("selection"))
    assert not lies_on(bar, box_of(page.get_by_test_id("todo").last))
    assert not lies_on(bar, box_of(page.get_by_test_id("pager")))


def test_a_long_message_is_whole(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    title = "Averyveryverylongwordwithoutanyspaceinit " * 4
    make_todo(title.strip())
    page.route("**/api/todos/*", lambda route: route.abort())
    page.goto("/")
    page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    text = page.get_by_test_id("toast").locator(".toast-text")
    expect(text).to_contain_text(words("maybe.saved"))
    expect(text).to_contain_text("…")
    # Nothing is hidden, and nothing of a line beyond the box is seen.
    assert text.evaluate(
        """element => {
            const boxes = [element, ...element.querySelectorAll('*')];
            const toast = element.closest('.toast').getBoundingClientRect();
            const words = element.getBoundingClientRect();
            return boxes.every((one) => one.scrollHeight <= one.clientHeight) && words.bottom <= toast.bottom;
        }"""
    )


def test_delete_says_why_it_cannot_be_used(
    page: Page,
    make_todo: Callable[..., Any],
    visitor: Visitor,
    other_account: Visitor,
    words: Callable[..., str],
    shot: Callable[[str], None],
    serious: Callable[[], list[str]],
) -> None:
    make_todo("Mine")
    for title in ("Theirs", "Theirs too"):
        other_account.add(title, helper=visitor.id)
    page.goto("/")
    page.get_by_test_id("select-mode").click()
    bar = page.get_by_test_id("selection")
    why = bar.get_by_test_id("selection-why")
    delete = bar.get_by_role("button", name=words("remove"))
    expect(why).to_have_text(words("select.first"))
    expect(delete).to_be_disabled()
    for title, told in (("Mine", ""), ("Theirs", 1), ("Theirs too", 2)):
        page.get_by_role("checkbox", name=words("select.one", title=title), exact=True).check()
        if not told:
            expect(why).to_have_count(0)
            expect(delete).to_be_enabled()
            continue
        expect(why).to_have_text(words("select.others", n=told))
        expect(delete).to_be_disabled()
        expect(delete).to_have_accessible_description(words("select.others", n=told))
        expect(bar.get_by_role("button", name=words("become.done"))).to_be_enabled()
    delete.focus()
    expect(delete).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("todo")).to_have_count(3)
    shot("selection-others")
    assert serious() == []


def test_escape_leaves_the_selection(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("One")
    page.goto("/")
    bar = page.get_by_test_id("selection")
    for focus in ("a row", "the bar", "nothing"):
        page.get_by_test_id("select-mode").click()
        page.get_by_role("checkbox", name=words("select.one", title="One")).check()
        if focus == "the bar":
            bar.get_by_role("button", name=words("select.none")).focus()
        elif focus == "nothing":
            page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Escape")
        expect(bar, focus).to_be_hidden()
        expect(page.get_by_test_id("select-mode"), focus).to_be_focused()
        expect(page.get_by_role("checkbox", name=words("finish", title="One")), focus).to_be_visible()


def test_escape_closes_what_is_open_over_the_selection_first(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("One")
    page.goto("/")
    page.get_by_test_id("select-mode").click()
    bar = page.get_by_test_id("selection")
    page.get_by_test_id("account").click()
    expect(page.get_by_test_id("settings")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("settings")).to_have_count(0)
    expect(bar).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_test_id("keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("keys-dialog")).to_have_count(0)
    expect(bar).to_be_visible()
    page.get_by_role("searchbox").fill("One")
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
