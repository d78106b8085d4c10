"""The project that the ten recipes belong to."""

from __future__ import annotations

from pathlib import Path

RECIPES = Path(__file__).parent / "recipes"
TEN = tuple(sorted(path.stem for path in RECIPES.glob("[0-9]*.yaml")))
CLIENTS = {
    "people": 'timeout="2s", auth=forward_token("people")',
    "todos": 'timeout="2s", auth=forward_token("people")',
    "notices": 'timeout="800ms"',
    "prices": 'timeout="1s", retries=2',
}


def page_of(stem: str) -> str:
    """The page of a recipe's file, whose name begins with a number here."""
    return stem.partition("_")[2]


def write_ten(root: Path) -> Path:
    """Write the project of the ten recipes, and of the one that they hold."""
    (root / "orchestrations").mkdir()
    (root / "clients").mkdir()
    for stem in (*TEN, "frame"):
        text = (RECIPES / f"{stem}.yaml").read_text("utf-8")
        (root / "orchestrations" / f"{page_of(stem) or stem}.yaml").write_text(text, "utf-8")
    for name, arguments in CLIENTS.items():
        base = f'env("{name.upper()}_URL", default="http://{name}.test")'
        text = f"from bff import Client, env, forward_token\n\nclient = Client({base}, {arguments})\n"
        (root / "clients" / f"{name}.py").write_text(text)
    return root
