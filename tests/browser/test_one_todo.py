"""The page of one todo: its facts, its comments, what can be done."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, Page, Route, expect

from tests.browser.conftest import stop_time
from tests.servers import Visitor


def test_it_shows_everything(
    page: Page, make_todo: Callable[..., Any], other_account: Visitor, account: Any
) -> None:
    todo = make_todo("Plan the trip", note="Two days\nBy train", due="2031-02-03", helper=other_account.id)
    page.goto(f"/todos/{todo['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan the trip")
    main = page.get_by_role("main")
    for text in ("Two days", account.name, other_account.name, "2031"):
        expect(main).to_contain_text(text)
    expect(page).to_have_title(f"Plan the trip · {page.locator('.brand-name').inner_text()}")


def test_comments_are_written_and_kept_as_drafts(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str], account: Any
) -> None:
    todo = make_todo("Talk about this")
    page.goto(f"/todos/{todo['id']}")
    text = page.get_by_label(words("comment.new"), exact=True)
    text.fill("Half a thou")
    page.reload()
    expect(text).to_have_value("Half a thou")
    text.fill("A whole thought.\n第二行")
    text.press("Control+Enter")
    comments = page.get_by_test_id("comments").get_by_role("listitem")
    expect(comments).to_have_count(1)
    expect(comments).to_contain_text("A whole thought.")
    expect(comments).to_contain_text(account.name)
    expect(text).to_have_value("")
    page.reload()
    expect(comments).to_contain_text("第二行")
    expect(text).to_have_value("")


def test_what_is_typed_before_anybody_knows_whose_session_it_is_is_kept(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Talk about this")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/api/**", hold)
    with page.expect_request("**/api/**"):
        page.goto(f"/todos/{todo['id']}")
    text = page.get_by_label(words("comment.new"), exact=True)
    text.fill("Half a thou")
    assert len(waiting) > 0
    page.unroute("**/api/**", hold)  # what was held goes on
    expect(page.get_by_role("heading", level=1)).to_have_text("Talk about this")
    expect(text).to_have_value("Half a thou")
    page.reload()
    expect(text).to_have_value("Half a thou")


def test_what_is_typed_outlives_a_reload_that_comes_before_the_page_is_there(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Talk about this")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/api/**", hold)
    with page.expect_request("**/api/**"):
        page.goto(f"/todos/{todo['id']}")
    text = page.get_by_label(words("comment.new"), exact=True)
    text.fill("Half a thou")
    assert len(waiting) > 0
    page.unroute("**/api/**", hold)
    page.reload()
    expect(text).to_have_value("Half a thou")


def test_a_comment_that_fails_stays(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Talk about this")
    problem = {"type": "urn:bff:problem:too-many-requests", "status": 429}
    page.route("**/comments", lambda route: route.fulfill(status=429, json=problem))
    page.goto(f"/todos/{todo['id']}")
    text = page.get_by_label(words("comment.new"), exact=True)
    text.fill("Too fast")
    page.get_by_role("button", name=words("comment.send")).click()
    expect(page.get_by_test_id("problem").filter(visible=True)).to_have_text(
        words("problem.too-many-requests")
    )
    expect(text).to_have_value("Too fast")


def test_it_is_finished_edited_and_deleted_here(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Do it here")
    page.clock.install()
    page.goto(f"/todos/{todo['id']}")
    tick = page.get_by_role("checkbox", name=words("finish", title="Do it here"))
    expect(tick).not_to_be_checked()
    stop_time(page)
    tick.click()
    expect(tick).to_be_checked()
    expect(page.get_by_role("complementary")).to_contain_text(words("finished"))
    expect(page.get_by_test_id("toast")).to_be_visible()  # the layer has it, too
    page.get_by_role("button", name=words("edit")).click()
    dialog = page.get_by_test_id("edit-dialog")
    dialog.get_by_label(words("title")).fill("Do it there")
    dialog.get_by_label(words("title")).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Do it there")
    page.get_by_role("button", name=words("remove")).click()
    expect(page).to_have_url("/")
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.get_by_test_id("toast").filter(has_text="Do it there").get_by_role(
        "button", name=words("undo")
    ).last.click()
    expect(page.get_by_test_id("todo")).to_have_count(1)


def test_an_answer_from_before_a_change_does_not_take_it_back(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Do it here")
    page.goto(f"/todos/{todo['id']}")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Do it here")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if route.request.method == "GET" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route(f"**/api/todos/{todo['id']}", hold_the_first)
    with page.expect_request(lambda request: request.method == "GET" and todo["id"] in request.url):
        page.get_by_role("main").get_by_role("checkbox", name=words("finish", title="Do it here")).click()
    page.evaluate("null")  # what was said before this is heard: the request is held
    before = held[0].fetch()
    with page.expect_response(lambda answer: answer.request.method == "GET" and todo["id"] in answer.url):
        page.get_by_role("button", name=words("edit")).click()
        title = page.get_by_test_id("edit-dialog").get_by_label(words("title"))
        title.fill("Do it there")
        title.press("Enter")
    with suppress(Error):  # nobody waits for it any more
        held[0].fulfill(response=before)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(heading).to_have_text("Do it there")


def test_an_answer_takes_nothing_from_under_a_button_that_is_held(
    page: Page, make_todo: Callable[..., Any], words: Callable[..., str]
) -> None:
    todo = make_todo("Plan the trip")
    page.goto(f"/todos/{todo['id']}")
    held: list[Route] = []
    page.route(f"**/api/todos/{todo['id']}", lambda route: held.append(route))
    main = page.get_by_role("main")
    with page.expect_request(f"**/api/todos/{todo['id']}"):
        main.get_by_role("checkbox", name=words("finish", title="Plan the trip")).click()
    main.get_by_role("button", name=words("edit"), exact=True).hover()
    page.mouse.down()
    held[0].fulfill(response=held[0].fetch())
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.mouse.up()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_only_the_owner_is_offered_to_delete_it(
    page: Page,
    make_todo: Callable[..., Any],
    visitor: Visitor,
    other_account: Visitor,
    words: Callable[..., str],
) -> None:
    mine = make_todo("Mine", helper=other_account.id)
    theirs = other_account.add("Theirs", helper=visitor.id)
    for todo, deletes in ((mine["id"], 1), (theirs, 0)):
        page.goto(f"/todos/{todo}")
        expect(page.get_by_role("button", name=words("edit"))).to_be_visible()
        expect(page.get_by_role("button", name=words("remove"))).to_have_count(deletes)
    page.keyboard.press("Delete")
    page.goto("/")
    rows = page.get_by_test_id("todo")
    expect(rows).to_have_count(2)
    for title, deletes in (("Mine", 1), ("Theirs", 0)):
        row = rows.filter(has=page.get_by_role("link", name=title))
        expect(row.locator("[data-focus=trash]")).to_have_count(deletes)
        row.locator("[data-focus=more]").click()
        expect(page.get_by_role("menuitem", name=words("remove"))).to_have_count(deletes)
        page.keyboard.press("Escape")
    page.get_by_test_id("select-mode").click()
    bar = page.get_by_test_id("selection")
    for title, offered in (("Mine", True), ("Theirs", False)):
        page.get_by_role("checkbox", name=words("select.one", title=title)).check()
        expect(bar.get_by_role("button", name=words("remove"))).to_be_enabled(enabled=offered)


def test_one_that_is_not_there_says_so(page: Page, words: Callable[..., str]) -> None:
    page.goto("/todos/unknownunknown0")
    heading = page.get_by_role("heading", level=1, name=words("todo.gone"))
    expect(heading).to_be_visible()
    expect(page).to_have_title(f"{words('todo.gone')} · {words('app')}")
    places = [heading, page.get_by_test_id("failed"), page.get_by_role("link", name=words("to-list"))]
    boxes = [place.bounding_box() for place in places]
    for above, below in itertools.pairwise(boxes):
        assert above is not None and below is not None
        assert 12 <= below["y"] - (above["y"] + above["height"]) <= 40
    page.get_by_role("link", name=words("to-list")).click()
    expect(page.get_by_test_id("empty")).to_be_visible()
