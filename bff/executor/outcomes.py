"""What a reply means to the step that asked: a value, or a Failure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from msgspec.structs import replace

from bff.errors import Failure, FailureKind, FunctionError, NoMappingError, PageError, Reason
from bff.expressions import Evaluation
from bff.expressions.operators import get
from bff.expressions.paths import ANY, Path, path_text
from bff.http import Broken, Reply, retry_after
from bff.http.charsets import UnknownCharset
from bff.jsontext import NotJSON, TooDeep
from bff.plan.holding import Unmet, UnmetNeed, hold
from bff.plan.model import OK, Compute, PlannedRequest
from bff.problems import problem

_LONGEST_RETRY_AFTER = 999_999
KEPT_STATUSES = frozenset({404, 409, 410, 412, 422, 429})

_CERTIFICATE = "'{step}' could not be reached: its certificate is not accepted."
_NOT_HTTP = "'{step}' answered with something else than HTTP."
_BROKEN: Mapping[str, tuple[FailureKind, int, str]] = {
    "timeout": ("timeout", 504, "'{step}' did not answer in time."),
    "refused": ("refused", 502, "'{step}' could not be reached."),
    "too-large": ("too-large", 502, "'{step}' answered with more than is allowed."),
    "limit": ("limit", 500, "'{step}' would take more requests or replies than one page may."),
    "breaker": ("breaker", 503, "'{step}' is being spared after failures."),
    "full": ("breaker", 503, "'{step}' was not asked: too many calls to it are under way."),
}
_WORDS: Mapping[Reason, str] = {
    "look-up": "'{step}' could not be reached: its name was not found.",
    "refused": "'{step}' could not be reached: it takes no connections.",
    "unreachable": "'{step}' could not be reached: no way leads there.",
    "certificate-expired": _CERTIFICATE,
    "certificate-not-yet-valid": _CERTIFICATE,
    "certificate-name": _CERTIFICATE,
    "certificate-untrusted": _CERTIFICATE,
    "certificate": _CERTIFICATE,
    "tls": "'{step}' could not be reached: there is no secure connection to it.",
    "no-reply": "'{step}' ended the connection without an answer.",
    "cut-short": "'{step}' broke its answer off.",
    "not-http": _NOT_HTTP,
    "two-lengths": _NOT_HTTP,
    "header-limit": _NOT_HTTP,
    "coding": "'{step}' answered in an encoding that cannot be read.",
}


def of_broken(step: str, broken: Broken, item: int | None) -> Failure:
    """The failure of a request that brought no reply."""
    kind, status, detail = _BROKEN[broken.kind]
    return Failure(
        step,
        kind,
        status,
        _WORDS.get(broken.reason, detail).format(step=step),
        retry_after=None if broken.retry_after is None else math.ceil(broken.retry_after),
        item=item,
        reason=broken.reason,
    )


def of_undo(step: str, outcome: Reply | Broken) -> Failure:
    """The failure of a request that should have taken a write back."""
    if isinstance(outcome, Broken):
        return of_broken(step, outcome, None)
    detail = f"'{step}' answered with status {outcome.status}."
    return Failure(step, "status", 502, detail, upstream_status=outcome.status)


def of_stale(planned: PlannedRequest, why: Broken | int, item: int | None) -> Failure:
    """Why an old reply stands in: the failure that the new one would have been."""
    if isinstance(why, Broken):
        failure = of_broken(planned.name, why, item)
    else:
        failure = _of_status(planned, Reply(why), item, "'{step}' answered with status {status}.")
    return replace(failure, stale=True)


def of_reply(
    planned: PlannedRequest, reply: Reply, scope: Mapping[str, Any], evaluation: Evaluation, item: int | None
) -> Any:
    """The value that a reply gives, or a Failure: `on_status`, then `ok` or 2xx, then the body and `take`."""
    answer = planned.on_status.get(reply.status)
    if answer is not None:
        seen = _seen(planned, reply, evaluation) if reply.status in planned.bodies_seen else None
        return answer(_with_reply(scope, reply, seen), evaluation)
    if planned.ok is not None:
        seen = _seen(planned, reply, evaluation) if OK in planned.bodies_seen else None
        if not planned.ok(_with_reply(scope, reply, seen), evaluation):
            return _of_status(planned, reply, item, "'{step}' answered with a failure.")
    elif not 200 <= reply.status < 300:
        return _of_status(planned, reply, item, "'{step}' answered with status {status}.")
    empty = True if planned.each else None
    body = _body(planned, reply, evaluation, item, empty)
    if isinstance(body, Failure) or planned.take is None:
        return body
    taken_from = {"status": reply.status, "headers": reply.headers, "body": body}
    return taken(planned, taken_from, scope, evaluation, item)


def accepts(planned: PlannedRequest, reply: Reply, scope: Mapping[str, Any], evaluation: Evaluation) -> bool:
    """Whether a reply is a success whose body is looked at, and no failure or answer by its status."""
    if reply.status in planned.on_status:
        return False
    if planned.ok is None:
        return reply.ok
    seen = _seen(planned, reply, evaluation) if OK in planned.bodies_seen else None
    return bool(planned.ok(_with_reply(scope, reply, seen), evaluation))


def page_of(
    planned: PlannedRequest,
    following: Compute,
    reply: Reply,
    scope: Mapping[str, Any],
    evaluation: Evaluation,
    item: int | None,
) -> tuple[Any, Any]:
    """What a reply gives as one page of a list, as `of_reply` does, and what says which page is `following` it."""
    if not accepts(planned, reply, scope, evaluation):
        return of_reply(planned, reply, scope, evaluation, item), None
    body = _body(planned, reply, evaluation, item, empty=None)
    if isinstance(body, Failure):
        return body, None
    seen = {"status": reply.status, "headers": reply.headers, "body": body}
    wrong = first_not_list(body, ("reply", "body"), planned.reply_lists)
    if wrong is not None:
        return bad_reply(planned.name, wrong, item), None
    value = body if planned.take is None else taken(planned, seen, scope, evaluation, item)
    if isinstance(value, Failure):
        return value, None
    return value, following({**scope, "reply": seen}, evaluation)


def taken(
    planned: PlannedRequest,
    seen: Mapping[str, Any],
    scope: Mapping[str, Any],
    evaluation: Evaluation,
    item: int | None,
) -> Any:
    """What `take` makes of a success, of which it has `seen` what it reads, or a Failure."""
    assert planned.take is not None, "else the body is the value"
    if planned.reply_lists:
        wrong = first_not_list(seen["body"], ("reply", "body"), planned.reply_lists)
        if wrong is not None:
            return bad_reply(planned.name, wrong, item)
    value = planned.take({**scope, "reply": seen}, evaluation)
    if planned.needs_of_taken and 200 <= seen.get("status", 200) < 300:
        try:
            hold(value, planned.needs_of_taken)
        except UnmetNeed as unmet:
            return _of_unmet(planned, unmet, item, ())
    return value


def _of_unmet(planned: PlannedRequest, unmet: UnmetNeed, item: int | None, body: Path) -> Failure:
    """The failure of a reply without what the page needs, which is below the step's value or below `body`."""
    root = body or ((planned.name, ANY) if planned.each else (planned.name,))
    path = path_text((*root, *unmet.path))
    if planned.format is None:
        return bad_reply(planned.name, path, item, unmet.why)
    return bad_reply(planned.name, path, item, unmet.why, in_form=f"a {planned.format.format.name}")


