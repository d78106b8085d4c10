"""What can be proved of a project before anything runs; one module for each family of checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bff.errors import Finding
from bff.recipe.check.bounds import check_loops
from bff.recipe.check.caching import check_ages, check_invalidates, check_references, check_shared_caches
from bff.recipe.check.computed import check_pairs
from bff.recipe.check.deferred import check_deferred
from bff.recipe.check.fields import fields_of
from bff.recipe.check.formats import check_formats
from bff.recipe.check.graphql import check_documents
from bff.recipe.check.headers import check_headers
from bff.recipe.check.identity import check_token_names, check_tokens
from bff.recipe.check.inputs import check_filters, check_redirects
from bff.recipe.check.instants import check_orders, check_zones
from bff.recipe.check.lets import check_lets
from bff.recipe.check.locations import check_locations
from bff.recipe.check.names import check_names
from bff.recipe.check.nothing import check_values
from bff.recipe.check.order import check_cycles, check_unread
from bff.recipe.check.page import Page
from bff.recipe.check.parts import check_composed, check_parts
from bff.recipe.check.passing import check_pass
from bff.recipe.check.repeated import check_cursors, check_repeated
from bff.recipe.check.requests import check_clients, check_keys, check_times
from bff.recipe.check.routes import check_routes
from bff.recipe.check.seals import check_seals
from bff.recipe.check.signing import check_signed
from bff.recipe.check.tables import check_partial, check_table
from bff.recipe.check.writes import check_methods, check_nulls_written, check_repeats
from bff.recipe.loader import Project, load_project, project_settings
from bff.settings import Settings, variable_of

__all__ = ["check_folder", "check_project", "settings_of_bounds"]

Check = Callable[[Page], None]

# What stands in the recipe, whatever its names turn out to be.
_ALWAYS: tuple[Check, ...] = (
    *(check_clients, check_invalidates, check_parts, check_keys, check_methods, check_repeats),
    *(check_formats, check_documents, check_pass, check_signed, check_times, check_ages, check_headers),
    check_repeated,
    check_cycles,
    *(check_lets, check_pairs, check_seals, check_table),
)
# What follows from names: with an unknown one among them it would say things that the cure makes untrue.
_WHEN_NAMES_ARE_KNOWN: tuple[Check, ...] = (
    *(check_unread, check_nulls_written, check_loops, check_filters, check_redirects, check_locations),
    *(check_shared_caches, check_tokens, check_deferred, check_values, check_partial, check_cursors),
    *(check_orders, check_zones),
)


def check_project(project: Project, said: Sequence[Finding] = ()) -> list[Finding]:
    """Every mistake in the recipes of a project that its files could be read with, in the order of the files.

    `said` are those that its files were read with.
    """
    findings = [*check_routes(project), *check_token_names(project)]
    for recipe in project.recipes.values():
        page = Page(recipe, project)
        check_names(page)
        unknown = bool(page.findings) or bool(recipe.broken)
        for check in _ALWAYS if unknown else (*_ALWAYS, *_WHEN_NAMES_ARE_KNOWN):
            check(page)
        findings += page.findings
    for recipe in project.recipes.values():
        findings += check_composed(recipe, project, findings)
    own = tuple(findings)
    findings += fields_of(project, [*said, *own]).mistakes
    for recipe in project.recipes.values():
        findings += check_references(recipe, project, [*said, *own])
    return sorted(findings, key=lambda finding: finding.place)


def settings_of_bounds(root: Path) -> Settings:
    """The settings whose bounds of requests are those of the environment and the project."""
    texts, _ = project_settings(root)
    named = {name: variable_of(name) for name in ("max_each", "max_requests")}
    environ = {variable: os.environ[variable] for variable in named.values() if variable in os.environ}
    return Settings.from_environ(environ, {name: texts[name] for name in named if name in texts})


def check_folder(
    root: Path, pages: Sequence[str] | None = None, settings: Settings | None = None
) -> tuple[Project, list[Finding]]:
    """Load and check a project: what `check` prints and what keeps an app from starting.

    Without the settings of an app the bounds of requests are those of the environment and the project.
    """
    _, mistaken = project_settings(root)
    project, findings = load_project(root, pages, settings or settings_of_bounds(root))
    found = [*mistaken, *findings, *check_project(project, findings)]
    return project, sorted(dict.fromkeys(found), key=lambda finding: finding.place)
