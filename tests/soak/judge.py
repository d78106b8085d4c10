"""Holds what visitors were told against what the backend has in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.soak.ledger import Operation, Violation

STILL_UNDER_WAY = 60.0
"""Seconds for which a try without an answer may still be carried out: it may wait in a process that is stopped."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """What the backend holds, read past the layer."""

    todos: Sequence[Row]
    comments: Sequence[Row]


def judge(operations: Sequence[Operation], truth: Truth) -> list[Violation]:
    """Every promise that was broken, in the order of the operations."""
    by_todo: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.kind in ("edit", "remove") and operation.todo:
            by_todo[operation.todo].append(operation)
    titles, texts = _by(truth.todos, "title"), _by(truth.comments, "text")
    found: list[Violation] = []
    for operation in operations:
        if operation.kind == "add":
            about = by_todo.get(operation.todo, [])
            found += _judge_added(operation, titles.get(operation.mark, []), about)
        elif operation.kind == "comment":
            removed = any(
                other.possible for other in by_todo.get(operation.todo, []) if other.kind == "remove"
            )
            found += _judge_rows(operation, texts.get(operation.mark, []), operation.row, removed=removed)
    known = {operation.mark for operation in operations}
    found += [_unasked(row, "title") for row in truth.todos if row["title"] not in known]
    found += [_unasked(row, "text") for row in truth.comments if row["text"] not in known]
    return found


def _judge_added(added: Operation, rows: Sequence[Row], about: Sequence[Operation]) -> Iterator[Violation]:
    removals = [operation for operation in about if operation.kind == "remove" and operation.possible]
    yield from _judge_rows(added, rows, added.todo, removed=bool(removals))
    for removal in removals:
        if removal.acknowledged and rows:
            yield Violation(removal.visitor, removal.key, f"removed, and yet there: {added.mark}")
    if len(rows) == 1:
        edits = [operation for operation in about if operation.kind == "edit"]
        yield from _judge_value(added, edits, rows[0])


def _judge_rows(wrote: Operation, rows: Sequence[Row], told: str, *, removed: bool) -> Iterator[Violation]:
    if len(rows) > 1:
        yield Violation(wrote.visitor, wrote.key, f"there {len(rows)} times: {wrote.mark}")
    elif not rows and wrote.acknowledged and not removed:
        yield Violation(wrote.visitor, wrote.key, f"answered as done, and not there: {wrote.mark}")
    elif rows and not wrote.possible:
        statuses = [tried.status for tried in wrote.tries]
        yield Violation(wrote.visitor, wrote.key, f"refused with {statuses}, and yet there: {wrote.mark}")
    elif rows and told and rows[0]["id"] != told:
        yield Violation(wrote.visitor, wrote.key, f"there as {rows[0]['id']}, answered as {told}")


def allowed_values(edits: Sequence[Operation]) -> set[tuple[str, str]]:
    """The notes and statuses that a todo may have after its edits, which are in the order in which they were asked for.

    That of the last edit that was answered as done; those of later ones whose outcome is unknown; and those of earlier
    ones of which a try was lost so short a time before that it may have been carried out after.
    """
    last = max((at for at, edit in enumerate(edits) if edit.acknowledged), default=-1)
    since = edits[last].ended if last >= 0 else float("inf")
    allowed = {("", "open")} if last < 0 else {(edits[last].mark, edits[last].status)}
    allowed |= {(edit.mark, edit.status) for edit in edits[last + 1 :] if edit.possible}
    for edit in edits[: max(last, 0)]:
        if edit.lost_at is not None and edit.lost_at + STILL_UNDER_WAY > since:
            allowed.add((edit.mark, edit.status))
    return allowed


def _judge_value(added: Operation, edits: Sequence[Operation], row: Row) -> Iterator[Violation]:
    allowed = allowed_values(edits)
    seen = (row["note"], row["status"])
    if seen not in allowed:
        last = next((edit for edit in reversed(edits) if edit.acknowledged), added)
        wanted = " or ".join(sorted(map(str, allowed)))
        yield Violation(last.visitor, last.key, f"{added.mark} is {seen}, must be {wanted}")


def _unasked(row: Row, member: str) -> Violation:
    return Violation(-1, "", f"nobody has asked for the row {row['id']}: {row[member]}")


def _by(rows: Iterable[Row], member: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[member]].append(row)
    return found