_UNMET: Mapping[Unmet, str] = {
    "absent": "is absent",
    "null": "is null",
    "no-object": "is not an object",
    "no-list": "is not a list",
    "no-string": "is not a string",
    "no-boolean": "is not a boolean",
    "no-integer": "is not an integer",
    "no-number": "is not a number",
    "other-kind": "is of another kind",
}


def bad_reply(
    step: str, path: str, item: int | None = None, why: Unmet = "no-list", in_form: str = "JSON"
) -> Failure:
    """The failure of a step whose value is of another form than the recipe needs."""
    detail = f"'{step}' answered with {in_form} of another form: {path} {_UNMET[why]}."
    return Failure(step, "bad-reply", 502, detail, path=path, item=item, reason=why)


def no_list_sent(step: str, path: str) -> PageError:
    """The problem of a value that is the visitor's alone and has no list where the recipe goes over one."""
    return problem("invalid-input", f"{path} is not a list.", step=step)


def unsent(step: str, what: str, *, by_visitor: bool, item: int | None) -> Failure:
    """The failure of a request that its values do not let us make: 400 where the visitor gave them."""
    status = 400 if by_visitor else 502
    return Failure(step, "unsent", status, f"'{step}' was not asked: {what}", item=item)


def of_function(step: str, error: FunctionError, item: int | None = None) -> Failure:
    """The failure of a step for which a function of the project was called, and gave nothing that can be used."""
    if isinstance(error, NoMappingError):
        return replace(error.failure, item=item, log=error.log)
    detail = f"'{step}' could not be made: a function of this page failed."
    return Failure(step, "function", 500, detail, item=item, log=error.log)


