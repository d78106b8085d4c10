"""What is kept shows nobody what they have changed since, and nobody what is another's: two instances, one backend."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.local.pocketbase import Backend
from tests.app.conftest import Account
from tests.servers import PATIENCE, ROOT, Layer, RedisServer, Visitor, layer

pytestmark = pytest.mark.backend
STATUSES = ("open", "done", "paused", "closed")


@pytest.fixture(scope="module", params=["each for itself", "with a shared Redis"])
def instances(
    request: pytest.FixtureRequest, app_backend: Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Layer, Layer]]:
    """Two instances."""
    folder = tmp_path_factory.mktemp("caches")
    with contextlib.ExitStack() as stack:
        shared = {}
        if request.param == "with a shared Redis":
            redis: RedisServer = request.getfixturevalue("redis_server")
            redis.start()
            shared["BFF_CACHE_URL"] = redis.url
        found = [stack.enter_context(layer(app_backend.url, folder, **shared)) for _ in range(2)]
        yield found[0], found[1]


def counts(visitor: Visitor) -> tuple[dict[str, int], dict[str, int]]:
    """What the list and the statistics say."""
    home, stats = visitor.ask("GET", "/api/home"), visitor.ask("GET", "/api/stats")
    assert (home.status_code, stats.status_code) == (200, 200)
    assert "X-Page-Stale" not in home.headers
    return home.json()["counts"], stats.json()["statuses"]


def test_a_visitor_who_writes_here_and_reads_there_never_sees_what_was(
    instances: tuple[Layer, Layer], account: Account
) -> None:
    here, there = instances
    ann = account("Ann", here.url)
    wanted = dict.fromkeys(STATUSES, 0)
    todos: list[str] = []
    for number in range(12):
        ann.base_url = (here, there)[number % 2].url
        if number % 3 == 2:
            assert ann.ask("PATCH", f"/api/todos/{todos[-1]}", json={"status": "done"}).status_code == 200
            wanted = wanted | {"open": wanted["open"] - 1, "done": wanted["done"] + 1}
        else:
            todos.append(ann.add(f"t{number}"))
            wanted = wanted | {"open": wanted["open"] + 1}
        for layer_ in (there, here):
            ann.base_url = layer_.url
            assert counts(ann) == (wanted, wanted)
    ann.base_url = here.url
    assert ann.ask("POST", "/api/todos/remove", json={"ids": todos}).json()["removed"] == todos
    ann.base_url = there.url
    assert counts(ann) == (dict.fromkeys(STATUSES, 0), dict.fromkeys(STATUSES, 0))


def test_a_visitor_who_changes_their_picture_here_sees_it_there_in_every_list(
    instances: tuple[Layer, Layer], account: Account
) -> None:
    here, there = instances
    ann = account("Ann", there.url)
    todo = ann.add("Tea", helper=ann.id)
    shown = [pictures(ann, todo)]
    png = ("me.png", (ROOT / "clients/local/pictures/ada.png").read_bytes(), "image/png")
    own = {"id": ann.id, "person": ann.id}
    for method, given in (
        ("POST", {"data": own, "files": {"file": png}}),
        ("PUT", {"files": {"file": png}}),
        ("DELETE", {}),
    ):
        ann.base_url = here.url
        answer = ann.ask(method, "/api/picture", **given)
        assert answer.status_code in (200, 204), answer.text
        ann.base_url = there.url
        shown.append(pictures(ann, todo))
        assert shown[-1] == {answer.json()["file"] if answer.content else None}
    assert shown[1] != shown[2]


def pictures(visitor: Visitor, todo: str) -> set[str | None]:
    """What the list, a todo and the frame say of the visitor's picture."""
    home, one = visitor.ask("GET", "/api/home").json(), visitor.ask("GET", f"/api/todos/{todo}").json()
    (row,) = home["todos"]
    return {person["picture"] for person in (home["me"], row["owner"], row["helper"], one["owner"])}


def test_a_helper_sees_it_after_a_few_seconds_at_most(
    instances: tuple[Layer, Layer], account: Account
) -> None:
    here, there = instances
    ann, bo = account("Ann", here.url), account("Bo", there.url)
    assert counts(bo)[0]["open"] == 0
    ann.add("Tea", helper=bo.id)
    begun = time.monotonic()
    while min(found["open"] for found in counts(bo)) == 0 and time.monotonic() < begun + PATIENCE:
        time.sleep(0.05)  # what is kept gets old by itself
    assert min(found["open"] for found in counts(bo)) == 1


def test_what_a_visitor_wrote_is_in_a_cookie_that_tells_nothing(
    instances: tuple[Layer, Layer], account: Account
) -> None:
    ann = account("Ann", instances[0].url)
    assert "bff-written" not in ann.session.cookies  # a new account makes nothing old
    ann.add("Tea")
    [cookie] = [found for found in ann.session.cookies if found.name == "bff-written"]
    assert cookie.value is not None and len(cookie.value) < 1000
    assert "home" not in cookie.value
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_a_cookie_of_another_makes_a_page_no_other_page(
    instances: tuple[Layer, Layer], account: Account, tmp_path: Path
) -> None:
    here, _ = instances
    ann, bo = account("Ann", here.url), account("Bo", here.url)
    ann.add("Tea of Ann")
    before = counts(bo)
    bo.session.cookies.set("bff-written", ann.session.cookies["bff-written"], domain="127.0.0.1", path="/")
    assert counts(bo) == before
    assert bo.titles() == []
