"""Reads a project's files into recipes, functions and clients, with every mistake at its place."""

from bff.loader.project import Project, load_project
from bff.loader.recipes import load_recipe

__all__ = ["Project", "load_project", "load_recipe"]
