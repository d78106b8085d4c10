"""Puts the recipes that a recipe holds in their place: what comes out is one flat recipe, as if written so.

The steps of `shell: {recipe: shell}` become `shell.me`, `shell.notice` …, names that nobody can write, so that none
collide. Each thing that `with` gives becomes a value (`shell.query.page`), `when` one that all steps of the part stand
under (`shell.if`), and the part's shape the value `shell`. Every expression keeps its own text and its place.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from bff.expressions.tree import Constant, Each, EachClause, Expression, Let, PathTemplate, Sequence, Tree
from bff.expressions.tree import Mapping as TreeMapping
from bff.identity.recent_writes import PRIVATE
from bff.recipe.loader import Project
from bff.recipe.model import (
    Fail,
    Given,
    Guard,
    Marks,
    Pages,
    Parameter,
    Recipe,
    Request,
    Step,
    SubRecipe,
    Until,
    Value,
)
from bff.recipe.rows import with_rows

PLACES = ("path", "query", "headers")
"""What of `with` holds a value for each name; `body` is one value."""

Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Composed:
    """A recipe without sub-recipes, every function of the project that it calls, and what its steps are known as."""

    recipe: Recipe
    functions: Functions
    known_as: Mapping[str, tuple[str, ...]]


def compose(recipe: Recipe, project: Project) -> Composed:
    """The recipe with all that it holds in place; a checked project has no recipe that holds itself.

    What one of them says that its writes make old narrows nothing for the writes of another.
    """
    functions = dict(project.functions.get(recipe.name, {}))
    known_as: dict[str, tuple[str, ...]] = {}
    steps: list[Step] = []
    invalidates = dict.fromkeys(_made_old(recipe))
    for step in recipe.steps:
        if not isinstance(step, SubRecipe):
            steps.append(step)
            known_as[step.name] = (recipe.name, f"{recipe.name}.{step.name}")
            continue
        part = compose(project.recipes[step.recipe], project)
        names = {}
        for name, function in part.functions.items():
            names[name] = _free_name(name, function, functions)
            functions[names[name]] = function
        steps.extend(_Placed(step, part.recipe, names).steps())
        invalidates |= dict.fromkeys(part.recipe.invalidates)
        for name, further in part.known_as.items():
            own = (recipe.name, f"{recipe.name}.{step.name}", f"{recipe.name}.{step.name}.{name}")
            known_as[f"{step.name}.{name}"] = (*own, *further)
    whole = replace(recipe, steps=tuple(steps), invalidates=tuple(invalidates))
    return Composed(with_rows(whole), functions, known_as)


def _made_old(recipe: Recipe) -> tuple[str, ...]:
    """What the writes of a recipe's own make old: what it says, else every private step."""
    if "invalidates" in recipe.marks.keys:
        return recipe.invalidates
    writes = any(isinstance(step, Request) and step.writes for step in recipe.steps)
    return (PRIVATE,) if writes else ()


def _free_name(name: str, function: Callable[..., Any], taken: Functions) -> str:
    """The function's own name, or one that no author can give where another function has it."""
    names = itertools.chain([name], (f"_{number}_{name}" for number in itertools.count(1)))
    return next(other for other in names if taken.get(other, function) is function)


