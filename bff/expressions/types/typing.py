"""Types of trees and clauses, told of what is expected and of what can be there, and put together."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bff.expressions.tree import Constant, Each, EachClause, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.expressions.types.calls import calls_of
from bff.expressions.types.choices import either, elements, not_null
from bff.expressions.types.facts import Facts
from bff.expressions.types.infer import Inference, Watch
from bff.expressions.types.members import member, refined
from bff.expressions.types.narrowing import narrowed
from bff.expressions.types.verified import verified
from bff.types.model import NULL, Array, Literal, Member, Record, Type


class Known(Struct, frozen=True):
    """What is known of names: as expected, and as nothing can make otherwise."""

    expected: Facts
    actual: Facts

    def with_names(self, names: Mapping[str, Type]) -> Known:
        """The same with names of these types."""
        return Known(self.expected.with_names(names), self.actual.with_names(names))


def known(names: Mapping[str, Type]) -> Known:
    """What is known of names by their types alone."""
    return Known(Facts(dict(names)), Facts(dict(names)))


class Typing:
    """Tells types; `functions` are the types of what the project's give.

    `expected` and `actual` are told of what makes no sense by what is expected, and by what is sure.
    """

    def __init__(
        self,
        functions: Mapping[str, Type] | None = None,
        *,
        expected: Watch | None = None,
        actual: Watch | None = None,
    ) -> None:
        calls = calls_of(functions or {})
        self._functions = functions
        self._expected = Inference(calls, trusting=True, watch=expected)
        self._actual = Inference(calls, trusting=False, watch=actual)

    @property
    def unwatched(self) -> Typing:
        """The same, which tells nobody what it looks at."""
        return Typing(self._functions)

    def of(self, tree: Tree, known: Known) -> Type:
        """The type of the value of a tree."""
        return verified(
            _of_tree(self._expected, tree, known.expected), _of_tree(self._actual, tree, known.actual)
        )

    def where(self, condition: Expression, known: Known) -> Known:
        """What is known where a condition is true."""
        self.of(condition, known)
        return Known(
            narrowed(self._expected, condition.node, known.expected, truth=True),
            narrowed(self._actual, condition.node, known.actual, truth=True),
        )

    def within(self, clause: EachClause, known: Known) -> Known:
        """What is known where the variable of a clause stands for each of its items."""
        return Known(
            _within(self._expected, clause, known.expected), _within(self._actual, clause, known.actual)
        )

    def member(self, name: str, key: str, known: Known) -> Type:
        """The type of what a name holds under a key."""
        found = (
            member(inference.options(facts.names[name]), key)
            for inference, facts in ((self._expected, known.expected), (self._actual, known.actual))
        )
        return verified(*found)

    def having(self, one: Type, path: tuple[str, ...]) -> Type:
        """What of a type has something at a path."""
        found = (
            refined(inference.options(one), path, not_null, trusting=inference.trusting)
            for inference in (self._expected, self._actual)
        )
        return verified(*found)

    def elements(self, one: Type) -> Type:
        """What is in the lists that are of a type."""
        found = (elements(inference.options(one)) for inference in (self._expected, self._actual))
        return verified(*found)


def _of_tree(inference: Inference, tree: Tree, facts: Facts) -> Type:
    match tree:
        case Expression():
            if inference.watch is not None:
                inference.watch.begin(tree)
            return inference.of(tree.node, facts)
        case Constant(value=value):
            return NULL if value is None else Literal(value)
        case MappingTree(items=items):
            return Record(tuple((name, Member(_of_tree(inference, one, facts))) for name, one in items))
        case Sequence(items=parts):
            return Array(either(*(_of_tree(inference, one, facts) for one in parts)))
        case Each(clauses=clauses, lets=lets, item=item):
            for clause in clauses:
                facts = _within(inference, clause, facts)
            for let in lets:
                facts = facts.with_name(let.name, _of_tree(inference, let.value, facts))
            return Array(_of_tree(inference, item, facts))


def _within(inference: Inference, clause: EachClause, facts: Facts) -> Facts:
    if inference.watch is not None:
        inference.watch.begin(clause.source)
    facts = facts.with_name(clause.variable, inference.items_of(clause.source.node, facts))
    if clause.condition is None:
        return facts
    _of_tree(inference, clause.condition, facts)
    return narrowed(inference, clause.condition.node, facts, truth=True)
