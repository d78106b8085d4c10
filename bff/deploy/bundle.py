"""What pages need to run, whatever the host: their compiled form, their modules, the engine, and their environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bff.compiled import FILE, compile_pages
from bff.deploy.bytecode import with_bytecode
from bff.deploy.imports import engine_files, project_files
from bff.plan import Planned
from bff.planning import plan_folder

PINS = "requirements.txt"
ENVIRONMENT = ".env.example"
_OF_A_WHOLE_PROJECT = ("wsgi.py",)


class Bundle(Struct, frozen=True):
    """The files that every target needs, by path, and what the pages take from the environment.

    `variables` are their names with the defaults that the project gives them, None where there is none.
    """

    pages: tuple[str, ...]
    files: Mapping[str, bytes]
    variables: Mapping[str, str | None]


def bundle_of(root: Path, pages: Sequence[str] | None = None) -> Bundle:
    """The bundle of some pages of a project, or of all with what else it serves.

    Raises AuthorError or OperatorError with all that is wrong with them.
    """
    root = root.resolve()
    planned = plan_folder(root, pages)
    compiled = compile_pages(planned)
    modules = [
        *(f"clients/{name}.py" for name in compiled.clients),
        *(f"orchestrations/{name}.py" for name in compiled.functions),
        *(name for name in _OF_A_WHOLE_PROJECT if planned.whole and (root / name).is_file()),
    ]
    sources = {**engine_files(), **project_files(root, modules)}
    variables = _variables(planned)
    files = {FILE: compiled.content, **with_bytecode(sources), ENVIRONMENT: _environment(planned, variables)}
    if (root / PINS).is_file():
        files[PINS] = (root / PINS).read_bytes()
    if planned.whole:
        files |= dict(_public(root))
    return Bundle(tuple(planned.plans), files, variables)


def _public(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((root / "public").rglob("*")):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _variables(planned: Planned) -> dict[str, str | None]:
    """What the pages take from the environment: the variables of their clients, and the keys of sessions."""
    clients = {client.name: client for plan in planned.plans.values() for client in plan.clients}
    if planned.whole:
        clients |= planned.clients
    found: dict[str, str | None] = {}
    for _, client in sorted(clients.items()):
        found |= {read.variable: read.default for read in client.variables}
    recipes = [plan.recipe for plan in planned.plans.values()]
    if any(recipe.auth != "none" or recipe.session is not None for recipe in recipes):
        found["BFF_SESSION_KEYS"] = None
    return found


def _environment(planned: Planned, variables: Mapping[str, str | None]) -> bytes:
    lines = [f"# What {_who_takes(planned.plans)} from the environment; what has a default may be left out."]
    lines += [
        f"{name}=" if default is None else f"# {name}={default}"
        for name, default in sorted(variables.items())
    ]
    return "\n".join([*lines, ""]).encode()


def _who_takes(pages: Iterable[str]) -> str:
    found = list(pages)
    return f"{found[0]} takes" if len(found) == 1 else "these pages take"
