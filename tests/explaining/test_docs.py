"""The page of the docs about explanations shows what the commands print."""

from __future__ import annotations

import pytest

from tests.explaining.record import DRAWING, MERMAID, PAGE, ROOT, SHOWN, printed, shown

TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize(("command", "text"), [(found[2], found[3]) for found in SHOWN.finditer(TEXT)])
def test_what_is_shown_is_what_is_printed(command: str, text: str) -> None:
    assert shown(command, TEXT) == text


def test_every_command_is_shown() -> None:
    names = [found[2].split()[1] for found in SHOWN.finditer(TEXT)]
    assert names == ["routes", "explain", "eval", "eval"]


def test_the_drawings_are_those_of_the_command() -> None:
    assert printed(ROOT, "graph", "home") == DRAWING.read_text("utf-8")
    assert MERMAID.findall(TEXT) == [printed(ROOT, "graph", "home", "--format", "mermaid")]
