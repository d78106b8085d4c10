"""Search finds what it says and nothing else, on a backend that holds another visitor's rows."""

from __future__ import annotations

import pytest

from tests.app.conftest import Account

pytestmark = pytest.mark.backend

TEXTS = [
    "it's",
    'say "hi"',
    "back\\slash",
    "\\' || id != '",
    "' || '1'='1",
    "50%",
    "50 percent",
    "a_b",
    "axb",
    "%",
    "_",
    "a || b",
    "a && b",
    "// comment",
    "@request.auth.id",
    "(x)",
    "待办 茶",
    "tab\there",
]


def test_every_text_finds_itself_and_only_what_holds_it(account: Account) -> None:
    ann, other = account("Ann"), account("Other")
    for text in TEXTS:
        ann.add(text)
        other.add(f"another visitor's {text}")
    for text in TEXTS:
        answer = ann.ask("GET", "/api/home", params={"q": text, "per_page": 100})
        assert answer.status_code == 200, (text, answer.text)
        found = {todo["title"] for todo in answer.json()["todos"]}
        assert found == {title for title in TEXTS if text.lower() in title.lower()}, text


@pytest.mark.parametrize(
    "text", ["\x01", "\x7f", "\u2028", "\ufeff", "a\nb", "'", "\\", "\\\\", "'" * 100, "~", "?="]
)
def test_texts_that_nothing_holds_find_nothing_of_others(account: Account, text: str) -> None:
    ann, other = account("Ann"), account("Other")
    ann.add("plain")
    other.add("secret")
    answer = ann.ask("GET", "/api/home", params={"q": text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["todos"] == []


def test_ids_and_names_cannot_reach_into_a_filter(account: Account) -> None:
    ann, other = account("Ann"), account("Other")
    other.add("secret")
    for text in ("x' || id != '", "' || 1=1 //", "\\"):
        assert ann.ask("GET", "/api/people", params={"q": text}).json()["people"] == []
        assert ann.ask("GET", f"/api/todos/{text.replace('/', '')}").status_code in (400, 404)
