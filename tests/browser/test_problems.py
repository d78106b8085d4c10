"""Problems in words, and pages of which a part is missing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Look, stop_time, whole

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


@pytest.fixture
def told(page: Page, words: Callable[..., str]) -> Callable[..., Locator]:
    """Gives the words that the list has for an answer; the next answer is what a click on "try again" gets."""
    answer: dict[str, Any] = {}
    page.route("**/api/home?**", lambda route: route.fulfill(**answer))
    failed = page.get_by_test_id("failed")

    def told(**given: Any) -> Locator:
        answer.clear()
        answer.update(given)
        if page.url == "about:blank":
            page.goto("/")
            return failed
        # The words of before may be the same.
        failed.evaluate("(element) => { element.id = 'of-before'; }")
        failed.get_by_role("button", name=words("retry")).click()
        expect(page.locator("#of-before")).to_have_count(0)
        return failed

    return told


def test_each_kind_has_words_of_its_own(told: Callable[..., Locator], words: Callable[..., str]) -> None:
    for kind, status in KINDS.items():
        problem = {"type": f"urn:bff:problem:{kind}", "title": "x", "status": status}
        expect(told(status=status, json=problem), kind).to_contain_text(words(f"problem.{kind}"))
    expect(told(status=502, body="<h1>Bad Gateway</h1>")).to_contain_text(words("problem.unreadable"))


def test_what_a_proxy_answers_is_told_by_its_status(
    told: Callable[..., Locator], words: Callable[..., str]
) -> None:
    for status, kind in (
        (413, "body-too-large"),
        (429, "too-many-requests"),
        (503, "busy"),
        (504, "slow"),
    ):
        for answer in ({"body": "<h1>nginx</h1>"}, {"json": {"message": "x"}}):
            expect(told(status=status, **answer), f"{status}, {answer}").to_contain_text(
                words(f"problem.{kind}")
            )


SOON = {"en": "Wait a moment and try again.", "zh": "请稍后再试"}
COME_BACK = {
    "1": {"en": "Try again in 1 second.", "zh": "请在1秒钟后重试"},
    "41": {"en": "Try again in 41 seconds.", "zh": "请在41秒钟后重试"},
    "150": {"en": "Try again in 3 minutes.", "zh": "请在3分钟后重试"},
    "9000": {"en": "Try again in 3 hours.", "zh": "请在3小时后重试"},
    "0": SOON,
    "Sun, 06 Nov 1994 08:49:37 GMT": SOON,
    "soon": SOON,
}


def test_one_too_many_is_told_when_to_come_back(told: Callable[..., Locator], look: Look) -> None:
    by_the_layer = json.dumps({"type": "urn:bff:problem:too-many-requests", "status": 429})
    for body, (after, words_of_it) in itertools.product((by_the_layer, "x"), COME_BACK.items()):
        answer = told(status=429, headers={"Retry-After": after}, body=body)
        expect(answer, f"{after}: {body}").to_contain_text(words_of_it[look.language])


MISTAKE = """orchestrations/home.yaml:47:7: error: there is no step 'cuonts'
   47 |       open: sum([row.total for row in default(cuonts.open, [])])
      |                                               ^^^^^^
      = did you mean 'counts'?"""


def broken(route: Route) -> None:
    """What a layer in development answers to every page while a recipe has a mistake."""
    problem = {"type": "urn:bff:problem:recipes-broken", "status": 503, "detail": MISTAKE}
    route.fulfill(status=503, json=problem)


def test_a_mistake_in_a_recipe_is_shown_as_it_is(
    page: Page,
    make_todo: Callable[..., Any],
    words: Callable[..., str],
    shot: Callable[[str], None],
    serious: Callable[[], list[str]],
) -> None:
    make_todo("Mend the recipe")
    failed = page.get_by_test_id("failed")
    mistake = failed.get_by_test_id("mistake")
    page.goto("/")
    for language in ("en", "zh"):
        page.evaluate("(one) => localStorage.setItem('language', JSON.stringify(one))", language)
        page.route("**/api/home?**", broken)
        page.reload()
        expect(failed).to_contain_text(words("problem.recipes-broken"))
        assert mistake.inner_text() == MISTAKE
        assert "monospace" in mistake.evaluate("element => getComputedStyle(element).fontFamily")
        shot(f"recipe-broken-{language}")
        assert serious() == [], language
        page.unroute_all()
        failed.get_by_role("button", name=words("retry")).click()
        expect(page.get_by_test_id("todo")).to_have_count(1)
        expect(failed).to_have_count(0)


def test_a_mistake_in_a_recipe_is_shown_in_forms_and_messages_too(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str], shot: Callable[[str], None]
) -> None:
    make_todo("Mend the recipe")
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    page.route("**/api/todos**", broken)
    page.route("**/api/todos/*", broken)
    page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    message = page.get_by_test_id("toast")
    expect(message).to_contain_text(words("problem.recipes-broken"))
    assert message.get_by_test_id("mistake").inner_text() == MISTAKE
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Not now")
    form.get_by_label(words("title")).press("Enter")
    problem = form.get_by_test_id("problem")
    expect(problem).to_contain_text(words("problem.recipes-broken"))
    assert problem.get_by_test_id("mistake").inner_text() == MISTAKE
    shot("recipe-broken-message")


TIMEOUT = {"type": "urn:bff:problem:backend-timeout", "status": 504}


def answered(**answer: Any) -> Callable[[Route], None]:
    return lambda route: route.continue_() if route.request.method == "GET" else route.fulfill(**answer)


@pytest.fixture
def told_by_the_form(page: Page, words: Callable[..., str]) -> Callable[..., Locator]:
    """Gives the words of the form for a new todo when its request is answered so."""
    respond: list[Callable[[Route], None]] = []
    page.route("**/api/todos", lambda route: respond[-1](route))
    page.goto("/")
    form = page.get_by_test_id("composer")
    title = form.get_by_label(words("title"))

    def told(answer: Callable[[Route], None]) -> Locator:
        respond.append(answer)
        title.fill("Saved or not")
        title.press("Enter")
        return form.get_by_test_id("problem")

    return told


def cut(route: Route) -> None:
    if route.request.method == "GET":
        route.continue_()
    else:
        route.abort()


# Each is told in other words than the one before it.
IN_DOUBT: list[tuple[str, Callable[[Route], None], str]] = [
    ("the layer: unknown", answered(status=504, json=TIMEOUT | {"unknown": ["created"]}), "cause.late"),
    ("a proxy: 502", answered(status=502, body="<h1>nginx</h1>"), "cause.lost"),
    ("a proxy: 504", answered(status=504, body="<h1>nginx</h1>"), "cause.late"),
    ("half an answer", answered(status=201, body='{"id": "half'), "cause.lost"),
    ("cut", cut, "cause.cut"),
    (
        "the layer: done",
        answered(
            status=502,
            json={"type": "urn:bff:problem:backend-failed", "status": 502, "done": ["created"]},
        ),
        "cause.lost",
    ),
]


def test_after_a_write_that_nobody_knows_of_the_words_say_that_it_may_be_saved(
    told_by_the_form: Callable[..., Locator], words: Callable[..., str]
) -> None:
    for name, respond, cause in IN_DOUBT:
        expect(told_by_the_form(respond), name).to_have_text(f"{words(cause)} {words('maybe.saved')}")


def test_a_write_that_takes_longer_than_the_app_waits_may_be_saved(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Wait")
    arrived: list[Route] = []
    page.route(f"**/api/todos/{todo['id']}", lambda route: arrived.append(route))
    page.clock.install()
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    stop_time(page)
    with page.expect_request(f"**/api/todos/{todo['id']}"):
        page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    message = page.get_by_test_id("toast")
    page.clock.run_for(19_999)
    expect(message).to_have_count(0)
    page.clock.run_for(1)
    expect(message).to_contain_text(f"{words('cause.late')} {words('maybe.saved')}")
    assert len(arrived) == 1
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("Delete")
    with page.expect_request(f"**/api/todos/{todo['id']}"):
        page.get_by_test_id("toast").filter(has_text=words("undo")).get_by_role(
            "button", name=words("dismiss")
        ).click()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.clock.run_for(20_000)
    expect(message.filter(has_text=words("maybe.deleted"))).to_be_visible()


NOT_BEGUN = {
    "backend-timeout": answered(status=504, json=TIMEOUT),
    "busy": answered(status=503, body="<h1>nginx</h1>"),
    "too-many-requests": answered(status=429, body="<h1>nginx</h1>"),
    "backend-unavailable": answered(
        status=503, json={"type": "urn:bff:problem:backend-unavailable", "status": 503}
    ),
}


def test_a_write_that_was_not_begun_is_not_said_to_be_saved(
    told_by_the_form: Callable[..., Locator], words: Callable[..., str]
) -> None:
    for kind, respond in NOT_BEGUN.items():
        expect(told_by_the_form(respond), kind).to_have_text(words(f"problem.{kind}"))


def test_what_may_be_saved_is_looked_at_again(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Done after all")

    def late(route: Route) -> None:
        route.fetch()
        route.fulfill(status=504, json=TIMEOUT | {"unknown": ["changed"]})

    page.route(f"**/api/todos/{todo['id']}", late)
    page.goto("/")
    tick = page.get_by_role("checkbox", name=words("finish", title="Done after all"))
    tick.click()
    expect(page.get_by_test_id("toast")).to_contain_text(words("maybe.saved"))
    expect(tick).to_be_checked()


def test_signing_in_saves_nothing(fresh_page: Page, words: Callable[..., str]) -> None:
    fresh_page.route("**/api/login", lambda route: route.abort())
    fresh_page.goto("/signin")
    fresh_page.locator("[name=email]").fill("a@example.com")
    fresh_page.locator("[name=password]").fill("right horse battery")
    fresh_page.get_by_test_id("signin-form").locator("button[type=submit]").click()
    expect(fresh_page.get_by_test_id("problem")).to_have_text(words("problem.offline"))


def test_the_words_of_a_rule_are_shown(
    page: Page, make_todo: Callable[..., Any], look: Any, words: Callable[..., str]
) -> None:
    todo = make_todo("Guarded")
    problem = {
        "type": "urn:bff:problem:requirement-failed",
        "status": 403,
        "detail": "Only the owner or the helper.",
    }
    page.route(f"**/api/todos/{todo['id']}", lambda route: route.fulfill(status=403, json=problem))
    page.goto("/")
    page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    said = {"en": problem["detail"], "zh": words("problem.requirement-failed")}[look.language]
    expect(page.get_by_test_id("toast")).to_contain_text(said)


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


PARTS: list[tuple[str, list[str], dict[str, Any]]] = [
    ("part.notice", ["notice"], {"notice": None}),
    ("part.counts", ["counts.open", "counts.done", "counts.paused", "counts.closed"], {"counts": None}),
    ("part.todos", ["todos", "total"], {"todos": None}),
    ("part.people", ["todos[].owner"], {}),
]


def test_a_missing_part_is_shown_as_missing_with_a_retry(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    make_todo("The rest is here")
    missing = page.get_by_test_id("missing")
    for part, fields, values in PARTS:
        page.route("**/api/home?**", partial(fields=fields, **values), times=1)
        page.goto("/")
        expect(missing, part).to_have_count(1)
        expect(missing).to_contain_text(words("missing.part", what=words(part)))
        if part != "part.todos":
            expect(page.get_by_test_id("todo"), part).to_have_count(1)
        missing.get_by_role("button", name=words("retry")).click()
        expect(missing, part).to_have_count(0)
        expect(page.get_by_test_id("todo"), part).to_have_count(1)


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
