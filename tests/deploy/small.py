"""A small project whose backend the test holds in its hand."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec.structs import replace

from bff.cli import main
from bff.deploy import TARGETS, Bundle, Bundler, Function, Project
from bff.recipe import Deploy
from tests.project import write_project
from tests.servers import ROOT

SLOW = """
    route: GET /api/slow
    auth: none
    deadline: 30s
    steps:
      first:
        client: todos
        get: /first
      part:
        client: todos
        get: /part
        timeout: 30s
        defer: true
        fallback: null
    shape:
      first: first
      part: part
    """
UNDONE = """
    route: PUT /api/undone
    auth: none
    deadline: 6s
    steps:
      row:
        client: todos
        put: /rows/1
        body: null
        undo:
          delete: /rows/1
      other:
        client: people
        put: /rows/2
        body: null
    shape: row
    """
OF_ONE = """
    route: GET /api/one/{id}
    auth: none
    steps:
      part:
        client: notices
        get: /part/{path.id}
    shape: part
    """
RECIPES = {"slow_page": SLOW, "undone": UNDONE, "of_one": OF_ONE}


def small_project(root: Path) -> Path:
    """The project; `todos` is a backend that must be named, the others have defaults."""
    write_project(root, RECIPES)
    (root / "clients" / "todos.py").write_text(
        'from bff import Client, env\n\nclient = Client(base_url=env("TODOS_URL"), timeout="30s")\n'
    )
    (root / "public").mkdir()
    (root / "public" / "index.html").write_text("<title>Todos</title>")
    shutil.copy(ROOT / "requirements.txt", root)
    return root


def built(root: Path, target: str, out: Path, *arguments: str) -> Path:
    """The folder that the command makes."""
    given = ["--root", str(root), "build", "--target", target, "--out", str(out), *arguments]
    assert main(given) == 0
    return out


DEPLOY = {"undone": Deploy(memory=1024, concurrency=40, min_instances=2)}


def project_of(bundler: Bundler, target: str, python: str | None = None, arch: str = "x86_64") -> Project:
    """All that a build of every page hands to a target's manifests, with what its recipes ask of their hosts."""
    kind, root = TARGETS[target], bundler.root
    if kind.alone:
        bundles = {root.name: bundler.bundle(None, kind.need)}
    else:
        bundles = {page: bundler.bundle([page], kind.need) for page in bundler.pages}
    functions = [Function(name, _asking(bundle)) for name, bundle in bundles.items()]
    public = {} if kind.alone else bundler.public()
    return Project(root.name, functions, python or bundler.python.version, arch, True, public, "")


def _asking(bundle: Bundle) -> Bundle:
    plans = {
        page: replace(plan, recipe=replace(plan.recipe, deploy=DEPLOY.get(page)))
        for page, plan in bundle.plans.items()
    }
    return replace(bundle, plans=plans)
