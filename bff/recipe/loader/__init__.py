"""Reads a project's files into recipes, functions and clients, with every mistake at its place."""

from bff.recipe.loader.project import Project, load_project
from bff.recipe.loader.recipes import load_recipe
from bff.recipe.loader.settings import project_settings

__all__ = ["Project", "load_project", "load_recipe", "project_settings"]
