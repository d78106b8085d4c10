"""A visitor tries again with the same key, and says what should not have been answered."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.soak.ledger import Ledger, foreign, mark
from tests.soak.visitor import Visitor
from tests.soak.wire import Answer, Cut

Reply = tuple[int, Any] | None


class Scripted:
    """Answers what it was given, one request after the other; None is a cut."""

    ports: tuple[int, ...] = (1, 2)

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[tuple[str, str, Any, str]] = []

    async def ask(self, port: int, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        self.asked.append((method, path, body, key))
        reply = self._replies.pop(0)
        if reply is None:
            raise Cut("ConnectionResetError")
        return Answer(reply[0], {"retry-after": "3"} if reply[0] == 503 else {}, (), json.dumps(reply[1]))


class Awake:
    """Sleeps that take no time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def acting(act: Callable[[Visitor], Any], *replies: Reply) -> tuple[Visitor, Scripted, Awake]:
    """A visitor with number 4 after an action."""
    browser, awake = Scripted(*replies), Awake()
    visitor = Visitor(4, "id-4", 5, "id-5", browser, Ledger(), random.Random(1), 1.0, 0.0, sleep=awake)
    with ThreadPoolExecutor(1) as alone:  # in this thread a browser test may have left a loop that runs
        alone.submit(lambda: asyncio.run(act(visitor))).result()
    return visitor, browser, awake


def seen(visitor: Visitor) -> list[str]:
    return [str(violation) for violation in visitor.ledger.violations]


def test_a_write_is_tried_again_with_its_key_until_it_is_answered() -> None:
    visitor, browser, awake = acting(Visitor.write, None, (503, {}), (409, {}), (201, {"id": "t1"}))
    (operation,) = visitor.ledger.operations
    assert [tried.status for tried in operation.tries] == [0, 503, 409, 201]
    assert {key for *_, key in browser.asked} == {"4-1"}
    assert len({json.dumps(body) for _, _, body, _ in browser.asked}) == 1
    assert (operation.todo, list(visitor.mine)) == ("t1", ["t1"])
    assert awake.seconds[1] == 3.0
    assert visitor.ledger.statuses == {"cut (ConnectionResetError)": 1, "503": 1, "409": 1, "201": 1}
    assert seen(visitor) == []


def test_an_answer_that_must_not_be_is_told() -> None:
    visitor, _, _ = acting(Visitor.write, (422, {"title": "differs"}))
    assert seen(visitor) == ['visitor 4, POST 4-1 was answered 422: {"title": "differs"}']


def test_a_500_is_told() -> None:
    visitor, _, _ = acting(Visitor.write, (500, {"title": "oops"}))
    assert seen(visitor) == ['visitor 4, 4-1: 500 of POST /api/todos: {"title": "oops"}']


def test_what_is_anothers_is_told() -> None:
    for text, is_foreign in (
        (mark([4], "a1"), False),
        (mark([4, 5], "a1"), False),
        (mark([5], "a1"), True),
        (mark([44], "a1"), True),
        ("soak-4@example.com", False),
        ("soak-44@example.com", True),
    ):
        assert (foreign(f'{{"title": "{text}"}}', 4) is not None) == is_foreign
    visitor, _, _ = acting(Visitor.write, (201, {"id": "t1", "title": mark([5], "a1")}))
    assert seen(visitor) == ['visitor 4, 4-1: POST /api/todos shows what is not theirs: [for 5:a1]"}']


async def add_and_read(visitor: Visitor) -> None:
    await visitor.write()
    await visitor.read_todo("t1")


def test_an_old_value_after_an_own_write_is_told() -> None:
    good, _, _ = acting(add_and_read, (201, {"id": "t1"}), (200, {"note": "", "status": "open"}))
    assert seen(good) == []
    bad, _, _ = acting(add_and_read, (201, {"id": "t1"}), (200, {"note": "old", "status": "open"}))
    assert seen(bad) == [
        "visitor 4, 4-1: read ('old', 'open') after own write, must be one of [('', 'open')]"
    ]
