"""The answer of a page: its shape, status and headers made of a run's results, encoded within its bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request, Response
from msgspec import Struct

from bff import jsontext
from bff.errors import BoundError
from bff.executor import Results
from bff.expressions import Evaluation
from bff.expressions.values import to_text
from bff.http import check_header
from bff.plan import Plan
from bff.problems import entry, problem
from bff.settings import Settings
from bff.web.keeping import NO_STORE, cache_control
from bff.web.whole import WholeResponse

T = TypeVar("T")
_CONDITIONS = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"})


class Answer(Struct, frozen=True):
    """What goes out: body bytes (empty where the recipe has no shape), status and headers."""

    status: int
    body: bytes
    headers: dict[str, str]


class Head(Struct, frozen=True):
    """What goes out before the body."""

    status: int
    headers: dict[str, str]


def make_answer(plan: Plan, results: Results, evaluation: Evaluation, settings: Settings) -> Answer:
    """Compute shape, status and headers; raises PageError where the recipe gives something unusable."""
    head = make_head(plan, results, evaluation)
    if plan.shape is None:
        return Answer(204 if head.status == 200 else head.status, b"", head.headers)
    page = plan.shape({**results.scope, "errors": errors_of(plan, results)}, evaluation)
    return Answer(head.status, encode_bounded(page, settings), head.headers)


def make_head(plan: Plan, results: Results, evaluation: Evaluation) -> Head:
    """Compute status and headers; raises PageError where the recipe gives something unusable."""
    scope = {**results.scope, "errors": errors_of(plan, results)}
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
    return Head(status, headers)


def errors_of(plan: Plan, results: Results) -> list[dict[str, Any]]:
    """What the name `errors` holds."""
    return [entry(failure, plan.fields[failure.step]) for failure in results.failures]


def encode_bounded(value: Any, settings: Settings, *, room: int | None = None, deeper: int = 0) -> bytes:
    """JSON of a value; raises BoundError for one that is too large: shared sublists can be exponentially many.

    `room` are the bytes that are left of a whole answer, `deeper` the levels that are not the recipe's own.
    """
    return _within_bounds(jsontext.encode_within, value, settings, room, deeper)


def measure_bounded(value: Any, settings: Settings) -> None:
    """Raises BoundError for a value that is too large for an answer."""
    _within_bounds(jsontext.measure, value, settings)


def _within_bounds(
    do: Callable[[Any, int, int, int], T],
    value: Any,
    settings: Settings,
    room: int | None = None,
    deeper: int = 0,
) -> T:
    most = settings.max_answer if room is None else max(0, room)
    try:
        return do(value, most // 4, most, settings.max_depth + deeper)
    except jsontext.TooLarge as exc:
        raise BoundError(f"answer: {exc}") from exc


def respond(request: Request, plan: Plan, answer: Answer) -> Response:
    """The Flask response; a page of reads that may be kept has a strong ETag and answers 304."""
    headers = {"Content-Type": "application/json", **answer.headers}
    varies = varies_with(plan)
    if varies:
        headers["Vary"] = ", ".join(varies)
    may_be_kept = answer.status == 200 and headers["Cache-Control"] != NO_STORE
    if may_be_kept:
        headers["ETag"] = f'"{hashlib.blake2b(answer.body, digest_size=16).hexdigest()}"'
    response = WholeResponse(answer.body, answer.status, headers.items())
    if not answer.body:
        response.headers.pop("Content-Type", None)
    if may_be_kept and not _CONDITIONS.isdisjoint(request.environ):
        response.make_conditional(request, accept_ranges=False)
    return response


def varies_with(plan: Plan) -> list[str]:
    """The request headers that a page is made of: a browser keeps no page of one visitor for the next."""
    recipe = plan.recipe
    of_visitor = [] if recipe.auth == "none" else ["Cookie", "Authorization"]
    of_form = ["Accept"] if plan.parts else []
    return [*of_visitor, *of_form, *(parameter.name for parameter in recipe.input.headers)]


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
