"""A project's own modules: each load finds its own siblings, and nobody else sees anything of it."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bff import create_app
from bff.errors import AuthorError
from bff.modules import ProjectModules
from bff.recipe.loader import load_project
from tests.fakes import PATIENCE
from tests.project import write_built, write_project

PAGE = """
    route: GET /page
    auth: none
    shape: [which(), while_running(), beside()]
    """
FUNCTIONS = """
    from orchestrations import _words
    import shared_of_this_project

    def which():
        return _words.NAME

    def while_running():
        import clients._base
        from orchestrations._words import NAME
        from . import _words
        assert _words.NAME == NAME
        return clients._base.NAME

    def beside():
        import shared_of_this_project as shared
        return shared.NAME
    """


def project(root: Path, name: str) -> Path:
    write_project(root, {"page": PAGE}, functions={"functions": FUNCTIONS})
    for file in ("clients/_base.py", "orchestrations/_words.py", "shared_of_this_project.py"):
        (root / file).write_text(f"NAME = {name!r}\n")
    (root / "clients" / "todos.py").write_text(
        "from bff import Client\nfrom clients._base import NAME\n"
        "import clients.people\n"
        "client = Client(base_url=f'http://{NAME}.test', headers={'X-Kind': type(clients.people.client).__name__})\n"
    )
    return root


def shown(root: Path) -> Any:
    return create_app(root, environ={}).test_client().get("/page").json


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What works give that begin together, each in a thread of its own."""
    together, found = threading.Barrier(len(works)), [None] * len(works)

    def run(at: int) -> None:
        together.wait(PATIENCE)
        try:
            found[at] = works[at]()
        except Exception as error:
            found[at] = error

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return found


def test_projects_that_are_loaded_at_once_each_find_their_own_siblings(tmp_path: Path) -> None:
    roots = [project(tmp_path / f"p{number}", f"p{number}") for number in range(6)]
    for _ in range(3):
        found = at_once([lambda root=root: shown(root) for root in roots])
        assert found == [[root.name] * 3 for root in roots]


def test_built_projects_that_are_read_at_once_each_find_their_own_siblings(tmp_path: Path) -> None:
    roots = [project(tmp_path / f"p{number}", f"p{number}") for number in range(4)]
    built = [write_built(root, tmp_path / "out" / root.name) for root in roots]
    for root, out in zip(roots, built, strict=True):
        for file in ("clients/_base.py", "orchestrations/_words.py", "shared_of_this_project.py"):
            (out / file).parent.mkdir(exist_ok=True)
            (out / file).write_text((root / file).read_text())
    before = {path for out in built for path in out.rglob("*")}
    assert at_once([lambda out=out: shown(out) for out in built]) == [[root.name] * 3 for root in roots]
    assert {path for out in built for path in out.rglob("*")} == before  # and nothing was written


def test_who_imports_while_a_project_is_loaded_sees_nothing_of_it(tmp_path: Path) -> None:
    """A module of a project that stops in the middle of its import, while another thread imports."""
    root = project(tmp_path, "p")
    (root / "clients" / "_base.py").write_text(
        "import threading\n"
        "stop = next(found for found in threading.enumerate() if found.name == 'loading').stop\n"
        "stop()\nNAME = 'p'\n"
    )
    inside, on = threading.Barrier(2), threading.Barrier(2)

    class Loading(threading.Thread):
        def stop(self) -> None:
            inside.wait(PATIENCE)
            on.wait(PATIENCE)

    before = (list(sys.path), sys.dont_write_bytecode, known_names())
    loading = Loading(target=load_project, args=(root,), name="loading")
    loading.start()
    inside.wait(PATIENCE)
    try:
        assert (list(sys.path), sys.dont_write_bytecode, known_names()) == before
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("shared_of_this_project")
        assert importlib.import_module("pdb").__name__ == "pdb"
    finally:
        on.wait(PATIENCE)
        loading.join(PATIENCE)
    assert (list(sys.path), sys.dont_write_bytecode, known_names()) == before


def known_names() -> set[str]:
    return {name for name in sys.modules if name.split(".")[0] in ("clients", "orchestrations")}


def test_a_module_is_one_however_it_is_imported(tmp_path: Path) -> None:
    root = project(tmp_path, "p")
    modules = ProjectModules(root)
    todos, findings = modules.load(root / "clients" / "todos.py")
    people, _ = modules.load(root / "clients" / "people.py")
    assert findings == [] and todos is not None and people is not None
    assert todos.clients.people is people


def test_a_sibling_that_is_not_there_is_told_by_its_own_name(tmp_path: Path) -> None:
    root = project(tmp_path, "p")
    (root / "clients" / "people.py").write_text("x = 1\nfrom clients._gone import NAME\n")
    (root / "clients" / "notices.py").write_text("from clients._base import GONE\n")
    with pytest.raises(AuthorError) as caught:
        create_app(root, environ={})
    assert str(caught.value).splitlines()[::3] == [
        f"clients/notices.py:1:1: ImportError: cannot import name 'GONE' from 'clients._base' "
        f"({root}/clients/_base.py)",
        "clients/people.py:2:1: ModuleNotFoundError: No module named 'clients._gone'",
    ]


def test_what_python_finds_elsewhere_is_not_the_projects(tmp_path: Path) -> None:
    """A folder that holds a file of a library's name, as a bundle does, has no second copy of it."""
    root = project(tmp_path, "p")
    (root / "msgspec.py").write_text("raise SystemExit('a copy')\n")
    (root / "clients" / "people.py").write_text(
        "import msgspec, json.decoder\nfrom bff import Client\n"
        "client = Client(base_url='http://a.test', headers={'X': msgspec.Struct.__name__})\n"
    )
    assert load_project(root)[1] == []


def test_a_module_beside_the_folders_is_not_another_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = project(tmp_path / "first", "first"), project(tmp_path / "second", "second")
    monkeypatch.syspath_prepend(first)  # as a server started in its folder has it
    monkeypatch.delitem(sys.modules, "shared_of_this_project", raising=False)
    assert [shown(root)[2] for root in (first, second)] == ["first", "second"]
    assert sys.modules.pop("shared_of_this_project").NAME == "first"