def of_items(planned: PlannedRequest, reply: Reply, statuses: list[int | None], of: int) -> Failure:
    """The failure of a write of many items at once, of which some failed: it has the first status that was told."""
    told = next((status for status in statuses if status is not None), None)
    detail = f"'{planned.name}' answered that {len(statuses)} of {of} items failed."
    if told is not None:
        return _of_status(planned, Reply(told), None, detail)
    return Failure(planned.name, "status", 502, detail, upstream_status=reply.status)


def of_passing(planned: PlannedRequest, reply: Reply) -> Failure:
    """The failure of a request that hands a body through and was answered with something else than success."""
    found = _of_status(planned, reply, None, "'{step}' answered with status {status}.")
    if planned.writes and reply.status in (413, 415):  # what the visitor sent is what it is about
        found = replace(found, status=reply.status)
    return found


def not_passed(step: str, how: str, reason: Reason) -> Failure:
    """The failure of a reply whose body cannot be handed on."""
    return _unread(step, None, "bad-reply", how, reason)


def first_not_list(value: Any, root: Path, paths: Iterable[Path]) -> str | None:
    """The first of the paths below the value at `root` that holds something else than a list or null."""
    for path in paths:
        if not _is_list_at(value, path):
            return path_text((*root, *path))
    return None


def _is_list_at(value: Any, path: Path) -> bool:
    for at, key in enumerate(path):
        if key is ANY:
            return _are_lists_at([value], path[at:])
        value = get(value, str(key))
    return value is None or isinstance(value, list)


def _are_lists_at(values: list[Any], path: Path) -> bool:
    """The same of several values, level by level: what stands in many places is looked into once."""
    for key in path:
        if key is ANY:
            distinct = {id(value): value for value in values if isinstance(value, (list, dict))}.values()
            parts = [value.values() if isinstance(value, dict) else value for value in distinct]
            values = list(chain.from_iterable(parts))
        else:
            values = [get(value, str(key)) for value in values]
    return not [value for value in values if not (value is None or isinstance(value, list))]


def reply_names(
    planned: PlannedRequest, reply: Reply, evaluation: Evaluation, *, with_body: bool = True
) -> dict[str, Any]:
    """What an expression sees as `reply`; a body that cannot be read is null, as is one that nobody looks at."""
    body = _seen(planned, reply, evaluation) if with_body else None
    return {"status": reply.status, "headers": reply.headers, "body": body}


def has_data(reply: Reply | None) -> bool:
    """Whether a GraphQL operation was begun, whatever its errors: what was refused before that has no `data`."""
    body = None if reply is None else _body_or_null(reply)
    return isinstance(body, dict) and "data" in body