class _Placed:
    """One sub-recipe as the steps that stand in its place."""

    def __init__(self, step: SubRecipe, part: Recipe, functions: Mapping[str, str]) -> None:
        self._step = step
        self._part = part
        inner = {other.name: f"{step.name}.{other.name}" for other in part.steps}
        self._names = _Names(step.name, inner, functions, _declared(part))

    def steps(self) -> Iterator[Step]:
        """The condition, what is given, the part's own steps in their order, the value."""
        step, part = self._step, self._part
        own = [self._under_condition(self._placed(other)) for other in part.steps]
        shape = Constant(None) if part.shape is None else self._placed(part.shape)
        if step.when is not None:
            yield Value(self._condition, step.when, marks=Marks(step.marks.key("when")))
        yield from map(self._under_condition, self._given())
        yield from own
        # With the part's own condition, the whole can be a second source for what that names.
        yield Value(step.name, shape, step.when, marks=step.marks)

    @property
    def _condition(self) -> str:
        return f"{self._step.name}.if"  # no step can be named by a keyword

    def _under_condition(self, step: Any) -> Step:
        """The step, skipped where the whole part is."""
        if self._step.when is None:
            placed: Step = step
            return placed
        text = self._step.when if step.when is None else step.when
        node: ast.expr = _at(text.node, ast.Name(self._condition, ast.Load()))
        if step.when is not None:
            node = _at(text.node, ast.BoolOp(ast.And(), [node, step.when.node]))
        conditional: Step = replace(step, when=replace(text, node=node))
        return conditional

    def _given(self) -> Iterator[Value]:
        """A value for everything of its input that the part reads."""
        written = dict(self._step.arguments.items)
        for key, parameter in _declared(self._part).items():
            if key not in self._names.read:
                continue
            place, _, name = key.partition(".")
            tree = _member(written.get(place), name) if name else written.get(place)
            mark = self._step.marks.key(f"with.{key}" if tree is not None else "with")
            given = Given(self._step.name, key, parameter.schema, parameter.required)
            yield Value(self._names.given(key), tree or Constant(None), given=given, marks=Marks(mark))

    def _placed(self, part: Any) -> Any:
        """A step, or anything that it is made of, with the names that it has in the page."""
        match part:
            case Expression():
                return replace(part, node=self._names.visit(deepcopy(part.node)))
            case TreeMapping():
                return TreeMapping(tuple((key, self._placed(value)) for key, value in part.items))
            case Given():
                return replace(part, part=f"{self._step.name}.{part.part}")
            case Request() | Value() | Guard():
                return replace(self._with_parts_placed(part), name=self._names.steps[part.name])
            case Fail() | Sequence() | Each() | EachClause() | Let() | PathTemplate() | Pages() | Until():
                return self._with_parts_placed(part)
            case tuple():
                return tuple(map(self._placed, part))
        return part

    def _with_parts_placed(self, part: Any) -> Any:
        return replace(part, **{name: self._placed(getattr(part, name)) for name in part.__struct_fields__})


class _Names(ast.NodeTransformer):
    """Gives the names in a part's expressions those of the page; `read` gathers what of its input they read."""

    def __init__(
        self,
        part: str,
        steps: Mapping[str, str],
        functions: Mapping[str, str],
        declared: Mapping[str, Parameter],
    ) -> None:
        self.steps = steps
        self.read: set[str] = set()
        self._part = part
        self._functions = functions
        self._declared = declared

    def given(self, key: str) -> str:
        """The name of the value of a parameter (`query.page`) or of the body."""
        return f"{self._part}.{key}"

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.steps:
            return _at(node, ast.Name(self.steps[node.id], ast.Load()))
        if node.id == "body" and "body" in self._declared:
            return self._input(node, "body")
        if node.id in PLACES:
            keys = [key for key in self._declared if key.startswith(f"{node.id}.")]
            names: list[ast.expr | None] = [_at(node, ast.Constant(key.partition(".")[2])) for key in keys]
            return _at(node, ast.Dict(names, [self._input(node, key) for key in keys]))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._member(node, node.attr)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._member(node, node.slice.value if isinstance(node.slice, ast.Constant) else None)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        assert isinstance(node.func, ast.Name)
        node.func.id = self._functions.get(node.func.id, node.func.id)
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def _member(self, node: ast.Attribute | ast.Subscript, name: Any) -> ast.AST:
        """`query.page` as the value that it is; any other look-up with its names changed."""
        if isinstance(node.value, ast.Name) and node.value.id in PLACES:
            key = f"{node.value.id}.{name}"
            if key in self._declared:
                return self._input(node, key)
        return self.generic_visit(node)

    def _input(self, node: ast.expr, key: str) -> ast.expr:
        self.read.add(key)
        return _at(node, ast.Name(self.given(key), ast.Load()))


def _at(place: ast.expr, node: ast.expr) -> ast.expr:
    """The node, standing where another stands."""
    node.col_offset, node.end_col_offset = place.col_offset, place.end_col_offset
    return node


def _declared(part: Recipe) -> dict[str, Parameter]:
    """What a recipe takes, by `query.page`, `headers.Accept-Language`, `body`."""
    found = {f"{place}.{one.name}": one for place in PLACES for one in getattr(part.input, place)}
    if part.input.body is not None:
        found["body"] = Parameter("body", part.input.body, required=True)
    return found


def _member(tree: Tree | None, name: str) -> Tree | None:
    """The member of what `with` gives for a place: a mapping of trees, or one expression for all of it."""
    if isinstance(tree, TreeMapping):
        return dict(tree.items).get(name)
    if isinstance(tree, Expression):
        key = _at(tree.node, ast.Constant(name))
        return replace(tree, node=_at(tree.node, ast.Subscript(tree.node, key, ast.Load())))
    return None
