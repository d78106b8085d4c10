"""Visitors of the app on real parts that are killed, stopped and started again: `make soak`.

SOAK_VISITORS (200), SOAK_SECONDS (300), SOAK_SEED (drawn, printed) and SOAK_THINK (3, the mean of seconds between two
actions of a visitor) choose the run. Exits 1 where a promise was broken; logs are kept in .artifacts/soak.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bff.settings import settings_table
from clients.local.binary import BackendError, checked_binary
from clients.local.pocketbase import ENVIRONMENT, free_port
from tests.servers import ROOT, environ_of
from tests.soak.faults import Part, carry_out, schedule
from tests.soak.gauges import Gauges
from tests.soak.ledger import Ledger
from tests.soak.load import visiting
from tests.soak.parts import Database, Instance, Store, stopped_at_end
from tests.soak.report import Outcome
from tests.soak.visitor import ASKED_AGAIN_FOR

_KEPT_LOGS = ROOT / ".artifacts" / "soak"
_LONGEST_END = ASKED_AGAIN_FOR + 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """How many visitors for how many seconds; what is drawn comes from the seed."""

    visitors: int
    seconds: float
    seed: int
    think: float

    @classmethod
    def of_environ(cls) -> Run:
        drawn = random.SystemRandom().randrange(10**6)
        return cls(
            int(os.environ.get("SOAK_VISITORS") or 200),
            float(os.environ.get("SOAK_SECONDS") or 300),
            int(os.environ.get("SOAK_SEED") or drawn),
            float(os.environ.get("SOAK_THINK") or 3),
        )


def main() -> int:
    """Run, judge, print; 2 where a part is not installed."""
    if missing := _missing():
        print(f"make soak needs {missing}", file=sys.stderr)
        return 2
    run = Run.of_environ()
    print(
        f"{run.visitors} visitors for {run.seconds:g} s; SOAK_SEED={run.seed} repeats its faults", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="bff-soak-") as name:
        folder = Path(name)
        outcome = soak(run, folder)
        broken = bool(outcome.violations())
        _keep_logs(folder)
    print(outcome.table())
    return 1 if broken else 0


def _missing() -> str:
    """What is not installed and must be, in words; empty where nothing is missing."""
    if shutil.which("redis-server") is None:
        return "redis-server: apt-get install redis-server"
    try:
        checked_binary(ENVIRONMENT)
    except BackendError as error:
        return f"the backend: {error}"
    return ""


def soak(run: Run, folder: Path) -> Outcome:
    """The whole run on real parts; everything of it stands in the folder."""
    (folder / "backend").mkdir()
    (folder / "redis").mkdir()
    database, store = Database(folder / "backend"), Store(folder / "redis")
    survivor, other = (_instance(database, store, folder, name) for name in ("survivor", "other"))
    with stopped_at_end(database, store, survivor, other):
        for part in (database, store, survivor, other):
            part.start()
        people = database.sign_up(run.visitors)
        database.now.add("notices", en="Hello", zh="你好", published="2026-01-01 00:00:00.000Z")
        assert survivor.process is not None
        gauges = Gauges(survivor.process.pid)
        gauges.start()
        with visiting(_plan(run, people, [survivor.port, other.port]), folder) as visitors:
            parts: Mapping[str, Part] = {"backend": database, "redis": store, "instance": other}
            faults = carry_out(schedule(run.seed, run.seconds), parts, _tell)
            visitors.wait(run.seconds + _LONGEST_END)
        gauges.stop()
        (folder / "gauges.json").write_text(json.dumps([asdict(one) for one in gauges.samples]), "utf-8")
        ledger, truth = Ledger.read(folder / "ledger.json"), database.truth()
    logs = (folder / f"{name}.log" for name in ("survivor", "other"))
    tracebacks = sum(log.read_text(errors="replace").count("Traceback (most recent") for log in logs)
    return Outcome(ledger, truth, faults, gauges.samples, tracebacks)


def _instance(database: Database, store: Store, folder: Path, name: str) -> Instance:
    more = {"BFF_STATE_URL": store.url}
    if "BFF_CACHE_URL" in {setting for setting, _, _ in settings_table()}:
        more["BFF_CACHE_URL"] = f"{store.url[:-1]}1"
    return Instance(free_port(), environ_of(database.url, **more), folder / f"{name}.log")


def _plan(run: Run, people: list[str], ports: list[int]) -> dict[str, Any]:
    return {
        "people": people,
        "ports": ports,
        "seed": run.seed,
        "think": run.think,
        "arrive_within": run.seconds / 6,
        "until": time.time() + run.seconds,
    }


def _tell(words: str) -> None:
    print(f"  {words}", flush=True)


def _keep_logs(folder: Path) -> None:
    _KEPT_LOGS.mkdir(parents=True, exist_ok=True)
    for found in [*folder.glob("*.log"), *folder.glob("*.json"), folder / "backend" / "pocketbase.log"]:
        if found.exists():
            shutil.copy(found, _KEPT_LOGS)


if __name__ == "__main__":
    sys.exit(main())
