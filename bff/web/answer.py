"""The answer of a page: its shape, status and headers made of a run's results, encoded within its bounds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from bff import jsontext
from bff.errors import BoundError
from bff.executor import Results
from bff.expressions import Evaluation
from bff.expressions.values import to_text
from bff.http import check_header
from bff.plan import Plan
from bff.problems import entry, problem
from bff.recipe import Recipe
from bff.settings import Settings
from bff.web.keeping import NO_STORE, cache_control


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: body bytes (empty where the recipe has no shape), status and headers."""

    status: int
    body: bytes
    headers: dict[str, str]


def make_answer(plan: Plan, results: Results, evaluation: Evaluation, settings: Settings) -> Answer:
    """Compute shape, status and headers; raises PageError where the recipe gives something unusable."""
    errors = [entry(failure, plan.fields[failure.step]) for failure in results.failures]
    scope = {**results.scope, "errors": errors}
    status = plan.status(scope, evaluation)
    if type(status) is not int or not 200 <= status <= 599:
        raise problem(
            "internal", "This page could not be made.", log="status: no whole number from 200 to 599"
        )
    headers = {} if plan.headers is None else _headers(plan.headers(scope, evaluation))
    headers["Cache-Control"] = cache_control(plan, results)
    if results.partial:
        headers["X-Page-Partial"] = ", ".join(results.partial)
    if results.stale:
        headers["X-Page-Stale"] = ", ".join(results.stale)
    if plan.shape is None:
        return Answer(204 if status == 200 else status, b"", headers)
    return Answer(status, encode_bounded(plan.shape(scope, evaluation), settings), headers)


def encode_bounded(value: Any, settings: Settings) -> bytes:
    """JSON of a value whose nodes and bytes were counted first: shared sublists can be exponentially many."""
    try:
        jsontext.measure(
            value,
            max_nodes=settings.max_answer // 4,
            max_bytes=settings.max_answer,
            max_depth=settings.max_depth,
        )
    except jsontext.TooLarge as exc:
        raise BoundError(f"answer: {exc}") from exc
    return jsontext.encode(value)


def respond(request: Request, plan: Plan, answer: Answer) -> Response:
    """The Flask response; a page of reads that may be kept has a strong ETag and answers 304."""
    response = Response(answer.body, answer.status, answer.headers, mimetype="application/json")
    response.vary.update(_varies_with(plan.recipe))
    if not answer.body:
        response.headers.pop("Content-Type", None)
    if answer.status == 200 and answer.headers["Cache-Control"] != NO_STORE:
        response.set_etag(hashlib.blake2b(answer.body, digest_size=16).hexdigest())
        response.make_conditional(request, accept_ranges=False)
    return response


def _varies_with(recipe: Recipe) -> list[str]:
    """The request headers that a page is made of: a browser keeps no page of one visitor for the next."""
    of_visitor = [] if recipe.auth == "none" else ["Cookie", "Authorization"]
    return [*of_visitor, *(parameter.name for parameter in recipe.input.headers)]


def _headers(tree: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in tree.items():
        texts = [to_text(element) for element in (value if isinstance(value, list) else [value])]
        joined = ", ".join(text for text in texts if text is not None)
        if value is None or not any(text is not None for text in texts):
            continue
        try:
            check_header(name, joined)
        except ValueError as exc:
            log = f"headers: the value of {name} cannot be in a header"
            raise problem("internal", "This page could not be made.", log=log) from exc
        headers[name] = joined
    return headers
