"""Keys that are loaded and checked, and not carried out by this version."""

from __future__ import annotations

from collections.abc import Iterator

from bff.errors import Finding
from bff.keys import KEYS, Key
from bff.loader import Project
from bff.recipe import Guard, Marks, Recipe, Request, Step, SubRecipe

# Where a table's keys stand below the keys of the part that holds it.
_BELOW = {"step cache": "cache."}


def refuse_unsupported(project: Project) -> list[Finding]:
    """One sentence for each recipe and key that this version does not carry out."""
    return [finding for recipe in project.recipes.values() for finding in _refusals(recipe)]


def _refusals(recipe: Recipe) -> Iterator[Finding]:
    said: set[str] = set()
    for key, value, marks, written in _written(recipe):
        if key.runs or value in key.idle or key.name in said:
            continue
        said.add(key.name)
        mark = marks.key(written)
        what = f"'{key.name}: {value}'" if isinstance(value, str) else f"'{key.name}'"
        default = "" if written in marks.keys else ", the default,"
        cure = f"write '{key.instead}'" if key.instead else "leave it out"
        yield Finding(mark.place, f"{what}{default} is not run by this version yet; {cure}")


def _written(recipe: Recipe) -> Iterator[tuple[Key, object, Marks, str]]:
    """The keys of a recipe that this version may not run, with their value and where they stand."""
    for key in KEYS["recipe"]:
        if key.name == "auth" or key.name in recipe.marks.keys:
            value = {"auth": recipe.auth, "pass": recipe.passes}.get(key.name)
            yield key, value, recipe.marks, key.name
    for step in recipe.steps:
        for table in _tables(step):
            prefix = _BELOW.get(table, "")
            for key in KEYS[table]:
                if prefix + key.name in step.marks.keys:
                    yield key, _value(step, table, key), step.marks, prefix + key.name


def _tables(step: Step) -> tuple[str, ...]:
    if isinstance(step, Request):
        return ("request", "step cache")
    if isinstance(step, SubRecipe):
        return ("sub-recipe",)
    return ("guard",) if isinstance(step, Guard) else ("value",)


def _value(step: Step, table: str, key: Key) -> object:
    """The value of a plain switch, which may say that nothing is asked for."""
    if isinstance(step, Request) and table == "step cache" and key.name == "shared":
        return step.cache is not None and step.cache.shared
    return None
