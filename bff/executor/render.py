"""A step's request as it goes out: path holes, query, headers and body filled with values of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from bff import jsontext
from bff.errors import Failure
from bff.executor.judge import unsent
from bff.expressions import Evaluation
from bff.expressions.values import to_text
from bff.http import OutgoingRequest, check_header
from bff.planner import PlannedRequest

# `/` and `\` because servers decode %2F and %5C; `.` and `..` because `requests` turns %2E%2E back.
_LEAVES_ITS_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def render(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation, item: int | None = None
) -> OutgoingRequest | Failure | None:
    """The request; None when an empty path hole means that a read is not made; a Failure when it must not be."""
    path = _path(planned, scope, evaluation, item)
    if not isinstance(path, str):
        return path
    step = planned.step
    headers = _headers(planned, scope, evaluation, item)
    if isinstance(headers, Failure):
        return headers
    body, content_type = _body(planned, scope, evaluation)
    return OutgoingRequest(
        method=step.method,
        path=path,
        query=_pairs(None if planned.query is None else planned.query(scope, evaluation)),
        headers=headers,
        body=body,
        content_type=content_type,
        safe=step.safe,
        timeout=step.timeout,
        retries=step.retries,
        cache_ttl=None if step.cache is None else step.cache.ttl,
    )


def _path(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation, item: int | None
) -> str | Failure | None:
    template = planned.step.path
    written: list[str] = []
    holes = iter(planned.holes(scope, evaluation)) if planned.holes is not None else iter(())
    for part in template.parts:
        if isinstance(part, str):
            written.append(part)
            continue
        text = to_text(next(holes))
        if not text:
            if planned.step.safe:
                return None
            return unsent(planned.step.name, "a part of its path is empty.", by_visitor=True, item=item)
        if text in (".", "..") or _LEAVES_ITS_SEGMENT.search(text):
            return unsent(
                planned.step.name,
                "a part of its path holds what a path segment cannot.",
                by_visitor=planned.path_from_input,
                item=item,
            )
        written.append(quote(text, safe=""))
    path = "".join(written)
    return f"{path}?{template.query}" if template.query else path


def _pairs(tree: Any) -> tuple[tuple[str, str], ...]:
    """Names and texts of a query or form: null is left out, a list repeats the name."""
    pairs: list[tuple[str, str]] = []
    for name, value in (tree or {}).items():
        for element in value if isinstance(value, list) else (value,):
            text = to_text(element)
            if text is not None:
                pairs.append((name, text))
    return tuple(pairs)


def _headers(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation, item: int | None
) -> dict[str, str] | Failure:
    if planned.headers is None:
        return {}
    joined: dict[str, str] = {}
    for name, text in _pairs(planned.headers(scope, evaluation)):
        joined[name] = f"{joined[name]}, {text}" if name in joined else text
    for name, text in joined.items():
        try:
            check_header(name, text)
        except ValueError:
            what = f"the value of its header {name} cannot be in a header."
            return unsent(planned.step.name, what, by_visitor=planned.headers_from_input, item=item)
    return joined


def _body(
    planned: PlannedRequest, scope: Mapping[str, Any], evaluation: Evaluation
) -> tuple[bytes | None, str | None]:
    if planned.form is not None:
        pairs = _pairs(planned.form(scope, evaluation))
        return urlencode(pairs).encode("ascii"), "application/x-www-form-urlencoded"
    if planned.body is not None:
        value = planned.body(scope, evaluation)
        evaluation.check_answer(value)
        return jsontext.encode(value), "application/json"
    return None, None
