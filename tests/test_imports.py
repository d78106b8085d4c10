"""The direction of imports: a module imports only from those before it, so that no part knows one above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bff"
ORDER = [
    "text",
    "records",
    "memo",
    "turns",
    "forks",
    "breaker",
    "errors",
    "traces",
    "problems",
    "jsontext",
    "addresses",
    "certificates",
    "settings",
    "jsonpatch",
    "validation",
    "identity",
    "state",
    "modules",
    "expressions",
    "keys",
    "recipe",
    "http",
    "source",
    "loader",
    "composition",
    "graph",
    "taint",
    "checker",
    "schema",
    "narrow",
    "reads",
    "plan",
    "planner",
    "planning",
    "compiled",
    "executor",
    "deploy",
    "web",
    "server",
    "testing",
    "cli",
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_")


def part_of(path: Path) -> str:
    """The part that a module belongs to: its own name at the top of the package, else its folder's."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def parts_imported(path: Path) -> set[str]:
    return {
        name.split(".")[1]
        for name in imports_of(path)
        if name.startswith("bff.") and name.split(".")[1] in ORDER
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_left(path: Path) -> None:
    assert part_of(path) in ORDER, f"give {part_of(path)} its place in the order"
    place = ORDER.index(part_of(path))
    above = {part for part in parts_imported(path) if ORDER.index(part) > place}
    assert above == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_web_layer_knows_flask(path: Path) -> None:
    known = {name.split(".")[0] for name in imports_of(path)}
    assert part_of(path) == "web" or not known & {"flask", "werkzeug"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_engine_names_no_page_and_no_backend(path: Path) -> None:
    known = {name.split(".")[0] for name in imports_of(path)}
    assert not known & {"orchestrations", "clients", "tests"}
