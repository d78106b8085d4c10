"""A test whose tool is missing is skipped for a developer, and fails where everything must run."""

from __future__ import annotations

import pytest

from tests.conftest import needs


def test_a_missing_program_skips_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="needs ab: apt-get install apache2-utils"):
        needs("ab")


def test_a_missing_program_fails_where_all_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ALL", "1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="needs strace"):
        needs("strace")
