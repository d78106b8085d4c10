"""Keys that are checked and not run yet: `check` lets them pass, the start does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bff.checker import check_folder, refuse_unsupported, unsupported
from bff.keys import KEYS, Key

PAGE = """
route: POST /page
{page}
steps:
  read: {{client: todos, get: /a{read}}}
  made: {{client: todos, post: /a{made}}}
  last: {{client: todos, get: /b}}
  {more}
shape: [read, made, last{shape}]
"""


def refused(
    root: Path, page: str = "auth: none", read: str = "", made: str = "", more: str = "", shape: str = ""
) -> list[str]:
    text = PAGE.format(page=page, read=read, made=made, more=more, shape=shape)
    (root / "orchestrations" / "page.yaml").write_text(text.lstrip("\n"), encoding="utf-8")
    (root / "orchestrations" / "other.yaml").write_text("route: GET /other\nauth: none\nshape: 1\n")
    project, findings = check_folder(root)
    assert list(map(str, findings)) == []
    return [str(finding) for finding in refuse_unsupported(project)]


def _as(key: Key, waiting: str) -> Key:
    if key.name == "auth":
        key = replace(key, idle=("none",), instead="auth: none")
    return replace(key, runs=key.name != waiting)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a key one that is not run yet, and all others such that are."""

    def wait(name: str) -> None:
        monkeypatch.setattr(
            unsupported,
            "KEYS",
            {table: tuple(_as(key, name) for key in keys) for table, keys in KEYS.items()},
        )

    return wait


def test_what_is_run_is_not_refused(root: Path, waiting: Callable[[str], None]) -> None:
    waiting("nothing")
    assert refused(root, "auth: required\nsession: null", made=", undo: {delete: /a}") == []


def test_a_switch_that_is_off_asks_for_nothing(root: Path, waiting: Callable[[str], None]) -> None:
    for name in ("auth", "pass", "shared"):
        waiting(name)
        read = ", cache: {ttl: 1s, shared: false}"
        assert refused(root, "auth: none\npass: false", read) == []


def test_auth_is_required_by_default_and_says_what_to_write(
    root: Path, waiting: Callable[[str], None]
) -> None:
    waiting("auth")
    assert refused(root, "summary: a page") == [
        "orchestrations/page.yaml:1:1: 'auth: required', the default, is not run by this version yet; "
        "write 'auth: none'"
    ]


@pytest.mark.parametrize("auth", ["required", "optional"])
def test_a_written_auth_is_refused_at_its_place(
    auth: str, root: Path, waiting: Callable[[str], None]
) -> None:
    waiting("auth")
    assert refused(root, f"auth: {auth}") == [
        f"orchestrations/page.yaml:2:1: 'auth: {auth}' is not run by this version yet; write 'auth: none'"
    ]


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("rate_limit", {"page": "auth: none\nrate_limit: 10/min"}),
        ("session", {"page": "auth: none\nsession: null"}),
        ("invalidates", {"page": "auth: none\ninvalidates: [page.read]", "read": ", cache: 1s"}),
        ("deploy", {"page": "auth: none\ndeploy: {memory: 256}"}),
        ("hedge", {"read": ", hedge: 50ms"}),
        ("stale_while_revalidate", {"read": ", cache: {ttl: 1s, stale_while_revalidate: 10s}"}),
        ("stale_if_error", {"read": ", cache: {ttl: 1s, stale_if_error: 10s}"}),
        ("shared", {"read": ", cache: {ttl: 1s, shared: true}"}),
        ("undo", {"made": ", undo: {delete: /a}"}),
        ("idempotency_key", {"made": ", idempotency_key: true"}),
        ("recipe", {"more": "inner: {recipe: other}", "shape": ", inner"}),
    ],
)
def test_a_key_that_is_not_run_is_refused_in_one_sentence(
    key: str, parts: dict[str, str], root: Path, waiting: Callable[[str], None]
) -> None:
    waiting(key)
    (printed,) = refused(root, **parts)
    place, _, sentence = printed.partition(": ")
    assert place.startswith("orchestrations/page.yaml:")
    assert sentence == f"'{key}' is not run by this version yet; leave it out"


def test_a_key_that_stands_in_several_steps_is_refused_once(
    root: Path, waiting: Callable[[str], None]
) -> None:
    waiting("hedge")
    more = "again: {client: todos, get: /c, hedge: 9ms}"
    assert len(refused(root, read=", hedge: 50ms", more=more, shape=", again")) == 1
