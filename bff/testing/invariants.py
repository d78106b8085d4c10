"""What holds of every answer of a page, whatever one of its backends does: each rule a sentence, and a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bff.errors import PageError
from bff.expressions import Evaluation
from bff.expressions.inspect import fields, inspect_tree
from bff.plan.model import PlannedRequest
from bff.problems import CONTENT_TYPE, PROBLEMS, TYPE_PREFIX
from bff.testing.app_under_test import Answered, addresses_of_backends
from bff.testing.compare import at_path, first_difference, keys_of, neutral, without
from bff.testing.seen import Seen
from bff.testing.upstream import MARKER
from bff.web.recent_writes import COOKIE as WRITTEN_COOKIE

SLACK = 0.5
_KINDS = {
    400: "unsent", 401: "unauthorized", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone",
    412: "precondition-failed", 422: "unprocessable", 429: "too-many-requests", 500: "over-bound",
    503: "backend-unavailable", 504: "backend-timeout",
}  # fmt: skip
_WRITTEN: Final = ("done", "undone", "undo_failed", "unknown")
_OF_PROBLEMS = {
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "step",
    "errors",
    "failure",
    "retryable",
    "items",
}
_SANDBOXED = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
_COOKIE = re.compile(r"(?:^|, )([^=;, ]+)=")


Invariant = Callable[[Seen], Iterator[str]]


def in_time(seen: Seen) -> Iterator[str]:
    """The answer is there within the page's deadline."""
    if seen.found.seconds > seen.deadline + SLACK:
        yield f"expected an answer within {seen.deadline:.2f} s, found one after {seen.found.seconds:.2f} s"


def is_asked(seen: Seen) -> Iterator[str]:
    """The step that the case is about is asked, unless it was asked a moment before and its reply may be kept."""
    fault, step = seen.fault, seen.step
    if step is None or fault is None or fault.script is None or (fault.stale and step.cache is not None):
        return
    if not seen.asked[seen.name]:
        yield f"expected step {seen.name} to be asked, found {', '.join(seen.asked) or 'nothing'} asked"


def asks_no_more(seen: Seen) -> Iterator[str]:
    """Nothing is asked that the good page does not ask, undos and what hangs on the step apart."""
    for name in seen.asked:
        if name not in seen.good_asked and name not in seen.below and not name.startswith("undo."):
            yield f"expected step {name} not to be asked"


def writes_once(seen: Seen) -> Iterator[str]:
    """A write that has no idempotency key is sent once, however it ends."""
    for step in seen.plan.requests:
        most = max(1, seen.good_asked[step.name])
        is_known = step.name == seen.name or step.name not in seen.below
        if step.writes and step.key is None and is_known and seen.asked[step.name] > most:
            yield f"expected step {step.name} to be asked {most} times, found {seen.asked[step.name]}"


def tells_no_words(seen: Seen) -> Iterator[str]:
    """No word of a reply that its step cannot use, and no address of a backend, is in the answer."""
    found, reply = seen.found, seen.reply
    if reply is not None and not (seen.plan.recipe.passes and seen.problem is None):
        is_used = seen.fails is not True and seen.problem is None
        if MARKER in found.text and not is_used and not _refuses_by_the_reply(seen):
            yield "found the backend's words in the answer"
        if any(MARKER in value for value in found.headers.values()) and not is_used:
            yield "found the backend's words in the answer's headers"
    if any(address in found.text for address in addresses_of_backends()):
        yield "found the backend's address in the answer"


def _refuses_by_the_reply(seen: Seen) -> bool:
    """Whether a guard, which may show what it is made of, ended the page."""
    return seen.fails is not True and str((seen.problem or {}).get("type")).endswith("requirement-failed")


def ends_as_declared(seen: Seen) -> Iterator[str]:
    """A required step that fails ends the page with the status, kind and Retry-After that the docs declare."""
    if not seen.fails or seen.falls_back:
        return
    found, document = seen.found, seen.problem or {}
    if found.status != seen.status:
        yield f"expected status {seen.status}, found {found.status}"
    kind = _KINDS.get(seen.status, "backend-failed")
    members = {
        "type": TYPE_PREFIX + kind,
        "title": PROBLEMS[kind].title,
        "step": seen.name,
        "failure": seen.kind,
        "retryable": _is_retryable(seen, document),
    }
    for name, value in members.items():
        if document.get(name) != value:
            yield f"expected {name} {value!r} in the problem, found {document.get(name)!r}"
    wait = seen.reply.headers.get("retry-after") if seen.reply and seen.kind == "status" else None
    if found.headers.get("Retry-After") != wait:
        yield f"expected Retry-After {wait}, found {found.headers.get('Retry-After')}"


