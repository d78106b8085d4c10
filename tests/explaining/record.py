"""Writes anew what tests and docs show of explanations: `python -m tests.explaining.record`.

What has changed is read by a person before it is committed: these texts are what the tests compare with.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import tempfile
from pathlib import Path

from bff.cli import main
from tests.explaining.called import called
from tests.explaining.project import RECIPES, TEN, page_of, write_ten

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explaining.md"
DRAWING = ROOT / "docs" / "images" / "home-graph.svg"
SHOWN = re.compile(r"^(```text of (bff [^\n]+)\n)(.*?)^```$", re.S | re.M)
MERMAID = re.compile(r"(?<=^```mermaid\n).*?(?=^```$)", re.S | re.M)
DATA = re.compile(r"(?<=^```json\n).*?(?=^```$)", re.S | re.M)


def printed(root: Path, *arguments: str) -> str:
    """What a command prints about a project."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main(["--root", str(root), *arguments])
    return out.getvalue()


def shown(command: str, page: str) -> str:
    """What a command in the docs prints of this project, over the data that stands there."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "todos.json"
        data.write_text(json.dumps(json.loads(DATA.findall(page)[0])))
        words = shlex.split(command)[1:]
        return printed(ROOT, *(str(data) if word == data.name else word for word in words))


def record() -> None:
    """Write what explain, graph and call say of the ten recipes, and what the docs show."""
    with tempfile.TemporaryDirectory() as folder:
        root = write_ten(Path(folder))
        for stem in TEN:
            page = page_of(stem)
            (RECIPES / f"{stem}.txt").write_text(printed(root, "explain", page), "utf-8")
            drawn = printed(root, "graph", page, "--format", "mermaid")
            (RECIPES / f"{stem}.mmd").write_text(drawn, "utf-8")
            (RECIPES / f"{stem}.call").write_text(called(root, stem), "utf-8")
    text = PAGE.read_text("utf-8")
    text = SHOWN.sub(lambda found: f"{found[1]}{shown(found[2], text)}```", text)
    text = MERMAID.sub(lambda _: printed(ROOT, "graph", "home", "--format", "mermaid"), text)
    PAGE.write_text(text, "utf-8")
    DRAWING.write_text(printed(ROOT, "graph", "home"), "utf-8")


if __name__ == "__main__":
    record()
