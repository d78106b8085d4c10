"""A small project whose backend the test holds in its hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from bff.cli.building.folder import write
from bff.deploy import TARGETS, Bundle, Bundler, Function, Project, Target
from bff.recipe.model import Deploy
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


DEPLOY = {"undone": Deploy(memory=1024, concurrency=40, min_instances=2)}


def project_of(
    bundler: Bundler,
    target: str,
    *pages: str,
    group: str | None = None,
    python: str | None = None,
    deploy: Mapping[str, Deploy] = DEPLOY,
    with_public: bool = False,
) -> Project:
    """All that a build of these pages, or of every one, hands to a target's manifests."""
    kind, all_of_them = TARGETS[target], pages or bundler.pages
    if kind.alone or group:
        of_all = pages or (None if kind.alone else bundler.pages)
        bundles = {group or bundler.root.name: bundler.bundle(of_all, kind.need, with_public=with_public)}
    else:
        bundles = {page: bundler.bundle([page], kind.need) for page in all_of_them}
    functions = [_function(name, _asking(bundle, deploy), kind) for name, bundle in bundles.items()]
    public = {} if kind.alone or pages or with_public else bundler.public()
    return Project(
        bundler.root.name, functions, python or bundler.python.version, "x86_64", not pages, public, ""
    )


def built(
    bundler: Bundler,
    target: str,
    out: Path,
    *pages: str,
    group: str | None = None,
    with_public: bool = False,
) -> Path:
    """The folder that the command makes of these pages, or of every one, without looking at how each starts."""
    kind = TARGETS[target]
    project = project_of(bundler, target, *pages, group=group, deploy={}, with_public=with_public)
    files = {**kind.manifests(project), **project.public}
    for function in project.functions:
        inside = "" if kind.alone else f"{function.name}/"
        files |= {f"{inside}{path}": content for path, content in function.bundle.files.items()}
    write(files, out)
    return out


def _asking(bundle: Bundle, deploy: Mapping[str, Deploy]) -> Bundle:
    """The bundle with what its recipes ask of their hosts."""
    plans = {
        page: replace(plan, recipe=replace(plan.recipe, deploy=deploy.get(page)))
        for page, plan in bundle.plans.items()
    }
    return replace(bundle, plans=plans)


def _function(name: str, bundle: Bundle, target: Target) -> Function:
    function = Function(name, bundle)
    return Function(name, replace(bundle, own={**bundle.own, **target.entry(function)}))
