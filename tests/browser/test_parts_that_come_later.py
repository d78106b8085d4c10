"""The list is there while the names of people and the notice are still on their way."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from clients.local import pocketbase
from tests.browser.conftest import PASSWORD
from tests.browser.test_picture import RED, send_picture
from tests.fakes import PATIENCE, FakeBackend, Received, Script, Wire, answer
from tests.project import changed_app
from tests.servers import ROOT, Visitor, layer

PEOPLE = "/api/collections/people/records"
NOTICES = "/api/collections/notices/records"
KEPT = {"content-type", "authorization"}


class Gate(FakeBackend):
    """The real backend, with a gate before the names and one before the notices; while `broken`, behind both is 503."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.gates = {PEOPLE: threading.Event(), NOTICES: threading.Event()}
        self.broken = False
        self._url = url
        self.open()

    def open(self) -> None:
        for gate in self.gates.values():
            gate.set()

    def shut(self) -> None:
        for gate in self.gates.values():
            gate.clear()

    def script_of(self, received: Received) -> Script:
        return self._pass_on

    def _pass_on(self, received: Received, wire: Wire) -> None:
        gate = self.gates.get(received.path) if received.method == "GET" else None
        if gate is not None:
            gate.wait(PATIENCE)
            if self.broken:
                answer(503)(received, wire)
                return
        headers = {name: value for name, value in received.headers.items() if name in KEPT}
        found = requests.request(
            received.method,
            self._url + received.target,
            headers=headers,
            data=received.body,
            timeout=PATIENCE,
        )
        kind = found.headers.get("Content-Type", "application/json")
        answer(found.status_code, body=found.content, headers={"Content-Type": kind})(received, wire)


@pytest.fixture(scope="module")
def gated(app_backend: pocketbase.Backend) -> Iterator[Gate]:
    with Gate(app_backend.url) as gate:
        yield gate


@pytest.fixture
def gate(gated: Gate) -> Iterator[Gate]:
    gated.open()
    gated.broken = False
    yield gated
    gated.open()


