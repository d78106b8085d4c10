"""All visitors in a process of their own: `python -m tests.soak.load PLAN LEDGER`, both JSON files."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clients.local.pocketbase import start_child, stop_child
from tests.servers import ROOT
from tests.soak.ledger import Ledger
from tests.soak.visitor import visit
from tests.soak.wire import Browser

PATIENCE = 20.0
"""Seconds after which a visitor takes a request for lost, as the single-page app does."""


@contextlib.contextmanager
def visiting(plan: Mapping[str, Any], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process of the visitors, who come to their end within the block; `ledger.json` in the folder is theirs."""
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    files = [str(folder / "plan.json"), str(folder / "ledger.json")]
    process = start_child([sys.executable, "-m", "tests.soak.load", *files], cwd=ROOT)
    try:
        yield process
        assert process.returncode == 0, "the visitors have not come to an end"
    finally:
        stop_child(process)


def main() -> int:
    """Visit, then write down what came of it."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    ledger = Ledger()
    gc.freeze()
    try:
        asyncio.run(visit(plan, lambda: Browser(tuple(plan["ports"]), PATIENCE), ledger))
    finally:
        ledger.write(Path(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
