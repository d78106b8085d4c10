"""The app in headless Chromium: an account per test, one look of what people do most, and the others under `full`."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    APIResponse,
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    expect,
)

from tests.chromium import chromium
from tests.servers import Visitor

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / ".artifacts" / "screens"
AXE_PLACES = (".local/browser/node_modules/axe-core", "node_modules/axe-core", ".local/node_modules/axe-core")
PASSWORD = "right horse battery"
_FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Look:
    """How a visitor sees the app."""

    width: int
    language: str
    scheme: str

    @property
    def name(self) -> str:
        return f"{self.width}-{self.language}-{self.scheme}"

    @property
    def is_phone(self) -> bool:
        return self.width < 720

    @property
    def is_calm(self) -> bool:
        """Whether the visitor wants less motion: so that each size and language is seen with it and without."""
        return self.scheme == "light"

    @property
    def person(self) -> str:
        return "Ada Lovelace" if self.language == "en" else "林小雨"


@dataclass(frozen=True)
class Account:
    """Somebody who signed up."""

    name: str
    email: str
    password: str


LOOKS = [Look(*parts) for parts in product((1280, 390), ("en", "zh"), ("light", "dark"))]
# What a test does depends on size and language; what it looks like, on the colours too.
DOING = [LOOKS[0], Look(1280, "zh", "dark"), Look(390, "en", "dark"), Look(390, "zh", "light")]
ABOUT_COLOURS = {"test_every_view", "test_looks", "test_dev_server"}
# What is done in one look without the marker `full`: the list, and what people do most.
OFTEN = {"test_list", "test_accounts", "test_add_and_edit", "test_finish_and_remove"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test its looks: all eight where colours matter, else each size and language once."""
    if "look" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        looks = LOOKS if module in ABOUT_COLOURS else DOING
        marks = {LOOKS[0]: ()} if module in OFTEN else {}
        metafunc.parametrize(
            "look",
            [pytest.param(look, marks=marks.get(look, pytest.mark.full), id=look.name) for look in looks],
            indirect=True,
        )


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    """Size, language and colour scheme; of some tests the first runs without the marker `full`."""
    return request.param


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest) -> str:
    """Where the app runs; BROWSER_BASE_URL names one that runs already."""
    return (os.environ.get("BROWSER_BASE_URL") or request.getfixturevalue("live_app")).rstrip("/")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(
    request: pytest.FixtureRequest, needs: Callable[..., None], look: Look, base_url: str
) -> Iterator[BrowserContext]:
    """A visitor's browser, with nothing in it yet."""
    needs("chromium")
    browser: Browser = request.getfixturevalue("browser")
    expect.set_options(timeout=10_000)
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": look.width, "height": 844 if look.is_phone else 860},
        device_scale_factor=2 if look.is_phone else 1,
        has_touch=look.is_phone,
        is_mobile=look.is_phone,
        locale={"en": "en-GB", "zh": "zh-CN"}[look.language],
        color_scheme="dark" if look.scheme == "dark" else "light",
        reduced_motion="reduce" if look.is_calm else "no-preference",
    )
    yield context
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = report.failed or item.stash.get(_FAILED, False)
    return report


@pytest.fixture
def fresh_page(request: pytest.FixtureRequest, context: BrowserContext, look: Look) -> Iterator[Page]:
    """A page of nobody, at no address yet. Afterwards nothing may have gone wrong in it unseen."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.extend(_complaints(message)))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    if request.node.stash.get(_FAILED, False):
        name = re.sub(r"[^\w-]+", "-", request.node.name)
        page.screenshot(path=_picture(look, f"failed-{name}"))
    assert wrong == []
    no_sideways_scroll(page)


def _picture(look: Look, name: str) -> Path:
    """Where a picture of this name goes."""
    folder = SCREENS / look.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.png"


def _complaints(message: ConsoleMessage) -> list[str]:
    # A refused request is told here too; what the app makes of it is what the tests look at.
    is_refusal = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not is_refusal else []


def no_sideways_scroll(page: Page) -> None:
    if page.url == "about:blank" or page.viewport_size is None:
        return
    # A phone zooms out where a page is too wide: only the size that was asked for tells.
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.fixture
def account(look: Look) -> Account:
    """An account that nobody has yet."""
    return Account(look.person, f"{uuid.uuid4().hex[:12]}@example.com", PASSWORD)


@pytest.fixture
def visitor(account: Account, base_url: str) -> Visitor:
    """The account's owner as a client of their own, beside the browser."""
    return Visitor(base_url).sign_up(account.name, account.email, account.password)