def _is_retryable(seen: Seen, document: Mapping[str, Any]) -> bool:
    """Whether asking again may help and does nothing twice: never where a write may have been done."""
    assert seen.step is not None and seen.reply is not None
    open_status = seen.reply.status >= 500 and seen.reply.status != 503
    may_be_done = seen.step.writes and (seen.reply.sent if seen.kind != "status" else open_status)
    may_help = seen.kind in ("timeout", "refused") or seen.status in (429, 502, 503, 504)
    return (
        may_help
        and not may_be_done
        and not any(document.get(name) for name in ("done", "undo_failed", "unknown"))
    )


def ends_for_the_step(seen: Seen) -> Iterator[str]:
    """A page ends only because of the step, or of one that waits for it; while all is well it does not end."""
    if seen.problem is None:
        return
    name, why = str(seen.problem.get("step", "")), _why(seen.found)
    is_below = (
        any(name == step or step.startswith(f"{name}.") for step in seen.below) if name else _may_break(seen)
    )
    if not is_below or (name == seen.name and (seen.fails is False or (seen.fails and seen.falls_back))):
        yield f"expected status {seen.good.status}, found {seen.found.status}{why}"


def _may_break(seen: Seen) -> bool:
    """Whether a page can end with no step to name: what it makes of its values is checked."""
    recipe = seen.plan.recipe
    return bool(seen.name) and (
        recipe.session is not None or recipe.status is not None or recipe.shape is not None
    )


def is_a_problem(seen: Seen) -> Iterator[str]:
    """An ending is a problem of RFC 9457, of a declared type, with nothing of a page in body or headers."""
    document = seen.problem
    if document is None:
        if (
            seen.found.status >= 400
            and seen.found.status != seen.good.status
            and seen.plan.recipe.status is None
        ):
            yield f"expected {CONTENT_TYPE}, found {seen.found.headers.get('Content-Type')}"
        return
    if document.get("status") != seen.found.status:
        yield f"expected status {seen.found.status} in the problem, found {document.get('status')}"
    if str(document.get("type")).removeprefix(TYPE_PREFIX) not in PROBLEMS:
        yield f"expected a declared type, found {document.get('type')!r}"
    for name in document.keys() - _OF_PROBLEMS - {*_WRITTEN}:
        yield f"expected no member {name} in the problem"
    for header in ("ETag", "X-Page-Partial", "X-Page-Stale"):
        if header in seen.found.headers:
            yield f"expected no {header} with a problem"


def stays_itself(seen: Seen) -> Iterator[str]:
    """A page that goes on has its own status, and where nothing of it hangs on the step, its own headers."""
    if seen.problem is not None or seen.plan.recipe.passes:
        return
    recipe = seen.plan.recipe
    if not _reads_it(seen, recipe.status) and seen.found.status != seen.good.status:
        yield f"expected status {seen.good.status}, found {seen.found.status}"
    if not _reads_it(seen, recipe.headers):
        for name in seen.plan.header_names:
            if neutral(seen.found.headers.get(name)) != neutral(seen.good.headers.get(name)):
                good = seen.good.headers.get(name)
                yield f"expected the header {name}: {good}, found {seen.found.headers.get(name)}"


def _reads_it(seen: Seen, tree: Any) -> bool:
    return tree is not None and seen.hangs(use.name for use in inspect_tree(tree).names)


def is_partial(seen: Seen) -> Iterator[str]:
    """X-Page-Partial names the steps that failed, unless a second source answered, and such a page is not kept."""
    named = _names(seen.found, "X-Page-Partial")
    good = _names(seen.good, "X-Page-Partial")
    if seen.problem is not None:
        return
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
    """X-Page-Stale names the step for which a kept reply stands in; such a page is the good one, and is not kept."""
    if seen.problem is not None and (seen.reply is None or seen.reply.old is None):
        return
    wanted = [seen.name] if seen.reply is not None and seen.reply.old is not None else []
    named = _names(seen.found, "X-Page-Stale")
    if named != wanted:
        yield f"expected X-Page-Stale: {', '.join(wanted) or None}, found {', '.join(named) or None}"
    if wanted and not _is_not_kept(seen.found):
        yield "expected an old page to be no-store, without an ETag"


