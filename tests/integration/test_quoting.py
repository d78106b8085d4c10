"""A quoted text in a filter of the real PocketBase stands for itself, whatever it holds."""

from __future__ import annotations

import random

import pytest

from clients._pocketbase import pocketbase_like, pocketbase_text
from clients.local.pocketbase import Backend, temporary

pytestmark = pytest.mark.backend

NASTY = [
    "50%", "50 percent", "a_b", "axb", "%", "_", "%%", r"\%", r"\_", "100%_",
    "it's", 'say "hi"', "''", '"', "`x`", "'", r"\'", r"\\'",
    "\\", "back\\", r"a\b", r"a\\b", r"\n", r"a\nb", r"\u0041",
    "x' || id != '", r"\' || id != '", "' || 1=1 //", r"\\' || id != ''//", "') || (id != '",
    "||", "&&", "//", "a // b", "@now", "@request.auth.id", "{:x}", "$1", "?",
    "tab\there", "line\nbreak", "return\rhere", "\x01\x02\x1f\x7f", "\x85", "\u2028", "\ufeff",
    "待办50%", "待办 _ 任务", "é", "e\u0301", "É", "😀", "Straße", "OR", "null", "true", "0",
]  # fmt: skip


def _more_nasty(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    letters = "a%_\\'\"n|/ 待\n\t"
    return ["".join(chance.choices(letters, k=chance.randint(1, 6))) for _ in range(count)]


@pytest.fixture(scope="module")
def stored(backend_program: object) -> object:
    """A backend with one todo for each nasty text, and the texts by the ids of their todos."""
    texts = list(dict.fromkeys([*NASTY, *_more_nasty(60, seed=20)]))
    with temporary() as backend:
        yield backend, {backend.add("todos", title=text, status="open")["id"]: text for text in texts}


def _found(backend: Backend, condition: str) -> set[str]:
    return {row["id"] for row in backend.rows("todos", filter=condition)}


def _folded(text: str) -> str:
    """As SQLite's LIKE compares: upper and lower case are one in ASCII only."""
    return "".join(char.lower() if char.isascii() else char for char in text)


def test_an_equal_text_is_found_and_nothing_else(stored: tuple[Backend, dict[str, str]]) -> None:
    backend, texts = stored
    for wanted in texts.values():
        expected = {row for row, text in texts.items() if text == wanted}
        assert _found(backend, f"title = {pocketbase_text(wanted)}") == expected, repr(wanted)


def test_a_search_finds_what_contains_the_text_and_nothing_else(
    stored: tuple[Backend, dict[str, str]],
) -> None:
    backend, texts = stored
    for wanted in texts.values():
        expected = {row for row, text in texts.items() if _folded(wanted) in _folded(text)}
        assert _found(backend, f"title ~ {pocketbase_like(wanted)}") == expected, repr(wanted)


def test_a_search_inside_a_larger_condition_stays_one_operand(
    stored: tuple[Backend, dict[str, str]],
) -> None:
    backend, texts = stored
    for wanted in texts.values():
        condition = (
            f"(title ~ {pocketbase_like(wanted)} || note ~ {pocketbase_like(wanted)}) && status = 'done'"
        )
        assert _found(backend, condition) == set(), repr(wanted)


def test_a_search_for_nothing_finds_everything(stored: tuple[Backend, dict[str, str]]) -> None:
    backend, texts = stored
    assert _found(backend, f"title ~ {pocketbase_like('')}") == set(texts)


@pytest.mark.parametrize("text", ["50\0", "\0", "50%\0' || id != '"])
def test_a_text_with_nul_finds_nothing(stored: tuple[Backend, dict[str, str]], text: str) -> None:
    backend, _ = stored
    assert _found(backend, f"title = {pocketbase_text(text)} || title ~ {pocketbase_like(text)}") == set()


def test_like_quoting_is_what_the_text_operator_needs(stored: tuple[Backend, dict[str, str]]) -> None:
    """Quoting a search as a plain text is not enough: its `%` would match anything."""
    backend, texts = stored
    as_text = _found(backend, f"title ~ {pocketbase_text('a%b')}")
    assert {texts[row] for row in as_text} > {text for text in texts.values() if "a%b" in text}