@pytest.fixture
def page(fresh_page: Page, base_url: str, visitor: Visitor) -> Page:
    """A page signed in as a fresh account, at no address yet."""
    cookies = [(cookie.name, cookie.value or "") for cookie in visitor.session.cookies]
    fresh_page.context.add_cookies(
        [{"name": name, "value": value, "url": base_url, "httpOnly": True} for name, value in cookies]
    )
    return fresh_page


def whole(route: Route) -> APIResponse:
    """What the layer answers to a request, in one piece even where the app asks for lines."""
    return route.fetch(headers={**route.request.headers, "accept": "application/json"})


@pytest.fixture
def make_todo(page: Page) -> Callable[..., dict[str, Any]]:
    """Makes a todo of the page's account through the API; `status` is set by an edit, as the API has it."""

    def make(title: str, **fields: Any) -> dict[str, Any]:
        status = fields.pop("status", "open")
        answer = page.request.post("/api/todos", data={"title": title, **fields})
        assert answer.status == 201, answer.text()
        todo = answer.json()
        if status != "open":
            answer = page.request.patch(f"/api/todos/{todo['id']}", data={"status": status})
            assert answer.ok, answer.text()
        return {**todo, "status": status}

    return make


@pytest.fixture
def other_account(base_url: str) -> Visitor:
    """Somebody else who can be asked to help."""
    name = f"Grace Brewster Murray Hopper {uuid.uuid4().hex[:6]}"  # as long as names are
    return Visitor(base_url).sign_up(name, f"{uuid.uuid4().hex[:12]}@example.com", PASSWORD)


@pytest.fixture
def words(fresh_page: Page) -> Callable[..., str]:
    """The app's own text of a key, in the language that the page shows now."""

    def words(key: str, **values: Any) -> str:
        ask = "([key, values]) => import('/i18n.js').then((i18n) => i18n.t(key, values))"
        return str(fresh_page.evaluate(ask, [key, values]))

    return words


@pytest.fixture
def shot(fresh_page: Page, look: Look) -> Callable[[str], None]:
    """Keeps a picture of the whole page under a name."""

    def shot(name: str) -> None:
        settled(fresh_page)
        fresh_page.screenshot(path=_picture(look, name))
        no_sideways_scroll(fresh_page)

    return shot


def stop_time(page: Page) -> None:
    """Lets the timers of a page with `page.clock.install()` stand still until they are moved."""
    # A little ahead, because a clock does not go back; not by so much that the app gives up what it waits for.
    page.clock.pause_at(datetime.now() + timedelta(seconds=10))


def settled(page: Page) -> None:
    """Waits until what has changed is laid out, and nothing moves or fades any more but what does so without end."""
    page.evaluate(
        """async () => {
            // The page hears of new sizes once in each frame; this is told after it, also where timers stand still.
            await new Promise((done) => new ResizeObserver(done).observe(document.documentElement));
            const moving = () => document.getAnimations().filter(({ playState, effect }) =>
                playState === "running" && effect.getComputedTiming().endTime !== Infinity);
            for (let left; (left = moving()).length > 0; )
                await Promise.allSettled(left.map(({ finished }) => finished));
        }"""
    )


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core's script, from npm; AXE_CORE may name its folder."""
    places = (
        [Path(os.environ["AXE_CORE"])]
        if os.environ.get("AXE_CORE")
        else [ROOT / place for place in AXE_PLACES]
    )
    for place in places:
        if (place / "axe.min.js").is_file():
            return (place / "axe.min.js").read_text(encoding="utf-8")
    reason = f"needs axe-core in one of {', '.join(map(str, places))}: npm install axe-core"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def serious(fresh_page: Page, axe_source: str) -> Callable[[], list[str]]:
    """What axe-core finds serious or worse in the page as it is now."""

    def serious() -> list[str]:
        # A colour in the middle of a fade has no contrast of its own.
        settled(fresh_page)
        if not fresh_page.evaluate("'axe' in window"):
            fresh_page.evaluate(axe_source)
        found = fresh_page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
        return [
            f"{violation['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return serious
