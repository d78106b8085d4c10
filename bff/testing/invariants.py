"""What holds of every answer of a page, whatever one of its backends does: each rule a sentence, and a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from msgspec import to_builtins

from bff.errors import PageError
from bff.executor.formatted import seen_body
from bff.expressions import Evaluation
from bff.expressions.inspect import inspect_tree
from bff.http import Reply
from bff.plan.model import PlannedRequest
from bff.recipe.model import Request, Step
from bff.testing.app_under_test import Answered, addresses_of_backends
from bff.testing.compare import at_path, first_difference, keys_of, neutral, without
from bff.testing.endings import (
    WRITTEN,
    accounts_for_writes,
    ends_as_declared,
    ends_for_the_step,
    is_a_problem,
    outcome_of,
)
from bff.testing.seen import Seen
from bff.testing.tables import as_rows
from bff.testing.upstream import EMPTY, MARKER, NOT_JSON, Upstream, raw_of
from bff.web.recent_writes import COOKIE as WRITTEN_COOKIE

SLACK = 0.5
_SANDBOXED = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
_NO_JSON = (EMPTY, NOT_JSON)
_COOKIE = re.compile(r"(?:^|, )([^=;, ]+)=")


def in_time(seen: Seen) -> Iterator[str]:
    """The answer is there within the page's deadline."""
    if seen.found.seconds > seen.deadline + SLACK:
        yield f"expected an answer within {seen.deadline:.2f} s, found one after {seen.found.seconds:.2f} s"


def is_asked(seen: Seen) -> Iterator[str]:
    """The step that the case is about is asked, unless it was asked a moment before and its reply may be kept."""
    fault, step = seen.fault, seen.step
    is_kept = fault is not None and fault.stale and step is not None and step.cache is not None
    if fault is not None and fault.script is not None and not is_kept and not seen.asked[seen.name]:
        yield f"expected step {seen.name} to be asked, found {', '.join(seen.asked) or 'nothing'} asked"


def asks_no_more(seen: Seen) -> Iterator[str]:
    """Nothing is asked that the good page does not ask, undos and what hangs on the step apart."""
    for name in seen.asked:
        if name not in seen.recorded.asked and name not in seen.below and not name.startswith("undo."):
            yield f"expected step {name} not to be asked"


def writes_once(seen: Seen) -> Iterator[str]:
    """A write that has no idempotency key is sent once, however it ends."""
    for step in (step for step in seen.plan.requests if step.writes and step.key is None):
        most, times = max(1, seen.recorded.asked[step.name]), seen.asked[step.name]
        if times > most and (step.name == seen.name or step.name not in seen.below):
            yield f"expected step {step.name} to be asked {most} times, found {times}"


def tells_no_words(seen: Seen) -> Iterator[str]:
    """No word of a reply that its step cannot use, and no address of a backend, is in the answer."""
    found, document = seen.found, seen.problem
    may_show = not seen.fails or seen.shows_reply
    is_page = document is None and (seen.recipe.passes or may_show)
    is_refusal = (
        may_show and document is not None and str(document.get("type")).endswith("requirement-failed")
    )
    if MARKER in found.text and not is_page and not is_refusal:
        yield "found the backend's words in the answer"
    if MARKER in repr(found.headers) and not is_page:
        yield "found the backend's words in the answer's headers"
    if any(address in found.text for address in addresses_of_backends()):
        yield "found the backend's address in the answer"


def signs_in_only_when_well(seen: Seen) -> Iterator[str]:
    """Signing in sets its cookie on success only; what was written is in a cookie, and no read sets that."""
    cookies, session, told = seen.found.headers.get("Set-Cookie", ""), seen.plan.session, seen.problem or {}
    if seen.problem is not None and "bff-session=" in cookies:
        yield "expected no Set-Cookie with a problem"
    signs_in = session is not None and not session.ends and seen.found.status < 400
    if signs_in and seen.problem is None and "bff-session=" not in cookies:
        yield "expected the session cookie"
    writes = [step for step in seen.plan.requests if step.writes and seen.asked[step.name]]
    written = any(outcome_of(seen, step) in ("done", "unknown") for step in writes) or any(
        map(told.get, WRITTEN)
    )
    if seen.recipe.invalidates and written and "bff-written=" not in cookies:
        yield "expected the cookie that says what was written"
    if seen.recipe.method == "GET" and "bff-written=" in cookies:
        yield "expected no cookie with a page of reads"


