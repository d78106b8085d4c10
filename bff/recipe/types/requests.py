"""What a request gives: what its backend promises, as far as that is enforced, and what the step makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from bff.expressions.inspect import inspect_tree
from bff.expressions.paths import field_path
from bff.expressions.tree import Expression, Tree
from bff.expressions.types.choices import either
from bff.expressions.types.infer import Along
from bff.expressions.types.members import along, seen
from bff.expressions.types.typing import Known, Typing
from bff.recipe.contracts import Contracts, is_never_nothing, promise_of
from bff.recipe.model import Pages, Request
from bff.recipe.needs import Need
from bff.recipe.types.accepted import accepts_failures
from bff.recipe.types.formats import may_be_nothing, type_of_format
from bff.recipe.types.held import as_held
from bff.recipe.types.holes import may_be_unasked
from bff.recipe.types.names import ERROR, reply
from bff.recipe.types.needed import with_needs
from bff.types.model import (
    INTEGER,
    NULL,
    STRING,
    Array,
    Literal,
    Record,
    Type,
    Unknown,
    Unverified,
    nullable,
    union_of,
    without_null,
)

_ROUNDS = 3
"""How often the type of a cursor is told anew of itself."""
_TREES = ("query", "headers", "body", "form", "text")
_UNREAD = Unknown("it is not looked at before its status is known")


class RowsWatch(Protocol):
    """Is told by which field of its rows a step becomes a mapping, and what it sends as one."""

    def key_by(self, step: Request, path: Along) -> None:
        """The rows of a step become a mapping by what is at a path."""
        ...

    def text(self, request: Request, options: tuple[Type, ...]) -> None:
        """What a request sends as its text has these options."""
        ...

    def pairs(self, tree: Expression, options: tuple[Type, ...]) -> None:
        """What is sent as names and values has these options."""
        ...


class Requests:
    """Tells the types of requests; `needs` are those of each step of the recipe."""

    def __init__(
        self,
        typing: Typing,
        contracts: Contracts,
        needs: Mapping[str, tuple[Need, ...]],
        watches: Mapping[bool, RowsWatch],
    ) -> None:
        self._typing = typing
        self._contracts = contracts
        self._needs = needs
        self._watches = watches

    def of(self, step: Request, known: Known) -> Type:
        """The type of a step's value where it is not skipped."""
        typing = self._typing
        inner, item = known, {}
        if step.each is not None:
            inner = typing.within(step.each, known)
        if step.batch is not None:
            chunk = without_null(typing.elements(typing.of(step.batch.source, known)))
            inner = known.with_names({step.batch.variable: Array(chunk)})
        if step.idempotency_key is not None:
            item = {"idempotency_key": nullable(STRING)}
            inner = inner.with_names(item)
        if step.pages is not None:
            inner = self._with_cursor(step, step.pages, inner)
        self._look_at(step, inner)
        value = self._answer(step, inner)
        if may_be_unasked(step, lambda hole: typing.unwatched.of(hole, inner)):
            value = nullable(value)
        if step.undo is not None:
            body = nullable(self._body(step))
            self._look_at(step.undo, inner.with_names({step.name: value, "reply": reply(INTEGER, body)}))
        around = inner if step.each is not None else known.with_names(item)
        otherwise = [] if step.fallback is None else [self._fallback(step, step.fallback, around)]
        if step.each is not None:
            return self._keyed(step, Array(either(value, *otherwise)))
        if step.batch is not None and step.pages is None:
            value = Array(typing.elements(value))
        return either(self._keyed(step, value), *otherwise)

    def _look_at(self, step: Request, known: Known) -> None:
        """Tell the watches of what is sent."""
        trees: list[Tree | None] = [*step.path.holes, *(getattr(step, name) for name in _TREES)]
        if step.idempotency_key is not None and step.idempotency_key is not True:
            trees.append(step.idempotency_key)
        for tree in trees:
            if tree is not None:
                found = self._typing.of(tree, known)
                if tree is step.text:
                    for trusting, watch in self._watches.items():
                        watch.text(step, seen(found, trusting=trusting))
                if isinstance(tree, Expression) and tree in (step.query, step.form):
                    for trusting, watch in self._watches.items():
                        watch.pairs(tree, seen(found, trusting=trusting))

    def _answer(self, step: Request, known: Known) -> Type:
        """The value of one request that was answered."""
        typing = self._typing
        body = self._body(step)
        if step.ok is not None:
            # It judges replies of any form; what it takes for a success is then held to what was promised.
            typing.of(step.ok, known.with_names({"reply": reply(INTEGER, _UNREAD)}))
            judged = _loosely(body) if accepts_failures(step.ok) else body
            known = typing.unwatched.where(step.ok, known.with_names({"reply": reply(INTEGER, judged)}))
        elif step.take is not None or step.until is not None:
            known = known.with_names({"reply": reply(INTEGER, body)})
        if step.pages is not None:
            typing.of(step.pages.next, known.with_names({"reply": reply(INTEGER, body)}))
        if step.until is not None:
            # It looks at replies before they are held to anything: what it reads is expected, and no more.
            typing.of(step.until.done, known.with_names({"reply": reply(INTEGER, _loosely(body))}))
            known = typing.unwatched.where(step.until.done, known)
        needs = self._needs.get(step.name, ())
        if step.failed is not None:
            typing.of(step.failed, known.with_names({"reply": reply(INTEGER, body)}))
        if step.take is not None:
            value = typing.of(step.take, known)
        else:
            is_judged = step.ok is not None or step.until is not None
            value = typing.member("reply", "body", known) if is_judged else body
        value = with_needs(value, needs)
        is_read = needs or _reads_into(step) or is_never_nothing(self._contracts, step)
        if not is_read and may_be_nothing(step.format):
            value = union_of(value, NULL if step.each is None else Literal(True))
        answers = (
            typing.of(tree, known.with_names({"reply": reply(Literal(status), _other(step, status))}))
            for status, tree in step.on_status
        )
        value = either(value, *answers)
        return value if step.pages is None else Array(typing.elements(value))

    def _with_cursor(self, step: Request, pages: Pages, known: Known) -> Known:
        """What is known with the cursor, which `next` may make of itself."""
        if pages.name is None:
            return known
        first = NULL if pages.first is None else self._typing.of(pages.first, known)
        body, quiet = self._body(step), self._typing.unwatched
        found: Type = first
        for _ in range(_ROUNDS):
            inner = known.with_names({pages.name: found, "reply": reply(INTEGER, body)})
            wider = either(first, without_null(quiet.of(pages.next, inner)))
            if wider == found:
                break
            found = wider
        else:
            found = Unknown("it is made anew of each reply")
        return known.with_names({pages.name: found})

    def _body(self, step: Request) -> Type:
        if step.format is not None:
            return type_of_format(step.format)
        promise = promise_of(self._contracts, step)
        if promise is None:
            if step.graphql is not None:
                cause = f"nobody describes what client '{step.client}' answers to the {step.graphql.title}"
                return Unknown(cause, "a function of yours whose hint says what it is")
            asked = f"{step.method} {step.path.text.partition('?')[0]}"
            return Unknown(
                f"nobody describes what {asked} of client '{step.client}' answers",
                f"Client(schema=…), bff introspect {step.client}, or a function of yours whose hint says it",
            )
        return as_held(promise.type) if promise.enforced else _loosely(promise.type)

    def _fallback(self, step: Request, tree: Tree, known: Known) -> Type:
        failed = nullable(reply(INTEGER, _of_failed(step)))
        return self._typing.of(tree, known.with_names({"error": ERROR, "reply": failed}))

    def _keyed(self, step: Request, rows: Type) -> Type:
        """The rows as a mapping, where the step makes one of them."""
        if step.key_by is None:
            return rows
        row, path = self._typing.elements(rows), field_path(step.key_by)
        for trusting, watch in self._watches.items():
            options = partial(seen, trusting=trusting)
            watch.key_by(step, along(options, options(row), path))
        return Record((), self._typing.having(row, path))


def _loosely(one: Type) -> Type:
    return one if isinstance(one, Unknown | Unverified) else Unverified(one)


def _other(step: Request, status: int) -> Type:
    return Unknown(
        f"nobody describes the body of a {status} of client '{step.client}'",
        "take nothing of it, or write what stands in its place",
    )


def _of_failed(step: Request) -> Type:
    return Unknown(
        f"nobody describes the body of a reply of client '{step.client}' that failed",
        "take nothing of it, or write what stands in its place",
    )


def _reads_into(step: Request) -> bool:
    """Whether a reply without a body is a failure: something that is in it is read."""
    if step.batch is not None or step.key_by is not None or step.pages is not None:
        return step.take is None
    if step.take is None:
        return False
    found = inspect_tree(step.take)
    gone_over = [path for path, _, _ in found.iterates]
    return any(path[:2] == ("reply", "body") and len(path) > 2 for path in found.reads) or any(
        path[:2] == ("reply", "body") for path in gone_over
    )
