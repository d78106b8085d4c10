"""What a visitor sends again because no answer came is done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.test_add_and_edit import fail_once


def lose_the_answer_once(page: Page, url: str) -> list[str | None]:
    """The first POST arrives and its answer does not; gives the keys of all of them."""
    keys: list[str | None] = []

    def pass_on(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(url, pass_on)
    return keys


def test_a_todo_whose_answer_was_lost_is_there_once(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    form = page.get_by_test_id("composer")
    title = form.get_by_label(words("title"))
    for there, reloads in enumerate((False, True), 1):
        text = f"Only once, reloads: {reloads}"
        keys = lose_the_answer_once(page, "**/api/todos")
        title.fill(text)
        title.press("Enter")
        expect(form.get_by_test_id("problem")).to_have_text(f"{words('cause.cut')} {words('maybe.saved')}")
        if reloads:
            page.reload()
            expect(title).to_have_value(text)  # what was written is there again
        title.press("Enter")
        expect(title).to_have_value("")
        expect(page.get_by_test_id("todo")).to_have_count(there)
        assert keys[0] is not None and keys[0] == keys[1]
        assert page.request.get("/api/home").json()["total"] == there
        page.unroute_all()


def test_a_comment_whose_answer_was_lost_is_there_once(
    page: Page,
    make_todo: Callable[..., Any],
    words: Callable[..., str],
) -> None:
    todo = make_todo("Talk")
    keys = lose_the_answer_once(page, "**/comments")
    page.goto(f"/todos/{todo['id']}")
    text = page.get_by_label(words("comment.new"))
    text.fill("Once")
    page.get_by_role("button", name=words("comment.send")).click()
    expect(page.get_by_test_id("problem")).to_have_text(f"{words('cause.cut')} {words('maybe.saved')}")
    page.get_by_role("button", name=words("comment.send")).click()
    expect(text).to_have_value("")
    expect(page.get_by_test_id("comments").get_by_role("listitem")).to_have_count(1)
    assert keys[0] is not None and keys[0] == keys[1]
    assert len(page.request.get(f"/api/todos/{todo['id']}").json()["comments"]) == 1


def test_the_same_words_sent_twice_on_purpose_are_two_todos(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    title = page.get_by_test_id("composer").get_by_label(words("title"))
    for count in (1, 2):
        title.fill("Milk")
        title.press("Enter")
        expect(page.get_by_test_id("todo")).to_have_count(count)


def test_a_changed_text_has_a_key_of_its_own(page: Page, words: Callable[..., str]) -> None:
    keys: list[str | None] = []
    page.on(
        "request",
        lambda request: (
            keys.append(request.headers.get("idempotency-key")) if request.method == "POST" else None
        ),
    )
    fail_once(page, "**/api/todos", "POST")
    page.goto("/")
    form = page.get_by_test_id("composer")
    title = form.get_by_label(words("title"))
    title.fill("Milk")
    title.press("Enter")
    expect(form.get_by_test_id("problem")).to_have_text(words("problem.backend-unavailable"))
    title.fill("Oat milk")
    title.press("Enter")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    assert len(keys) == len(set(keys)) == 2 and None not in keys
