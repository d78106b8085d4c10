"""Recipes that a recipe holds: what they are given, what cannot be part of another, what only shows once they are."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence

from bff.errors import Finding, Place
from bff.expressions.inspect import inspect_tree
from bff.expressions.tree import Constant, Expression, Mapping, Tree
from bff.recipe.check.bounds import check_loops
from bff.recipe.check.caching import check_shared_caches
from bff.recipe.check.deferred import check_deferred
from bff.recipe.check.identity import check_tokens
from bff.recipe.check.inputs import check_redirects
from bff.recipe.check.instants import check_orders
from bff.recipe.check.order import check_cycles
from bff.recipe.check.page import Page
from bff.recipe.check.tables import check_partial
from bff.recipe.check.writes import check_methods, check_nulls_written
from bff.recipe.composition import PLACES, compose
from bff.recipe.graph import reached
from bff.recipe.loader import Project
from bff.recipe.model import Auth, Mark, Parameter, Recipe, SubRecipe
from bff.text import nearest
from bff.validation import validator_of

_STRICTNESS: dict[Auth, int] = {"none": 0, "optional": 1, "required": 2}
_OF_PAGES = (
    *("deadline", "format", "status", "headers", "cache", "session", "rate_limit", "deploy", "pass"),
    *("signed", "idempotency_key"),
)

# What can be wrong with a page only because of what it holds.
_TOGETHER: tuple[Callable[[Page], None], ...] = (
    *(check_cycles, check_methods, check_nulls_written, check_loops),
    *(check_redirects, check_shared_caches, check_tokens, check_deferred, check_partial),
    check_orders,
)


def check_parts(page: Page) -> None:
    """Say recipes that cannot be part of this one, and what they are wrongly given."""
    _check_keys_of_pages(page)
    for step in page.whole_steps:
        if isinstance(step, SubRecipe):
            _check_part(page, step)


def _check_keys_of_pages(page: Page) -> None:
    recipe = page.recipe
    if "route" in recipe.marks.keys or "" in recipe.broken:
        return
    for key in _OF_PAGES:
        if key in recipe.marks.keys:
            hint = "it is for pages; the page that holds this recipe has its own"
            page.say(recipe.marks.key(key), f"'{key}' in a recipe without a route", hint)


def _check_part(page: Page, step: SubRecipe) -> None:
    recipes = page.project.recipes
    if step.recipe in page.project.unread:
        return  # what keeps it from being read is said in its own file
    mark = step.marks.value("recipe")
    part = recipes.get(step.recipe)
    if part is None:
        near = nearest(step.recipe, recipes)
        meant = f"did you mean '{near}'?  " if near else ""
        page.say(mark, f"unknown recipe '{step.recipe}'", f"{meant}there are: {', '.join(recipes)}")
        return
    circle = _way_back(page.recipe, part, page.project)
    if circle:
        files = " → ".join(recipe.file.rpartition("/")[2] for recipe in circle)
        pairs = itertools.pairwise(circle[1:])
        places = (f"{_place(one, other)} holds {other.name}" for one, other in pairs)
        page.say(mark, f"a cycle: {files}", "; ".join(places) or "a recipe cannot hold itself")
        return
    if "" in part.broken:
        return
    _check_fit(page, step, part, mark)
    _check_arguments(page, step, part)


def _way_back(recipe: Recipe, part: Recipe, project: Project) -> tuple[Recipe, ...]:
    """The recipes from this one through the part back to it, the shortest way; () where none leads back."""
    ways: list[tuple[Recipe, ...]] = [(recipe, part)]
    seen: set[str] = set()
    for way in ways:
        if way[-1] is recipe:
            return way
        for name in _held(way[-1]):
            if name in project.recipes and name not in seen:
                seen.add(name)
                ways.append((*way, project.recipes[name]))
    return ()


def _held(recipe: Recipe) -> Iterator[str]:
    return (step.recipe for step in recipe.steps if isinstance(step, SubRecipe))


def _place(recipe: Recipe, held: Recipe) -> Place:
    steps = (step for step in recipe.steps if isinstance(step, SubRecipe) and step.recipe == held.name)
    return next(steps).marks.value("recipe").place


def _check_fit(page: Page, step: SubRecipe, part: Recipe, mark: Mark) -> None:
    """Say why a recipe cannot be part of this one."""
    if part.session is not None:
        page.say(
            mark, f"recipe '{part.name}' signs in or out", "only a page of its own can: session stands there"
        )
    if part.passes:
        page.say(
            mark, f"recipe '{part.name}' hands a body through", "it has no value that could be used here"
        )
    if part.signed is not None and part.path:
        hint = "who asks this page signs nothing; put what both do into a recipe without a route"
        page.say(mark, f"recipe '{part.name}' is for who signs", hint)
    if _STRICTNESS[part.auth] > _STRICTNESS[page.recipe.auth]:
        message = f"recipe '{part.name}' is for auth: {part.auth}, this page is auth: {page.recipe.auth}"
        page.say(mark, message, "a part cannot ask for more than its page; change one of them")
    if part.shape is not None and "errors" in {use.name for use in inspect_tree(part.shape).names}:
        message = f"the shape of recipe '{part.name}' reads errors, which are the page's"
        page.say(mark, message, f"leave errors out there; here they name {step.name}.{_first_step(part)}")


def _first_step(part: Recipe) -> str:
    return part.steps[0].name if part.steps else "…"


# --- what it is given --------------------------------------------------------------------------------------------


def _check_arguments(page: Page, step: SubRecipe, part: Recipe) -> None:
    """Say what a recipe is given and does not take, and what it needs and is not given."""
    written = dict(step.arguments.items)
    for key in written:
        if key not in (*PLACES, "body"):
            hint = "it takes: path, query, headers, body"
            page.say(step.marks.key(f"with.{key}"), f"a recipe takes no '{key}'", hint)
    for place in PLACES:
        _check_place(page, step, part, place, written.get(place))
    body = part.input.body
    if body is None and "body" in written:
        page.say(step.marks.key("with.body"), f"recipe '{part.name}' takes no body", "leave it out")
    elif body is not None and "body" not in written:
        page.say(_with(step), f"recipe '{part.name}' needs a body", "give it under with: body")
    elif body is not None:
        _check_value(page, step, part, Parameter("body", body, required=True), "body", written["body"])


def _check_place(page: Page, step: SubRecipe, part: Recipe, place: str, tree: Tree | None) -> None:
    takes: dict[str, Parameter] = {one.name: one for one in getattr(part.input, place)}
    if tree is not None and not isinstance(tree, Mapping | Expression):
        page.say(step.marks.key(f"with.{place}"), f"'{place}' is a mapping of names to expressions")
        return
    if isinstance(tree, Expression):
        return  # all of it at once; what it holds is seen when the page runs
    given = dict(tree.items) if tree is not None else {}
    for name, value in given.items():
        if name not in takes:
            there = f"it takes: {', '.join(takes)}" if takes else "it takes none"
            mark = step.marks.key(f"with.{place}.{name}")
            page.say(mark, f"recipe '{part.name}' takes no '{name}'", there)
        else:
            _check_value(page, step, part, takes[name], f"{place}.{name}", value)
    for name, parameter in takes.items():
        if parameter.required and name not in given:
            message = f"recipe '{part.name}' needs '{name}'"
            page.say(_with(step), message, f"give it under with: {place}")


def _with(step: SubRecipe) -> Mark:
    return step.marks.keys.get("with") or step.marks.value("recipe")


def _check_value(
    page: Page, step: SubRecipe, part: Recipe, parameter: Parameter, key: str, tree: Tree
) -> None:
    """Say a constant that the part's schema refuses."""
    constant = tree.node if isinstance(tree, Expression) else tree
    if not isinstance(constant, Constant | ast.Constant):
        return
    if constant.value is None and not parameter.required:
        return
    for error in validator_of(parameter.schema).iter_errors(constant.value):
        mark = step.marks.value(f"with.{key}")
        page.say(mark, f"recipe '{part.name}' does not take this {parameter.name}", error.message)


