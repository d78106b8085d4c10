"""The order of a page's steps: cycles, and steps that nobody reads."""

from __future__ import annotations

from bff.expressions.inspect import Use, inspect
from bff.recipe.check.page import Page, Spot
from bff.recipe.graph import required, writes
from bff.recipe.model import Guard, Request, SubRecipe


def check_cycles(page: Page) -> None:
    """Say each cycle where its first step names the next one."""
    for cycle in page.graph.cycles:
        found = _use(page, cycle.step, cycle.reads)
        step = page.by_name[cycle.step]
        mark = found[0].mark(found[1].offset, found[1].length) if found else step.marks.name
        page.say(mark, cycle.message, cycle.hint)


def _use(page: Page, step: str, name: str) -> tuple[Spot, Use] | None:
    """The first place where a step names another."""
    for spot in page.spots:
        if spot.step is not None and spot.step.name == step and not spot.key.startswith("undo"):
            for use in inspect(spot.leaf).names:
                if use.name == name:
                    return spot, use
    return None


def check_unread(page: Page) -> None:
    """Say the reads and values that nothing reads; a required read above a write is read by it."""
    recipe = page.recipe
    read: set[str] = {
        use.name for spot in page.spots if spot.step is None for use in inspect(spot.leaf).names
    }
    for name in page.graph.names:
        read |= page.graph.reads[name]
    if recipe.passes:
        read |= {step.name for step in page.requests}  # the visitor reads it
    steps = recipe.steps
    for place, step in enumerate(steps):
        if step.name in read or isinstance(step, Guard) or writes(step):
            continue
        if isinstance(step, SubRecipe) and _does_something(page, step.recipe):
            continue
        if isinstance(step, Request) and required(step) and any(map(writes, steps[place + 1 :])):
            continue
        what = "reply" if isinstance(step, Request) else "value"
        hint = "use it in the shape or in another step, or remove it"
        page.say_mildly(step.marks.name, f"nothing reads the {what} of '{step.name}'", hint)


def _does_something(page: Page, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a recipe is of use even where nothing reads its value: it guards or writes."""
    part = page.project.recipes.get(name)
    if part is None or name in seen:
        return True
    return any(
        isinstance(step, Guard)
        or writes(step)
        or (isinstance(step, SubRecipe) and _does_something(page, step.recipe, seen | {name}))
        for step in part.steps
    )
