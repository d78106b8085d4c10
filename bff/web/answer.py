"""The answer of a page: its shape, status and headers made of a run's results, encoded within its bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
from bff.recipe import PageCache, Recipe
from bff.settings import Settings


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
    headers = headers_of(plan, results, evaluation, errors)
    if results.partial:
        headers["X-Page-Partial"] = ", ".join(results.partial)
    if plan.shape is None:
        return Answer(204 if status == 200 else status, b"", headers)
    return Answer(status, encode_bounded(plan.shape(scope, evaluation), settings), headers)


def headers_of(
    plan: Plan, results: Results, evaluation: Evaluation, errors: Sequence[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """The headers that the recipe writes, and Cache-Control."""
    scope = {**results.scope, "errors": list(errors)}
    headers = {} if plan.headers is None else _headers(plan.headers(scope, evaluation))
    headers["Cache-Control"] = _cache_control(plan, results)
    return headers


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
    """The Flask response; a page of reads that is whole has a strong ETag and answers 304."""
    response = Response(answer.body, answer.status, answer.headers, mimetype="application/json")
    response.vary.update(varies_with(plan.recipe))
    if not answer.body:
        response.headers.pop("Content-Type", None)
    if plan.recipe.method == "GET" and answer.status == 200 and "X-Page-Partial" not in answer.headers:
        response.set_etag(hashlib.blake2b(answer.body, digest_size=16).hexdigest())
        response.make_conditional(request, accept_ranges=False)
    return response


def varies_with(recipe: Recipe) -> list[str]:
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


def _cache_control(plan: Plan, results: Results) -> str:
    recipe = plan.recipe
    if results.partial or recipe.method != "GET":
        return "no-store"
    return "private, no-cache" if recipe.cache is None else _of_page_cache(recipe.cache)


def _of_page_cache(cache: PageCache) -> str:
    parts: Mapping[str, float | None] = {
        "max-age": cache.max_age,
        "s-maxage": cache.shared_max_age,
        "stale-while-revalidate": cache.stale_while_revalidate,
    }
    scope = "private" if cache.shared_max_age is None else "public"
    return ", ".join([scope, *(f"{name}={int(part)}" for name, part in parts.items() if part is not None)])
