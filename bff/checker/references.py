"""Other recipes that a recipe names."""

from __future__ import annotations

from bff.checker.page import Page
from bff.recipe import Mark
from bff.text import nearest


def check_references(page: Page) -> None:
    """Say recipes and steps that `invalidates` names and that are not there."""
    for place, reference in enumerate(page.recipe.invalidates):
        _check_reference(page, reference, page.recipe.marks.value(f"invalidates[{place}]"))


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