@pytest.fixture(scope="module")
def base_url(
    gated: Gate, app_backend: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The app, whose people and notices stand behind the gate, and wait for longer than a test takes."""
    folder = tmp_path_factory.mktemp("gated")
    more = {"PEOPLE_URL": gated.url, "NOTICES_URL": gated.url, "PYTHONPATH": str(ROOT)}
    with layer(app_backend.url, folder, root=patient_project(folder), **more) as running:
        yield running.url


def patient_project(folder: Path) -> Path:
    """The app, with recipes that wait for the gate as long as a test takes."""
    return changed_app(
        folder,
        ("orchestrations/shell.yaml", "    timeout: 300ms\n", ""),
        ("orchestrations/shell.yaml", "      ttl: 30s\n", "      ttl: 1ms\n"),
        ("orchestrations/home.yaml", "      ttl: 1m\n", "      ttl: 1ms\n"),
        ("orchestrations/home.yaml", "\ninput:", "\ndeadline: 20s\ninput:"),
        ("clients/notices.py", 'timeout="2s"', 'timeout="15s"'),
        ("clients/people.py", 'timeout="2s"', 'timeout="15s"'),
    )


@pytest.fixture
def helped(make_todo: Callable[..., Any], other_account: Visitor, gate: Gate) -> Visitor:
    """A todo that somebody helps with, and a few more."""
    for title in ("Water the plants", "Buy milk"):
        make_todo(title)
    make_todo("Paint the fence", helper=other_account.id, due="2031-02-03")
    return other_account


def top(page: Page, title: str) -> float:
    box = page.get_by_test_id("todo").filter(has_text=title).bounding_box()
    assert box is not None
    return box["y"]


def test_the_list_is_painted_before_the_names_and_the_notice_are_there(
    page: Page, helped: Visitor, gate: Gate, shot: Callable[[str], None]
) -> None:
    gate.shut()
    page.goto("/")
    row = page.get_by_test_id("todo").filter(has_text="Paint the fence")
    expect(row.locator("[aria-busy=true] .bone")).to_have_count(1)
    expect(row).not_to_contain_text(helped.name)
    expect(page.get_by_test_id("todo")).to_have_count(3)
    shot("list-parts-coming")
    before = row.bounding_box()
    gate.gates[PEOPLE].set()
    expect(row).to_contain_text(helped.name)
    assert row.bounding_box() == before
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_a_short_name_takes_the_line_that_was_kept_for_it(
    page: Page, make_todo: Callable[..., Any], base_url: str, gate: Gate
) -> None:
    helper = Visitor(base_url).sign_up("Jo", f"{uuid.uuid4().hex[:12]}@example.com", PASSWORD)
    make_todo("Paint the fence", helper=helper.id, due="2031-02-03")
    gate.shut()
    page.goto("/")
    row = page.get_by_test_id("todo")
    expect(row.locator("[aria-busy=true] .bone")).to_have_count(1)
    before = row.bounding_box()
    gate.gates[PEOPLE].set()
    expect(row).to_contain_text("Jo")
    assert row.bounding_box() == before


def test_a_picture_comes_with_the_name_once_and_nothing_jumps_or_flashes(
    page: Page, helped: Visitor, gate: Gate, shot: Callable[[str], None]
) -> None:
    send_picture(helped, RED)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/picture/" in request.url else None)
    gate.shut()
    page.goto("/")
    row = page.get_by_test_id("todo").filter(has_text="Paint the fence")
    expect(row.locator("[aria-busy=true] .bone")).to_have_count(1)
    before = row.bounding_box()
    assert asked == []
    gate.gates[PEOPLE].set()
    expect(row.locator(".avatar img")).to_have_class("is-there")
    assert row.bounding_box() == before
    page.evaluate(
        """() => {
            window.drawn = [];
            const note = (node) => node.querySelectorAll?.(".avatar img") ?? [];
            new MutationObserver((changes) => {
                for (const { addedNodes } of changes)
                    for (const node of addedNodes)
                        for (const image of note(node)) window.drawn.push([image.className, image.complete]);
            }).observe(document.querySelector("[data-testid=todos]"), { childList: true, subtree: true });
        }"""
    )
    gate.gates[NOTICES].set()
    expect(page.get_by_test_id("notice")).to_be_visible()
    drawn = page.evaluate("window.drawn")
    assert drawn and all(image == ["is-there", True] for image in drawn)
    assert len(asked) == 1
    shot("list-picture-came")


def test_nothing_jumps_when_the_notice_comes_where_one_was_before(
    page: Page, helped: Visitor, gate: Gate, shot: Callable[[str], None]
) -> None:
    page.goto("/")
    expect(page.get_by_test_id("notice")).to_be_visible()
    gate.shut()
    page.reload()
    expect(page.get_by_test_id("todo")).to_have_count(3)
    expect(page.get_by_test_id("notice")).to_have_count(0)
    before = top(page, "Paint the fence")
    shot("list-notice-coming")
    gate.gates[NOTICES].set()
    expect(page.get_by_test_id("notice")).to_be_visible()
    assert top(page, "Paint the fence") == before


def test_what_has_the_focus_or_is_being_written_stays(page: Page, helped: Visitor, gate: Gate) -> None:
    gate.shut()
    page.goto("/")
    row = page.get_by_test_id("todo").filter(has_text="Paint the fence")
    row.get_by_role("link").focus()
    row.get_by_role("link").evaluate("(link) => { link.marked = true; }")
    title = page.get_by_test_id("composer").locator("[name=title]")
    title.fill("Half a title")
    row.get_by_role("link").focus()
    row.locator("[data-focus=more]").click()
    expect(page.get_by_role("menu")).to_be_visible()
    gate.open()
    expect(row).to_contain_text(helped.name)
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row.locator("[data-focus=more]")).to_be_focused()
    assert row.get_by_role("link").evaluate("(link) => link.marked")
    expect(title).to_have_value("Half a title")


def test_a_chosen_todo_stays_chosen(page: Page, helped: Visitor, gate: Gate) -> None:
    gate.shut()
    page.goto("/")
    row = page.get_by_test_id("todo").filter(has_text="Paint the fence")
    row.get_by_role("link").focus()
    page.keyboard.press("x")
    expect(row.get_by_role("checkbox")).to_be_checked()
    gate.open()
    expect(row).to_contain_text(helped.name)
    expect(row.get_by_role("checkbox")).to_be_checked()


def test_a_part_that_fails_is_told_as_in_a_page_of_one_piece(
    page: Page, helped: Visitor, gate: Gate, words: Callable[..., str], shot: Callable[[str], None]
) -> None:
    gate.shut()
    page.goto("/")
    expect(page.get_by_test_id("todo")).to_have_count(3)
    expect(page.get_by_test_id("missing")).to_have_count(0)
    gate.broken = True
    gate.open()
    missing = page.get_by_test_id("missing")
    expect(missing).to_contain_text(
        [words("missing.part", what=words("part.notice")), words("missing.part", what=words("part.people"))]
    )
    shot("list-parts-failed")
    gate.broken = False
    missing.last.get_by_role("button").click()
    expect(page.get_by_test_id("todo").filter(has_text="Paint the fence")).to_contain_text(helped.name)
    expect(missing.filter(has_text=words("part.people"))).to_have_count(0)


def test_names_that_are_known_stay_while_a_list_is_read_anew(page: Page, helped: Visitor, gate: Gate) -> None:
    page.goto("/")
    row = page.get_by_test_id("todo").filter(has_text="Paint the fence")
    expect(row).to_contain_text(helped.name)
    gate.shut()
    page.get_by_test_id("todo").filter(has_text="Buy milk").locator("[data-focus=tick]").click()
    expect(page.get_by_test_id("todo").filter(has_text="Buy milk")).to_have_attribute("data-status", "done")
    with page.expect_response("**/api/home?**"):
        page.get_by_role("searchbox").fill("fence")
    expect(page.get_by_test_id("todo")).to_have_count(1)
    expect(row).to_contain_text(helped.name)


def test_an_answer_that_is_cut_is_asked_for_once_more_in_one_piece(
    page: Page, helped: Visitor, gate: Gate
) -> None:
    asked: list[str] = []

    def cut(route: Route) -> None:
        asked.append(route.request.headers["accept"])
        if len(asked) > 1:
            route.continue_()
            return
        found = route.fetch()
        first = found.text().splitlines()[0]
        route.fulfill(response=found, body=f"{first}\n{json.dumps({'steps': []})[:5]}")

    page.route("**/api/home?**", cut)
    # The first line may hold the names already: that they are there does not say that it was asked for again.
    with page.expect_response(lambda response: response.request.headers["accept"] == "application/json"):
        page.goto("/")
    expect(page.get_by_test_id("todo").filter(has_text="Paint the fence")).to_contain_text(helped.name)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert asked == ["application/x-ndjson, application/json;q=0.9", "application/json"]


def test_a_page_whose_parts_are_coming_is_as_easy_to_read(
    page: Page, helped: Visitor, gate: Gate, serious: Callable[[], list[str]]
) -> None:
    gate.shut()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto("/")
        expect(page.get_by_test_id("todo")).to_have_count(3)
        assert serious() == []
