"""The direction of imports: a module imports only from those before it, and a clock only from one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bff"
ORDER = [
    "clock",
    "text",
    "records",
    "memo",
    "hashing",
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
    "types",
    "expressions",
    "http",
    "recipe",
    "plan",
    "executor",
    "deploy",
    "web",
    "server",
    "testing",
    "dev",
    "scaffold",
    "explaining",
    "cli",
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_")


def part_of(path: Path) -> str:
    """The part that a module belongs to: its own name at the top of the package, else its folder's."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
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


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_a_module_imports_only_from_its_left() -> None:
    assert {part_of(path) for path in MODULES} <= set(ORDER), "give each part its place in the order"
    above = {
        name_of(path): {
            part for part in parts_imported(path) if ORDER.index(part) > ORDER.index(part_of(path))
        }
        for path in MODULES
    }
    assert {name: parts for name, parts in above.items() if parts} == {}


def who_imports(*names: str) -> set[Path]:
    return {path for path in MODULES if {name.split(".")[0] for name in imports_of(path)} & set(names)}


def test_only_the_web_layer_and_what_serves_it_to_authors_know_flask() -> None:
    assert {part_of(path) for path in who_imports("flask", "werkzeug")} == {"dev", "web"}


def test_the_engine_names_no_page_and_no_backend() -> None:
    assert who_imports("orchestrations", "clients", "tests") == set()


# --- libraries that threads load ------------------------------------------------------------------------------------


def scopes_of(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """The imports of a module, and those of each function, in order; what only a type checker reads is left out."""
    found: list[ast.stmt] = []
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from scopes_of(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
    yield sorted(found, key=lambda node: node.lineno)


def parts_before_the_whole(tree: ast.AST) -> Iterator[str]:
    """Modules inside of requests and urllib3 that are imported where the whole was not before."""
    for imports in scopes_of(tree):
        whole: set[str] = set()
        for node in imports:
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top, _, part = name.partition(".")
                if part and top in ("requests", "urllib3") and top not in whole:
                    yield name
                whole |= {"requests", "urllib3"} if name == "requests" else {name}


def test_threads_that_load_a_library_at_once_begin_with_the_whole_of_it() -> None:
    found = {
        name_of(path): parts for path in MODULES if (parts := list(parts_before_the_whole(tree_of(path))))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from requests.auth import AuthBase", ["requests.auth"]),
        ("import requests\nfrom requests.auth import AuthBase", []),
        ("import requests\nimport urllib3.util", []),
        ("import urllib3\nfrom requests.auth import AuthBase", ["requests.auth"]),
        ("import requests\ndef f():\n    import urllib3.util", ["urllib3.util"]),
        ("if TYPE_CHECKING:\n    from requests.auth import AuthBase", []),
        ("from requests import Session", []),
    ],
)
def test_a_part_before_the_whole_is_found(text: str, found: list[str]) -> None:
    assert list(parts_before_the_whole(ast.parse(text))) == found


# --- nevers -------------------------------------------------------------------------------------------------------


def module_of(path: Path) -> str:
    """The dotted name of a module."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def needs_of(name: str, tree: ast.Module) -> set[str]:
    """The modules of the package that one imports: within functions, for types alone, and by name too."""
    modules = {module_of(path) for path in EVERY}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            inner = [f"{node.module}.{one.name}" for one in node.names]
            found |= {one if one in modules else str(node.module) for one in inner}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    if "import_module" in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        found |= {text for at in constants if isinstance(at, str) for text in (at, f"{name}.{at}")}
    return (found & modules) - {name}


EVERY = sorted(PACKAGE.rglob("*.py"))


@cache
def graph() -> dict[str, set[str]]:
    return {module_of(path): needs_of(module_of(path), tree_of(path)) for path in EVERY}


def all_needs_of(name: str) -> set[str]:
    """The modules that one imports, and those that they import."""
    found: set[str] = set()
    new = {name}
    while new:
        found |= new
        new = set().union(*(graph()[one] for one in new)) - found
    return found


def test_no_module_needs_one_that_needs_it() -> None:
    TopologicalSorter(graph()).prepare()  # raises CycleError, which names them


@pytest.mark.parametrize(
    "text",
    [
        "import bff.clock",
        "from bff import clock",
        "from bff.clock import wall",
        "def f():\n    from bff.clock import wall",
        "if TYPE_CHECKING:\n    import bff.clock",
        "from importlib import import_module\nimport_module('bff.clock')",
        "from importlib import import_module\nimport_module(f'bff.{of[0]}')\nof = ['clock']",
    ],
)
def test_every_way_to_import_is_seen(text: str) -> None:
    assert needs_of("bff", ast.parse(text)) == {"bff.clock"}


def test_a_client_declares_and_knows_no_call_no_transport_and_no_cache() -> None:
    known = {name.removeprefix("bff.http.") for name in all_needs_of("bff.http.client")}
    assert {name for name in known if not name.startswith("bff")} == {
        *("address", "arguments", "auth", "budget", "by_hand", "charsets", "client", "environment"),
        *("forwarded", "freshness", "gate", "headers", "messages", "paths", "proxies", "sockets.tls"),
    }


def test_no_layer_of_calls_knows_another() -> None:
    layers = {name for name in graph() if name.startswith("bff.http.layers.")}
    shape = {"bff.http.layers.layer"}
    assert len(layers) > 5
    assert {name: found for name in layers if (found := graph()[name] & layers - shape)} == {}


def test_calls_to_backends_know_no_recipe() -> None:
    assert {
        name for name in graph() if name.startswith("bff.http") and "bff.recipe" in graph()[name]
    } == set()


def test_a_run_knows_no_recipe_and_no_socket() -> None:
    run = [path for path in EVERY if part_of(path) == "executor"]
    for_sockets = ("socket", "select", "ssl", "bff.http.sockets", "bff.http.stock", "bff.recipe")
    assert {
        (name_of(path), name) for path in run for name in imports_of(path) if name.startswith(for_sockets)
    } == set()


OF_REPLIES = {
    "Broken",
    "Call",
    "Ended",
    "Joined",
    "HeldStream",
    "Reply",
    "Started",
    "Stream",
    "Wire",
}
"""What is a reply of a backend, or why there is none, or has one."""


def replies_seen(tree: ast.AST) -> set[str]:
    """What of replies a module imports from `http/`, or what has them as a whole: `*`, or a module."""
    modules = {name for name in graph() if name.startswith("bff.http")}
    found: set[str] = set()
    for node in ast.walk(tree):
        names = {name.name for name in node.names} if isinstance(node, ast.Import | ast.ImportFrom) else set()
        if isinstance(node, ast.ImportFrom):
            found |= {one for one in names if f"{node.module}.{one}" in modules}
            found |= names & {*OF_REPLIES, "*"} if str(node.module).startswith("bff.http") else set()
        else:
            found |= names & modules
    return found


def test_the_web_layer_sees_no_reply_of_a_backend() -> None:
    web = [path for path in EVERY if part_of(path) == "web"]
    assert {name_of(path): seen for path in web if (seen := replies_seen(tree_of(path)))} == {}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("from bff.http import Calls, Reply", {"Reply"}),
        ("from bff.http.sockets.wire import Wire", {"Wire"}),
        ("def f():\n    from bff.http import HeldStream as Through", {"HeldStream"}),
        ("if TYPE_CHECKING:\n    from bff.http.call import Call", {"Call"}),
        ("from bff.http import *", {"*"}),
        ("from bff.http import messages", {"messages"}),
        ("from bff.http.stream import held_stream", {"held_stream"}),
        ("import bff.http.messages", {"bff.http.messages"}),
        ("import bff.http as calls", {"bff.http"}),
        ("from bff import http", {"http"}),
        ("from bff.http import Client, StreamBroke, Transport", set()),
    ],
)
def test_a_reply_that_is_seen_is_found(text: str, seen: set[str]) -> None:
    assert replies_seen(ast.parse(text)) == seen


@pytest.mark.parametrize("name", ["door", "page", "answer", "frame", "table", "journal", "keeping"])
def test_the_way_of_a_page_knows_neither_flask_nor_werkzeug(name: str) -> None:
    path = PACKAGE / "web" / f"{name}.py"
    assert {found for found in imports_of(path) if found.startswith(("flask", "werkzeug"))} == set()


# --- the clock ----------------------------------------------------------------------------------------------------


def clocks_read(tree: ast.AST) -> Iterator[str]:
    """What of a module could be a clock of its own: `time`, `datetime.now` and the like, names out of `bff.clock`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name == "time")
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "bff.clock"):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            whose = ast.unparse(node.value)
            if whose.rpartition(".")[2] in ("datetime", "date"):
                yield f"{whose}.{node.attr}"