# --- the whole ---------------------------------------------------------------------------------------------------


def check_composed(recipe: Recipe, project: Project, said: list[Finding]) -> list[Finding]:
    """What is wrong with a recipe once what it holds is in its place, and with neither alone.

    `said` are the findings of the project so far: with a mistake in what it is made of, the whole is not looked at.
    """
    parts = [step for step in recipe.steps if isinstance(step, SubRecipe)]
    recipes = held_by(recipe, project)
    if not parts or recipes is None:
        return []
    if any(one.broken for one in recipes) or concerns(said, {one.file for one in recipes}):
        return []
    whole = Page(compose(recipe, project).recipe, project)
    for check in _TOGETHER:
        check(whole)
    return [_at_its_part(finding, recipe, project, parts) for finding in whole.findings]


def held_by(recipe: Recipe, project: Project) -> list[Recipe] | None:
    """A recipe and all that it holds; None where one of them is not there."""
    held = reached(recipe.name, {name: frozenset(_held(one)) for name, one in project.recipes.items()})
    return [project.recipes[name] for name in held] if held <= project.recipes.keys() else None


def concerns(said: Sequence[Finding], files: set[str]) -> bool:
    """Whether something was said of one of some files that keeps them from running."""
    return any(finding.place.file in files and not finding.mild for finding in said)


def _at_its_part(finding: Finding, recipe: Recipe, project: Project, parts: list[SubRecipe]) -> Finding:
    """The finding where the author of the page sees it: in its own file, else at the part that brings it in."""
    if finding.place.file == recipe.file:
        return finding
    edges = {name: frozenset(_held(one)) for name, one in project.recipes.items()}
    for step in parts:
        if any(project.recipes[name].file == finding.place.file for name in reached(step.recipe, edges)):
            message = f"with recipe '{step.recipe}' in it: {finding.message}"
            hint = f"at {finding.place}: {finding.hint}" if finding.hint else f"at {finding.place}"
            return step.marks.value("recipe").finding(message, hint)
    return finding
