"""Texts for people."""

from __future__ import annotations

import pytest

from bff.text import nearest, parse_duration, underline, width


@pytest.mark.parametrize(
    ("text", "seconds"), [("300ms", 0.3), ("2s", 2.0), ("5m", 300.0), ("1h", 3600.0), ("0s", 0.0)]
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "2", "2 s", "s", "-1s", "1.5s", "1d", "٣s", "2s\n", "9999999s"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None


def test_the_nearest_name_is_found_only_when_it_is_near() -> None:
    assert nearest("helper", ["me", "helpers", "todos"]) == "helpers"
    assert nearest("zzz", ["me", "helpers", "todos"]) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("statsu", "status"),
        ("STATUS", "status"),
        ("accept-language", "Accept-Language"),
        ("tod", "todos"),
        ("usr", "user"),
        ("shared", "shared_max_age"),
    ],
)
def test_a_slip_or_a_word_of_it_is_near(name: str, meant: str) -> None:
    assert nearest(name, ["me", "status", "Accept-Language", "todos", "user", "shared_max_age"]) == meant


@pytest.mark.parametrize(
    ("name", "other"),
    [("title", "items"), ("env", "len"), ("format", "float"), ("id", "it"), ("a" * 500, "a" * 501)],
)
def test_what_only_has_letters_in_common_is_not_near(name: str, other: str) -> None:
    assert nearest(name, [other]) is None


def test_wide_characters_take_two_columns() -> None:
    assert width("待办a") == 5
    assert width("é") == 1


def test_carets_stand_under_what_they_mean() -> None:
    assert underline("title: todo.titel", 13, 5, "did you mean 'title'?") == (
        "title: todo.titel\n            ^^^^^ did you mean 'title'?"
    )


def test_carets_count_wide_characters() -> None:
    assert underline('f"待办" + x', 9, 1) == 'f"待办" + x\n          ^'
