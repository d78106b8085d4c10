"""What the keys of a request may be together, and which clients there are."""

from __future__ import annotations

from collections.abc import Iterator

from bff.recipe.check.page import Page
from bff.recipe.graph import names_in
from bff.recipe.model import Request
from bff.text import nearest


def check_clients(page: Page) -> None:
    """Say the clients that there are not."""
    clients = page.project.clients
    for step in page.recipe.steps:
        if not isinstance(step, Request):
            continue
        for request in (step, step.undo):
            if (
                request is None
                or not request.client
                or request.client in page.project.unusable | clients.keys()
            ):
                continue
            near = nearest(request.client, clients)
            meant = f"did you mean '{near}'?  " if near else ""
            there = [f"there are: {', '.join(clients)}"] if clients else []
            if not near:
                there.append(f"a new one: bff add client {request.client}")
            page.say(
                request.marks.value("client"), f"unknown client '{request.client}'", meant + "; ".join(there)
            )


def check_keys(page: Page) -> None:
    """Say keys that contradict each other or have no effect."""
    for step in page.requests:
        for key, message, hint in _contradictions(step):
            page.say(step.marks.key(key), message, hint)
        if step.undo is not None:
            for key, message, hint in _bodies(step.undo):
                page.say(step.undo.marks.key(key), message, hint)


def _contradictions(step: Request) -> list[tuple[str, str, str]]:
    """Key, message and cure of each contradiction in a request."""
    found = _bodies(step)
    written = step.marks.keys
    if "safe" in written and step.method != "POST":
        found.append(
            ("safe", f"'safe' stands with post, not with {step.method.lower()}", "a get is always safe")
        )
    if step.each is not None and step.batch is not None:
        found.append(("batch", "'each' and 'batch' in one request", "one request per item, or one per chunk"))
    if "concurrency" in written and "each" not in written and "batch" not in written:
        found.append(("concurrency", "'concurrency' has no effect here", "it goes with each or batch"))
    if "batch_size" in written and "batch" not in written:
        found.append(("batch_size", "'batch_size' has no effect here", "it goes with batch"))
    if step.writes:
        only_reads = step.method != "POST" or step.graphql is not None
        cure = "only reads may be repeated" if only_reads else "a POST that only reads says safe: true"
        reading = ("cache", "hedge", "pages", "until")
        found += [(key, f"'{key}' on a write", cure) for key in reading if key in written]
        found += _of_bulk(step)
        if step.defer:
            found.append(("defer", "'defer' on a write", cure))
    else:
        keys = ("undo", "idempotency_key", "failed")
        found += [
            (key, f"'{key}' on a read", "it is for requests that write") for key in keys if key in written
        ]
    if step.defer and step.required:
        found.append(("defer", "'defer' without a fallback", "write fallback: null"))
    return found


def _of_bulk(step: Request) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a write of many items at once, or with one that is none."""
    written = step.marks.keys
    if "failed" in written and "batch" not in written:
        cure = "it says which items of a chunk were not done: batch: rows in …, and body: rows"
        yield "failed", "'failed' without batch", cure
    elif step.failed is not None and {"reply", step.name}.isdisjoint(names_in(step.failed)):
        hint = "it gives the items of the chunk that the reply says were not done"
        yield "failed", "'failed' reads nothing of reply", hint
    if step.batch is None:
        return
    if "concurrency" in written:
        yield "concurrency", "'concurrency' has no effect here", "chunks that write go one after the other"
    sent = (step.path, step.query, step.headers, step.body, step.form, step.text)
    if not any(step.batch.variable in names_in(part) for part in sent if part is not None):
        chunk = step.batch.variable
        yield "batch", f"each chunk would send the same: nothing of '{chunk}'", f"write body: {chunk}"


def _bodies(step: Request) -> list[tuple[str, str, str]]:
    found = []
    if step.graphql is not None:  # that is a body, and what stands beside it is told with it
        return []
    first, *others = [key for key in _SENT if getattr(step, key) is not None] or [""]
    for key in others:
        found.append((key, f"'{first}' and '{key}' in one request", "one body: JSON, a form or a text"))
    if step.method == "GET":
        keys = [key for key in _SENT if getattr(step, key) is not None]
        found += [(key, f"a get sends no {key}", "write query, or post with safe: true") for key in keys]
    return found


_SENT = ("body", "form", "text")


def check_times(page: Page) -> None:
    """Say time-outs that the page's own deadline cuts off."""
    deadline = page.recipe.deadline
    for step in page.requests:
        client = page.client(step)
        if step.timeout is not None and step.timeout > deadline:
            default = "" if "deadline" in page.recipe.marks.keys else ", the default"
            hint = f"the whole page ends after {seconds_text(deadline)}{default}"
            page.say(
                step.marks.value("timeout"),
                f"a timeout of {seconds_text(step.timeout)} over the deadline",
                hint,
            )
        limit = step.timeout or (client.timeout if client is not None else deadline)
        if step.hedge is not None and step.hedge >= min(limit, deadline):
            hint = f"the step ends after {seconds_text(min(limit, deadline))}"
            page.say(step.marks.value("hedge"), "a hedge that would never be sent", hint)


def seconds_text(seconds: float) -> str:
    """A time as messages tell it."""
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
