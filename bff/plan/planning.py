"""A project folder's recipes as plans: loaded, checked, composed and planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bff.errors import AuthorError
from bff.plan.model import Planned
from bff.plan.planner import make_plan
from bff.recipe.check import check_folder
from bff.recipe.composition import compose
from bff.recipe.loader import project_settings
from bff.settings import Settings


def plan_folder(root: Path, pages: Sequence[str] | None = None, settings: Settings | None = None) -> Planned:
    """The pages of a project, or some of them; raises AuthorError or OperatorError with all that is wrong."""
    project, findings = check_folder(root, pages, settings)
    if findings:
        raise AuthorError(findings, project.documents)
    composed = {name: compose(project.recipes[name], project) for name in project.pages}
    plans = {
        name: make_plan(found.recipe, project.clients, found.functions, found.known_as, project.contracts)
        for name, found in composed.items()
    }
    return Planned(plans, project.clients, pages is None, settings_of(root), project.documents)


def settings_of(root: Path) -> Mapping[str, str]:
    """The texts of the settings that a project has; what is wrong with them is told with its recipes."""
    texts, _ = project_settings(root)
    return texts
