"""Adding and editing, with nothing lost that was typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.servers import Visitor


def fail_once(
    page: Page, url: str, method: str, kind: str = "backend-unavailable", status: int = 503
) -> None:
    """The next request of this kind fails; the ones after it pass."""
    left = [1]

    def answer(route: Route) -> None:
        if route.request.method == method and left:
            left.pop()
            route.fulfill(
                status=status, json={"type": f"urn:bff:problem:{kind}", "status": status, "detail": ""}
            )
        else:
            route.continue_()

    page.route(url, answer)


def test_a_todo_is_added_with_everything(
    page: Page, other_account: Visitor, words: Callable[..., str]
) -> None:
    page.goto("/")
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Write to the landlord")
    form.get_by_label(words("note")).fill("About the lift.\nAnd the lamp.")
    form.get_by_role("button", name=words("tomorrow")).click()
    form.get_by_role("combobox").fill(other_account.name)
    form.get_by_role("option", name=other_account.name).click()
    form.get_by_role("button", name=words("add"), exact=True).click()
    row = page.get_by_test_id("todo")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Write to the landlord")
    expect(row).to_contain_text(other_account.name)
    expect(form.get_by_label(words("title"))).to_have_value("")
    expect(form.get_by_label(words("title"))).to_be_focused()
    todo = page.request.get("/api/home").json()["todos"][0]
    assert todo["note"] == "About the lift.\nAnd the lamp."
    assert todo["due"][:10] == (date.today() + timedelta(days=1)).isoformat()
    assert todo["helper"]["id"] == other_account.id


def test_a_helper_is_picked_with_the_keyboard_and_taken_away(
    page: Page, other_account: Visitor, words: Callable[..., str]
) -> None:
    page.goto("/")
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Move the shelf")
    form.get_by_role("combobox").press_sequentially(other_account.name)
    expect(form.get_by_role("option")).to_have_count(1)
    expect(form.get_by_role("option")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    remove = form.get_by_role("button", name=words("helper.clear"))
    expect(remove).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.get_by_role("combobox")).to_be_focused()


def test_an_empty_title_is_told_beside_it(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    title = page.get_by_test_id("composer").get_by_label(words("title"))
    title.fill("   ")
    title.press("Enter")
    expect(title).to_have_accessible_description(words("invalid.required"))


def test_what_was_typed_survives_a_failure_and_a_reload(page: Page, words: Callable[..., str]) -> None:
    fail_once(page, "**/api/todos", "POST")
    page.goto("/")
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Hold on to this")
    form.get_by_label(words("note")).fill("and this")
    form.get_by_role("button", name=words("add"), exact=True).click()
    expect(form.get_by_test_id("problem")).to_have_text(words("problem.backend-unavailable"))
    expect(form.get_by_label(words("title"))).to_have_value("Hold on to this")
    page.reload()
    expect(form.get_by_label(words("note"))).to_have_value("and this")
    expect(form.get_by_test_id("restored")).to_be_visible()
    form.get_by_role("button", name=words("add"), exact=True).click()
    expect(page.get_by_test_id("todo")).to_contain_text("Hold on to this")
    page.reload()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(form.get_by_label(words("title"))).to_have_value("")


def test_an_edit_sends_only_what_differs(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Paint the door", note="green", due="2030-05-01")
    page.goto("/")
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("e")
    dialog = page.get_by_test_id("edit-dialog")
    dialog.get_by_label(words("title")).fill("Paint the gate")
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        dialog.get_by_role("button", name=words("save")).click()
    assert sent.value.post_data_json == {"title": "Paint the gate"}
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("todo")).to_contain_text("Paint the gate")
    found = page.request.get(f"/api/todos/{todo['id']}").json()
    assert (found["note"], found["due"][:10]) == ("green", "2030-05-01")


def test_an_edit_that_fails_stays_open_and_its_draft_survives(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Paint the door")
    fail_once(page, "**/api/todos/*", "PATCH", "backend-timeout", 504)
    page.goto("/")
    page.get_by_test_id("todo").locator("[data-focus=more]").click()
    page.get_by_role("menuitem", name=words("edit")).click()
    dialog = page.get_by_test_id("edit-dialog")
    dialog.get_by_label(words("title")).fill("Paint the gate")
    dialog.get_by_role("button", name=words("save")).click()
    expect(dialog.get_by_test_id("problem")).to_have_text(words("problem.backend-timeout"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.reload()
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("e")
    expect(dialog.get_by_label(words("title"))).to_have_value("Paint the gate")
    dialog.get_by_role("button", name=words("draft.discard")).click()
    expect(dialog.get_by_label(words("title"))).to_have_value("Paint the door")


def test_cancel_throws_away_what_was_typed_and_escape_keeps_it(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Paint the door")
    page.goto("/")
    dialog = page.get_by_test_id("edit-dialog")
    title = dialog.get_by_label(words("title"))

    def edit() -> None:
        page.get_by_test_id("todo").locator("a").focus()
        page.keyboard.press("e")
        expect(dialog).to_be_visible()

    edit()
    title.fill("Paint the gate")
    dialog.get_by_role("button", name=words("cancel")).click()
    expect(dialog).to_have_count(0)
    edit()
    expect(title).to_have_value("Paint the door")
    expect(dialog.get_by_test_id("restored")).to_be_hidden()
    title.fill("Paint the fence")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    edit()
    expect(title).to_have_value("Paint the fence")
    expect(dialog.get_by_test_id("restored")).to_be_visible()


def test_looking_at_the_form_leaves_no_draft(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Paint the door", note="green")
    page.goto("/")
    dialog = page.get_by_test_id("edit-dialog")
    title = dialog.get_by_label(words("title"))
    for typed in ("", "x"):
        page.get_by_test_id("todo").locator("a").focus()
        page.keyboard.press("e")
        expect(dialog.get_by_test_id("restored")).to_be_hidden()
        title.press_sequentially(typed)
        for _ in typed:
            title.press("Backspace")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    # Else this would be hidden by a draft of nothing.
    page.request.patch(f"/api/todos/{todo['id']}", data={"note": "blue"})
    page.reload()
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("e")
    expect(dialog.get_by_label(words("note"))).to_have_value("blue")


def test_a_day_that_no_calendar_of_ours_has_is_told_beside_it(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Long ago")
    due = form.locator("[name=due]")
    due.fill("1969-12-31")
    form.get_by_role("button", name=words("add"), exact=True).click()
    expect(due).to_have_accessible_description(words("invalid.range"))
    due.fill("1970-01-01")
    form.get_by_role("button", name=words("add"), exact=True).click()
    expect(page.get_by_test_id("todo")).to_have_count(1)


def test_a_refused_title_is_told_beside_it(page: Page, words: Callable[..., str]) -> None:
    problem = {
        "type": "urn:bff:problem:invalid-input",
        "status": 400,
        "errors": [{"pointer": "#/body/title", "detail": "must not shout", "rule": "maxLength", "limit": 3}],
    }
    page.route("**/api/todos", lambda route: route.fulfill(status=400, json=problem))
    page.goto("/")
    title = page.get_by_test_id("composer").get_by_label(words("title"))
    title.fill("LOUD")
    title.press("Enter")
    expect(title).to_have_accessible_description(words("invalid.maxLength", n=3))
    expect(title).to_have_value("LOUD")
