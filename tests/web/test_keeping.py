"""How long and for whom a page may be kept: as its recipe says, and no more than each of its parts allows."""

from __future__ import annotations

from pathlib import Path

import pytest
import responses
from cryptography.fernet import Fernet

from tests.project import visitor

PAGE = """
    route: GET /api/page
    auth: {auth}
    {page}
    steps:
      rows:
        client: todos
        get: /rows
        {rows}
      notice:
        client: notices
        get: /notice
        fallback: null
    shape: [rows, notice]
    """
ALL = "cache: {max_age: 60s, shared_max_age: 10m, stale_while_revalidate: 5m}"


def kept(
    root: Path, auth: str, page: str, rows: str = "", notice: str | None = None, status: int = 200
) -> tuple[str | None, bool]:
    """The page's Cache-Control and whether it has an ETag, with what the notices' backend says of its reply."""
    environ = {"BFF_SESSION_KEYS": Fernet.generate_key().decode()}
    client = visitor(root, PAGE.format(auth=auth, page=page, rows=rows), environ=environ)
    with responses.RequestsMock() as mock:
        mock.get("http://todos.test/rows", json=[])
        headers = {} if notice is None else {"Cache-Control": notice}
        mock.get("http://notices.test/notice", json={}, headers=headers, status=status)
        answer = client.get("/api/page")
    assert answer.status_code == 200
    return answer.headers.get("Cache-Control"), "ETag" in answer.headers


@pytest.mark.parametrize(
    ("auth", "page", "rows", "wanted"),
    [
        ("none", "", "", "no-cache"),
        ("optional", "", "", "no-cache"),
        ("optional", "", "when: not user", "private, no-cache"),
        ("none", "cache: 60s", "", "private, max-age=60"),
        ("none", ALL, "", "public, max-age=60, s-maxage=600, stale-while-revalidate=300"),
        ("optional", "cache: 60s", "when: not user", "private, max-age=60"),
    ],
)
def test_a_page_is_kept_as_its_recipe_says_and_for_all_only_where_nothing_is_private(
    auth: str, page: str, rows: str, wanted: str, tmp_path: Path
) -> None:
    assert kept(tmp_path, auth, page, rows) == (wanted, True)


@pytest.mark.parametrize(
    ("page", "notice", "wanted"),
    [
        ("", "max-age=5", "no-cache"),
        ("", "private", "private, no-cache"),
        ("cache: 60s", "max-age=5", "private, max-age=5"),
        ("cache: 60s", "max-age=500", "private, max-age=60"),
        ("cache: 60s", "no-cache", "private, max-age=0"),
        (ALL, "max-age=5", "public, max-age=5, s-maxage=5, stale-while-revalidate=0"),
        (ALL, "max-age=100", "public, max-age=60, s-maxage=100, stale-while-revalidate=0"),
        (ALL, "max-age=700", "public, max-age=60, s-maxage=600, stale-while-revalidate=100"),
        (ALL, "max-age=900, private", "private, max-age=60, stale-while-revalidate=300"),
    ],
)
def test_a_page_is_kept_no_longer_and_for_nobody_else_than_each_of_its_parts(
    page: str, notice: str, wanted: str, tmp_path: Path
) -> None:
    assert kept(tmp_path, "none", page, notice=notice) == (wanted, True)


@pytest.mark.parametrize("page", ["", "cache: 60s", ALL])
def test_a_page_with_a_part_that_nobody_may_keep_is_kept_by_nobody(page: str, tmp_path: Path) -> None:
    assert kept(tmp_path, "none", page, notice="max-age=60, no-store") == ("no-store", False)


def test_a_partial_page_is_kept_by_nobody(tmp_path: Path) -> None:
    assert kept(tmp_path, "none", ALL, status=404) == ("no-store", False)
