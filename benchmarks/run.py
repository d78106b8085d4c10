"""Runs the benchmarks, prints their tables and writes `benchmarks/results.json`; exits 1 where a bound is passed.

`python benchmarks/run.py [--only expressions]`. Absolute figures move with the machine; ratios are what is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks import expressions, overload  # noqa: E402

RESULTS = HERE / "results.json"
LIBRARIES = ("flask", "requests", "msgspec")

# Each gives its rows and whether every row is within its bound.
BENCHMARKS: Mapping[str, Callable[[], tuple[list[dict[str, Any]], bool]]] = {
    "expressions": expressions.run,
    "overload": overload.run,
}


def main() -> int:
    """Run what is asked for, keep the other results as they are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=sorted(BENCHMARKS), action="append")
    wanted = parser.parse_args().only or list(BENCHMARKS)
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    within = True
    for name in wanted:
        rows, good = BENCHMARKS[name]()
        results[name] = rows
        within = within and good
    results["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"
    results["versions"] = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    results["date"] = datetime.now(UTC).date().isoformat()
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
