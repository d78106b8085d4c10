"""One page as it is explained: its plan, and what of the recipe the plan does not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bff.errors import AuthorError, OperatorError
from bff.expressions.tree import Tree
from bff.http import Way
from bff.plan.model import Plan, PlannedRequest, PlannedStep
from bff.plan.planning import plan_folder
from bff.recipe.check import settings_of_bounds
from bff.recipe.graph import Graph, build_graph
from bff.recipe.loader import load_project
from bff.recipe.model import Recipe, Request, SubRecipe
from bff.recipe.taint import Taint, taint_of
from bff.settings import Settings


class Subject:
    """A page with all that is told of it; `recipe` holds its parts in their places, as the plan does."""

    def __init__(self, page: str, plan: Plan, settings: Settings) -> None:
        self.page = page
        self.plan = plan
        self.settings = settings
        self.recipe: Recipe = plan.recipe
        self.graph: Graph = build_graph(plan.recipe)
        self.taint: Taint = taint_of(plan.recipe, {client.name: client for client in plan.clients})

    @property
    def answer_trees(self) -> Iterator[Tree]:
        """What the answer is made of: its shape, status and headers, and the session that it sets."""
        recipe, session = self.recipe, self.recipe.session
        trees: list[Tree | None] = [recipe.shape, recipe.status, recipe.headers]
        if session is not None:
            trees += [session.user, session.tokens, session.expires]
        yield from (tree for tree in trees if tree is not None)

    def step(self, name: str) -> PlannedStep:
        """The step of that name as it runs."""
        return self.plan.steps[self.plan.places[name]]

    def written(self, step: PlannedRequest) -> Request:
        """A request as its recipe has it."""
        found = self.recipe.step(step.name)
        assert isinstance(found, Request), "it was planned from one"
        return found


def subject_of(root: Path, page: str) -> Subject:
    """A page of a project; raises AuthorError for mistakes in it, OperatorError where there is no such page."""
    settings = settings_of_bounds(root)
    try:
        plans = plan_folder(root, [page], settings).plans
    except AuthorError:
        _refuse_part(root, page)
        raise
    return Subject(page, plans[page], settings)


def way_of(step: PlannedRequest) -> Way:
    """The way that the executor gives the requests of a step: their time-out, tries and second copies."""
    return _way(step, step)


def way_of_undo(step: PlannedRequest) -> Way:
    """The way of what takes a step back."""
    assert step.undo is not None, "it can be taken back"
    return _way(step.undo, step)


def _way(request: PlannedRequest, step: PlannedRequest) -> Way:
    return Way(
        request.client,
        request.method,
        safe=request.safe,
        repeatable=step.key is not None,
        timeout=request.timeout,
        retries=request.retries,
        hedge=request.hedge,
        cache=request.cache,
    )


def _refuse_part(root: Path, page: str) -> None:
    """Raises OperatorError for a recipe that other pages hold, and that is none itself."""
    project, _ = load_project(root)
    recipe = project.recipes.get(page)
    holding = [
        other.name
        for other in project.recipes.values()
        if any(isinstance(step, SubRecipe) and step.recipe == page for step in other.steps)
    ]
    if recipe is not None and not recipe.path and holding:
        raise OperatorError(f"{page} is no page of its own, but a part of: {', '.join(holding)}")