def test_only_one_module_reads_a_clock() -> None:
    found = {name_of(path): clocks for path in MODULES if (clocks := list(clocks_read(tree_of(path))))}
    assert found == {"clock.py": ["time", "datetime.now"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f():\n    import time", "time"),
        ("from time import monotonic", "time.monotonic"),
        ("from bff.clock import wall", "bff.clock.wall"),
        ("x = datetime.now(UTC)", "datetime.now"),
        ("x = datetime.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("x = date.today", "date.today"),
        ("x = evaluation.now", None),
        ("from bff import clock\nx = clock.now()", None),
    ],
)
def test_a_clock_of_its_own_is_found(text: str, found: str | None) -> None:
    assert list(clocks_read(ast.parse(text))) == ([] if found is None else [found])


PATCHES_TIME = re.compile(
    r"""\b(setattr|patch|patch\.object)\(\s*(time,|["'](\S+\.)?time\.|[\w.]+,\s*["']time["'])"""
)
"""What puts something in the place of `time`, of what is in it, or of what a module calls `time`."""


def test_tests_of_properties_have_the_profile_of_this_project() -> None:
    theirs = {"properties.py", "fuzz/replies.py"}  # the profile itself, and what runs alone
    asking = re.compile(r"^\s*(?:from|import) hypothesis\b", re.MULTILINE)
    folder = Path(__file__).parent
    files = [path for path in folder.rglob("*.py") if asking.search(path.read_text("utf-8"))]
    assert {path.relative_to(folder).as_posix() for path in files} == theirs


def test_tests_move_the_clock_of_the_layer_and_no_other() -> None:
    folder = Path(__file__).parent
    assert [path.name for path in folder.rglob("*.py") if PATCHES_TIME.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "arguments",
    [
        '(time, "time", fixed)',
        '("time.time", fixed)',
        '("bff.retry.time.time", fixed)',
        '(\n    retry, "time", x)',
    ],
)
def test_a_test_that_patches_time_is_found(arguments: str) -> None:
    assert PATCHES_TIME.search(f"monkeypatch.setattr{arguments}")
    assert not PATCHES_TIME.search(f"monkeypatch.setattr{arguments.replace('time', 'clock')}")
