"""Pins: which line stands for a distribution on a host, and which distributions modules need."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.deploy import pins
from bff.deploy.pins import Pins, distributions_of
from bff.errors import OperatorError
from tests.conftest import ROOT

HASH = "--hash=sha256:" + "0" * 64
PINS = f"""# by hand
Flask==3.1.3 \\
    {HASH} \\
    {HASH}
networkx==3.6.1 ; python_full_version < '3.12' \\
    {HASH}
networkx==3.7 ; python_full_version >= '3.12' \\
    {HASH}
colorama==0.4.6 ; sys_platform == 'win32' \\
    {HASH}
redis[hiredis]==8.1.0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(PINS)
    return tmp_path


def test_a_pin_is_found_by_its_canonical_name_with_its_hashes(root: Path) -> None:
    assert Pins(root, "3.11", "x86_64").line("flask") == f"Flask==3.1.3 {HASH} {HASH}"


@pytest.mark.parametrize(("python", "version"), [("3.11", "3.6.1"), ("3.12", "3.7"), ("3.14", "3.7")])
def test_markers_are_read_for_the_hosts_python(python: str, version: str, root: Path) -> None:
    assert Pins(root, python, "x86_64").line("networkx") == f"networkx=={version} {HASH}"


def test_what_another_system_needs_is_not_pinned(root: Path) -> None:
    assert not Pins(root, "3.11", "x86_64").has("colorama")


def test_extras_are_no_part_of_the_line(root: Path) -> None:
    assert Pins(root, "3.11", "arm64").line("redis") == "redis==8.1.0"


def test_adapters_are_pinned_by_the_engine_and_the_projects_pins_win(root: Path) -> None:
    pins = Pins(root, "3.11", "x86_64")
    assert pins.line("apig-wsgi").startswith("apig-wsgi==2.20.0 --hash=sha256:")
    assert pins.line("flask").startswith("Flask==3.1.3 --hash=sha256:000")


def test_what_nothing_pins_is_told(root: Path) -> None:
    with pytest.raises(OperatorError) as raised:
        Pins(root, "3.11", "x86_64").line("boto3")
    assert str(raised.value) == f"{root / 'requirements.txt'} does not pin boto3, which the bundle needs"


def test_a_project_without_pins_has_those_of_the_engine(tmp_path: Path) -> None:
    assert Pins(tmp_path, "3.11", "x86_64").line("flask") == Pins(ROOT, "3.11", "x86_64").line("flask")


def test_imported_modules_are_of_distributions_where_these_are_installed() -> None:
    assert distributions_of({"flask", "yaml", "json", "nowhere"}) == {"flask", "pyyaml"}


def test_the_engine_is_no_distribution_that_a_project_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "_installed", lambda: {"bff": ["bff-recipes"], "flask": ["Flask"]})
    assert distributions_of({"bff", "flask"}) == {"flask"}
