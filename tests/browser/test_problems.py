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


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("1", {"en": "Try again in 1 second.", "zh": "请在1秒钟后重试"}),
        ("41", {"en": "Try again in 41 seconds.", "zh": "请在41秒钟后重试"}),
        ("150", {"en": "Try again in 3 minutes.", "zh": "请在3分钟后重试"}),
        ("9000", {"en": "Try again in 3 hours.", "zh": "请在3小时后重试"}),
        ("0", {"en": "Wait a moment and try again.", "zh": "请稍后再试"}),
        ("Sun, 06 Nov 1994 08:49:37 GMT", {"en": "Wait a moment and try again.", "zh": "请稍后再试"}),
        ("soon", {"en": "Wait a moment and try again.", "zh": "请稍后再试"}),
    ],
)
@pytest.mark.parametrize("layer_said_it", [True, False], ids=["the layer", "a proxy"])
def test_one_too_many_is_told_when_to_come_back(
    page: Page, look: Any, after: str, told: dict[str, str], layer_said_it: bool
) -> None:
    body = json.dumps({"type": "urn:bff:problem:too-many-requests", "status": 429}) if layer_said_it else "x"
    page.route(
        "**/api/home?**",
        lambda route: route.fulfill(status=429, headers={"Retry-After": after}, body=body),
    )
    page.goto("/")
    expect(page.get_by_test_id("failed")).to_contain_text(told[look.language])


MISTAKE = """orchestrations/home.yaml:47:7: error: there is no step 'cuonts'
   47 |       open: sum([row.total for row in default(cuonts.open, [])])
      |                                               ^^^^^^
      = did you mean 'counts'?"""


def broken(route: Route) -> None:
    """What a layer in development answers to every page while a recipe has a mistake."""
    problem = {"type": "urn:bff:problem:recipes-broken", "status": 503, "detail": MISTAKE}
    route.fulfill(status=503, json=problem)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_mistake_in_a_recipe_is_shown_as_it_is(
    page: Page,
    make_todo: Callable[..., Any],
    words: Callable[..., str],
    shot: Callable[[str], None],
    serious: Callable[[], list[str]],
    language: str,
) -> None:
    make_todo("Mend the recipe")
    page.add_init_script(f"localStorage.setItem('language', '\"{language}\"')")
    page.route("**/api/home?**", broken)
    page.goto("/")
    failed = page.get_by_test_id("failed")
    expect(failed).to_contain_text(words("problem.recipes-broken"))
    mistake = failed.get_by_test_id("mistake")
    assert mistake.inner_text() == MISTAKE
    assert "monospace" in mistake.evaluate("element => getComputedStyle(element).fontFamily")
    shot(f"recipe-broken-{language}")
    assert serious() == []
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


@pytest.mark.parametrize(
    ("respond", "cause"),
    [
        (answered(status=504, json=TIMEOUT | {"unknown": ["created"]}), "cause.late"),
        (answered(status=504, body="<h1>nginx</h1>"), "cause.late"),
        (answered(status=502, body="<h1>nginx</h1>"), "cause.lost"),
        (answered(status=201, body='{"id": "half'), "cause.lost"),
        (
            answered(
                status=502,
                json={"type": "urn:bff:problem:backend-failed", "status": 502, "done": ["created"]},
            ),
            "cause.lost",
        ),
        (lambda route: route.continue_() if route.request.method == "GET" else route.abort(), "cause.cut"),
    ],
    ids=["the layer: unknown", "a proxy: 504", "a proxy: 502", "half an answer", "the layer: done", "cut"],
)
def test_after_a_write_that_nobody_knows_of_the_words_say_that_it_may_be_saved(
    page: Page, words: Callable[..., str], respond: Callable[[Route], None], cause: str
) -> None:
    page.route("**/api/todos", respond)
    page.goto("/")
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Saved or not")
    form.get_by_label(words("title")).press("Enter")
    expect(form.get_by_test_id("problem")).to_have_text(f"{words(cause)} {words('maybe.saved')}")


def test_a_write_that_takes_longer_than_the_app_waits_may_be_saved(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Wait")
    page.add_init_script(
        "const of = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = (ms) => of(ms / 10)"
    )
    arrived: list[Route] = []
    page.route(f"**/api/todos/{todo['id']}", lambda route: arrived.append(route))
    page.goto("/")
    page.get_by_test_id("todo").locator("[data-focus=tick]").click()
    message = page.get_by_test_id("toast")
    expect(message).to_contain_text(f"{words('cause.late')} {words('maybe.saved')}")
    assert len(arrived) == 1
    page.get_by_test_id("todo").locator("a").focus()
    page.keyboard.press("Delete")
    page.get_by_test_id("toast").filter(has_text=words("undo")).get_by_role(
        "button", name=words("dismiss")
    ).click()
    expect(message.filter(has_text=words("maybe.deleted"))).to_be_visible()


@pytest.mark.parametrize(
    ("respond", "kind"),
    [
        (answered(status=504, json=TIMEOUT), "backend-timeout"),
        (answered(status=503, body="<h1>nginx</h1>"), "busy"),
        (answered(status=429, body="<h1>nginx</h1>"), "too-many-requests"),
        (
            answered(status=503, json={"type": "urn:bff:problem:backend-unavailable", "status": 503}),
            "backend-unavailable",
        ),
    ],
)
def test_a_write_that_was_not_begun_is_not_said_to_be_saved(
    page: Page, words: Callable[..., str], respond: Callable[[Route], None], kind: str
) -> None:
    page.route("**/api/todos", respond)
    page.goto("/")
    form = page.get_by_test_id("composer")
    form.get_by_label(words("title")).fill("Not saved")
    form.get_by_label(words("title")).press("Enter")
    expect(form.get_by_test_id("problem")).to_have_text(words(f"problem.{kind}"))


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


@pytest.mark.parametrize(("form", "path"), [("signin", "login")])
def test_signing_in_saves_nothing(page: Page, words: Callable[..., str], form: str, path: str) -> None:
    page.context.clear_cookies()
    page.route(f"**/api/{path}", lambda route: route.abort())
    page.goto(f"/{form}")
    page.locator("[name=email]").fill("a@example.com")
    page.locator("[name=password]").fill("right horse battery")
    page.get_by_test_id(f"{form}-form").locator("button[type=submit]").click()
    expect(page.get_by_test_id("problem")).to_have_text(words("problem.offline"))


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
