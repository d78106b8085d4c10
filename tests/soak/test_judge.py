"""The judge finds every broken promise, and none where all were kept."""

from __future__ import annotations

from typing import Any

from tests.soak.judge import Truth, judge
from tests.soak.ledger import Kind, Operation, Try


def asked(kind: Kind, *statuses: int, mark: str = "", at: float = 0.0, **more: str) -> Operation:
    """An operation whose tries were answered so, one a second from `at`."""
    tries = [Try(at + second, at + second + 0.5, status) for second, status in enumerate(statuses)]
    return Operation(7, kind, f"key of {mark or kind}", mark, tries=tries, **more)


def row(id: str = "t1", title: str = "tea", note: str = "", status: str = "open") -> dict[str, Any]:
    return {"id": id, "title": title, "note": note, "status": status}


def comment(id: str, text: str) -> dict[str, Any]:
    return {"id": id, "text": text}


ADDED = asked("add", 503, 0, 201, mark="tea", todo="t1")


def judged(
    operations: list[Operation], *todos: dict[str, Any], comments: tuple[dict[str, Any], ...] = ()
) -> list[str]:
    return [str(found) for found in judge(operations, Truth(todos, comments))]


def test_what_was_answered_as_done_is_there_once() -> None:
    assert judged([ADDED], row()) == []


def test_a_write_that_is_there_twice_is_found() -> None:
    assert judged([ADDED], row(), row("t2")) == ["visitor 7, key of tea: there 2 times: tea"]


def test_a_write_that_was_lost_is_found() -> None:
    assert judged([ADDED]) == ["visitor 7, key of tea: answered as done, and not there: tea"]


def test_a_write_without_an_answer_may_be_there_once_or_not_at_all() -> None:
    unknown = asked("add", 0, 502, mark="tea")
    assert judged([unknown]) == judged([unknown], row()) == []
    assert judged([unknown], row(), row("t2")) == ["visitor 7, key of tea: there 2 times: tea"]


def test_a_write_that_was_refused_is_not_there() -> None:
    expected = ["visitor 7, key of tea: refused with [409, 422], and yet there: tea"]
    assert judged([asked("add", 409, 422, mark="tea")], row()) == expected


def test_a_write_is_there_under_the_id_that_was_answered() -> None:
    assert judged([ADDED], row("t2")) == ["visitor 7, key of tea: there as t2, answered as t1"]


def test_a_row_that_nobody_asked_for_is_found() -> None:
    expected = ["nobody has asked for the row t2: coffee", "nobody has asked for the row c1: hm"]
    assert judged([ADDED], row(), row("t2", "coffee"), comments=(comment("c1", "hm"),)) == expected


def test_what_was_removed_is_gone() -> None:
    removed = asked("remove", 200, todo="t1", at=10)
    assert judged([ADDED, removed]) == []
    assert judged([ADDED, removed], row()) == ["visitor 7, key of remove: removed, and yet there: tea"]


def test_what_is_gone_when_the_removal_is_tried_again_was_removed() -> None:
    removed = asked("remove", 0, 404, todo="t1", at=10)
    assert judged([ADDED, removed], row()) == ["visitor 7, key of remove: removed, and yet there: tea"]


def test_a_removal_without_an_answer_may_have_happened() -> None:
    removed = asked("remove", 0, todo="t1", at=10)
    assert judged([ADDED, removed], row()) == judged([ADDED, removed]) == []


def test_a_removal_that_was_refused_explains_no_loss() -> None:
    refused = asked("remove", 409, todo="t1", at=10)
    assert judged([ADDED, refused]) == ["visitor 7, key of tea: answered as done, and not there: tea"]


def test_comments_are_there_once() -> None:
    wrote = asked("comment", 0, 201, mark="hm", todo="t1", row="c1")
    once, twice = (comment("c1", "hm"),), (comment("c1", "hm"), comment("c2", "hm"))
    assert judged([ADDED, wrote], row(), comments=once) == []
    assert judged([ADDED, wrote], row(), comments=twice) == ["visitor 7, key of hm: there 2 times: hm"]
    assert judged([ADDED, wrote], row()) == ["visitor 7, key of hm: answered as done, and not there: hm"]


def test_comments_go_with_their_todo() -> None:
    wrote = asked("comment", 201, mark="hm", todo="t1", row="c1")
    assert judged([ADDED, wrote, asked("remove", 200, todo="t1")]) == []


def edits(*each: tuple[int, ...]) -> list[Operation]:
    """Edits of t1, a hundred seconds apart: e0, e1 … with these answers."""
    return [
        asked("edit", *statuses, mark=f"e{at}", status="done", todo="t1", at=100.0 * at)
        for at, statuses in enumerate(each)
    ]


def test_the_last_edit_that_was_answered_stands() -> None:
    asked_for = [ADDED, *edits((200,), (503, 200))]
    assert judged(asked_for, row(note="e1", status="done")) == []
    assert judged(asked_for, row(note="e0", status="done")) == [
        "visitor 7, key of e1: tea is ('e0', 'done'), must be ('e1', 'done')"
    ]
    assert judged(asked_for, row(note="e1")) == [
        "visitor 7, key of e1: tea is ('e1', 'open'), must be ('e1', 'done')"
    ]


def test_a_later_edit_without_an_answer_may_stand() -> None:
    asked_for = [ADDED, *edits((200,), (0,))]
    for note in ("e0", "e1"):
        assert judged(asked_for, row(note=note, status="done")) == []
    assert judged(asked_for, row()) == [
        "visitor 7, key of e0: tea is ('', 'open'), must be ('e0', 'done') or ('e1', 'done')"
    ]


def test_a_later_edit_that_was_refused_does_not_stand() -> None:
    asked_for = [ADDED, *edits((200,), (422,))]
    assert judged(asked_for, row(note="e1", status="done")) == [
        "visitor 7, key of e0: tea is ('e1', 'done'), must be ('e0', 'done')"
    ]


def test_a_lost_try_may_be_carried_out_late_but_not_much_later() -> None:
    first, second = edits((0, 200), (200,))
    soon = asked("edit", 200, mark="e1", status="done", todo="t1", at=5.0)
    assert judged([ADDED, first, soon], row(note="e0", status="done")) == []
    assert judged([ADDED, first, second], row(note="e0", status="done")) == [
        "visitor 7, key of e1: tea is ('e0', 'done'), must be ('e1', 'done')"
    ]


def test_a_todo_without_edits_is_as_it_was_added() -> None:
    assert judged([ADDED], row(note="whose?")) == [
        "visitor 7, key of tea: tea is ('whose?', 'open'), must be ('', 'open')"
    ]
