"""Fields that nobody has: what expressions read of values whose type is known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

from msgspec import Struct

from bff.errors import Finding
from bff.expressions.tree import Each, Expression
from bff.expressions.types.arithmetic import kind_of
from bff.expressions.types.choices import EMPTY
from bff.expressions.types.infer import Along
from bff.recipe.check.operators import AS_NUMBER, AS_TEXT, SIGNS
from bff.recipe.check.page import elsewhere
from bff.recipe.check.parts import concerns, held_by
from bff.recipe.loader import Project
from bff.recipe.model import Guard, Mark, Origin, Recipe, Request
from bff.recipe.rows import keys_of
from bff.recipe.types.project import type_of_visitors, types_of_page
from bff.text import nearest
from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NOT_LISTED,
    NULL,
    NUMBER,
    STRING,
    Array,
    Record,
    Scalar,
    Type,
    Unknown,
)

_MOST_LISTED = 20
_PLAIN = ast.Name | ast.Attribute | ast.Subscript | ast.Call
"""Expressions of which is said what they are, as they are written."""
_TESTS = {"a list": "len({}) > 0", "an integer": "{} > 0", "a number": "{} > 0"}
"""What is asked of a value of a kind, where only true holds."""


class FieldFindings(Struct, frozen=True):
    """`mistakes` are about what is sure; `warnings` about what is expected, and nothing holds a backend to it."""

    mistakes: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def fields_of(project: Project, said: Sequence[Finding] = ()) -> FieldFindings:
    """What the recipes of a project read that is not there; of those alone of which nothing was `said`.

    Nothing of any where functions of the project could not be loaded: nobody knows what they give.
    """
    if "" in project.unusable:
        return FieldFindings()
    names = [
        name
        for name, recipe in project.recipes.items()
        if (held := held_by(recipe, project)) is not None
        and not any(one.broken for one in held)
        and not concerns(said, {one.file for one in held})
    ]
    if not names:
        return FieldFindings()
    signed_in = type_of_visitors(project) if not said else Unknown()
    mistakes: dict[Finding, None] = {}
    warnings: dict[Finding, None] = {}
    for name in names:
        expected, actual = _Reading(trusting=True), _Reading(trusting=False)
        types_of_page(project, name, signed_in, expected=expected, actual=actual)
        mistakes |= dict.fromkeys(actual.findings())
        warnings |= dict.fromkeys(expected.findings(actual.said))
    return FieldFindings(*(tuple(sorted(found, key=lambda one: one.place)) for found in (mistakes, warnings)))


class _Said(Struct, frozen=True):
    """What is wrong: `what` is the same however often it is read."""

    what: str
    message: str
    hint: str


class _Reading:
    """Is told what a page reads, and keeps what of that cannot be there."""

    def __init__(self, *, trusting: bool) -> None:
        self._trusting = trusting
        self.said: dict[tuple[str, str], tuple[_Said, list[Mark]]] = {}
        self._expression: Expression | None = None
        self._sources: dict[int, str] = {}

    def findings(self, besides: Iterable[tuple[str, str]] = ()) -> Iterator[Finding]:
        """One finding for each mistake, without those that are said already."""
        known = set(besides)
        for key, (said, marks) in self.said.items():
            if key not in known:
                distinct = sorted(dict.fromkeys(marks), key=lambda mark: mark.place)
                yield distinct[0].finding(said.message, said.hint + elsewhere(distinct))

    def begin(self, expression: Expression) -> None:
        """What follows stands in this expression."""
        self._expression = expression

    def look_up(self, node: ast.expr, base: ast.expr, name: str, options: Sequence[Type]) -> None:
        """A member is looked up by its name."""
        found = _there(options)
        if found is None:
            return
        records = [one for one in found if isinstance(one, Record)]
        self._sources[id(node)] = next((one.source for one in records if one.source), "")
        if records:
            self._member(base, name, records, self._mark_of_key(node, base, name))
        else:
            self._kind(base, found, "an object")

    def iterate(self, node: ast.expr, options: Sequence[Type]) -> None:
        """Something is gone over as a list."""
        found = _there(options)
        if found is not None and not any(isinstance(one, Array) for one in found):
            self._kind(node, found, "a list")

    def field(self, node: ast.expr, items: ast.expr, path: Along) -> None:
        """A function is given the path of a field of the items of a list, or the name of one of a mapping."""
        end, label = (node.end_col_offset or 0) - 1, self._text(items)

        def mark(at: int) -> Mark | None:
            behind = len(".".join(name for name, _ in path[at:]))
            return self._mark(end - behind, len(path[at][0]))

        if label:
            self._along(label, path, mark)

    def pair(
        self, node: ast.expr, sign: ast.operator | ast.cmpop, left: Sequence[Type], right: Sequence[Type]
    ) -> None:
        """Two values do not go together."""
        one, other = _there(left), _there(right)
        mark = self._mark_of(node)
        if one is None or other is None or mark is None:
            return
        kinds = [_words(one), _words(other)]
        message = f"'{SIGNS[type(sign)]}' of {kinds[0]} and {kinds[1]} is always null"
        cure = (AS_TEXT if isinstance(sign, ast.Add) else AS_NUMBER) if "a string" in kinds else ""
        self._say(_Said(f"{message} {self._text(node)}", message, cure), mark)

    def argument(self, node: ast.expr, function: str, kinds: Sequence[str], options: Sequence[Type]) -> None:
        """A function is given what is of no use to it."""
        found = _there(options)
        if found is None:
            return
        given = _words(found)
        cure = f"it takes {' or '.join(_with_article(kind) for kind in kinds if kind != 'null')}"
        if kinds == ["string"] and all(kind_of(one) in (INTEGER, NUMBER) for one in found):
            cure = f"write str({self._text(node)})"
        mark = self._mark_of(node)
        if mark is not None:
            said = _Said(f"{function} {self._text(node)}", f"{function}() of {given} is always null", cure)
            self._say(said, mark)

    def key_by(self, step: Request, path: Along) -> None:
        """The rows of a step become a mapping by a field."""
        self._along(f"what '{step.name}' gets", path, lambda _: step.marks.value("key_by"))

    def pairs(self, tree: Expression, options: Sequence[Type]) -> None:
        """Something is sent as names and values."""
        found = _there(options)
        if found is not None and not any(isinstance(one, Record) for one in found):
            self._expression = tree
            self._kind(tree.node, found, "an object")

    def _along(self, label: str, path: Along, mark_of: Callable[[int], Mark | None]) -> None:
        """Say the first key of a path that is not there."""
        for at, (name, options) in enumerate(path):
            found, mark = _there(options), mark_of(at)
            if found is None or mark is None:
                return
            way = f"{'.'.join(key for key, _ in path[:at])} of {label}" if at else label
            records = [one for one in found if isinstance(one, Record)]
            if at and not records and EMPTY not in found:
                kinds = _words(found)
                self._say(_Said(way, f"{way} is {kinds} here, not an object", ""), mark_of(at - 1) or mark)
            if len(records) < len(found):
                return
            self._missing(way, name, records, mark)

    def text(self, request: Request, options: Sequence[Type]) -> None:
        """Something is sent as a text."""
        found = _there(options)
        if found is not None and not any(kind_of(one) == STRING for one in found):
            kinds = _words(found)
            said = _Said(
                f"text of {request.name}",
                f"'text' sends a text, and this is {kinds}",
                "write str(…), or body: for JSON",
            )
            self._say(said, request.marks.value("text"))

    def guard(self, step: Guard, options: Sequence[Type]) -> None:
        """Something is to be true."""
        found = _there(options)
        if found is None or any(kind_of(one) == BOOLEAN for one in found):
            return
        kinds = _words(found)
        node, text = step.require.node, " ".join(step.require.text.split())
        cure = "compare it with something"
        if isinstance(node, _PLAIN):
            cure = f"write {_TESTS.get(kinds, '{} is not None').format(text)}"
        said = _Said(f"guard {step.name}", f"this is {kinds}, and never exactly true", cure)
        self._say(said, step.marks.value("require"))

    def sender_key(self, recipe: Recipe, options: Sequence[Type]) -> None:
        """Something tells one request of a sender from others."""
        found = _there(options)
        if found is not None and all(isinstance(one, Array | Record) for one in found):
            kinds = _words(found)
            said = _Said(
                "key", f"this is {kinds}, and no key", "name a text or number in it, such as body.id"
            )
            self._say(said, recipe.marks.value("idempotency_key"))

    def rows(self, recipe: Recipe, options: Sequence[Type]) -> None:
        """Something is the shape of a table."""
        found = _there(options)
        shape = recipe.shape
        source = shape.clauses[0].source.node if isinstance(shape, Each) else None
        if isinstance(source, ast.Name | ast.Attribute | ast.Subscript):
            return  # what goes over it is told
        if found is not None and not any(isinstance(one, Array) for one in found):
            kinds = _words(found)
            said = _Said("shape", f"the shape of a CSV is a list of objects, and this is {kinds}", "")
            self._say(said, recipe.marks.value("shape"))

    def cell(self, recipe: Recipe, at: int, options: Sequence[Type]) -> None:
        """Something stands in a column of a table."""
        found = _there(options)
        if found is not None and all(isinstance(one, Array | Record) for one in found):
            assert recipe.format is not None, "it is a table"
            kinds = _words(found)
            field = recipe.format.columns[at][1]
            cure = "a cell holds a text, a number or a boolean: make one of it in the shape"
            self._say(
                _Said(f"cell {at}", f"'{field}' is {kinds} here", cure),
                recipe.marks.value(keys_of(recipe)[at]),
            )

    # --- saying --------------------------------------------------------------------------------------------------

    def _member(self, base: ast.expr, name: str, records: Sequence[Record], mark: Mark | None) -> None:
        label = self._text(base)
        if mark is not None and label:
            self._missing(label, name, records, mark)

    def _missing(self, label: str, name: str, records: Sequence[Record], mark: Mark) -> None:
        if any(self._may_have(one, name) for one in records):
            return
        listed = list(dict.fromkeys(known for one in records for known, _ in one.members))
        near = nearest(name, listed)
        source = next((one.source for one in records if one.source), "")
        names = ", ".join(listed[:_MOST_LISTED]) + (", …" if len(listed) > _MOST_LISTED else "")
        there = f"{source} lists: {names}" if source else f"it has: {names}"
        meant = f"did you mean '{near}'?  " if near else ""
        self._say(_Said(f"{name} {there}", f"{label} has no field '{name}'", meant + there), mark)

    def _may_have(self, record: Record, name: str) -> bool:
        """Whether a record has a member, or may have any: to what is not listed only trust says no."""
        if self._trusting and record.other == NOT_LISTED:
            return name in dict(record.members)
        return record == EMPTY or record.member(name) is not None

    def _kind(self, node: ast.expr, options: Sequence[Type], wanted: str) -> None:
        label = self._text(node)
        if not isinstance(node, _PLAIN) or not label or EMPTY in options:
            return
        kinds = _words(options)
        source = self._sources.get(id(node), "")
        if not source and " or " in kinds:
            return  # what a recipe puts together of several kinds is its own affair
        mark = self._mark_of(node)
        if mark is not None:
            hint = f"{source} says so" if source else ""
            self._say(_Said(label, f"{label} is {kinds} here, not {wanted}", hint), mark)

    def _say(self, said: _Said, mark: Mark) -> None:
        self.said.setdefault((mark.place.file, said.what), (said, []))[1].append(mark)

    # --- places --------------------------------------------------------------------------------------------------

    def _text(self, node: ast.expr) -> str:
        """An expression as it is written, on one line."""
        if self._expression is None:
            return ""
        return " ".join(self._expression.text[node.col_offset : node.end_col_offset].split())

    def _mark_of_key(self, node: ast.expr, base: ast.expr, name: str) -> Mark | None:
        if isinstance(node, ast.Subscript):
            if node.slice.col_offset == base.col_offset:  # of what a part is given whole
                return self._mark_of(base)
            return self._mark(node.slice.col_offset + 1, len(name))
        return self._mark((node.end_col_offset or 0) - len(name), len(name))

    def _mark_of(self, node: ast.expr) -> Mark | None:
        return self._mark(node.col_offset, (node.end_col_offset or 0) - node.col_offset)

    def _mark(self, offset: int, length: int) -> Mark | None:
        origin = None if self._expression is None else self._expression.origin
        return None if origin is None else cast(Origin, origin).mark(offset, length)


def _there(options: Sequence[Type]) -> list[Type] | None:
    """What a value can be when it is not null; None where anything can be there, or nothing."""
    found = [one for one in options if one != NULL]
    return None if not found or any(isinstance(one, Unknown) for one in found) else found


def _words(found: Sequence[Type]) -> str:
    """What values of these types are: `a string or a list`."""
    return " or ".join(dict.fromkeys(map(_word, found)))


def _word(one: Type) -> str:
    if isinstance(one, Array | Record):
        return "a list" if isinstance(one, Array) else "an object"
    kind = kind_of(one)
    assert isinstance(kind, Scalar)
    return _with_article(kind.name)


def _with_article(kind: str) -> str:
    kind = "string" if kind == "some text" else kind
    return f"{'an' if kind in ('integer', 'object') else 'a'} {kind}"
