"""The types of a whole page, step by step, in the order in which one can be told of another."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec.structs import replace

from bff.expressions.tree import Each, Expression, Tree
from bff.expressions.types.infer import Watch
from bff.expressions.types.members import seen
from bff.expressions.types.typing import Known, Typing, known
from bff.recipe.contracts import Contracts
from bff.recipe.graph import Graph, build_graph, deferred_steps
from bff.recipe.keys import RAW
from bff.recipe.model import Fail, Given, Guard, Recipe, Request, Step, SubRecipe, Table, Value
from bff.recipe.needs import needs_of
from bff.recipe.types.names import ERRORS, given_to_part, input_names, visitor
from bff.recipe.types.requests import Requests, RowsWatch
from bff.types.model import NULL, STRING, Record, Type, Unknown, nullable, union_of


class PageWatch(Watch, RowsWatch, Protocol):
    """Is told of all that a page reads."""

    def cell(self, recipe: Recipe, at: int, options: tuple[Type, ...]) -> None:
        """What stands in a column of a table, counted from 0, has these options."""
        ...

    def rows(self, recipe: Recipe, options: tuple[Type, ...]) -> None:
        """The shape of a table has these options."""
        ...

    def sender_key(self, recipe: Recipe, options: tuple[Type, ...]) -> None:
        """What tells one request of a sender from others has these options."""
        ...

    def guard(self, step: Guard, options: tuple[Type, ...]) -> None:
        """What a guard requires to be true has these options."""
        ...


class PageTypes:
    """What a recipe with its parts in place gives: `steps` by name, the `shape`, and the `user` of its session.

    A guard holds for all of the page: where it does not, there is none. `expected` and `actual` are told what is read,
    by what is expected and by what is sure.
    """

    def __init__(
        self,
        recipe: Recipe,
        contracts: Contracts,
        functions: Mapping[str, Type],
        signed_in: Type,
        *,
        expected: PageWatch | None = None,
        actual: PageWatch | None = None,
    ) -> None:
        self._typing = Typing(functions, expected=expected, actual=actual)
        watches = {
            trusting: watch for trusting, watch in ((True, expected), (False, actual)) if watch is not None
        }
        self._watches = watches
        self._requests = Requests(self._typing, contracts, needs_of(recipe), watches)
        self.steps: dict[str, Type] = {}
        self._known = known({**input_names(recipe.input), "user": visitor(recipe, signed_in)})
        if recipe.signed is not None:
            self._known = self._known.with_names({RAW: STRING})
        if recipe.idempotency_key is not None:
            key = self._typing.of(recipe.idempotency_key, self._known)
            for trusting, watch in watches.items():
                watch.sender_key(recipe, seen(key, trusting=trusting))
        graph = build_graph(recipe)
        for step in _in_order(recipe, graph):
            self._take_in(step)
        self.deferred = deferred_steps(recipe, graph)
        self.user = self._of_session(recipe)
        self.shape = self._of_answer(recipe)

    def _take_in(self, step: Step) -> None:
        inner = self._known
        if step.when is not None:
            inner = self._typing.where(step.when, inner)
        if isinstance(step, Guard):
            self._guard(step, inner)
            return
        one = self._value(step, inner)
        if step.when is not None:
            one = nullable(one)
        self.steps[step.name] = one
        self._known = self._known.with_names({step.name: one})

    def _value(self, step: Step, inner: Known) -> Type:
        match step:
            case Request():
                return self._requests.of(step, inner)
            case Value(given=None, value=value):
                return self._typing.of(value, inner)
            case Value(given=Given() as given, value=value):
                self._typing.of(value if given.required else _without_its_own(value), inner)
                return given_to_part(given)
        assert isinstance(step, SubRecipe), "a guard has no value"
        return Unknown(f"recipe '{step.recipe}' is not in its place")

    def _guard(self, step: Guard, inner: Known) -> None:
        self._fail(step.fail, inner)
        found = self._typing.unwatched.of(step.require, inner)
        for trusting, watch in self._watches.items():
            watch.guard(step, seen(found, trusting=trusting))
        holding = self._typing.where(step.require, inner)
        if step.when is None:
            self._known = holding

    def _fail(self, fail: Fail, inner: Known) -> None:
        for tree in (fail.title, fail.detail, fail.errors, fail.status):
            if tree is not None and not isinstance(tree, int):
                self._typing.of(tree, inner)

    def _of_session(self, recipe: Recipe) -> Type | None:
        """What who signs in here is known as; None where nobody does."""
        session = recipe.session
        if session is None:
            return None
        for tree in (session.tokens, session.expires):
            if tree is not None:
                self._typing.of(tree, self._known)
        return None if session.user is None else self._typing.of(session.user, self._known)

    def _of_answer(self, recipe: Recipe) -> Type:
        inner = self._known.with_names({"errors": ERRORS})
        for tree in (recipe.status, recipe.headers):
            if tree is not None:
                self._typing.of(tree, inner)
        found = NULL if recipe.shape is None else self._typing.of(recipe.shape, inner)
        if recipe.format is not None and recipe.shape is not None:
            self._look_at_rows(recipe, recipe.format, inner, found)
        return found

    def _look_at_rows(self, recipe: Recipe, table: Table, inner: Known, found: Type) -> None:
        """Tell the watches what the rows of a table are made of, and what stands in each column."""
        shape = recipe.shape
        # Columns that are written out go over what the recipe has as its shape.
        source = shape.clauses[0].source if isinstance(shape, Each) and len(shape.clauses) == 1 else None
        rows = found if source is None else self._typing.unwatched.of(source, inner)
        row = self._typing.elements(found)
        for trusting, watch in self._watches.items():
            watch.rows(recipe, seen(rows, trusting=trusting))
            for at, (_, field) in enumerate(table.columns):
                cells = [
                    member.type
                    for one in seen(row, trusting=trusting)
                    if isinstance(one, Record) and (member := one.member(field)) is not None
                ]
                watch.cell(recipe, at, seen(union_of(*cells), trusting=trusting) if cells else ())


def _without_its_own(tree: Tree) -> Tree:
    """What a part is given whole, where composition takes a member of that: one that it need not have may be absent."""
    node = tree.node if isinstance(tree, Expression) else None
    if isinstance(node, ast.Subscript) and node.slice.col_offset == node.value.col_offset:
        return replace(tree, node=node.value)
    return tree


def _in_order(recipe: Recipe, graph: Graph) -> Iterator[Step]:
    """The steps, each behind what it reads, guards as early as they can be."""
    waiting = sorted(recipe.steps, key=lambda step: not isinstance(step, Guard))
    done: set[str] = set()
    while waiting:
        ready = next((step for step in waiting if graph.reads[step.name] <= done), None)
        if ready is None:
            return  # they wait for each other, which is told elsewhere
        waiting.remove(ready)
        done.add(ready.name)
        yield ready
