"""A session that ends asks to sign in where the visitor is, and goes on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "right horse battery"


@pytest.fixture
def sign_in_again(page: Page, account: Any) -> Callable[..., None]:
    """Answers the dialog; the email is known already."""

    def sign_in_again(email: str | None = None) -> None:
        dialog = page.get_by_test_id("sign-in-dialog")
        expect(dialog.locator("[name=email]")).to_have_value(account.email)
        expect(dialog.locator("[name=password]")).to_be_focused()
        if email:
            dialog.locator("[name=email]").fill(email)
        dialog.locator("[name=password]").fill(account.password)
        dialog.locator("button[type=submit]").click()
        expect(dialog).to_have_count(0)

    return sign_in_again


def test_what_was_asked_is_asked_again_after_signing_in(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str], sign_in_again: Callable[..., None]
) -> None:
    make_todo("Water the plants")
    page.goto("/")
    tick = page.get_by_role("checkbox", name=words("finish", title="Water the plants"))
    expect(tick).to_be_visible()
    page.context.clear_cookies()
    tick.click()
    sign_in_again()
    expect(tick).to_be_checked()
    expect(page.get_by_test_id("statuses").locator("[data-status=done] .count")).to_have_text("1")


def test_a_form_that_was_being_sent_is_sent(
    page: Page, words: Callable[..., str], sign_in_again: Callable[..., None]
) -> None:
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.context.clear_cookies()
    title = page.get_by_test_id("composer").get_by_label(words("title"))
    title.fill("Written before, sent after")
    title.press("Enter")
    sign_in_again()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(page.get_by_test_id("todo")).to_contain_text("Written before, sent after")
    expect(page).to_have_url("/")


def test_who_closes_the_dialog_keeps_what_was_typed(page: Page, words: Callable[..., str]) -> None:
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.context.clear_cookies()
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Not lost")
    form.get_by_label(words("title")).press("Enter")
    expect(page.get_by_test_id("sign-in-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(form.get_by_test_id("problem")).to_have_text(words("problem.unauthorized"))
    expect(form.get_by_label(words("title"))).to_have_value("Not lost")


def test_a_reload_after_the_end_leads_back_to_the_place_and_the_draft(
    page: Page, make_todo: Callable[..., Any], account: Any, words: Callable[..., str]
) -> None:
    todo = make_todo("Talk about this")
    page.goto(f"/todos/{todo['id']}")
    # A draft is kept for whoever the page then knows.
    expect(page.get_by_test_id("account").locator(".avatar[data-person]")).to_be_visible()
    text = page.get_by_label(words("comment.new"), exact=True)
    text.fill("Half a thought")
    page.context.clear_cookies()
    page.reload()
    form = page.get_by_test_id("signin-form")
    form.locator("[name=email]").fill(account.email)
    form.locator("[name=password]").fill(account.password)
    form.locator("button[type=submit]").click()
    expect(page).to_have_url(f"/todos/{todo['id']}")
    expect(text).to_have_value("Half a thought")


def test_nothing_is_repeated_for_somebody_else(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str], sign_in_again: Callable[..., None]
) -> None:
    make_todo("Mine alone")
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    other = f"{uuid.uuid4().hex[:12]}@example.com"
    signed = page.request.post("/api/signup", data={"name": "Other", "email": other, "password": PASSWORD})
    assert signed.ok
    page.context.clear_cookies()
    title = page.get_by_test_id("composer").get_by_label(words("title"))
    title.fill("Meant for my own list")
    title.press("Enter")
    sign_in_again(other)
    expect(page.get_by_test_id("empty")).to_be_visible()
    expect(title).to_have_value("")
    assert page.request.get("/api/home").json()["total"] == 0


def test_a_session_that_the_backend_no_longer_knows_asks_too(
    page: Page, account: Any, words: Callable[..., str], app_backend: Any
) -> None:
    me = page.request.get("/api/home").json()["me"]["id"]
    page.goto("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    # A new password makes every token of before worthless, while the cookie still opens.
    app_backend.request(
        "PATCH",
        f"/api/collections/people/records/{me}",
        {"password": "another horse", "passwordConfirm": "another horse"},
    )
    page.get_by_test_id("statuses").locator("[data-status=done]").click()
    dialog = page.get_by_test_id("sign-in-dialog")
    expect(dialog).to_be_visible()
    dialog.locator("[name=password]").fill("another horse")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("empty")).to_be_visible()
