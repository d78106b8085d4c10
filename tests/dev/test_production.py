"""Nothing of the development server is part of what runs in production, where all is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff import create_app
from bff.deploy.imports import engine_files
from bff.errors import AuthorError
from tests.dev.conftest import GOOD
from tests.dev.test_sound import BAD, UNKNOWN, asking
from tests.project import write_project


@pytest.mark.parametrize("serves", [False, True])
def test_no_bundle_has_it(serves: bool) -> None:
    files = engine_files(serves=serves)
    assert "bff/web/site.py" in files
    assert [name for name in files if name.startswith(("bff/dev/", "bff/cli/dev"))] == []


def test_one_mistake_keeps_the_whole_from_starting(tmp_path: Path) -> None:
    write_project(tmp_path, {"good": GOOD, "bad": BAD})
    with pytest.raises(AuthorError) as caught:
        create_app(tmp_path, environ={})
    assert str(caught.value) == UNKNOWN


def test_so_does_a_reply_that_nothing_reads(tmp_path: Path) -> None:
    write_project(tmp_path, {"page": asking("todos").replace("2 if a is None else a", "2")})
    with pytest.raises(AuthorError, match="nothing reads the reply of 'a'"):
        create_app(tmp_path, environ={})


def test_an_app_has_none_of_its_paths(tmp_path: Path) -> None:
    client = create_app(write_project(tmp_path, {"good": GOOD}), environ={}).test_client()
    assert client.get("/-/dev/mistakes").status_code == 404
    assert client.get("/").status_code == 404
