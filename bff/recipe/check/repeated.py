"""Reads that are made again: what may stand beside `pages` and `until`, what their cursor is for, whether they end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bff.expressions.tree import Constant, Expression, Mapping, Tree
from bff.recipe.check.page import Page
from bff.recipe.check.requests import seconds_text
from bff.recipe.graph import inspect_part, names_in, parts
from bff.recipe.keys import PLACE_NAMES, SCOPE_NAMES
from bff.recipe.model import Mark, Pages, Request, Until

_SENT = ("path", "query", "headers", "body", "form")
_BESIDE_UNTIL = {
    "pages": ("'pages' and 'until' in one request", "wait in one step, read the list in the next"),
    "cache": ("'cache' beside 'until'", "what is kept would be what it was before"),
    "hedge": ("'hedge' beside 'until'", "it is asked again anyway"),
    "batch": ("'batch' beside 'until'", "what is done is said of one: each"),
}

Said = tuple[Mark, str, str]


def check_repeated(page: Page) -> None:
    """Say what contradicts `pages` and `until`, and times that could never be kept."""
    for step in page.requests:
        if step.safe and step.until is not None:
            _say(page, _of_until(page, step, step.until))
        if step.safe and step.pages is not None:
            _say(page, _of_pages(page, step, step.pages))


def check_cursors(page: Page) -> None:
    """Say cursors that nothing is sent of, and reads of which every reply is taken for the same."""
    for step in page.requests:
        if step.safe and step.pages is not None:
            _say(page, _of_cursor(step, step.pages))
            if {"reply", step.name}.isdisjoint(names_in(step.pages.next)):
                hint = "it says over reply what follows, as in next: reply.body.next"
                page.say(step.marks.value("pages.next"), "a 'next' that reads nothing of the reply", hint)
        if (
            step.safe
            and step.until is not None
            and {"reply", step.name}.isdisjoint(names_in(step.until.done))
        ):
            hint = "it looks at reply, as in done: reply.body.status == 'done'"
            page.say(step.marks.value("until.done"), "a 'done' that reads nothing of the reply", hint)


def _say(page: Page, found: Iterator[Said]) -> None:
    for mark, message, hint in found:
        page.say(mark, message, hint)


def _of_until(page: Page, step: Request, until: Until) -> Iterator[Said]:
    for key, (message, hint) in _BESIDE_UNTIL.items():
        if key in step.marks.keys:
            yield step.marks.key(key), message, hint
    if until.every >= until.within:
        message = f"an 'every' of {seconds_text(until.every)} that is not shorter than 'within'"
        yield step.marks.value("until.every"), message, "it would be asked once"
    yield from _over_deadline(page, step, "until", until.within)


def _of_pages(page: Page, step: Request, pages: Pages) -> Iterator[Said]:
    if pages.first is not None and "pages.as" not in step.marks.keys:
        hint = "it is the first value of a cursor; name that: as: cursor"
        yield step.marks.key("pages.first"), "'first' without 'as'", hint
    if pages.name is not None and (hidden := _hidden(page, step, pages.name)):
        yield (
            step.marks.value("pages.as"),
            f"the cursor '{pages.name}' hides {hidden}",
            "give it another name",
        )
    if pages.within is not None:
        yield from _over_deadline(page, step, "pages", pages.within)
    if step.format is not None and step.format.name in ("text", "form") and step.take is None:
        what = "a text" if step.format.name == "text" else "a mapping"
        hint = "let take make a list of it"
        yield step.marks.key("format"), f"'format' gives {what}, and 'pages' joins lists", hint
    if step.take is not None and (what := _no_list(step.take)):
        hint = "it gives the list of each reply, as in take: reply.body.items"
        yield step.marks.value("take"), f"'take' gives {what}, and 'pages' joins lists", hint
    for status, tree in step.on_status:
        if what := _no_list(tree):
            hint = "it ends the list, and is added to it: write []"
            mark = step.marks.value(f"on_status.{status}")
            yield mark, f"the answer to {status} is {what}, and 'pages' joins lists", hint
    if step.each is not None and step.key_by is not None:
        hint = f"each item has a list of its own; make a value: [index(one, '{step.key_by}') for one in {step.name}]"
        yield step.marks.key("key_by"), "'key_by' over the lists of an each", hint


def _member_read(pages: Pages) -> str:
    """The first member of a body that tells what follows, as only a mapping has; '' for none."""
    read = {path[2] for path in inspect_part(pages.next).reads if path[:2] == ("reply", "body") and path[2:]}
    return min((key for key in read if isinstance(key, str)), default="")


def _over_deadline(page: Page, step: Request, key: str, within: float) -> Iterator[Said]:
    deadline = page.recipe.deadline
    if within > deadline:
        default = "" if "deadline" in page.recipe.marks.keys else ", the default"
        message = f"a 'within' of {seconds_text(within)} over the deadline"
        hint = f"the whole page ends after {seconds_text(deadline)}{default}"
        yield step.marks.value(f"{key}.within"), message, hint


def _hidden(page: Page, step: Request, name: str) -> str:
    """What else a cursor's name means; '' where that is nothing."""
    clause = step.each or step.batch
    if clause is not None and clause.variable == name:
        return "the loop variable of its step"
    if name in page.by_name:
        return f"the step '{name}'"
    return f"the name '{name}' that every recipe has" if name in (*SCOPE_NAMES, *PLACE_NAMES) else ""


def _no_list(tree: Tree) -> str:
    """What a tree gives that is neither a list nor null, where that is plain; '' else."""
    if isinstance(tree, Mapping):
        return "a mapping"
    found = tree.node if isinstance(tree, Expression) else tree
    value = found.value if isinstance(found, Constant | ast.Constant) else None
    if isinstance(found, ast.JoinedStr):
        return "a text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    return "a number" if isinstance(value, int | float) else ""


def _of_cursor(step: Request, pages: Pages) -> Iterator[Said]:
    if step.take is None and step.graphql is None and (member := _member_read(pages)):
        hint = "say which list of it, as in take: reply.body.items"
        message = f"'next' reads '{member}' of a body that 'pages' takes for the list itself"
        yield step.marks.value("pages.next"), message, hint
    if pages.name is None:
        return
    used = [key for key, part in parts(step) if key in _SENT and pages.name in names_in(part)]
    if not used:
        hint = f"every request would be the same; write it into the query: {{{pages.name}: {pages.name}}}"
        yield step.marks.value("pages.as"), f"the cursor '{pages.name}' is never sent", hint
    elif "path" in used and pages.first is None:
        hint = "say what the first request asks for, as in first: 1"
        mark = step.marks.value(step.verb)
        yield mark, f"a path with the cursor '{pages.name}', which has no 'first'", hint