def is_unharmed(seen: Seen) -> Iterator[str]:
    """Every field that does not hang on the step is as on the good page; while its reply is good, every field."""
    recipe = seen.plan.recipe
    if seen.problem is not None or recipe.shape is None or seen.found.status >= 400:
        return
    is_same = seen.good_is_meant or (seen.reply is not None and seen.reply.old is not None)
    touched = [path for path, names in _fields(seen) if "errors" in names]
    if not is_same:
        touched += seen.plan.fields[seen.name]
    good, now = neutral(seen.good.json), neutral(seen.found.json)
    if not seen.good_is_meant:
        for path in touched:
            good, now = without(good, keys_of(path)), without(now, keys_of(path))
    if good != now:
        whose = f" that does not read {seen.name}" if seen.name and not is_same else ""
        yield f"a field{whose} was harmed: {first_difference(good, now)}"


def shows_the_fallback(seen: Seen) -> Iterator[str]:
    """A field that is made of nothing but the step shows what its fallback makes of it."""
    step, shape = seen.step, seen.plan.shape
    if not seen.fails or step is None or not seen.falls_back or seen.problem is not None or shape is None:
        return
    try:
        made = shape(
            {**seen.scenario.good.scope, "errors": [], step.name: _fallback(seen, step)}, Evaluation()
        )
    except PageError:
        return
    for path, names in _fields(seen):
        if (
            names & seen.below == {step.name}
            and "errors" not in names
            and not (names & {*seen.scenario.broken})
        ):
            must, now = (
                neutral(at_path(made, keys_of(path))),
                neutral(at_path(seen.found.json, keys_of(path))),
            )
            if must != now:
                yield f"expected another page: {first_difference(must, now, path)}"


def _fallback(seen: Seen, step: PlannedRequest) -> Any:
    """What the fallback gives, in place of the value or under `each` of every item's."""
    assert step.fallback is not None and seen.reply is not None
    status = seen.reply.status if seen.kind == "status" else seen.status
    scope = {**seen.scenario.good.scope, "error": {"status": status, "kind": seen.kind}}
    if not step.each or step.items is None:
        return step.fallback(scope, Evaluation())
    items = step.items(scope, Evaluation())
    return [step.fallback({**scope, str(step.variable): item}, Evaluation()) for item in items]


def lists_the_error(seen: Seen) -> Iterator[str]:
    """`errors` has an entry for a step that failed, or for which an old reply stands in, and its fields."""
    is_old = seen.reply is not None and seen.reply.old is not None
    if seen.problem is not None or not (seen.fails or is_old):
        return
    for path, inspection in fields(seen.plan.recipe.shape) if seen.plan.recipe.shape is not None else ():
        if inspection.reads != {("errors",)}:
            continue
        entries = at_path(seen.found.json, keys_of(path))
        of_step = (
            [one for one in entries if one.get("step") == seen.name] if isinstance(entries, list) else []
        )
        if not of_step:
            yield f"expected {path} to be told of {seen.name}, found {entries!r}"
        members = {"status": seen.status, "kind": seen.kind, "fields": list(seen.plan.fields[seen.name])}
        for name, value in members.items():
            if of_step and of_step[0].get(name) != value:
                yield f"expected {path}[0].{name} to be {value!r}, found {of_step[0].get(name)!r}"


def accounts_for_writes(seen: Seen) -> Iterator[str]:
    """A problem says of every write that a backend got whether it is done, undone or unknown."""
    if seen.problem is None:
        return
    told = {name: [*(seen.problem.get(name) or ())] for name in _WRITTEN}
    wanted: dict[str, list[str]] = {name: [] for name in _WRITTEN}
    for step in (step for step in seen.plan.requests if step.writes and seen.asked[step.name]):
        outcome = _outcome(seen, step)
        if outcome == "open":
            wanted = {
                name: [other for other in steps if other != step.name] for name, steps in wanted.items()
            }
            told = {name: [other for other in steps if other != step.name] for name, steps in told.items()}
            continue
        can_be_undone = step.undo is not None and (outcome == "done" or not step.undo_reads_reply)
        if outcome == "unknown" or (outcome == "done" and not can_be_undone):
            wanted[outcome].append(step.name)
        if outcome != "refused" and can_be_undone:
            wanted["undone" if seen.asked[f"undo.{step.name}"] else "undo_failed"].append(step.name)
    for name in _WRITTEN:
        if sorted(told[name]) != sorted(wanted[name]):
            yield f"expected {name} {wanted[name] or None} in the problem, found {told[name] or None}"


def _outcome(seen: Seen, step: PlannedRequest) -> str:
    """What a backend made of a write, as it knows itself."""
    reply = {**seen.scenario.replies, **seen.scenario.broken}[step.name]
    if step.name == seen.name and seen.reply is not None:
        reply = seen.reply
    if reply.broken is not None:
        return "unknown" if reply.sent else "refused"
    is_success = 200 <= reply.status < 300
    if step.ok is not None and (step.name == seen.name or not is_success):
        return "open"
    return "done" if is_success else "open" if reply.status in step.on_status else "refused"


