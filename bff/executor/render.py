"""A step's request as it goes out: path holes, query, headers and body filled with values of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from bff.errors import Failure, FunctionError
from bff.executor.bind import BoundRequest
from bff.executor.cached_reads import newer_than
from bff.executor.outcomes import of_function, unsent
from bff.expressions import Evaluation
from bff.expressions.evaluation import text_size
from bff.expressions.values import to_text
from bff.http import (
    ForwardedToken,
    OutgoingRequest,
    check_header,
    encode_segment,
    quoted,
    sendable,
)
from bff.identity import Visitor
from bff.identity.recent_writes import NO_RECENT_WRITES, RecentWrites
from bff.plan.model import PlannedRequest

Encode = Callable[[Any], bytes]
KEY_HEADER = "Idempotency-Key"
_SHORT = 200


def render(
    planned: PlannedRequest,
    scope: Mapping[str, Any],
    evaluation: Evaluation,
    *,
    visitor: Visitor,
    encode: Encode,
    item: int | None = None,
    key: str | None = None,
    written: RecentWrites = NO_RECENT_WRITES,
    forwarded: tuple[tuple[str, str], ...] = (),
) -> OutgoingRequest | Failure | None:
    """The request; None when an empty path hole means that a read is not made; a Failure when it must not be.

    `encode` makes JSON of a body and bounds its size; what a page sends is paid for like what its expressions build.
    `key` is its idempotency key. `written` is what the visitor wrote lately: what was kept before that is too old for
    them. `forwarded` says by which way they came, for a client that tells its backend.
    """
    path = planned.constant_path or _path(planned, scope, evaluation, item)
    if not isinstance(path, str):
        return path
    headers = _headers(planned, scope, evaluation, item)
    if isinstance(headers, Failure):
        return headers
    if key is not None:
        headers = {**_without(headers, KEY_HEADER), KEY_HEADER: key}
    body, content_type = _body(planned, scope, evaluation, encode)
    if body is None and planned.text is not None:
        what = "what it sends as its text is none."
        return unsent(planned.name, what, by_visitor=planned.body_from_input, item=item)
    return OutgoingRequest(
        path,
        query=() if planned.query is None else _pairs(planned.query(scope, evaluation), evaluation),
        headers=headers,
        body=body,
        content_type=content_type,
        visitor=visitor.mark or None,
        token=_token(planned, visitor),
        forwarded=forwarded if planned.client.forwarded_headers else (),
        newer_than=0.0 if planned.cache is None else newer_than(planned, written),
    )


def target_of(
    bound: BoundRequest, scope: Mapping[str, Any], evaluation: Evaluation, at: int
) -> str | Failure | None:
    """What the request `at` of a step asks for that has no headers or body of its own.

    None and Failure are as in `render`; a Failure too where a function gives none of its values.
    """
    item = at if bound.is_in_each else None
    try:
        path = bound.path
        if path is None:
            found = _path(bound.planned, scope, evaluation, item)
            if found.__class__ is not str:
                return found
            path = sendable(found)
        if bound.query is None:
            return path
        parts = [path, "&" if "?" in path else "?"]
        for name, value in (bound.query(scope, evaluation) or {}).items():
            if value.__class__ is str and len(value) <= _SHORT:
                parts += quoted(name), "=", quoted(value), "&"
            else:
                for _, text in _pairs({name: value}, evaluation):
                    parts += quoted(name), "=", quoted(text), "&"
        del parts[-1]
        return "".join(parts)
    except FunctionError as error:
        return of_function(bound.name, error, item)


def _token(planned: PlannedRequest, visitor: Visitor) -> str | None:
    """The visitor's token for this client and no other."""
    auth = planned.client.auth
    return visitor.token(auth.name, or_bearer=auth.bearer) if isinstance(auth, ForwardedToken) else None


def _path(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation, item: int | None
) -> str | Failure | None:
    path, at = "", 0
    values = () if planned.holes is None else planned.holes(scope, evaluation)
    for part in planned.path_parts:
        if part is not None:
            path += part
            continue
        text = to_text(values[at])
        at += 1
        if text and len(text) > _SHORT:
            _pay([text], evaluation)
        if not text:
            if planned.safe:
                return None
            return unsent(planned.name, "a part of its path is empty.", by_visitor=True, item=item)
        try:
            path += encode_segment(text)
        except ValueError:
            what = "a part of its path holds what a path segment cannot."
            return unsent(planned.name, what, by_visitor=planned.path_from_input, item=item)
    return path + planned.constant_query


def _pairs(tree: Any, evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    """Names and texts of a query, form or headers: null is left out, a list repeats the name.

    What is long is paid for, as it is copied and encoded.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in (tree or {}).items():
        if isinstance(value, list):
            evaluation.charge(8 * len(value))
            texts: list[str] = [
                text for one in value if (text := one if one.__class__ is str else to_text(one)) is not None
            ]
            _pay(texts, evaluation)
            pairs += [(name, text) for text in texts]
            continue
        text = to_text(value)
        if text is None:
            continue
        if len(text) > _SHORT:
            _pay([text], evaluation)
        pairs.append((name, text))
    return tuple(pairs)


def _pay(texts: list[str], evaluation: Evaluation) -> None:
    """Pays for texts that are copied and encoded: of each byte come up to three."""
    length = sum(map(len, texts))
    evaluation.charge(length >> 2)
    evaluation.take(3 * text_size(length, texts))


def _headers(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation, item: int | None
) -> dict[str, str] | Failure:
    if planned.headers is None:
        return {}
    texts: dict[str, list[str]] = {}
    for name, text in _pairs(planned.headers(scope, evaluation), evaluation):
        texts.setdefault(name, []).append(text)
    joined = {name: ", ".join(found) for name, found in texts.items()}
    for name, text in joined.items():
        try:
            check_header(name, text)
        except ValueError:
            what = f"the value of its header {name} cannot be in a header."
            return unsent(planned.name, what, by_visitor=planned.headers_from_input, item=item)
    return joined


def _without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {written: text for written, text in headers.items() if written.lower() != name.lower()}


def _body(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation, encode: Encode
) -> tuple[bytes | None, str | None]:
    if planned.form is not None:
        pairs = _pairs(planned.form(scope, evaluation), evaluation)
        return urlencode(pairs).encode("ascii"), "application/x-www-form-urlencoded"
    if planned.body is not None:
        body = encode(planned.body(scope, evaluation))
        evaluation.charge(len(body) >> 5)
        evaluation.take(len(body))
        return body, "application/json"
    if planned.text is not None:
        return _text(planned.text(scope, evaluation), evaluation), "text/plain; charset=utf-8"
    return None, None


def _text(value: Any, evaluation: Evaluation) -> bytes | None:
    """A text as it is sent; None for what is none."""
    if value.__class__ is not str:
        return None
    evaluation.charge(len(value) >> 4)
    evaluation.take(text_size(len(value), [value]))
    return value.encode(errors="replace")
