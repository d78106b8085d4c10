"""Functions in rooms: who calls one gets it, and nobody else loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bff.deploy.imports import engine_files
from bff.expressions import compile_tree, lists, scalars
from bff.expressions.functions import FUNCTIONS
from bff.expressions.parse import parse
from bff.expressions.rooms import ROOMS, called_in

ROOT = Path(__file__).parents[2]
AT_LOAD = """
import sys
import bff.expressions.running
print(*sorted(name for name in sys.modules if name.startswith('bff.expressions.')))
"""


def test_the_rooms_hold_what_no_page_has_at_hand() -> None:
    assert ROOMS.keys() == FUNCTIONS.keys() - lists.FUNCTIONS.keys() - scalars.FUNCTIONS.keys()
    assert {name: opened()[name] for name, opened in ROOMS.items()} == {
        name: FUNCTIONS[name] for name in ROOMS
    }


def test_what_runs_pages_loads_no_room() -> None:
    command = [sys.executable, "-c", AT_LOAD]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "bff.expressions.scalars" in loaded
    assert {FUNCTIONS[name].call.__module__ for name in ROOMS} & {*loaded} == set()


@pytest.mark.parametrize("serves", [True, False])
def test_a_bundle_has_the_rooms(serves: bool) -> None:
    rooms = {f"{FUNCTIONS[name].call.__module__.replace('.', '/')}.py" for name in ROOMS}
    files = engine_files(serves=serves).keys()
    assert rooms - files == set()
    assert not {"bff/expressions/functions.py", "bff/expressions/moments.py"} & files


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("date(now())", {"_f_date"}),
        ("[[date(y) for y in x if days(y)] for x in xs]", {"_f_date", "_f_days"}),
        ("count(x for x in xs if date(x) == x)", {"_f_date"}),
        ("now()", set()),
        ("'_f_date'", set()),
        ("x.days", set()),
    ],
)
def test_code_is_given_the_functions_that_it_calls(text: str, called: set[str], fast: bool) -> None:
    found = called_in(compile_tree(parse(text)).code_of(fast))
    assert found == {name: FUNCTIONS[name.removeprefix("_f_")].call for name in called}
