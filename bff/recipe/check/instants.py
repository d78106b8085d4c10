"""Time: what is put in order with an instant, the moment of the page in what is kept, zones and units."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import partial
from typing import cast

from bff.expressions.evaluation import Evaluation
from bff.expressions.instants import BY_THE_CLOCK, ELAPSED
from bff.expressions.instants import FUNCTIONS as INSTANTS
from bff.expressions.moments import NOTHING, OUTSIDE, Made, Moments, either, item, moment_in
from bff.expressions.tree import EachClause, Expression, PathTemplate
from bff.expressions.zones import zone_names
from bff.recipe.check.page import Page, Spot
from bff.recipe.graph import Part, parts
from bff.recipe.keys import SCOPE_NAMES
from bff.recipe.model import Mark, Origin, Request, Step, Value
from bff.text import nearest

_UNITS = (*ELAPSED, *BY_THE_CLOCK)
_ZONE_AT = {"instant": 1, "date": 1, "days": 1, "local": 1, "start_of": 2, "shift": 3}
_UNIT_AT = {"start_of": 1, "shift": 2}
_AMOUNT_AT = {"shift": 1}
_INSTANT_AT = dict.fromkeys(("instant", "epoch", "date", "local", "start_of", "shift"), 0)
_SENT = ("path", "query", "headers", "body", "form", "text")
"""What a reply that is kept is found by."""
_FROM_OUTSIDE = (*SCOPE_NAMES, "reply", "error")
_LONGEST_LABEL = 40


def check_zones(page: Page) -> None:
    """Say zones and units that are not there, and amounts that are no whole numbers."""
    for spot in page.spots:
        for node in spot.nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                _check_call(page, spot, node.func.id, node.args)


# --- constants ---------------------------------------------------------------------------------------------------


def _check_call(page: Page, spot: Spot, name: str, arguments: list[ast.expr]) -> None:
    """Say the first argument of a call that makes it null whatever the others are."""
    rules = (
        (_INSTANT_AT.get(name), partial(_no_instant, name)),
        (_AMOUNT_AT.get(name), _wrong_amount),
        (_UNIT_AT.get(name), _wrong_unit),
        (_ZONE_AT.get(name), _wrong_zone),
    )
    for at, wrong in rules:
        if at is not None and at < len(arguments):
            node = arguments[at]
            constant = node.operand if isinstance(node, ast.UnaryOp) else node
            said = wrong(constant.value) if isinstance(constant, ast.Constant) else None
            if said is not None:
                page.say(spot.mark_of(node), *said)
                return


def _no_instant(function: str, value: object) -> tuple[str, str] | None:
    if value is None or INSTANTS["instant"].call(Evaluation(), value) is not None:
        return None
    return f"{value!r} is no instant", f"write {INSTANTS[function].signature}"


def _wrong_amount(value: object) -> tuple[str, str] | None:
    if isinstance(value, str | bool):
        return "an instant is moved by a whole number", "write shift(t, 1, 'day')"
    if isinstance(value, float) and not value.is_integer():
        return "an instant is moved by a whole number of units", "write it in a smaller one: 90 of 'minute'"
    return None


def _wrong_unit(value: object) -> tuple[str, str] | None:
    if value in _UNITS:
        return None
    there = f"there are: {', '.join(_UNITS)}"
    if not isinstance(value, str):
        return "a unit is a text", there
    near = nearest(value, _UNITS)
    return f"unknown unit '{value}'", f"did you mean '{near}'?  {there}" if near else there


def _wrong_zone(value: object) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "a time zone is a text", "write its name: 'Europe/Berlin'"
    known = zone_names()
    if not known or value == "UTC" or value in known:
        return None  # where the host has none, those that run the page may have them
    near = nearest(value, sorted(known))
    hint = f"did you mean '{near}'?" if near else "it has a name of the IANA database: 'Europe/Berlin', 'UTC'"
    return f"unknown time zone '{value}'", hint


# --- what values are ---------------------------------------------------------------------------------------------


def check_orders(page: Page) -> None:
    """Say what is put in order with an instant and has another form, and what is kept under the moment of the page."""
    names = dict.fromkeys(_FROM_OUTSIDE, OUTSIDE)
    if any(isinstance(node, ast.Name) and node.id == "user" for spot in page.spots for node in spot.nodes):
        names["user"] = _visitor(page)
    _Reading(page, names).page()


def _visitor(page: Page) -> Made:
    """What those who have signed in are known as; where no page signs in, somebody else says it."""
    found = [
        _Reading(
            Page(recipe, page.project), {**dict.fromkeys(_FROM_OUTSIDE, OUTSIDE), "user": NOTHING}
        ).user()
        for recipe in page.project.recipes.values()
        if recipe.session is not None and recipe.session.user is not None
    ]
    return either(*found) if found else OUTSIDE


class _Reading:
    """Follows instants through a recipe, and says what is put in order with them."""

    def __init__(self, page: Page, names: dict[str, Made]) -> None:
        self._page = page
        self._moments = Moments(self)
        self._names = names
        self._expression: Expression | None = None
        self._said: set[tuple[int, int, int]] = set()
        for step in self._in_order():
            self._step(step)

    def page(self) -> None:
        """Read what the page answers."""
        recipe = self._page.recipe
        for tree in (recipe.status, recipe.headers, recipe.shape):
            if tree is not None:
                self._moments.of_tree(tree, self._names)
        if recipe.session is not None:
            for tree in (recipe.session.user, recipe.session.tokens, recipe.session.expires):
                if tree is not None:
                    self._moments.of_tree(tree, self._names)

    def user(self) -> Made:
        """What those who sign in here are known as."""
        session = self._page.recipe.session
        assert session is not None and session.user is not None
        return self._moments.of_tree(session.user, self._names)

    def _in_order(self) -> Iterator[Step]:
        """The steps, each behind those that it names; in a circle, of which others speak, one comes first."""
        waiting, done = list(self._page.recipe.steps), set[str]()
        while waiting:
            step = next((one for one in waiting if self._page.graph.reads[one.name] <= done), waiting[0])
            waiting.remove(step)
            done.add(step.name)
            yield step

    def _step(self, step: Step) -> None:
        made: dict[str, Made] = {}
        inner = self._names
        for key, part in parts(step):
            names = self._names if key == "when" else inner
            made[key] = self._part(part, {**names, step.name: OUTSIDE} if key.startswith("undo.") else names)
            if key == "each" or key == "batch":
                assert isinstance(part, EachClause)
                one = made[key] if key == "each" else Made(element=made[key])
                inner = {**self._names, part.variable: one}
        if isinstance(step, Request):
            self._names[step.name] = _value(step, made)
            if step.cache is not None:
                self._kept(step, made)
        elif isinstance(step, Value):
            self._names[step.name] = made["value"]

    def _part(self, part: Part, names: Mapping[str, Made]) -> Made:
        if isinstance(part, EachClause):
            return self._moments.within(part, names)[part.variable]
        if isinstance(part, PathTemplate):
            return Made(
                members={str(at): self._moments.of_tree(hole, names) for at, hole in enumerate(part.holes)}
            )
        return self._moments.of_tree(part, names)

    def _kept(self, step: Request, made: Mapping[str, Made]) -> None:
        """Say that the moment of the page is in what a kept reply is found by."""
        cause = next(filter(None, (moment_in(made.get(key)) for key in _SENT)), None)
        if cause is None:
            return
        for spot in self._page.spots:
            if spot.step is step and any(node is cause for node in spot.nodes):
                length = (cause.end_col_offset or 0) - cause.col_offset
                written = spot.leaf.text[cause.col_offset : cause.end_col_offset]
                if isinstance(cause, ast.Name):
                    message = f"'{written}' is made of now(): what is kept would never be found again"
                    hint = "make it of start_of(now(), 'minute'), which is the same for a minute"
                else:
                    message = (
                        f"{written} is another instant each time: what is kept would never be found again"
                    )
                    hint = f"write start_of({written}, 'minute'), which is the same for a minute"
                self._page.say(spot.mark(cause.col_offset, length), message, hint)
                return

    # --- orders --------------------------------------------------------------------------------------------------

    def begin(self, expression: Expression) -> None:
        """What follows stands in this expression."""
        self._expression = expression

    def pair(self, left: ast.expr, one: Made, right: ast.expr, other: Made) -> None:
        """Two values are compared by their order."""
        if "instant" in one.kinds | other.kinds:
            for node, made in ((left, one), (right, other)):
                self._unlike(node, made)

    def items(self, node: ast.expr, element: Made) -> None:
        """The items of a list are put in order."""
        if "instant" in element.kinds and element.kinds & {"outside", "day"}:
            hint = "make instants of all: instant(x) of each"
            self._say(node, "instants are put in order with values of another form", hint)

    def _unlike(self, node: ast.expr, made: Made) -> None:
        """Say that an instant is compared with a value that does not have its form."""
        written = self._written(node)
        what = written if len(written) <= _LONGEST_LABEL else "a value"
        cure = f"write instant({written if len(written) <= _LONGEST_LABEL else '…'})"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
            cure = "make instants of all: instant(x) of each"
        if "outside" in made.kinds:
            self._say(node, f"an instant is compared with {what}, which may be written otherwise", cure)
        elif "day" in made.kinds:
            message = f"an instant is compared with {what}, which is a day"
            self._say(node, message, f"{cure[:-1]}, zone), when it begins there")
        elif made.kinds == {"number"}:
            self._say(node, f"an instant is compared with {what}, a number: that is always null", cure)
        elif made.kinds == {"text"}:
            self._say(node, f"an instant is compared with {what}, which is written otherwise", cure)

    def _written(self, node: ast.expr) -> str:
        if self._expression is None:
            return ""
        return " ".join(self._expression.text[node.col_offset : node.end_col_offset].split())

    def _say(self, node: ast.expr, message: str, hint: str) -> None:
        origin = None if self._expression is None else self._expression.origin
        place = (id(origin), node.col_offset, node.end_col_offset or 0)
        if origin is not None and place not in self._said:
            self._said.add(place)
            mark: Mark = cast(Origin, origin).mark(node.col_offset, place[2] - node.col_offset)
            self._page.say(mark, message, hint)


def _value(step: Request, made: Mapping[str, Made]) -> Made:
    """What the value of a request is: what it takes of its replies, or what stands in their place."""
    taken = made.get("take", OUTSIDE)
    answers = [taken, *(one for key, one in made.items() if key.startswith("on_status."))]
    value = either(*answers)
    fallback = [made["fallback"]] if "fallback" in made else []
    if step.each is not None:
        value = Made(element=either(value, *fallback))
        fallback = []
    if step.key_by is not None:
        value = Made(element=item(value))
    return either(value, *fallback)
