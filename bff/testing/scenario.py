"""One visit of a page: a visitor's request and what each backend answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.fernet import Fernet

from bff.expressions.inspect import Path
from bff.expressions.rooms import SEALING, SEALS
from bff.identity import Visitor
from bff.identity.seals import Seals
from bff.recipe.keys import RAW
from bff.recipe.model import Recipe
from bff.testing.samples import GivenInput
from bff.testing.trial import Trial
from bff.testing.upstream import Upstream
from bff.validation import prune
from bff.web.site import Page

SESSION_KEY = Fernet.generate_key().decode()
"""The key of the apps under test."""

Variable = tuple[str, Path]
"""A step (or `user`, `query`) and the path in its reply (or value) of something that can be chosen."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A visitor's request and what the backends answer, with what a run made of it.

    `broken` are the steps that must fail for others to be asked (a second source), each with its upstream.
    """

    request: GivenInput
    scope: Mapping[str, Any]
    replies: Mapping[str, Upstream]
    good: Trial
    broken: Mapping[str, Upstream] = field(default_factory=dict)


def score(scenario: Scenario) -> tuple[int, int, int]:
    """How much of a page a scenario reaches: whether it ends well, the steps asked, the values that say something.

    What has no end yet is nearer to one than what fails before that.
    """
    good = scenario.good
    conditions = sum(1 if key in ("next", "done") else 2 for _, key in good.unmet if key != "when")
    ends = 0 if good.problem else 1
    return ends, 2 * len(good.asked) - conditions, 0 if good.problem else _filled(good.body)


def _filled(value: Any) -> int:
    """How many values in a page say something."""
    if isinstance(value, dict):
        return sum(map(_filled, value.values()))
    if isinstance(value, list):
        return sum(map(_filled, value))
    return 1 if value else 0


def with_chosen(request: GivenInput, chosen: Mapping[Variable, Any]) -> GivenInput:
    """The request with the values that were chosen for its parts."""
    for (source, path), value in chosen.items():
        if source in ("query", "path", "headers", "body") and len(path) == 1:
            part = getattr(request, source)
            if isinstance(part, Mapping):
                request = replace(request, **{source: {**part, str(path[0]): value}})
    return request


def wire_texts(value: Any) -> list[str]:
    """The texts that a value of a path, query or header is sent as."""
    if isinstance(value, list):
        return [text for element in value for text in wire_texts(element)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [] if value is None else [str(value)]


def scope_of(page: Page, request: GivenInput, user: Any) -> dict[str, Any]:
    """What the page's expressions see of a request."""
    reader = page.reader
    body = request.body
    if reader.body is not None:
        body = prune(reader.body.schema, body)
    scope = {
        "path": {name: str(value) for name, value in request.path.items()}
        | reader.path.read(lambda name: wire_texts(request.path.get(name)), []),
        "query": reader.query.read(lambda name: wire_texts(request.query.get(name)), []),
        "headers": reader.headers.read(lambda name: wire_texts(request.headers.get(name)), []),
        "body": body if reader.body is not None else None,
        "user": user,
        **({RAW: raw_body(page.recipe, request).decode()} if page.plan.reads_raw else {}),
    }
    if page.plan.functions & SEALING:
        scope[SEALS] = Seals([SESSION_KEY], page.recipe.name).of(Visitor(user))
    return scope


def raw_body(recipe: Recipe, request: GivenInput) -> bytes:
    """The body of a request as it is sent: as JSON, but for a text to a page that takes any body."""
    body = request.body
    if recipe.input.body is None:
        body = {} if body is None else body
        if isinstance(body, str):
            return body.encode()
    return json.dumps(body).encode()
