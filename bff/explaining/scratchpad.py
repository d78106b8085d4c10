"""One expression over data that somebody has at hand: checked as in a recipe, then worked out as on a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bff.errors import AuthorError, Finding, OperatorError, Place
from bff.explaining.paper import Paper
from bff.expressions import Evaluation, compile_tree
from bff.expressions.inspect import inspect
from bff.expressions.parse import parse
from bff.expressions.rooms import SEALING
from bff.expressions.tokens import ExpressionError, is_name
from bff.expressions.tree import Constant, Expression
from bff.modules import ProjectModules, public_functions
from bff.recipe.check.names import check_names
from bff.recipe.check.nothing import check_values
from bff.recipe.check.page import Page
from bff.recipe.keys import SCOPE_NAMES
from bff.recipe.loader import Project
from bff.recipe.model import Input, Mark, Marks, Parameter, Recipe, Value

NAME = "expression"
Functions = Mapping[str, Callable[..., Any]]


def evaluated(text: str, data: Mapping[str, Any], functions: Functions) -> str:
    """What an expression gives over data, as JSON.

    The names are those of the data's members, and those that every recipe has. Raises AuthorError for a mistake, with
    its place, and PageError where a function raises or a bound is passed.
    """
    expression = _parsed(text)
    findings = _findings(expression, data, functions)
    if findings:
        raise AuthorError(findings)
    compute = compile_tree(expression, functions=functions)
    scope = {**dict.fromkeys(SCOPE_NAMES), **data}
    return json.dumps(compute(scope, Evaluation()), indent=2, ensure_ascii=False, allow_nan=False)


def shared_functions(root: Path) -> Functions:
    """The functions of a project that every recipe may call, none where there is no project."""
    path = root.resolve() / "orchestrations" / "functions.py"
    if not path.is_file():
        return {}
    module, findings = ProjectModules(root.resolve()).load(path)
    if module is None:
        raise AuthorError(findings)
    return public_functions(module)


def read_data(path: Path | None) -> dict[str, Any]:
    """The data of a file of JSON, a member for each name; raises OperatorError with what is wrong with it."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_bytes(), parse_constant=lambda _: None)
    except OSError as error:
        raise OperatorError(f"{path}: {error.strerror}") from None
    except RecursionError:
        raise OperatorError(f"{path} nests too deeply") from None
    except UnicodeDecodeError:
        raise OperatorError(f"{path} is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise OperatorError(f"{path}:{error.lineno}:{error.colno}: {error.msg}: it is not JSON") from None
    if not isinstance(found, dict):
        raise OperatorError(f'{path} holds no object: write a member for each name, as {{"todos": []}}')
    return found


def _parsed(text: str) -> Expression:
    paper = Paper(NAME, text)
    try:
        return parse(text, paper)
    except ExpressionError as error:
        mark = paper.mark(error.offset, error.length)
        raise AuthorError([mark.finding(error.message, error.hint)]) from None


def _findings(expression: Expression, data: Mapping[str, Any], functions: Functions) -> list[Finding]:
    """What `check` says of the expression as the shape of a recipe whose steps are the data's names."""
    nowhere = Marks(Mark(Place(NAME, 1, 1)))
    names = [name for name in data if name not in SCOPE_NAMES and is_name(name)]
    recipe = Recipe(
        name=NAME,
        file=NAME,
        method="GET",
        path="/",
        auth="optional",
        input=_input(data),
        steps=tuple(Value(name, Constant(None), marks=nowhere) for name in names),
        shape=expression,
        marks=nowhere,
    )
    project = Project(Path(), {NAME: recipe}, (NAME,), {NAME: dict(functions)}, {})
    page = Page(recipe, project)
    check_names(page)
    for use in inspect(expression).functions:
        if use.name in SEALING:
            mark = page.spots[-1].mark(use.offset, use.length)
            page.say(mark, f"'{use.name}' needs a page and its visitor", "ask the page: bff call PAGE")
    if not page.findings:
        check_values(page)
    return page.findings


def _input(data: Mapping[str, Any]) -> Input:
    """An input that takes what the data has of it, and any body."""

    def parameters(place: str) -> tuple[Parameter, ...]:
        found = data.get(place)
        return tuple(Parameter(str(name), {}) for name in found) if isinstance(found, dict) else ()

    return Input(parameters("path"), parameters("query"), parameters("headers"), {})
