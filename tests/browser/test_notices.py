"""Notices above the list and all of them in a dialog."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import whole

NOTICE = {
    "en": "The lift is being repaired.",
    "zh": "电梯正在维修。",
    "published": "2026-11-02 08:00:00.000Z",
}


def with_notice(route: Route) -> None:
    answer = whole(route)
    route.fulfill(response=answer, body=json.dumps({**answer.json(), "notice": NOTICE}))


def test_the_newest_is_shown_in_the_readers_language_until_put_away(
    page: Page, words: Callable[..., str], look: object
) -> None:
    page.route("**/api/home?**", with_notice)
    page.goto("/")
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text(NOTICE[getattr(look, "language", "en")])
    notice.get_by_role("button", name=words("notice.dismiss")).click()
    expect(notice).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("empty")).to_be_visible()
    expect(notice).to_have_count(0)


def test_all_of_them_are_in_a_dialog(page: Page, words: Callable[..., str]) -> None:
    page.route(
        "**/api/notices",
        lambda route: route.fulfill(status=503, json={"type": "urn:bff:problem:not-ready"}),
        times=1,
    )
    page.goto("/")
    page.get_by_test_id("account").click()
    page.get_by_role("button", name=words("notices")).last.click()
    dialog = page.get_by_test_id("notices-dialog")
    expect(dialog).to_contain_text(words("problem.not-ready"))
    page.unroute_all()
    page.route("**/api/notices", lambda route: route.fulfill(json={"notices": [{"id": "1", **NOTICE}]}))
    dialog.get_by_role("button", name=words("retry")).click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
