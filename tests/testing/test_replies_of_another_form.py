"""Every step of the app and of the cookbook, when its backend answers with something of another form."""

from __future__ import annotations

from pathlib import Path

from tests.testing.record import FILE, measured


def test_pages_make_of_replies_of_another_form_what_is_recorded(tmp_path: Path) -> None:
    assert measured(tmp_path) == FILE.read_text("utf-8")
