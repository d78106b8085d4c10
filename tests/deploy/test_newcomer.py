"""The way of docs/deploying.md from a clone to a function, walked as it is written, up to where it takes an account."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import ROOT

SECTION = "From a clone to a function"
PORTS = (8080, 8090, 9002, 9003)
_NOT_IN_A_CLONE = (".git", ".venv", ".local", ".artifacts", "build", "__pycache__", ".*_cache", ".hypothesis")


def steps() -> list[str]:
    """The commands of the section, but for those that need an account."""
    text = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    section = text.partition(f"## {SECTION}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.S | re.M)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project without what a clone does not have."""
    shutil.copytree(ROOT, tmp_path / "clone", ignore=shutil.ignore_patterns(*_NOT_IN_A_CLONE), symlinks=True)
    return tmp_path / "clone"


def is_taken(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.full
def test_a_newcomer_gets_from_a_clone_to_a_function_by_the_documented_commands(
    clone: Path, needs: Callable[..., None]
) -> None:
    needs("bash", "curl", "make")
    taken = [port for port in PORTS if is_taken(port)]
    assert taken == [], f"the documented ports must be free: {taken}"
    script = "\n".join(["set -e", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT", *steps()])
    done = subprocess.run(["/bin/bash", "-c", script], cwd=clone, capture_output=True, text=True, timeout=400)
    logs = "".join(f"\n== {path.name}\n{path.read_text()}" for path in clone.glob("*.log"))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}{logs}"
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    assert len(answers) == 5, done.stdout
    signed_up, added, listed, invoked, failed = answers
    assert signed_up["user"]["name"] == "Robin"
    assert added["title"] == "Deploy this"
    assert [todo["title"] for todo in listed["todos"]] == ["Deploy this"]
    assert invoked.get("statusCode") == 200, invoked
    assert json.loads(invoked["body"])["todos"] == listed["todos"]
    assert (failed["type"], failed["status"]) == ("urn:bff:problem:backend-failed", 502)
