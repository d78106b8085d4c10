"""What of a project can run although other files of it hold mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from bff.errors import Finding
from bff.expressions.functions import FUNCTIONS
from bff.expressions.inspect import inspect
from bff.plan.model import Plan
from bff.plan.planner import make_plan
from bff.recipe.check import check_folder
from bff.recipe.check.page import Page
from bff.recipe.composition import compose
from bff.recipe.graph import reached
from bff.recipe.keys import QUOTES
from bff.recipe.loader import Project
from bff.recipe.model import Recipe, Request, SubRecipe
from bff.settings import Settings

SHARED = "orchestrations/functions.py"


class Sound(Struct, frozen=True):
    """The plans of the pages that can run, and why each of the other recipes cannot; `findings` are all of them."""

    project: Project
    plans: Mapping[str, Plan]
    down: Mapping[str, tuple[Finding, ...]]
    findings: tuple[Finding, ...]


def load_sound(root: Path, settings: Settings) -> Sound:
    """What of a project can run; raises OperatorError where it has no recipes at all."""
    project, findings = check_folder(root, None, settings)
    blame = _Blame(project, [finding for finding in findings if not finding.mild])
    down = {name: found for name in (*project.recipes, *project.unread) if (found := blame.of(name))}
    plans: dict[str, Plan] = {}
    for name in project.pages:
        if name not in down:
            whole = compose(project.recipes[name], project)
            plans[name] = make_plan(
                whole.recipe, project.clients, whole.functions, whole.known_as, project.contracts
            )
    return Sound(project, plans, down, tuple(findings))


class _Blame:
    """Knows which findings keep a recipe from running: its own, and those of all that it uses."""

    def __init__(self, project: Project, findings: Sequence[Finding]) -> None:
        self._project = project
        self._findings = findings
        self._held = {name: frozenset(_held(recipe)) for name, recipe in project.recipes.items()}
        self._own: dict[str, tuple[Finding, ...]] = {}

    def of(self, name: str) -> tuple[Finding, ...]:
        found: list[Finding] = []
        for one in (name, *sorted(reached(name, self._held) - {name})):
            if one not in self._own:
                self._own[one] = tuple(self._own_of(one))
            found += self._own[one]
        return tuple(dict.fromkeys(found))

    def _own_of(self, name: str) -> Iterator[Finding]:
        yield from self._in(f"orchestrations/{name}.yaml", f"orchestrations/{name}.py")
        recipe = self._project.recipes.get(name)
        if recipe is None:
            return
        yield from self._in(*recipe.documents)
        for client in sorted(_clients_of(recipe)):
            is_unusable = client in self._project.unusable
            contract = self._project.contracts.get(client)
            yield from self._in(*(() if contract is None else contract.files))
            yield from self._in(f"clients/{client}.py") or (self._elsewhere if is_unusable else ())
        if "" in self._project.unusable and self._calls_what_is_broken(recipe):
            yield from self._in(SHARED) or self._elsewhere

    def _in(self, *files: str) -> list[Finding]:
        return [finding for finding in self._findings if finding.place.file in files]

    @cached_property
    def _elsewhere(self) -> list[Finding]:
        """Those of files that a client or function module imports."""
        project = self._project
        known = {f"clients/{client}.py" for client in project.unusable | project.clients.keys()} | {SHARED}
        for name in (*project.recipes, *project.unread):
            known |= {f"orchestrations/{name}.yaml", f"orchestrations/{name}.py"}
        return [
            finding
            for finding in self._findings
            if finding.place.file not in known and finding.place.file.endswith(".py")
        ]

    def _calls_what_is_broken(self, recipe: Recipe) -> bool:
        """Whether a recipe calls a function that is not the library's, nor of the recipe's own module."""
        there = self._project.functions.get(recipe.name, {})
        own = {name for name, found in there.items() if found.__module__.endswith(f".{recipe.name}")}
        library = (FUNCTIONS.keys() | QUOTES) - there.keys()
        leaves = (spot.leaf for spot in Page(recipe, self._project).spots)
        return any(use.name not in own | library for leaf in leaves for use in inspect(leaf).functions)


def _held(recipe: Recipe) -> Iterator[str]:
    return (step.recipe for step in recipe.steps if isinstance(step, SubRecipe))


def _clients_of(recipe: Recipe) -> set[str]:
    """The clients that a recipe asks, its undos too."""
    asked = [step for step in recipe.steps if isinstance(step, Request)]
    return {one.client for step in asked for one in (step, step.undo) if one is not None}
