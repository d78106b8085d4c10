"""A page in words: what an author wants to know of it before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bff.explaining.caches import RULES, cache_rows, page_rows, unkept_steps
from bff.explaining.endings import ending_rows, required_steps
from bff.explaining.failures import (
    cut_rows,
    guard_rows,
    optional_rows,
    optional_steps,
    stale_rows,
    write_rows,
)
from bff.explaining.most_requests import in_short, request_rows, total_rows
from bff.explaining.order import first_steps, order_rows
from bff.explaining.reply_use import reply_rows
from bff.explaining.routes import who_may_ask
from bff.explaining.subject import Subject
from bff.explaining.timing import late_steps, time_rows, timing_rows, worst
from bff.explaining.words import duration, table, tree_text, wrapped
from bff.plan.model import PlannedGuard
from bff.recipe.model import Recipe
from bff.state import KEPT
from bff.text import counted
from bff.web.signatures import TOLERANCE


def report(subject: Subject) -> str:
    """The whole text: first in short, then a section for each question."""
    sections = (
        ("What starts when", _order(subject)),
        ("How long it can take", _time(subject)),
        ("The most requests", _requests(subject)),
        ("What fails with what", _failures(subject)),
        ("What is kept", _caches(subject)),
        ("What is used of each reply", table(reply_rows(subject))),
    )
    lines = [*_head(subject)]
    for title, section in sections:
        if found := list(section):
            lines += ["", title, *found]
    return "\n".join(lines) + "\n"


def _head(subject: Subject) -> Iterator[str]:
    recipe = subject.recipe
    yield f"{recipe.method} {recipe.path}, {recipe.file}"
    if recipe.summary:
        yield from wrapped(recipe.summary)
    yield from table(_in_short(subject))


def _in_short(subject: Subject) -> Iterator[tuple[str, str]]:
    yield "who may ask", _who(subject)
    table = subject.recipe.format
    if table is not None:
        saved = ", to be saved as a file" if table.file else ""
        lacking = "; rows may be missing where a step falls back" if table.partial else ""
        yield "answers with", f"CSV of {', '.join(title for title, _ in table.columns)}{saved}{lacking}"
    deadline = duration(subject.recipe.deadline)
    late = late_steps(subject)
    risk = f"; time can run out in {', '.join(one.name for one in late)}" if late else ""
    path = f"{worst(subject)}, of a deadline of {deadline}{risk}" if subject.plan.requests else "none"
    if (key := subject.recipe.idempotency_key) is not None:
        kept = f"a repeat of {tree_text(key)} gets the first answer for {duration(KEPT)}, unless that was an error"
        yield "repeats", f"{kept} of ours (BFF_STATE_URL)"
    yield "critical path", path
    yield "requests", in_short(subject)
    guards = [step.name for step in subject.plan.steps if isinstance(step, PlannedGuard)]
    needs = [*(step.name for step in required_steps(subject)), *guards]
    yield "fails with", ", ".join(sorted(needs, key=subject.plan.places.__getitem__)) or "none of its steps"
    yield "does without", ", ".join(step.name for step in optional_steps(subject)) or "none of its steps"


def _who(subject: Subject) -> str:
    """Who may ask, and how often."""
    limit = subject.recipe.rate_limit
    often = "" if limit is None else f"; each {counted(limit.count, 'time')} in {duration(limit.period)}"
    return f"{who_may_ask(subject.recipe)}{_checked(subject.recipe)}{often}"


def _checked(recipe: Recipe) -> str:
    """What of a request is checked before all else."""
    signed = recipe.signed
    if signed is None:
        return ""
    timed = "" if signed.scheme in ("github", "hmac") else f", not older than {duration(TOLERANCE)}"
    return f"; the signature of the body is checked before all else{timed}"


def _order(subject: Subject) -> Iterable[str]:
    return table(order_rows(subject)) if first_steps(subject) else ()


def _time(subject: Subject) -> Iterator[str]:
    if subject.plan.requests:
        yield from table(time_rows(subject))
        yield from table(timing_rows(subject), 4)


def _requests(subject: Subject) -> Iterable[str]:
    if not subject.plan.requests:
        return ()
    return table([*request_rows(subject), *total_rows(subject)])


def _failures(subject: Subject) -> Iterator[str]:
    required = ", ".join(step.name for step in required_steps(subject))
    where = f" where one of these fails: {required}" if required else ":"
    yield from _titled(f"The page ends with a problem{where}", ending_rows(subject))
    yield from _titled("The page ends where one of these does not hold:", guard_rows(subject))
    partial = [*optional_rows(subject), *cut_rows(subject)]
    yield from _titled("The page goes on, and is partial (X-Page-Partial):", partial)
    yield from _titled("The page goes on, and is whole (X-Page-Stale):", stale_rows(subject))
    yield from _titled("Writes run in this order; where the page fails afterwards, each", write_rows(subject))


def _titled(title: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    found = list(rows)
    if found:
        yield from wrapped(title)
        yield from table(found, 4)


def _caches(subject: Subject) -> Iterator[str]:
    kept = list(cache_rows(subject))
    if kept:
        yield from wrapped(RULES)
    unkept = unkept_steps(subject)
    nothing = [("not kept", ", ".join(unkept))] if unkept else []
    yield from table([*kept, *nothing, *page_rows(subject)])
