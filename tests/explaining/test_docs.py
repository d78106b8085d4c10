"""The page of the docs about explanations shows what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bff.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explaining.md").read_text("utf-8")
SHOWN = [
    pytest.param(command, text, id=command)
    for command, text in re.findall(r"^```text of (bff [^\n]+)\n(.*?)^```$", PAGE, re.S | re.M)
]


@pytest.mark.parametrize(("command", "text"), SHOWN)
def test_what_is_shown_is_what_is_printed(
    command: str,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [data] = re.findall(r"^```json\n(.*?)^```$", PAGE, re.S | re.M)
    (tmp_path / "todos.json").write_text(data)
    monkeypatch.chdir(tmp_path)
    main(["--root", str(ROOT), *shlex.split(command)[1:]])
    assert capsys.readouterr().out == text


def test_every_command_is_shown() -> None:
    names = [re.findall(r"^bff (\w+)", str(case.values[0])) for case in SHOWN]
    assert [name for [name] in names] == ["routes", "explain", "eval", "eval"]


def test_the_drawings_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(ROOT), "graph", "home"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "images" / "home-graph.svg").read_text("utf-8")
    assert main(["--root", str(ROOT), "graph", "home", "--format", "mermaid"]) == 0
    [shown] = re.findall(r"^```mermaid\n(.*?)^```$", PAGE, re.S | re.M)
    assert capsys.readouterr().out == shown
