"""What holds of every problem that ends a page: each rule a sentence, and a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bff.plan.model import PlannedRequest
from bff.problems import PROBLEMS, TYPE_PREFIX
from bff.testing.seen import Seen

_KINDS = {
    401: "unauthorized", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone", 412: "precondition-failed",
    422: "unprocessable", 429: "too-many-requests", 500: "over-bound", 504: "backend-timeout",
}  # fmt: skip
WRITTEN: Final = ("done", "undone", "undo_failed", "unknown")
_MEMBERS: Final = [
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
]


def ends_as_declared(seen: Seen) -> Iterator[str]:
    """A required step that fails ends the page with the status, kind and Retry-After that the docs declare."""
    if not seen.fails or seen.falls_back or seen.reply is None:
        return
    if seen.found.status != seen.status:
        yield f"expected status {seen.status}, found {seen.found.status}"
    kind, document = _KINDS.get(seen.status, "backend-failed"), seen.problem or {}
    members = {
        "type": TYPE_PREFIX + kind,
        "title": PROBLEMS[kind].title,
        "step": seen.name,
        "failure": seen.kind,
    }
    for name, value in (members | {"retryable": _is_retryable(seen)}).items():
        if document.get(name) != value:
            yield f"expected {name} {value!r} in the problem, found {document.get(name)!r}"
    wait = seen.reply.headers.get("retry-after") if seen.kind == "status" else None
    if seen.found.headers.get("Retry-After") != wait:
        yield f"expected Retry-After {wait}, found {seen.found.headers.get('Retry-After')}"


def _is_retryable(seen: Seen) -> bool:
    """Whether asking again may help and does nothing twice: never where a write may have been done."""
    assert seen.step is not None and seen.reply is not None
    upstream = seen.reply.status
    may_be_done = seen.reply.sent if seen.kind != "status" else upstream >= 500 and upstream != 503
    if seen.fault is not None and seen.fault.leaves:
        may_be_done = seen.fault.leaves == "unknown" or upstream_told(seen) in (500, 502, 504)
    listed = any((seen.problem or {}).get(name) for name in WRITTEN if name != "undone")
    if listed or (seen.step.writes and may_be_done):
        return False
    return seen.kind in ("timeout", "refused") or seen.status in (429, 502, 503, 504)


def upstream_told(seen: Seen) -> int | None:
    """The status that a reply tells of a part of what was written."""
    return None if seen.fault is None else seen.fault.told


def ends_for_the_step(seen: Seen) -> Iterator[str]:
    """A page ends only because of the step, or of one that waits for it; while all is well it does not end."""
    if seen.problem is None:
        return
    name = str(seen.problem.get("step", ""))
    goes_on = seen.fails is False or (seen.fails is True and seen.falls_back)
    is_below = (
        any(name == step or step.startswith(f"{name}.") for step in seen.below) if name else not goes_on
    )
    if not is_below or (name == seen.name and goes_on):
        told = (seen.problem.get(key) for key in ("step", "failure", "detail", "errors"))
        said = "; ".join(str(one) for one in told if one)
        yield f"expected status {seen.good.status}, found {seen.found.status} ({said})"


def is_a_problem(seen: Seen) -> Iterator[str]:
    """An ending is a problem of RFC 9457, of a declared type, with nothing of a page in body or headers."""
    document, found = seen.problem, seen.found
    if document is None:
        if found.status not in (0, seen.good.status) and found.status >= 400 and seen.recipe.status is None:
            yield f"expected application/problem+json, found {found.headers.get('Content-Type')}"
        return
    if document.get("status") != found.status:
        yield f"expected status {found.status} in the problem, found {document.get('status')}"
    if str(document.get("type")).removeprefix(TYPE_PREFIX) not in PROBLEMS:
        yield f"expected a declared type of problem, found {document.get('type')!r}"
    for name in document.keys() - {*_MEMBERS, *WRITTEN}:
        yield f"expected no member {name} in the problem"
    for header in ("ETag", "X-Page-Partial", "X-Page-Stale"):
        if header in found.headers:
            yield f"expected no {header} with a problem"


def accounts_for_writes(seen: Seen) -> Iterator[str]:
    """A problem says of every write that a backend got whether it is done, undone or unknown."""
    if seen.problem is None:
        return
    wanted: dict[str, set[str]] = {name: set() for name in WRITTEN}
    is_open: set[str] = set()
    for step in (step for step in seen.plan.requests if step.writes and seen.asked[step.name]):
        outcome = outcome_of(seen, step)
        is_undone = step.undo is not None and (outcome == "done" or not step.undo_reads_reply)
        if outcome == "open":
            is_open.add(step.name)
        elif outcome == "unknown" or (outcome == "done" and not is_undone):
            wanted[outcome].add(step.name)
        if outcome in ("done", "unknown") and is_undone:
            wanted["undone" if seen.asked[f"undo.{step.name}"] else "undo_failed"].add(step.name)
    for name in WRITTEN:
        if {*(seen.problem.get(name) or ())} - is_open != wanted[name]:
            yield f"expected {name} {sorted(wanted[name]) or None} in the problem, found {seen.problem.get(name)}"


def outcome_of(seen: Seen, step: PlannedRequest) -> str:
    """What a backend made of a write, as it knows itself; `open` is what the recipe has a say in."""
    reply = seen.scenario.broken.get(step.name, seen.scenario.replies[step.name])
    if step.name == seen.name and seen.reply is not None:
        reply = seen.reply
    if reply.broken is not None:
        return "unknown" if reply.sent else "refused"
    is_success = 200 <= reply.status < 300
    if step.name == seen.name and seen.fault is not None and seen.fault.leaves and seen.fails:
        return seen.fault.leaves
    if step.ok is not None and (step.name == seen.name or not is_success):
        return "open"
    if step.failed is not None and step.name == seen.name and is_success and seen.fails is None:
        return "open"
    return "done" if is_success else "open" if reply.status in step.on_status else "refused"
