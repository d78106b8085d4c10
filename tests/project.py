"""A small project in a folder of its own, for tests that need recipes and clients of their own."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from bff import create_app
from bff.deploy.bundle import page_files
from bff.deploy.python import running_python
from bff.plan.compiled import FILE
from bff.plan.planning import plan_folder

ROOT = Path(__file__).resolve().parents[1]

BACKENDS = ("people", "todos", "notices")
PATIENT = "10s"
"""The time-out of clients of which a test says nothing: a busy machine may take longer than the layer's default."""
LOGIN = """
    route: POST /api/login
    auth: none
    input:
      body:
        type: object
        properties:
          name: {type: string}
    session:
      user:
        id: body.name
    shape: 1
    """
"""A recipe that signs in whoever says a name, which is then their id."""


def write_project(
    root: Path,
    recipes: Mapping[str, str],
    *,
    clients: Mapping[str, str] | None = None,
    functions: Mapping[str, str] | None = None,
    timeout: str = PATIENT,
) -> Path:
    """Write recipes (name → YAML), client modules (name → arguments of Client) and function modules.

    A client whose arguments name no time-out has `timeout`.
    """
    (root / "orchestrations").mkdir(parents=True, exist_ok=True)
    (root / "clients").mkdir(exist_ok=True)
    for name, text in recipes.items():
        (root / "orchestrations" / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    for name, text in (functions or {}).items():
        (root / "orchestrations" / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    for name, arguments in {**dict.fromkeys(BACKENDS, ""), **(clients or {})}.items():
        own = arguments if "timeout=" in arguments else f'timeout="{timeout}", {arguments}'
        (root / "clients" / f"{name}.py").write_text(
            "from bff import Breaker, Client, env\n\n"
            f'client = Client(base_url=env("{name.upper()}_URL", default="http://{name}.test"), {own})\n'
        )
    return root


def write_built(root: Path, out: Path, pages: Sequence[str] | None = None) -> Path:
    """Write a project's pages in compiled form, with the modules that they need and without an engine."""
    compiled, modules = page_files(root, plan_folder(root, pages), running_python())
    files = {FILE: compiled.content, **modules}
    public = (path for path in (root / "public").rglob("*") if pages is None and path.is_file())
    files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in public}
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return out


def changed_app(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """The project's own app in a folder, with changes: a file, a text that stands there once, what is there instead."""
    for name in ("clients", "orchestrations", "public"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wsgi.py", folder)
    for name, old, new in changes:
        text = (folder / name).read_text("utf-8")
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new), "utf-8")
    return folder


def app_of(
    root: Path,
    recipes: Mapping[str, str],
    *,
    clients: Mapping[str, str] | None = None,
    functions: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: str = PATIENT,
) -> Flask:
    """The app of a project that is written first."""
    write_project(root, recipes, clients=clients, functions=functions, timeout=timeout)
    return create_app(root, environ=environ or {})


def visitor(root: Path, recipes: Mapping[str, str] | str, **more: object) -> FlaskClient:
    """A test client of such an app; one recipe may be given as its text alone."""
    found = {"page": recipes} if isinstance(recipes, str) else recipes
    return app_of(root, found, **more).test_client()  # type: ignore[arg-type]
