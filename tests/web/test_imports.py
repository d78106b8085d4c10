"""What a first page loads: a process starts as fast as its imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.project import write_project

ROOT = Path(__file__).parents[2]
PAGE = """
    route: GET /page
    auth: none
    steps:
      day:
        value: now()
    shape: day
    """
# What only some pages need: input, sessions, retries, Redis, traces, tests; and servers, which are not ours to load.
ONLY_SOME = {
    *("asyncio", "cryptography", "granian", "jsonschema", "jsonschema_rs", "jwt", "limits", "opentelemetry"),
    *("prometheus_client", "pytest", "redis", "responses", "tenacity", "unittest", "werkzeug.debug"),
}
ASK = """
import json, sys
from bff import create_app

answer = create_app(sys.argv[1], environ={}).test_client().get("/page")
assert answer.status_code == 200, answer.data
print(json.dumps(sorted(sys.modules)))
"""


def test_a_page_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    write_project(tmp_path, {"page": PAGE})
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "OTEL_"))}
    command = [sys.executable, "-c", ASK, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "flask" in loaded
    assert loaded.isdisjoint(ONLY_SOME)
