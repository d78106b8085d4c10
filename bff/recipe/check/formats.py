"""Bodies that are no JSON: what beside them has no effect, or would not be what it says."""

from __future__ import annotations

import ast
import re

from bff.expressions.tree import Expression
from bff.recipe.check.page import Page
from bff.recipe.model import Request

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?(?!utf-8\b)([^;\"\s]+)", re.IGNORECASE)
_NO_ROWS = {"text": "a text has no rows: leave it out", "form": "a form has no rows: leave it out"}


def check_formats(page: Page) -> None:
    """Say what a request cannot do with a body that is no JSON."""
    for step in page.requests:
        _check_read(page, step)
        for request in (step, step.undo):
            if request is not None and request.text is not None:
                _check_text(page, request)


def _check_read(page: Page, step: Request) -> None:
    name = "" if step.format is None else step.format.name
    for key in ("batch", "key_by"):
        if name in _NO_ROWS and key in step.marks.keys and step.take is None:
            page.say(step.marks.key(key), f"'{key}' with format: {name}", _NO_ROWS[name])
    if name == "text" and step.needs and step.take is None:
        page.say(
            step.marks.key("needs"),
            "'needs' with format: text",
            "there is nothing below a text: leave it out",
        )


def _check_text(page: Page, request: Request) -> None:
    client = page.client(request)
    if client is not None and client.filters:
        names = ", ".join(sorted(client.filters))
        hint = f"what flows into {names} of {client.name} is looked at in query, form and body alone"
        page.say(request.marks.key("text"), "'text' to a client with filters", hint)
    for name, tree in request.headers.items if request.headers is not None else ():
        constant = tree.node if isinstance(tree, Expression) else None
        if name.lower() == "content-type" and isinstance(constant, ast.Constant):
            found = _CHARSET.search(str(constant.value))
            if found:
                hint = "a text is sent in UTF-8: write charset=utf-8, or leave it out"
                page.say(request.marks.value(f"headers.{name}"), f"a text in {found[1]}", hint)
