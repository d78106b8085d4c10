"""The types of the pages of a project."""

from __future__ import annotations

from bff.expressions.types.choices import either
from bff.expressions.types.hinted import types_of
from bff.recipe.composition import compose
from bff.recipe.loader import Project
from bff.recipe.types.page import PageTypes, PageWatch
from bff.types.model import Type, Unknown, Unverified

_NOBODY = Unknown("who has signed in is not made by a page of the project", "session: of a recipe says user")
_OWN = Unknown("who has signed in is made of who had signed in")


def types_of_page(
    project: Project,
    page: str,
    signed_in: Type,
    *,
    expected: PageWatch | None = None,
    actual: PageWatch | None = None,
) -> PageTypes:
    """The types of a page or part of a checked project; `signed_in` is what its visitors are known as."""
    composed = compose(project.recipes[page], project)
    functions = types_of(composed.functions, project.root)
    return PageTypes(
        composed.recipe, project.contracts, functions, signed_in, expected=expected, actual=actual
    )


def type_of_visitors(project: Project) -> Type:
    """What those who have signed in are known as: what the project's pages say, and an older session may not keep."""
    found = [
        types_of_page(project, recipe.name, _OWN).user
        for recipe in project.recipes.values()
        if recipe.session is not None and recipe.session.user is not None
    ]
    told = either(*(one for one in found if one is not None)) if found else _NOBODY
    return told if isinstance(told, Unknown | Unverified) else Unverified(told)
