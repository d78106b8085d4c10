"""Wheels: what is unpacked for a host, and what is said where there is none, where it matters by the real registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.deploy import wheels as module
from bff.deploy.pins import Pins
from bff.deploy.wheels import Wheels
from bff.errors import OperatorError
from tests import wheelhouse

ROOT = Path(__file__).resolve().parents[2]


def wheels(root: Path, python: str = "3.11", arch: str = "x86_64") -> Wheels:
    return Wheels(Pins(root, python, arch), python, arch)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between a build and the registry."""
    monkeypatch.setattr(module, "fetched", wheelhouse.registry)


@pytest.mark.usefixtures("registry")
def test_a_distribution_comes_with_what_it_needs() -> None:
    found = wheels(ROOT).files(["jinja2"])
    assert list(found) == ["jinja2", "markupsafe"]
    assert "jinja2/__init__.py" in found["jinja2"]
    assert "markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so" in found["markupsafe"]


@pytest.mark.usefixtures("registry")
def test_wheels_are_for_the_hosts_python_and_machine() -> None:
    found = wheels(ROOT, "3.12", "arm64").files(["markupsafe"])
    assert "markupsafe/_speedups.cpython-312-aarch64-linux-gnu.so" in found["markupsafe"]


def test_what_is_left_out_is_not_needed_by_others_either() -> None:
    assert list(wheels(ROOT).files(["jinja2"], frozenset({"markupsafe"}))) == ["jinja2"]


def test_metadata_and_licenses_stay_and_notes_of_installing_do_not() -> None:
    files = wheels(ROOT).files(["markupsafe"])["markupsafe"]
    assert sorted(Path(path).name for path in files if ".dist-info/" in path) == ["LICENSE.txt", "METADATA"]


@pytest.mark.usefixtures("registry")
def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"markupsafe==3.0.4 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(OperatorError) as raised:
        wheels(tmp_path).files(["markupsafe"])
    assert str(raised.value) == (
        "no wheels for Python 3.11 on x86_64: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If "
        "you have updated the package versions, please update the hashes. Otherwise, examine the package contents "
        "carefully; someone may have tampered with them."
    )


@pytest.mark.usefixtures("registry")
def test_a_version_that_has_no_wheel_is_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"markupsafe==0.0.1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(OperatorError) as raised:
        wheels(tmp_path).files(["markupsafe"])
    assert str(raised.value) == (
        "no wheels for Python 3.11 on x86_64: No matching distribution found for markupsafe==0.0.1"
    )
