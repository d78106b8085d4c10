"""The tutorial, followed as it is written, by somebody who has the wheel and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.deploy.test_newcomer import is_taken
from tests.servers import ROOT

PORTS = (5000, 5001)
_BLOCK = re.compile(r"(?:^`([\w./-]+)`[:：]\n\n)?^```([^\n]*)\n(.*?)^```$", re.S | re.M)
_BEGIN = """set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
"""
_UNTIL_IT_ANSWERS = """until curl --silent --output /dev/null http://127.0.0.1:5000/; do
  kill -0 $!
  sleep 0.1
done
"""


def script_of(text: str, told: Path) -> tuple[str, dict[int, list[Any]]]:
    """A script of all steps, and what those print that say so, by number; each writes into `told`."""
    parts, expected = [_BEGIN], {}
    for number, (path, language, block) in enumerate(_BLOCK.findall(text)):
        if path:
            parts.append(
                f"mkdir -p \"$(dirname {path})\"; cat > {path} <<'END OF FILE'\n{block}END OF FILE\n"
            )
        elif language == "sh":
            parts.append(f"{{\n{block}}} > {told}/{number}\n")
        elif language == "sh fails":
            parts.append(f"if {{\n{block}}} > {told}/{number}; then exit 9; fi\n")
        elif language == "sh background":
            parts.append(f"{block.strip()} > {told}/background 2>&1 &\n{_UNTIL_IT_ANSWERS}")
        elif language == "json":
            expected[number - 1] = values_in(block)
        elif language == "text":
            parts.append(f"diff - {told}/{number - 1} >&2 <<'END OF TEXT'\n{block}END OF TEXT\n")
        else:
            assert language == "sh install", f"what is a block of {language!r}?"
    return "".join(parts), expected


def values_in(text: str) -> list[Any]:
    """The JSON values of a text, one behind the other; the id of a request is each time another."""
    text = re.sub(r'"instance": ?"[0-9a-f]{32}"', '"instance": "…"', text)
    found, at = [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = json.JSONDecoder().raw_decode(text, at)
        found.append(value)
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The programs of an environment with the wheel in it; what it needs is that of this one."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(wheel, cwd=ROOT, check=True, capture_output=True, timeout=60)
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True, timeout=60
    )
    python = folder / "venv" / "bin" / "python"
    [site], [built] = (folder / "venv").glob("lib/python*/site-packages"), folder.glob("*.whl")
    with ZipFile(built) as archive:
        archive.extractall(site)
    (site / "needed.pth").write_text(sysconfig.get_path("purelib"))
    for program in ("bff", "pytest"):
        (python.parent / program).write_text(f'#!/bin/sh\nexec {python} -m {program} "$@"\n')
        (python.parent / program).chmod(0o755)
    yield python.parent


@pytest.mark.full
@pytest.mark.parametrize("page", ["tutorial.md", "tutorial.zh.md"])
def test_the_tutorial_is_right_to_the_letter(
    page: str, installed: Path, tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("bash", "curl")
    taken = [port for port in PORTS if is_taken(port)]
    assert taken == [], f"the documented ports must be free: {taken}"
    told, folder = tmp_path / "told", tmp_path / "folder"
    told.mkdir()
    folder.mkdir()
    script, expected = script_of((ROOT / "docs" / page).read_text("utf-8"), told)
    kept = ("HOME", "LANG", "TMPDIR", "PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE")
    environ = {name: os.environ[name] for name in kept if name in os.environ}
    environ["PATH"] = f"{installed}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, timeout=170
    )
    said = "".join(f"\n== {path.name}\n{path.read_text('utf-8')}" for path in sorted(told.iterdir()))
    assert done.returncode == 0, f"{done.stderr}{said}"
    assert expected, "the page shows what its steps answer"
    assert {number: values_in((told / str(number)).read_text("utf-8")) for number in expected} == expected


def test_both_tutorials_have_the_same_steps() -> None:
    english, chinese = (
        [block for block in _BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))]
        for page in ("tutorial.md", "tutorial.zh.md")
    )
    assert english == chinese
