"""The pages of the app, each alone with its bundle: what they can reach, and what visitors see when they are killed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scale.access import unexplained
from tests.scale.kills import Kill
from tests.scale.pages import Pages, restarted_in_turn
from tests.scale.repeats import refused_without_a_cut
from tests.servers import Visitor
from tests.soak.judge import judge
from tests.soak.ledger import Ledger
from tests.soak.load import visiting
from tests.soak.parts import Database

pytestmark = [pytest.mark.full, pytest.mark.backend, pytest.mark.server]

VISITORS = 40
SECONDS = 20.0
SEED = 20
ASKED_OFTEN = ("add_todo", "comment", "edit_todo", "home", "remove_todo", "todo")
_LONGEST_END = 60.0


@pytest.fixture
def pages(
    needs: Callable[..., None], database: Database, shared: dict[str, str], tmp_path: Path
) -> Iterator[Pages]:
    """All pages, started."""
    needs("nginx")
    (tmp_path / "pages").mkdir()
    found = Pages(database.url, tmp_path / "pages", **shared)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def test_a_page_reaches_its_bundle_only_and_leaves_it_as_it_is(pages: Pages) -> None:
    ann = Visitor(pages.url).sign_up("Ann", "ann@example.com")
    todo = ann.add("Tea")
    with restarted_in_turn(pages, 0.1, ("home", "edit_todo")):
        for title in ("Coffee", "Water", "Milk"):
            assert ann.ask("PATCH", f"/api/todos/{todo}", json={"title": title}).status_code == 200
            assert ann.titles() == [title]
    for name, bundle in pages.bundles.items():
        found = bundle.found_from_it()
        assert found["bff"] == [str(bundle.folder / "bff" / "__init__.py")]
        assert all(Path(place).is_relative_to(bundle.folder) for places in found.values() for place in places)
        assert bundle.untouched(), name


def test_a_page_that_is_killed_fails_what_it_had_in_hand_and_nothing_else(
    pages: Pages, database: Database, tmp_path: Path
) -> None:
    people = database.sign_up(VISITORS)
    plan = {
        "people": people,
        "ports": [pages.nginx.port],
        "seed": SEED,
        "think": 1.0,
        "arrive_within": SECONDS / 4,
        "until": time.time() + SECONDS,
    }
    with visiting(plan, tmp_path) as visitors:
        kills = killed_at_random(pages, random.Random(SEED), SECONDS)
        visitors.wait(SECONDS + _LONGEST_END)
    lines = pages.log.follow()
    ledger = Ledger.read(tmp_path / "ledger.json")
    assert unexplained(lines, kills) == []
    assert any(line.cut for line in lines), f"{len(kills)} kills have cut nothing: nothing was tried"
    assert [*ledger.violations, *judge(ledger.operations, database.truth())] == []
    assert [operation for operation in ledger.operations if refused_without_a_cut(operation)] == []
    assert ledger.unfinished == 0
    assert any(pages.doors.intersection(line.upstreams) for line in lines), "nobody had to wait"


def killed_at_random(pages: Pages, chance: random.Random, seconds: float) -> list[Kill]:
    """Kills one page after the other for some seconds; every second one is a page that visitors ask for often."""
    kills: list[Kill] = []
    until = time.monotonic() + 0.9 * seconds
    while time.monotonic() < until:
        threading.Event().wait(chance.uniform(0.3, 1.2))
        names = ASKED_OFTEN if len(kills) % 2 else sorted(pages.routes)
        kills.append(pages.kill(chance.choice(names), chance.uniform(0.1, 0.5)))
    return kills


def test_after_every_process_was_killed_a_visitor_finds_what_they_had(pages: Pages) -> None:
    ann, bo = (Visitor(pages.url).sign_up(name, f"{name}@example.com") for name in ("ann", "bo"))
    todo = ann.add("Tea")
    bo.add("Coffee")
    kills = [pages.kill(name, 0.0) for name in pages.routes]
    assert len({kill.port for kill in kills}) == len(pages.routes)
    assert (ann.titles(), bo.titles()) == (["Tea"], ["Coffee"])
    assert ann.ask("GET", f"/api/todos/{todo}").json()["title"] == "Tea"
    assert bo.ask("GET", f"/api/todos/{todo}").status_code == 404
    assert [line for line in pages.log.follow() if line.failed] == []
