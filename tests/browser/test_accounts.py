"""Signing in, up and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect


@pytest.fixture
def fill_in(fresh_page: Page) -> Callable[..., None]:
    """Types into a form by input name and sends it."""

    def fill_in(form: str, **values: str) -> None:
        found = fresh_page.get_by_test_id(form)
        for name, value in values.items():
            found.locator(f"[name={name}]").fill(value)
        found.locator("button[type=submit]").click()

    return fill_in


def test_a_visitor_signs_up_and_out_and_in_again(
    fresh_page: Page, account: Any, fill_in: Callable[..., None], words: Callable[..., str]
) -> None:
    fresh_page.goto("/")
    expect(fresh_page).to_have_url("/signin")
    fresh_page.get_by_role("link", name=words("signup")).click()
    fill_in("signup-form", name=account.name, email=account.email, password=account.password)
    expect(fresh_page).to_have_url("/")
    expect(fresh_page.get_by_role("heading", level=1)).to_contain_text(account.name.split()[0])

    fresh_page.get_by_test_id("account").click()
    fresh_page.get_by_role("button", name=words("signout")).click()
    expect(fresh_page).to_have_url("/signin")
    fresh_page.goto("/stats")
    expect(fresh_page).to_have_url("/signin?next=%2Fstats")

    fill_in("signin-form", email=account.email, password=account.password)
    expect(fresh_page).to_have_url("/stats")
    expect(fresh_page.get_by_role("heading", level=1, name=words("stats"))).to_be_focused()


def test_the_menu_follows_who_is_signed_in_while_it_is_open(
    page: Page, account: Any, words: Callable[..., str]
) -> None:
    held: list[Route] = []
    page.route("**/api/home?**", lambda route: held.append(route))
    with page.expect_request("**/api/home?**"):
        page.goto("/", wait_until="commit")
    page.get_by_test_id("account").click()
    menu = page.get_by_test_id("settings")
    expect(menu.get_by_role("button")).to_have_text([words("keys")])
    chosen = menu.get_by_label(words("theme.system"))
    chosen.focus()
    for route in held:
        route.continue_()
    expect(menu).to_contain_text(account.email)
    expect(menu.get_by_role("button")).to_have_text(
        [words(key) for key in ("picture.change", "notices", "keys", "signout")]
    )
    expect(chosen).to_be_focused()
    assert menu.evaluate(
        """(menu) => {
            const { left, top, right, bottom } = menu.getBoundingClientRect();
            return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
        }"""
    )
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("account")).to_be_focused()


@pytest.mark.usefixtures("visitor")
def test_a_wrong_password_is_told_in_words_and_the_email_stays(
    fresh_page: Page, account: Any, fill_in: Callable[..., None], words: Callable[..., str]
) -> None:
    fresh_page.goto("/signin")
    fill_in("signin-form", email=account.email, password="wrong horse battery")
    expect(fresh_page.get_by_test_id("problem")).to_have_text(words("rule.known"))
    expect(fresh_page.locator("[name=email]")).to_have_value(account.email)
    fresh_page.reload()
    expect(fresh_page.locator("[name=email]")).to_have_value(account.email)
    expect(fresh_page.locator("[name=password]")).to_have_value("")


@pytest.mark.usefixtures("visitor")
def test_a_taken_email_is_told(
    fresh_page: Page, account: Any, fill_in: Callable[..., None], words: Callable[..., str]
) -> None:
    fresh_page.goto("/signup")
    fill_in("signup-form", name="Somebody", email=account.email, password=account.password)
    expect(fresh_page.locator("[name=email]")).to_have_accessible_description(words("invalid.taken"))
    expect(fresh_page.locator("[name=email]")).to_be_focused()
    expect(fresh_page).to_have_url("/signup")
    expect(fresh_page.locator("[name=name]")).to_have_value("Somebody")


def test_what_the_browser_can_check_is_not_sent(
    fresh_page: Page, fill_in: Callable[..., None], words: Callable[..., str]
) -> None:
    fresh_page.goto("/signup")
    sent: list[str] = []
    fresh_page.on("request", lambda request: sent.append(request.url))
    fill_in("signup-form", name="A", email="not an address", password="right horse battery")
    email = fresh_page.locator("[name=email]")
    expect(email).to_be_focused()
    expect(email).to_have_accessible_description(words("invalid.format.email"))
    assert [url for url in sent if url.endswith("/api/signup")] == []


RULES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"rule": "maxLength", "limit": 80}, {"en": "At most 80 characters.", "zh": "最多 80 个字符。"}),
    ({"rule": "noKeywordAtAll"}, {"en": "This is not accepted.", "zh": "此项不被接受。"}),
    ({"rule": "pattern", "limit": "\\S"}, {"en": "Please fill this in.", "zh": "请填写此项。"}),
    ({}, {"en": "This is not accepted.", "zh": "此项不被接受。"}),
]


def test_errors_of_fields_stand_beside_them_in_the_readers_language(
    fresh_page: Page, fill_in: Callable[..., None]
) -> None:
    error: dict[str, Any] = {}
    problem = {"type": "urn:bff:problem:invalid-input", "status": 400, "errors": [error]}
    fresh_page.route("**/api/signup", lambda route: route.fulfill(status=400, json=problem))
    name = fresh_page.locator("[name=name]")
    fresh_page.goto("/signup")
    for language in ("en", "zh"):
        fresh_page.evaluate("(one) => localStorage.setItem('language', JSON.stringify(one))", language)
        fresh_page.reload()
        for rule, told in RULES:
            error.clear()
            error.update(pointer="#/body/name", detail="is not as the server wants it", **rule)
            fill_in("signup-form", name="7", email="a@example.com", password="right horse battery")
            expect(name, f"{language}: {rule}").to_have_accessible_description(told[language])
            expect(name).to_be_focused()
            expect(fresh_page.get_by_test_id("problem")).to_be_hidden()


@pytest.mark.usefixtures("visitor")
def test_what_the_real_layer_refuses_is_told_in_chinese_too(
    fresh_page: Page, account: Any, fill_in: Callable[..., None]
) -> None:
    fresh_page.add_init_script("localStorage.setItem('language', '\"zh\"')")
    fresh_page.goto("/signup")
    # Past what the form itself checks.
    fresh_page.evaluate(
        "for (const input of document.querySelectorAll('input')) input.removeAttribute('maxlength')"
    )
    fill_in("signup-form", name="x" * 81, email=account.email, password=account.password)
    expect(fresh_page.locator("[name=name]")).to_have_accessible_description("最多 80 个字符。")
    fill_in("signup-form", name="x", email=account.email, password=account.password)
    expect(fresh_page.locator("[name=email]")).to_have_accessible_description("此邮箱已注册，请直接登录。")


def test_a_long_password_is_refused_and_never_cut(
    fresh_page: Page, fill_in: Callable[..., None], words: Callable[..., str]
) -> None:
    fresh_page.goto("/signup")
    sent: list[str] = []
    fresh_page.on("request", lambda request: sent.append(request.url))
    fill_in("signup-form", name="  ", email="a@example.com", password="x" * 72)
    password = fresh_page.locator("[name=password]")
    expect(password).to_have_value("x" * 72)
    expect(password).to_have_accessible_description(
        f"{words('invalid.maxLength', n=71)} {words('invalid.minLength', n=8)}"
    )
    expect(fresh_page.locator("[name=name]")).to_have_accessible_description(words("invalid.required"))
    assert [url for url in sent if url.endswith("/api/signup")] == []


def test_who_tries_too_often_is_told_how_long_to_wait(fresh_page: Page, fill_in: Callable[..., None]) -> None:
    problem = {"type": "urn:bff:problem:too-many-requests", "status": 429}
    answer: dict[str, Any] = {"status": 429, "json": problem, "headers": {"Retry-After": "41"}}
    values = {"email": "a@example.com", "password": "right horse battery"}
    for form, path, name in (("signin", "login", {}), ("signup", "signup", {"name": "A"})):
        fresh_page.route(f"**/api/{path}", lambda route: route.fulfill(**answer))
        fresh_page.goto(f"/{form}")
        fill_in(f"{form}-form", **name, **values)
        expect(fresh_page.get_by_test_id("problem"), form).to_contain_text("41")
        expect(fresh_page.locator("[name=email]")).to_have_value("a@example.com")


@pytest.mark.usefixtures("visitor")
def test_signing_in_leads_to_no_other_site(
    fresh_page: Page, account: Any, base_url: str, fill_in: Callable[..., None]
) -> None:
    for other in (
        "https://example.org/",
        "//example.org",
        "/\\example.org",
        "/.//example.org",
        "javascript:alert(1)",
    ):
        fresh_page.context.clear_cookies()
        fresh_page.goto(f"/signin?next={other}")
        fill_in("signin-form", email=account.email, password=account.password)
        expect(fresh_page.get_by_test_id("empty"), other).to_be_visible()
        assert fresh_page.url.rstrip("/") == base_url, other
