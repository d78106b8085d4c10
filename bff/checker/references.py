"""Other recipes that a recipe names."""

from __future__ import annotations

from collections.abc import Iterator

from bff.checker.page import Page
from bff.expressions.tree import Mapping
from bff.graph import reached
from bff.recipe import Mark, Recipe, SubRecipe
from bff.text import nearest


def check_references(page: Page) -> None:
    """Say recipes and steps that are named and are not there."""
    for step in page.whole_steps:
        if isinstance(step, SubRecipe):
            _check_sub_recipe(page, step)
    for place, reference in enumerate(page.recipe.invalidates):
        _check_reference(page, reference, page.recipe.marks.value(f"invalidates[{place}]"))


def _check_sub_recipe(page: Page, step: SubRecipe) -> None:
    recipes = page.project.recipes
    mark = step.marks.value("recipe")
    held = {name: frozenset(_held(recipe)) for name, recipe in recipes.items()}
    if step.recipe not in recipes:
        near = nearest(step.recipe, recipes)
        meant = f"did you mean '{near}'?  " if near else ""
        page.say(mark, f"unknown recipe '{step.recipe}'", f"{meant}there are: {', '.join(recipes)}")
    elif page.recipe.name in reached(step.recipe, held):
        page.say(mark, f"recipe '{page.recipe.name}' holds itself", f"{step.recipe} leads back to it")
    else:
        _check_arguments(page, step, recipes[step.recipe])


def _held(recipe: Recipe) -> Iterator[str]:
    return (step.recipe for step in recipe.steps if isinstance(step, SubRecipe))


def _check_arguments(page: Page, step: SubRecipe, recipe: Recipe) -> None:
    """Say what a recipe is given and does not take."""
    takes = {key: [one.name for one in getattr(recipe.input, key)] for key in ("path", "query", "headers")}
    for key, tree in step.arguments.items:
        mark = step.marks.key(f"with.{key}")
        if key not in (*takes, "body"):
            page.say(mark, f"a recipe takes no '{key}'", "it takes: path, query, headers, body")
        elif key == "body" and recipe.input.body is None:
            page.say(mark, f"recipe '{recipe.name}' takes no body", "leave it out")
        for name, _ in tree.items if isinstance(tree, Mapping) and key in takes else ():
            if name not in takes[key]:
                there = f"it takes: {', '.join(takes[key])}" if takes[key] else "it takes none"
                page.say(
                    step.marks.key(f"with.{key}.{name}"), f"recipe '{recipe.name}' takes no '{name}'", there
                )


def _check_reference(page: Page, reference: str, mark: Mark) -> None:
    recipes = page.project.recipes
    name, _, step = reference.partition(".")
    if name not in recipes:
        near = nearest(name, recipes)
        meant = f"did you mean '{near}'?  " if near else ""
        page.say(mark, f"unknown recipe '{name}'", f"{meant}there are: {', '.join(recipes)}")
    elif step:
        steps = [other.name for other in recipes[name].steps]
        near = nearest(step, steps)
        meant = f"did you mean '{near}'?  " if near else ""
        if step not in steps:
            page.say(mark, f"recipe '{name}' has no step '{step}'", f"{meant}it has: {', '.join(steps)}")