def has_errors(reply: Reply) -> bool:
    """Whether a GraphQL operation went wrong, or nothing is there that tells."""
    body = _body_or_null(reply)
    return not isinstance(body, dict) or bool(body.get("errors")) or "data" not in body


def _with_reply(scope: Mapping[str, Any], reply: Reply, body: Any) -> dict[str, Any]:
    return {**scope, "reply": {"status": reply.status, "headers": reply.headers, "body": body}}


def _body(planned: PlannedRequest, reply: Reply, evaluation: Evaluation, item: int | None, empty: Any) -> Any:
    """What a page reads of the body, or why it cannot; of one that no page reads what its undo can make use of."""
    if planned.format is not None:
        return _formatted(planned, reply, evaluation, item, empty)
    if not reply.raw.strip():
        return _empty(planned.name, item) if planned.reads_into else empty
    if not planned.reads:
        return _body_or_null(reply) if planned.undo_reads_reply else None
    try:
        return reply.decoded(
            planned.decode if reply.ok else getattr(planned.decode, "freely", planned.decode)
        )
    except UnmetNeed as unmet:
        return _of_unmet(planned, unmet, item, () if planned.take is None else ("reply", "body"))
    except TooDeep:
        return _unread(planned.name, item, "too-large", "with JSON nested too deeply", "depth")
    except UnknownCharset:
        return _unread(planned.name, item, "not-json", "in a charset that nobody knows", "charset")
    except NotJSON:
        return _unread(planned.name, item, "not-json", "with something else than JSON")


def _formatted(
    planned: PlannedRequest, reply: Reply, evaluation: Evaluation, item: int | None, empty: Any
) -> Any:
    """The same of a body that is no JSON."""
    assert planned.format is not None, "else it is JSON"
    if not planned.reads:
        return None
    if not (reply.raw.strip() or planned.format.may_be_nothing):
        return _empty(planned.name, item) if planned.reads_into else empty
    from bff.executor.formatted import body_of  # few steps read another format

    try:
        return body_of(planned, reply, evaluation, item)
    except UnmetNeed as unmet:
        return _of_unmet(planned, unmet, item, () if planned.take is None else ("reply", "body"))


def _seen(planned: PlannedRequest, reply: Reply, evaluation: Evaluation) -> Any:
    """What expressions see of a body that may be anything; null where it cannot be read."""
    if planned.format is None:
        return _body_or_null(reply)
    from bff.executor.formatted import seen_body

    return seen_body(planned, reply, evaluation)


def _unread(step: str, item: int | None, kind: FailureKind, what: str, reason: Reason = "") -> Failure:
    return Failure(step, kind, 502, f"'{step}' answered {what}.", item=item, reason=reason)


def _empty(step: str, item: int | None) -> Failure:
    """The failure of a reply that has no body, where the recipe reads something that is in it."""
    return _unread(step, item, "bad-reply", "with nothing", "empty")


def _body_or_null(reply: Reply) -> Any:
    try:
        return reply.json() if reply.raw.strip() else None
    except (TooDeep, NotJSON):
        return None


def _of_status(planned: PlannedRequest, reply: Reply, item: int | None, detail: str) -> Failure:
    name, status = planned.name, reply.status
    return Failure(
        name,
        "status",
        status if status in KEPT_STATUSES else 502 if status >= 500 else _page_status(planned, status),
        detail.format(step=name, status=status),
        upstream_status=status,
        retry_after=_retry_after(reply) if "retry-after" in reply.headers else None,
        item=item,
    )


def _page_status(planned: PlannedRequest, upstream: int) -> int:
    """The status a page ends with when this required step was answered with another one, `upstream`."""
    if upstream in (401, 403) and planned.forwards_token:
        return upstream
    if upstream == 400 and planned.body_from_input:
        return 422
    return 502


def _retry_after(reply: Reply) -> int | None:
    seconds = retry_after(reply)
    return None if seconds is None else min(math.ceil(seconds), _LONGEST_RETRY_AFTER)
