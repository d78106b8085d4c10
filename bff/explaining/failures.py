"""What becomes of the page where a step fails: it ends, or goes on without some of its fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bff.explaining.endings import ending_of_given
from bff.explaining.subject import Subject
from bff.explaining.words import duration, paths_text, tree_text
from bff.expressions.tree import Constant
from bff.plan.model import PlannedGuard, PlannedPages, PlannedRequest, PlannedValue
from bff.recipe.model import Guard, Value

_KEY = re.compile(r"\[[^\]]*\]|[^.\[]+")


def optional_steps(subject: Subject) -> tuple[PlannedRequest, ...]:
    """The requests that the page can do without."""
    return tuple(step for step in subject.plan.requests if step.fallback is not None)


def guard_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """The guards, and the parts that may be given what they do not take, with the problems of these."""
    for step in subject.plan.steps:
        if isinstance(step, PlannedGuard):
            guard = subject.recipe.step(step.name)
            assert isinstance(guard, Guard), "it was planned from one"
            status = guard.fail.status if isinstance(guard.fail.status, int) else tree_text(guard.fail.status)
            yield step.name, f"{status} requirement-failed unless {' '.join(guard.require.written.split())}"
        elif isinstance(step, PlannedValue) and step.given is not None and not _is_constant(subject, step):
            error = ending_of_given(step)
            yield step.name, f"{error.status} {error.kind} unless it is as {step.given.part} takes it"


def _is_constant(subject: Subject, step: PlannedValue) -> bool:
    written = subject.recipe.step(step.name)
    return isinstance(written, Value) and isinstance(written.value, Constant)


def optional_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """What each step with a fallback gives, and which fields of the page hang on it."""
    for step in optional_steps(subject):
        fallback = subject.written(step).fallback
        assert fallback is not None, "the page can do without it"
        item = "each item that fails is " if step.each else ""
        seen = " (of the reply that failed, null if none came)" if step.falls_back_on_reply else ""
        told = f"{item}{tree_text(fallback)}{seen}; {fields_text(subject, step.name)}"
        seconds = sorted(subject.plan.second_sources[step.name], key=subject.plan.places.__getitem__)
        if seconds:
            told += f"; not partial where {' or '.join(seconds)} answers"
        yield step.name, told


def cut_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """The lists of which the page shows what is there where they have more pages than may be read."""
    for step in subject.plan.requests:
        if isinstance(step.repeats, PlannedPages) and step.repeats.stops:
            yield step.name, f"stops after {step.repeats.most} pages; {fields_text(subject, step.name)}"


def fields_text(subject: Subject, name: str) -> str:
    """The fields of the page that hang on a step."""
    fields = subject.plan.fields[name]
    if not fields:
        return "no field of the page hangs on it"
    if "" in fields:
        return "the whole page hangs on it"
    return f"takes with it {paths_text(tuple(_KEY.findall(field)) for field in fields)}"


def stale_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """The steps in whose place an old reply may stand when they fail."""
    for step in subject.plan.requests:
        if step.cache is not None and step.cache.stale_if_error:
            until = duration(step.cache.stale_if_error)
            yield step.name, f"an old reply stands in, up to {until} after its {duration(step.cache.ttl)}"


def write_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """The writes in their order, and what becomes of each where the page fails after it."""
    for step in subject.plan.requests:
        if not step.writes:
            continue
        undo = subject.written(step).undo
        of_chunks = ""
        if step.batch_size is not None:
            of_chunks = f"; chunks of {step.batch_size} go one after the other, none after one that fails"
            of_chunks += " or has items that were not done" if step.failed is not None else ""
        if undo is None:
            yield step.name, f"stands: it has no undo{of_chunks}"
            continue
        what = f"{undo.method} {undo.path.text}" if undo.graphql is None else f"the {undo.graphql.title}"
        told = f"is taken back by {what} ({undo.client})"
        if step.undo_reads_reply:
            told += "; not where its reply never came, which the undo reads"
        yield step.name, told + of_chunks
