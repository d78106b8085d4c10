"""A whole project folder: its recipes, the functions they may call, and its clients."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bff.errors import Finding, OperatorError, Place
from bff.expressions.functions import FUNCTIONS
from bff.expressions.parse import parse_path
from bff.http import Client
from bff.modules import ProjectModules, place_of_function, public_functions
from bff.recipe.contracts.project import ClientContract, contracts_of
from bff.recipe.keys import QUOTES
from bff.recipe.loader.reading import NAME
from bff.recipe.loader.recipes import load_recipe
from bff.recipe.model import Recipe, Request, SubRecipe
from bff.settings import Settings
from bff.text import meant, nearest

Functions = dict[str, Callable[..., Any]]
SHARED = "functions"


@dataclass(frozen=True, slots=True)
class Project:
    """What a project folder holds.

    `recipes` are those asked for and all that they hold; `pages` names those asked for that have a route.
    `functions` are by recipe: those of functions.py and over them the page's own. `unusable` names the client
    modules that could not be used, and holds `''` when functions could not be loaded: what needs them is no
    further mistake. `unread` are recipes whose files are no YAML mapping. A project that is not `whole` has more
    recipes than were asked for. `settings` say how much may run. `contracts` are of the clients that have one.
    """

    root: Path
    recipes: dict[str, Recipe] = field(default_factory=dict)
    pages: tuple[str, ...] = ()
    functions: dict[str, Functions] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    unusable: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    whole: bool = True
    settings: Settings = field(default_factory=Settings)
    contracts: dict[str, ClientContract] = field(default_factory=dict)

    @property
    def documents(self) -> tuple[str, ...]:
        """The files of GraphQL that the recipes name, those that are not there too."""
        return tuple(sorted({name for recipe in self.recipes.values() for name in recipe.documents}))


def load_project(
    root: Path, pages: Sequence[str] | None = None, settings: Settings | None = None
) -> tuple[Project, list[Finding]]:
    """The project in a folder and everything wrong with its files; with `pages` only those recipes and their parts.

    Raises OperatorError when the folder has no recipes, or not one of those asked for.
    """
    root = root.resolve()
    paths = _recipe_paths(root, pages)
    findings = list(_strays(root)) if pages is None else []
    recipes, unread, found = _recipes(root, paths)
    findings += found
    asked = {path.stem for path in paths}
    modules = ProjectModules(root)
    clients, unusable, found = _clients(modules)
    findings += found
    recipes = {name: _with_endpoints(recipe, clients) for name, recipe in recipes.items()}
    contracts, found = contracts_of(root, clients, recipes.values())
    findings += found
    functions, whole, found = _functions(modules, sorted(asked | recipes.keys()))
    findings += found
    broken = unusable if whole else unusable | {""}
    served = tuple(name for name, recipe in recipes.items() if name in asked and recipe.path)
    project = Project(
        *(root, recipes, served, functions, clients),
        unusable=frozenset(broken),
        unread=unread,
        whole=pages is None,
        settings=settings or Settings(),
        contracts=contracts,
    )
    return project, findings


def _recipes(root: Path, paths: list[Path]) -> tuple[dict[str, Recipe], frozenset[str], list[Finding]]:
    """The recipes of these files and those that they hold, in the order of the files, and which cannot be read."""
    recipes: dict[str, Recipe] = {}
    findings: list[Finding] = []
    seen: set[Path] = set()
    waiting = list(paths)
    for path in waiting:
        if path in seen:
            continue
        seen.add(path)
        recipe, found = load_recipe(path, root)
        findings += found
        if recipe is not None:
            recipes[recipe.name] = recipe
            held = (
                path.with_name(f"{step.recipe}.yaml") for step in recipe.steps if isinstance(step, SubRecipe)
            )
            waiting += [other for other in held if other.is_file()]
    unread = frozenset({path.stem for path in seen} - recipes.keys())
    return {name: recipes[name] for name in sorted(recipes)}, unread, findings


def _with_endpoints(recipe: Recipe, clients: dict[str, Client]) -> Recipe:
    """The recipe, whose GraphQL documents go where their clients say."""
    steps = tuple(_at_endpoint(step, clients) if isinstance(step, Request) else step for step in recipe.steps)
    return replace(recipe, steps=steps)


def _at_endpoint(step: Request, clients: dict[str, Client]) -> Request:
    if step.undo is not None:
        step = replace(step, undo=_at_endpoint(step.undo, clients))
    client = clients.get(step.client)
    return step if step.graphql is None or client is None else replace(step, path=parse_path(client.graphql))


def _recipe_paths(root: Path, pages: Sequence[str] | None) -> list[Path]:
    folder = root / "orchestrations"
    if not folder.is_dir():
        raise OperatorError(
            f"no folder orchestrations/ in {root}: go into a project, or begin one: bff new NAME"
        )
    paths = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if pages is None:
        return list(paths.values())
    for page in pages:
        if page not in paths:
            cure = meant(page, paths)
            raise OperatorError(f"no recipe orchestrations/{page}.yaml; {cure}there are: {', '.join(paths)}")
    return [path for name, path in paths.items() if name in pages]


def _strays(root: Path) -> Iterable[Finding]:
    """Files that look like recipes or functions and would never be read."""
    folder = root / "orchestrations"
    stems = {path.stem for path in folder.glob("*.yaml")}
    for path in sorted(folder.rglob("*")):
        start = Place(path.relative_to(root).as_posix(), 1, 1)
        nested = path.parent != folder
        if path.suffix == ".yml" or (path.suffix == ".yaml" and nested):
            yield Finding(start, "is not read; a recipe is a file orchestrations/name.yaml")
        elif path.suffix == ".yaml" and not NAME.fullmatch(path.stem):
            yield Finding(start, "a recipe's name is a letter, then letters, digits, _ and -")
        elif path.suffix == ".yaml" and path.stem == SHARED:
            yield Finding(start, "a recipe cannot be named 'functions': functions.py is for all recipes")
        elif (
            path.suffix == ".py" and not nested and path.stem not in stems | {SHARED} and path.stem[0] != "_"
        ):
            near = nearest(path.stem, stems)
            cure = f"did you mean {near}.py?  " if near else ""
            message = f"no recipe {path.stem}.yaml calls these functions"
            yield Finding(start, f"{message}; {cure}those for all stand in functions.py")


def _clients(modules: ProjectModules) -> tuple[dict[str, Client], set[str], list[Finding]]:
    """The clients by name, the names of the modules that have none, and why."""
    clients: dict[str, Client] = {}
    unusable: set[str] = set()
    findings: list[Finding] = []
    for path in sorted((modules.root / "clients").glob("*.py")):
        if path.stem.startswith("_"):
            continue
        module, found = modules.load(path)
        client = getattr(module, "client", None)
        if isinstance(client, Client):
            client.name = path.stem
            clients[path.stem] = client
            continue
        unusable.add(path.stem)
        findings += found or [_no_client(path, modules.root, client)]
    return clients, unusable, findings


def _no_client(path: Path, root: Path, found: object) -> Finding:
    place = Place(path.relative_to(root).as_posix(), 1, 1)
    what = "no name 'client'" if found is None else f"'client' is {type(found).__name__}"
    return Finding(place, f"{what} in this module; it holds: client = Client(base_url=…)")


def _functions(modules: ProjectModules, names: list[str]) -> tuple[dict[str, Functions], bool, list[Finding]]:
    """The functions of each recipe, whether all could be loaded, and what is wrong with them."""
    findings: list[Finding] = []

    def load(stem: str) -> Functions:
        path = modules.root / "orchestrations" / f"{stem}.py"
        if not path.is_file():
            return {}
        module, found = modules.load(path)
        findings.extend(found)
        functions = {} if module is None else public_functions(module)
        findings.extend(_collisions(functions, modules.root))
        return functions

    shared = load(SHARED)
    functions = {name: shared | load(name) for name in names}
    return functions, not findings, findings


def _collisions(functions: Functions, root: Path) -> Iterable[Finding]:
    for name, function in functions.items():
        finding = place_of_function(function, root)
        if name in FUNCTIONS:
            signature = FUNCTIONS[name].signature
            yield replace(
                finding, message=f"function '{name}' hides the library's {signature}", hint="rename it"
            )
        elif name in QUOTES:
            yield replace(finding, message=f"function '{name}' hides that of the clients", hint="rename it")
        elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            hint = "expressions wait for nothing; ask a backend in a step"
            yield replace(finding, message=f"function '{name}' is async", hint=hint)
