"""What is kept: for whom, for how long, and which writes make it old."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bff.errors import Finding
from bff.recipe.check.page import Page
from bff.recipe.graph import writes
from bff.recipe.loader import Project
from bff.recipe.model import Mark, Recipe, Request, SubRecipe
from bff.text import nearest

_LONGEST = 7 * 24 * 3600.0


def check_shared_caches(page: Page) -> None:
    """Say what is kept for all visitors and made of something of one visitor."""
    for step in page.requests:
        if step.cache is not None and step.cache.shared:
            way = page.taint.steps[step.name]
            if way:
                mark = step.marks.key("cache.shared")
                page.say(mark, "a shared cache of something private", "; ".join(way))
    cache = page.recipe.cache
    if cache is not None and cache.shared_max_age is not None:
        way = page.taint.page
        if way:
            mark = page.recipe.marks.key("cache.shared_max_age")
            page.say(mark, "a shared cache of a private page", "; ".join(way))


def check_ages(page: Page) -> None:
    """Say for how long nothing is kept, and old replies that would never be given."""
    for step in page.requests:
        if step.cache is None or step.writes:
            continue
        for key in ("ttl", "stale_while_revalidate", "stale_if_error"):
            seconds = getattr(step.cache, key)
            if seconds is not None and seconds > _LONGEST:
                at = f"cache.{key}" if f"cache.{key}" in step.marks.values else "cache"
                page.say(step.marks.value(at), f"'{key}' is longer than anything is kept", "at most 168h")
        behind, on_error = step.cache.stale_while_revalidate, step.cache.stale_if_error
        if behind is not None and on_error is not None and on_error <= behind:
            message = "'stale_if_error' has no effect here"
            hint = "until then 'stale_while_revalidate' gives the old reply anyway"
            page.say(step.marks.value("cache.stale_if_error"), message, hint)


# --- what writes make old ----------------------------------------------------------------------------------------


def check_invalidates(page: Page) -> None:
    """Say where `invalidates` stands and nothing is written."""
    recipe = page.recipe
    if "invalidates" not in recipe.marks.keys:
        return
    if (recipe.method != "GET" or not recipe.path) and not _writes(recipe, page.project):
        mark = recipe.marks.key("invalidates")
        page.say(mark, "'invalidates' without a write", "only a write makes old what is kept")


def check_references(recipe: Recipe, project: Project, said: Sequence[Finding]) -> list[Finding]:
    """What `invalidates` names that is not there or not kept; a recipe with mistakes (in `said`) may yet have it."""
    page = Page(recipe, project)
    files = {finding.place.file for finding in said}
    for place, reference in enumerate(recipe.invalidates):
        named = project.recipes.get(reference.partition(".")[0])
        if named is None or named.file == recipe.file or named.file not in files:
            _check_reference(page, reference, recipe.marks.value(f"invalidates[{place}]"))
    return page.findings


def _check_reference(page: Page, reference: str, mark: Mark) -> None:
    recipes = page.project.recipes
    name, _, step = reference.partition(".")
    if name in page.project.unread or (name not in recipes and not page.project.whole):
        return  # it is there or may be, and is checked where it can be read
    if name not in recipes:
        page.say(mark, f"unknown recipe '{name}'", _nearest(name, recipes, "there are"))
        return
    if not all(_is_whole(recipe, page.project) for recipe in _with_parts(recipes[name], page.project)):
        return  # what cannot be read whole is not blamed for what it lacks
    steps = dict(_steps_of(recipes[name], page.project))
    if step and step not in steps:
        page.say(mark, f"recipe '{name}' has no step '{step}'", _nearest(step, steps, "it has"))
        return
    kept = [other for other, is_kept in steps.items() if is_kept]
    wanted = [other for other in kept if not step or other == step or other.startswith(f"{step}.")]
    if not wanted:
        what = f"step '{step}' of recipe '{name}'" if step else f"recipe '{name}'"
        page.say(
            mark,
            f"{what} keeps nothing",
            f"kept there: {', '.join(kept)}" if kept else "write cache: 60s there",
        )


def _steps_of(
    recipe: Recipe, project: Project, seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, bool]]:
    """The steps of a recipe by the names that they have in its pages, and whether their replies are kept."""
    for step in recipe.steps:
        yield step.name, isinstance(step, Request) and step.cache is not None
        if isinstance(step, SubRecipe) and step.recipe in project.recipes and step.recipe not in seen:
            inner = _steps_of(project.recipes[step.recipe], project, seen | {recipe.name})
            yield from ((f"{step.name}.{name}", is_kept) for name, is_kept in inner)


def _with_parts(recipe: Recipe, project: Project, seen: frozenset[str] = frozenset()) -> Iterator[Recipe]:
    yield recipe
    for step in recipe.steps:
        if isinstance(step, SubRecipe) and step.recipe in project.recipes and step.recipe not in seen:
            yield from _with_parts(project.recipes[step.recipe], project, seen | {recipe.name})


def _is_whole(recipe: Recipe, project: Project) -> bool:
    held = (step.recipe for step in recipe.steps if isinstance(step, SubRecipe))
    return not recipe.broken and all(name in project.recipes for name in held)


def _writes(recipe: Recipe, project: Project) -> bool:
    """Whether a recipe writes, or may: of a step that could not be read nobody knows."""
    return any(
        not _is_whole(one, project) or any(map(writes, one.steps)) for one in _with_parts(recipe, project)
    )


def _nearest(name: str, known: dict[str, bool] | dict[str, Recipe], label: str) -> str:
    near = nearest(name, known)
    meant = f"did you mean '{near}'?  " if near else ""
    return f"{meant}{label}: {', '.join(known)}"
