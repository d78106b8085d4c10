"""A shop: one backend with a schema, one whose replies were only seen, one of which nobody knows anything."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
CASES = sorted(path.stem for path in (HERE / "cases").glob("[0-9]*.yaml"))
CLIENTS = {"shop": 'schema="shop.openapi.yaml", enforce="{enforce}", ', "learned": "", "unheard": ""}
LEARNED = """
    GET /notes:
      type: object
      required: [items, more]
      properties:
        more: {type: boolean}
        items:
          type: array
          items:
            type: object
            required: [id, text]
            properties:
              id: {type: string}
              note: {type: string}
              text: {type: string}
    """
FUNCTIONS = """
    from typing import Any, Literal, NotRequired, TypedDict


    class Summary(TypedDict):
        longest: str | None
        kinds: list[Literal["open", "done"]]
        more: NotRequired[dict[str, int]]


    def label(title) -> str:
        return f"<{title}>"


    def summary(todos) -> Summary:
        found = {"longest": max((todo["title"] for todo in todos), key=len, default=None), "kinds": ["open"]}
        return {**found, "more": {"rows": len(todos)}} if todos else found


    def anything(todos):
        return len(todos)
    """


def write_shop(root: Path, case: str, enforce: str = "schema") -> Path:
    """The project of one case: its recipe as `page`, and the part that one of them holds."""
    for folder in ("orchestrations", "clients"):
        (root / folder).mkdir(parents=True)
    shutil.copy(HERE / "cases" / f"{case}.yaml", root / "orchestrations" / "page.yaml")
    if "recipe: part" in (HERE / "cases" / f"{case}.yaml").read_text("utf-8"):
        shutil.copy(HERE / "cases" / "part.yaml", root / "orchestrations" / "part.yaml")
    shutil.copy(HERE / "shop.openapi.yaml", root / "clients" / "shop.openapi.yaml")
    (root / "clients" / "learned.types.yaml").write_text(textwrap.dedent(LEARNED))
    (root / "orchestrations" / "functions.py").write_text(textwrap.dedent(FUNCTIONS))
    for name, more in CLIENTS.items():
        given = more.format(enforce=enforce)
        declared = f'client = Client({given}base_url="http://{name}.test", timeout="10s", retries=0)'
        (root / "clients" / f"{name}.py").write_text(f"from bff import Client\n\n{declared}\n")
    return root
