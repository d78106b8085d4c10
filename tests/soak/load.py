"""All visitors in a process of their own: `python -m tests.soak.load PLAN LEDGER`, both JSON files."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

from tests.soak.ledger import Ledger
from tests.soak.visitor import visit
from tests.soak.wire import Browser

PATIENCE = 20.0
"""Seconds after which a visitor takes a request for lost, as the single-page app does."""


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