def stays_itself(seen: Seen) -> Iterator[str]:
    """A page that goes on has its own status and headers, where they are not made of the step."""
    if seen.problem is not None or seen.recipe.passes:
        return
    if not _is_made_of_it(seen, seen.recipe.status) and seen.found.status != seen.good.status:
        yield f"expected status {seen.good.status}, found {seen.found.status}"
    for name in () if _is_made_of_it(seen, seen.recipe.headers) else seen.plan.header_names:
        good, now = seen.good.headers.get(name), seen.found.headers.get(name)
        if neutral(good) != neutral(now):
            yield f"expected the header {name}: {good}, found {now}"


def _is_made_of_it(seen: Seen, tree: Any) -> bool:
    return tree is not None and not {use.name for use in inspect_tree(tree).names}.isdisjoint(
        {*seen.below, "errors"}
    )


def is_partial(seen: Seen) -> Iterator[str]:
    """X-Page-Partial names the steps that failed, unless a second source answered, and such a page is not kept."""
    if seen.problem is not None:
        return
    named, good = _names(seen.found, "X-Page-Partial"), _names(seen.good, "X-Page-Partial")
    may_be = {*good, *seen.scenario.broken, *seen.below} - (
        {seen.name} - {*good} if seen.fails is False else set()
    )
    if {*named} - may_be:
        yield f"expected X-Page-Partial: {', '.join(good) or None}, found {', '.join(named)}"
    second = seen.plan.second_sources.get(seen.name, frozenset())
    if seen.fails and seen.name not in named and not second & {*seen.asked}:
        yield f"expected X-Page-Partial: {seen.name}, found {', '.join(named) or None}"
    if named and not _is_not_kept(seen.found):
        yield "expected a partial page to be no-store, without an ETag"


def is_stale(seen: Seen) -> Iterator[str]:
    """X-Page-Stale names the step for which a kept reply stands in, and such a page is not kept itself."""
    if seen.problem is None:
        named, wanted = _names(seen.found, "X-Page-Stale"), [seen.name] if seen.is_old else []
        if named != wanted:
            yield f"expected X-Page-Stale: {', '.join(wanted) or None}, found {', '.join(named) or None}"
        if wanted and not _is_not_kept(seen.found):
            yield "expected an old page to be no-store, without an ETag"


def is_unharmed(seen: Seen) -> Iterator[str]:
    """Every field that does not hang on the step is as on the good page; with its good reply every field is."""
    if seen.problem is not None or seen.recipe.shape is None or seen.found.status >= 400:
        return
    touched = [path for path, names in seen.fields() if "errors" in names]
    touched += () if seen.is_good else seen.plan.fields[seen.name]
    good, now = neutral(seen.good.json), neutral(seen.found.json)
    for path in touched if seen.fault is not None else ():
        good, now = without(good, keys_of(path)), without(now, keys_of(path))
    if good != now:
        whose = "" if seen.is_good else f" that does not read {seen.name}"
        yield f"a field{whose} was harmed: {first_difference(good, now)}"


def shows_the_fallback(seen: Seen) -> Iterator[str]:
    """A field that is made of nothing but the step shows what its fallback makes of it."""
    step, shape = seen.step, seen.plan.shape
    if not seen.fails or step is None or not seen.falls_back or seen.problem is not None or shape is None:
        return
    if seen.shows_reply and _reads_headers(seen.recipe.step(seen.name)):
        return  # those of the server's own are not known here
    try:
        scope = {**seen.scenario.good.scope, "errors": [], step.name: _fallback(seen, step)}
        made = as_rows(seen.plan, to_builtins(shape(scope, Evaluation())))
    except PageError:  # of something else that hangs on the step
        return
    for path, names in seen.fields():
        if names & {*seen.below, *seen.scenario.broken, "errors"} == {step.name}:
            must, now = (
                neutral(at_path(made, keys_of(path))),
                neutral(at_path(seen.found.json, keys_of(path))),
            )
            if must != now:
                yield f"expected another page: {first_difference(must, now, path)}"


def _fallback(seen: Seen, step: PlannedRequest) -> Any:
    """What the fallback gives, in place of the value or under `each` of every item's."""
    assert step.fallback is not None and seen.reply is not None
    told = seen.fault.told if seen.fault is not None else None
    status = (told or seen.reply.status) if seen.kind == "status" else seen.status
    scope = {
        **seen.scenario.good.scope,
        "error": {"status": status, "kind": seen.kind},
        "reply": _failed_reply(step, seen.reply),
    }
    if not step.each or step.items is None:
        return step.fallback(scope, Evaluation())
    items = step.items(scope, Evaluation())
    return [step.fallback({**scope, str(step.variable): item}, Evaluation()) for item in items]


def _failed_reply(step: PlannedRequest, reply: Upstream) -> dict[str, Any] | None:
    """What a fallback sees of a reply that failed, headers aside."""
    if reply.broken is not None:
        return None
    body = None if reply.body in _NO_JSON else reply.body
    if step.format is not None and reply.body is not NOT_JSON:
        body = seen_body(step, Reply(reply.status, reply.headers, raw_of(reply)), Evaluation())
    return {"status": reply.status, "headers": {}, "body": body}


