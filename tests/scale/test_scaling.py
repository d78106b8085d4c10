"""From no instance to eight and back, as 200 visitors come and go: only a kill fails a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bff import create_app
from tests.scale.access import unexplained
from tests.scale.bundles import build, writable_again
from tests.scale.repeats import refused_without_a_cut
from tests.scale.scaler import MOST, Scaler, table
from tests.servers import PATIENCE, ROOT, Visitor, environ_of
from tests.soak.judge import judge
from tests.soak.ledger import Ledger, address
from tests.soak.load import visiting
from tests.soak.parts import Database
from tests.soak.visitor import PASSWORD

pytestmark = [pytest.mark.full, pytest.mark.backend, pytest.mark.server]

VISITORS = 200
SECONDS = 44.0
SEED = 8
_LONGEST_END = 60.0


def test_instances_come_and_go_with_200_visitors_and_only_kills_cut_requests(
    needs: Callable[..., None],
    database: Database,
    shared: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    needs("nginx")
    bundle = build(tmp_path / "app", "--all")
    people = database.sign_up(VISITORS)
    scaler = Scaler(bundle, tmp_path, database.url, signed_in(database), kills_every=3, **shared)
    try:
        with scaler.running():
            load(scaler, people, tmp_path)
            scaler.until_none()
            reads_after_zero(scaler)
        assert bundle.untouched()
    finally:
        writable_again(bundle)
    with capsys.disabled():
        print(f"\n{table(scaler)}")
    seen, ledger = scaler.seen, Ledger.read(tmp_path / "ledger.json")
    assert unexplained(scaler.log.lines, seen.kills) == []
    assert [*ledger.violations, *judge(ledger.operations, database.truth())] == []
    assert [operation for operation in ledger.operations if refused_without_a_cut(operation)] == []
    assert ledger.unfinished == 0
    serving = [moment.serving for moment in seen.moments]
    assert (serving[0], max(serving), serving[-1]) == (0, MOST, 0)
    assert len(seen.kills) >= 2
    assert set(seen.exits) == {0}
    assert "Traceback" not in "".join(log.read_text() for log in tmp_path.glob("app-*.log"))


def signed_in(database: Database) -> dict[str, str]:
    """The cookies of the first visitor, before there is an instance."""
    client = create_app(ROOT, environ=environ_of(database.url)).test_client()
    body = {"email": address(0), "password": PASSWORD}
    assert client.post("/api/login", json=body).status_code == 200
    cookie = client.get_cookie("bff-session")
    assert cookie is not None
    return {cookie.key: cookie.value}


def load(scaler: Scaler, people: list[str], folder: Path) -> None:
    """Visitors who come one after the other, stay for a while, and go one after the other."""
    plan = {
        "people": people,
        "ports": [scaler.nginx.port],
        "seed": SEED,
        "think": 4.0,
        "arrive_within": 0.45 * SECONDS,
        "leave_within": 0.4 * SECONDS,
        "until": time.time() + SECONDS,
    }
    with visiting(plan, folder) as visitors:
        visitors.wait(SECONDS + _LONGEST_END)


def reads_after_zero(scaler: Scaler) -> None:
    """Somebody comes when nothing runs any more, and finds what is theirs."""
    late = Visitor(scaler.nginx.url)
    begun = time.monotonic()
    answer = late.ask("POST", "/api/login", json={"email": address(1), "password": PASSWORD})
    assert (answer.status_code, answer.json()["user"]["name"]) == (200, "Visitor 1")
    assert time.monotonic() - begun < PATIENCE
    assert late.ask("GET", "/api/home").json()["me"]["email"] == address(1)