def signs_in_only_when_well(seen: Seen) -> Iterator[str]:
    """Signing in sets its cookie on success only; what was written is in a cookie, and no read sets that."""
    recipe, cookies = seen.plan.recipe, seen.found.headers.get("Set-Cookie", "")
    session = seen.plan.session
    if seen.problem is not None and "bff-session=" in cookies:
        yield "expected no Set-Cookie with a problem"
    signs_in = session is not None and not session.ends and seen.found.status < 400
    if signs_in and seen.problem is None and "bff-session=" not in cookies:
        yield "expected the session cookie"
    told = seen.problem or {}
    written = any(
        step.writes and seen.asked[step.name] and _outcome(seen, step) in ("done", "unknown")
        for step in seen.plan.requests
    )
    if (
        recipe.invalidates
        and (written or any(told.get(name) for name in _WRITTEN))
        and "bff-written=" not in cookies
    ):
        yield "expected the cookie that says what was written"
    if recipe.method == "GET" and "bff-written=" in cookies:
        yield "expected no cookie with a page of reads"


def goes_through(seen: Seen) -> Iterator[str]:
    """A body that goes through is whole or visibly cut, in a sandbox, without a cookie of its backend."""
    if not seen.plan.recipe.passes or seen.problem is not None:
        return
    reply = seen.reply or seen.scenario.replies[seen.plan.requests[0].name]
    must = reply.body if isinstance(reply.body, bytes) else b""
    if seen.found.status != reply.status:
        yield f"expected status {seen.status if seen.fails else reply.status}, found {seen.found.status}"
    if seen.found.cut != reply.cut:
        yield f"expected a body that {'breaks off' if reply.cut else 'ends'}, found one that does not"
    elif not reply.cut and seen.found.raw != must:
        yield f"expected the {len(must)} bytes of the backend, found {len(seen.found.raw)} others"
    wanted = {**_SANDBOXED, "Content-Type": reply.headers.get("content-type", "application/octet-stream")}
    for name, value in wanted.items():
        if seen.found.headers.get(name) != value:
            yield f"expected the header {name}: {value}, found {seen.found.headers.get(name)}"
    if {*_COOKIE.findall(seen.found.headers.get("Set-Cookie", ""))} - {WRITTEN_COOKIE.plain}:
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
    elif neutral(_lasting(found.json)) != neutral(_lasting(whole.json)):
        yield f"expected another page: {first_difference(neutral(whole.json), neutral(found.json))}"
    for name in ("X-Page-Partial", "X-Page-Stale"):
        if found.headers.get(name) != whole.headers.get(name):
            yield f"expected {name}: {whole.headers.get(name)}, found {found.headers.get(name)}"


def is_as_its_file_says(seen: Seen) -> Iterator[str]:
    """While all is well the page is what `page` in its file says."""
    if seen.fault is None and seen.wanted is not None and neutral(seen.found.json) != neutral(seen.wanted):
        yield f"expected the page of its file: {first_difference(seen.wanted, seen.found.json)}"


INVARIANTS: tuple[Invariant, ...] = (
    in_time,
    is_asked,
    asks_no_more,
    writes_once,
    tells_no_words,
    signs_in_only_when_well,
    ends_as_declared,
    ends_for_the_step,
    is_a_problem,
    accounts_for_writes,
    stays_itself,
    is_partial,
    is_stale,
    is_unharmed,
    shows_the_fallback,
    lists_the_error,
    goes_through,
    lines_are_the_page,
    is_as_its_file_says,
)
"""Every rule, in the order in which what breaks them is told."""


def _lasting(page: Any) -> Any:
    """A page without the number of its request."""
    return (
        {name: value for name, value in page.items() if name != "instance"}
        if isinstance(page, dict)
        else page
    )


def _names(found: Answered, header: str) -> list[str]:
    text = found.headers.get(header)
    return text.split(", ") if text else []


def _is_not_kept(found: Answered) -> bool:
    return found.headers.get("Cache-Control") == "no-store" and "ETag" not in found.headers


def _fields(seen: Seen) -> Iterator[tuple[str, set[str]]]:
    """The fields of the page, each with the names that it is made of."""
    if seen.plan.recipe.shape is not None:
        for path, inspection in fields(seen.plan.recipe.shape):
            yield path, {use.name for use in inspection.names}


def _why(found: Answered) -> str:
    """What a problem says, for one that was not expected."""
    document = found.json if isinstance(found.json, dict) else {}
    said = [str(document[name]) for name in ("step", "failure", "detail", "errors") if document.get(name)]
    return f" ({'; '.join(said)})" if said else ""
