"""The answer of a page: its shape, status and headers made of a run's results, encoded within its bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from bff import jsontext
from bff.errors import BoundError
from bff.executor import Results
from bff.expressions import Evaluation
from bff.expressions.tree import Constant
from bff.hashing import blake2b
from bff.plan.model import Plan
from bff.problems import entry, problem
from bff.settings import Settings
from bff.web.conditions import dated, status_for
from bff.web.headers import Headers
from bff.web.keeping import NO_STORE, CacheControl
from bff.web.live import LiveBody
from bff.web.recipe_headers import headers_of_recipe
from bff.web.request import Environ, PageRequest

T = TypeVar("T")


class Answer(Struct):
    """What goes out: status, headers, and a body that is there as a whole or is made as the server asks for it."""

    status: int
    headers: Headers
    body: bytes | LiveBody


class Answers:
    """Makes the answers of one page; what is the same for all of them is made once."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self._plan = plan
        self._encode = encoder_of(settings, None if plan.shape is None else plan.shape.depth)
        status = plan.recipe.status
        self._constant: Any = status.value if isinstance(status, Constant) and _is_status(status.value) else 0
        self._is_usual = plan.headers is None and self._constant == 200
        self._of_recipe: Callable[[Any], Headers] = headers_of_recipe
        self._control = CacheControl(plan)
        self._usual = self._control.of(Results({}, (), ()))
        self.vary = [("Vary", ", ".join(names))] if (names := varies_with(plan)) else []
        kind = [("Content-Type", "application/json")] if plan.shape is not None else []
        self._kind = kind
        self._usual_head: Headers = [*kind, ("Cache-Control", self._usual), *self.vary]

    def whole(self, request: PageRequest, results: Results, evaluation: Evaluation) -> Answer:
        """The answer in one piece; raises PageError where the recipe gives something unusable."""
        plan, failures, keeping = self._plan, results.failures, results.keeping
        scope = {
            **results.scope,
            "errors": errors_of(plan, results) if failures and plan.shows_errors else [],
        }
        says_more = keeping.max_age is not None or keeping.private or keeping.no_store
        if self._is_usual and not (failures or says_more):
            status, control, headers = 200, self._usual, self._usual_head[:]
        else:
            status, control = self._constant or self._status(scope, evaluation), self._control.of(results)
            own = self._headers(results, scope, evaluation, control)
            headers = [*self._kind, *own, *self.vary]
        if plan.shape is None:
            status, body = (204 if status == 200 else status), b""
        else:
            body = self._encode(plan.shape(scope, evaluation))
        if status == 200 and control != NO_STORE:
            etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
            headers += [("ETag", etag), ("Content-Length", str(len(body)))]
            answer = Answer(status, headers, body)
            environ = request.environ
            if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ:
                compare(answer, environ, etag)
            return answer
        headers.append(("Content-Length", str(len(body))))
        return Answer(status, headers, body)

    def head(self, results: Results, evaluation: Evaluation) -> tuple[int, Headers]:
        """Status and the headers that are not the body's; raises PageError where the recipe gives nonsense."""
        scope = {**results.scope, "errors": errors_of(self._plan, results)}
        return self._status(scope, evaluation), self._headers(
            results, scope, evaluation, self._control.of(results)
        )

    def _status(self, scope: Mapping[str, Any], evaluation: Evaluation) -> int:
        status = self._plan.status(scope, evaluation)
        if not _is_status(status):
            log = "status: no whole number from 200 to 599"
            raise problem("internal", "This page could not be made.", log=log)
        found: int = status
        return found

    def _headers(
        self, results: Results, scope: Mapping[str, Any], evaluation: Evaluation, control: str
    ) -> Headers:
        compute = self._plan.headers
        headers: Headers = [] if compute is None else self._of_recipe(compute(scope, evaluation))
        headers.append(("Cache-Control", control))
        if results.partial:
            headers.append(("X-Page-Partial", ", ".join(results.partial)))
        if results.stale:
            headers.append(("X-Page-Stale", ", ".join(results.stale)))
        return headers


def compare(answer: Answer, environ: Environ, etag: str) -> None:
    """Answer a conditional request: with 304 where the visitor has what is there, by its (quoted) ETag."""
    dated(answer.headers)
    answer.status = status_for(environ, etag)


def _is_status(value: Any) -> bool:
    return type(value) is int and 200 <= value <= 599


def errors_of(plan: Plan, results: Results) -> list[dict[str, Any]]:
    """What the name `errors` holds."""
    return [entry(failure, plan.fields[failure.step]) for failure in results.failures]


def encoder_of(settings: Settings, depth: int | None = None) -> Callable[[Any], bytes]:
    """What makes the JSON of a value; it raises BoundError for one that is too large for an answer.

    A struct nests no deeper than `depth`.
    """

    def encode_closely(value: Any) -> bytes:
        return encode_bounded(value, settings)

    encode = jsontext.encoder_within(settings.max_answer, settings.max_depth, encode_closely)
    if depth is None or depth > settings.max_depth:
        return encode
    return jsontext.encoder_of_structs(settings.max_answer, encode)


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


def varies_with(plan: Plan) -> list[str]:
    """The request headers that a page is made of: a browser keeps no page of one visitor for the next."""
    recipe = plan.recipe
    of_visitor = [] if recipe.auth == "none" else ["Cookie", "Authorization"]
    of_form = ["Accept"] if plan.parts else []
    return [*of_visitor, *of_form, *(parameter.name for parameter in recipe.input.headers)]