def _reads_headers(step: Step) -> bool:
    """Whether a fallback reads the headers of the reply that failed."""
    assert isinstance(step, Request) and step.fallback is not None
    headers = ("reply", "headers")
    return any(path[:2] == headers[: len(path)] for path in inspect_tree(step.fallback).reads)


def lists_the_error(seen: Seen) -> Iterator[str]:
    """`errors` has an entry for a step that failed, or for which an old reply stands in, with its fields."""
    if seen.problem is not None or not (seen.fails or seen.is_old):
        return
    members = {"status": seen.status, "kind": seen.kind, "fields": list(seen.plan.fields[seen.name])}
    for path in (path for path, names in seen.fields() if names == {"errors"}):
        entries = at_path(seen.found.json, keys_of(path))
        if not isinstance(entries, list) or not all(
            isinstance(one, dict) and "step" in one for one in entries
        ):
            continue  # the page makes something else of them
        of_step = [one for one in entries if one["step"] == seen.name]
        if not of_step:
            yield f"expected {path} to be told of {seen.name}, found {entries!r}"
        for entry, (name, value) in product(of_step[:1], members.items()):
            if entry.get(name) != value:
                yield f"expected {path}[0].{name} to be {value!r}, found {entry.get(name)!r}"


def goes_through(seen: Seen) -> Iterator[str]:
    """A body that goes through is whole or visibly cut, in a sandbox, without a cookie of its backend."""
    if not seen.recipe.passes or seen.problem is not None:
        return
    reply, found = seen.reply or seen.scenario.replies[seen.plan.requests[0].name], seen.found
    body = reply.body if isinstance(reply.body, bytes) else b""
    if seen.fails or found.status != reply.status:
        yield f"expected status {seen.status if seen.fails else reply.status}, found {found.status}"
    if found.cut != reply.cut:
        yield f"expected a body that {'breaks off' if reply.cut else 'ends'}, found one that does not"
    elif not reply.cut and found.raw != body:
        yield f"expected the {len(body)} bytes of the backend, found {len(found.raw)} others"
    wanted = {**_SANDBOXED, "Content-Type": reply.headers.get("content-type", "application/octet-stream")}
    for name, value in wanted.items():
        if found.headers.get(name) != value:
            yield f"expected the header {name}: {value}, found {found.headers.get(name)}"
    if {*_COOKIE.findall(found.headers.get("Set-Cookie", ""))} - {WRITTEN_COOKIE.plain}:
        yield "expected no cookie of a backend"


def lines_are_the_page(seen: Seen) -> Iterator[str]:
    """A page in lines, put together, is the page in one piece."""
    whole, found = seen.whole, seen.found
    if whole is None:
        return
    if "ETag" in found.headers:
        yield "expected no ETag with a page in lines"
    if found.status != whole.status:
        yield f"expected status {whole.status}, found {found.status}"
    elif neutral(found.json) != neutral(whole.json):
        yield f"expected another page: {first_difference(neutral(whole.json), neutral(found.json))}"
    for name in ("X-Page-Partial", "X-Page-Stale"):
        if found.headers.get(name) != whole.headers.get(name):
            yield f"expected {name}: {whole.headers.get(name)}, found {found.headers.get(name)}"


def is_as_well_as_may_be(seen: Seen) -> Iterator[str]:
    """While all is well the page is what a run without a network makes of it, and what `page` in its file says."""
    wanted = as_rows(seen.plan, seen.wanted)
    if seen.fault is None and wanted is not None and neutral(seen.found.json) != neutral(wanted):
        yield f"expected the page of its file: {first_difference(wanted, seen.found.json)}"
    made = neutral(seen.scenario.good.body)
    if seen.fault is None and made != neutral(seen.found.json):
        yield f"expected another page: {first_difference(made, neutral(seen.found.json))}"


def _names(found: Answered, header: str) -> list[str]:
    return found.headers[header].split(", ") if header in found.headers else []


def _is_not_kept(found: Answered) -> bool:
    return found.headers.get("Cache-Control") == "no-store" and "ETag" not in found.headers


INVARIANTS: tuple[Callable[[Seen], Iterator[str]], ...] = (
    *(in_time, is_asked, asks_no_more, writes_once, tells_no_words, signs_in_only_when_well),
    *(ends_as_declared, ends_for_the_step, is_a_problem, accounts_for_writes),
    *(stays_itself, is_partial, is_stale, is_unharmed, shows_the_fallback, lists_the_error),
    *(goes_through, lines_are_the_page, is_as_well_as_may_be),
)
"""Every rule, in the order in which what breaks them is told."""
