"""Each expression that means harm ends in a check error, null or a bound, soon and small, in its own process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.expressions.hostile import cases

pytestmark = pytest.mark.full  # alone: it measures time and memory, and starts a process for each

ROOT = Path(__file__).parent.parent.parent
SECONDS = 2.0
MEBIBYTES = 150


@pytest.fixture(scope="module")
def results():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.expressions.hostile"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return [json.loads(line) for line in ran.stdout.decode().splitlines()]


def test_there_are_at_least_150(results):
    assert len(results) == len(cases()) >= 150


@pytest.mark.parametrize("number", range(len(cases())), ids=lambda number: ascii(cases()[number][0])[:40])
def test_it_does_no_harm(results, number):
    name, _, outcome = cases()[number]
    result = results[number]
    assert result["name"] == name
    assert result["outcome"] == outcome
    assert result["seconds"] < SECONDS
    assert result["mebibytes"] < MEBIBYTES
