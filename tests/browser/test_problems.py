"""Problems in words, and pages of which a part is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import whole

KINDS = {
    "backend-unavailable": 503,
    "backend-timeout": 504,
    "backend-failed": 502,
    "internal": 500,
    "over-bound": 500,
    "too-many-requests": 429,
    "other-site": 403,
}


def partial(*, fields: list[str], stale: bool = False, **values: Any) -> Callable[[Route], None]:
    """The real page with values taken away and an entry in `errors` that names them, or says that they are old."""
    failure = {
        "type": "urn:bff:problem:backend-timeout",
        "title": "",
        "status": 504,
        "detail": "",
        "step": "x",
    }

    def answer(route: Route) -> None:
        found = whole(route)
        body = {
            **found.json(),
            **values,
            "errors": [
                {**failure, "kind": "timeout", "retryable": True, "fields": fields}
                | ({"stale": True} if stale else {})
            ],
        }
        route.fulfill(response=found, body=json.dumps(body))

    return answer


def test_each_kind_has_words_of_its_own(page: Page, words: Callable[..., str]) -> None:
    answer: dict[str, Any] = {}
    page.route("**/api/home?**", lambda route: route.fulfill(**answer))
    for kind, status in KINDS.items():
        answer |= {
            "status": status,
            "json": {"type": f"urn:bff:problem:{kind}", "title": "x", "status": status},
        }
        page.goto(f"/?q={kind}")
        expect(page.get_by_test_id("failed")).to_contain_text(words(f"problem.{kind}"))


def test_an_answer_of_no_sense_is_told_too(page: Page, words: Callable[..., str]) -> None:
    page.route("**/api/home?**", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    page.goto("/")
    expect(page.get_by_test_id("failed")).to_contain_text(words("problem.unreadable"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(413, "body-too-large"), (429, "too-many-requests"), (503, "busy"), (504, "slow")],
)
def test_what_a_proxy_answers_is_told_by_its_status(
    page: Page, words: Callable[..., str], status: int, kind: str
) -> None:
    page.route("**/api/home?**", lambda route: route.fulfill(status=status, body="<h1>nginx</h1>"))
    page.goto("/")
    expect(page.get_by_test_id("failed")).to_contain_text(words(f"problem.{kind}"))
    page.route("**/api/home?**", lambda route: route.fulfill(status=status, json={"message": "x"}))
    page.goto("/?q=again")
    expect(page.get_by_test_id("failed")).to_contain_text(words(f"problem.{kind}"))


def test_the_words_of_a_rule_are_shown(page: Page, make_todo: Callable[..., Any]) -> None:
    todo = make_todo("Guarded")
    problem = {
        "type": "urn:bff:problem:requirement-failed",
        "status": 403,
        "detail": "Only the owner or the helper.",
    }
    page.route(f"**/api/todos/{todo['id']}", lambda route: route.fulfill(status=403, json=problem))
    page.goto("/")
    page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    expect(page.get_by_test_id("toast")).to_contain_text("Only the owner or the helper.")


def test_a_list_that_fails_can_be_asked_for_again(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("Here after all")
    page.route("**/api/home?**", lambda route: route.abort(), times=1)
    page.goto("/")
    failed = page.get_by_test_id("failed")
    expect(failed).to_have_role("alert")
    expect(failed).to_contain_text(words("problem.offline"))
    failed.get_by_role("button", name=words("retry")).click()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(failed).to_have_count(0)


@pytest.mark.parametrize(
    ("values", "fields", "part"),
    [
        ({"notice": None}, ["notice"], "part.notice"),
        ({"counts": None}, ["counts.open", "counts.done", "counts.paused", "counts.closed"], "part.counts"),
        ({"todos": None}, ["todos", "total"], "part.todos"),
        ({}, ["todos[].owner"], "part.people"),
    ],
)
def test_a_missing_part_is_shown_as_missing_with_a_retry(
    page: Page,
    make_todo: Callable[..., Any],
    words: Callable[..., str],
    values: dict[str, Any],
    fields: list[str],
    part: str,
) -> None:
    make_todo("The rest is here")
    page.route("**/api/home?**", partial(fields=fields, **values), times=1)
    page.goto("/")
    missing = page.get_by_test_id("missing")
    expect(missing).to_have_count(1)
    expect(missing).to_contain_text(words("missing.part", what=words(part)))
    if part != "part.todos":
        expect(page.get_by_test_id("todo")).to_have_count(1)
    missing.get_by_role("button", name=words("retry")).click()
    expect(missing).to_have_count(0)
    expect(page.get_by_test_id("todo")).to_have_count(1)


def test_an_old_part_is_shown_and_said_to_be_old(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("The rest is new")
    page.route("**/api/home?**", partial(fields=["counts.open", "notice"], stale=True), times=1)
    page.goto("/")
    expect(page.get_by_test_id("old")).to_have_text(words("old"))
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(page.get_by_test_id("missing")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(page.get_by_test_id("old")).to_have_count(0)


def test_missing_comments_leave_the_rest_of_the_todo(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Without its comments")
    page.route(f"**/api/todos/{todo['id']}", partial(fields=["comments"], comments=None), times=1)
    page.goto(f"/todos/{todo['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Without its comments")
    missing = page.get_by_test_id("missing")
    expect(missing).to_contain_text(words("missing.part", what=words("comments")))
    missing.get_by_role("button", name=words("retry")).click()
    expect(missing).to_have_count(0)


def test_a_slow_answer_shows_that_it_is_awaited(page: Page, make_todo: Callable[..., Any]) -> None:
    make_todo("Patience")
    held: list[Route] = []
    page.route("**/api/home?**", lambda route: held.append(route))
    page.goto("/")
    results = page.locator(".results")
    expect(results).to_have_attribute("aria-busy", "true")
    expect(page.locator(".is-bone").first).to_be_visible()
    for route in held:
        route.continue_()
    page.unroute_all()
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(page.locator(".is-bone")).to_have_count(0)
