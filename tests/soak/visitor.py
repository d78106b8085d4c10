"""What one visitor does with the app: signs in, reads pages, writes their own todos, and tries again what failed."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.soak.judge import allowed_values
from tests.soak.ledger import Kind, Ledger, Operation, Try, Violation, address, foreign, mark
from tests.soak.wire import Answer, Cut

PASSWORD = "password-1"
ASKED_AGAIN_FOR = 60.0
"""Seconds for which a visitor tries a write again before they give it up."""

_COME_BACK = frozenset({409, 429, 502, 503, 504})
_READS = ("list", "list", "list", "search", "todo", "todo", "stats", "notices")
_WRITES: tuple[Kind, ...] = ("add", "add", "edit", "edit", "edit", "comment", "remove")


class Asks(Protocol):
    """How a visitor reaches the app; raises Cut where no whole answer comes."""

    ports: tuple[int, ...]

    def ask(
        self, port: int, method: str, path: str, body: Any = None, key: str = ""
    ) -> Awaitable[Answer]: ...


@dataclass(slots=True)
class Mine:
    """A todo of this visitor: the operation that added it and the edits since, in order."""

    added: Operation
    edits: list[Operation] = field(default_factory=list)


@dataclass(slots=True)
class Visitor:
    """One of the visitors; `partner` may see what they share. `think` is the mean of seconds between two actions."""

    number: int
    id: str
    partner: int
    partner_id: str
    browser: Asks
    ledger: Ledger
    random: random.Random
    think: float
    until: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    mine: dict[str, Mine] = field(default_factory=dict)
    written: int = 0

    async def live(self) -> None:
        """Sign in, then act until the time is up."""
        tries = 0
        while time.time() < self.until and not await self._sign_in():
            tries += 1
            await self.sleep(self.random.uniform(1.0, min(10.0, 1.0 + 2.0**tries)))
        while time.time() < self.until:
            await self.sleep(self.random.expovariate(1 / self.think))
            if self.random.random() < 0.6:
                await self.read()
            else:
                await self.write()

    async def _sign_in(self) -> bool:
        body = {"email": address(self.number), "password": PASSWORD}
        answer = await self._asked("POST", "/api/login", body)
        if answer is None or answer.status in _COME_BACK:
            return False
        self._expect(answer, "POST /api/login", 200)
        return answer.status == 200

    # --- reading -----------------------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Look at one page."""
        wanted = self.random.choice(_READS)
        if wanted == "todo" and self.mine:
            await self.read_todo(self.random.choice(list(self.mine)))
            return
        query = "?sort=newest&page=1" if wanted != "search" else f"?q=a{self.random.randrange(10)}"
        path = {"stats": "/api/stats?zone=Asia/Shanghai", "notices": "/api/notices"}.get(
            wanted, f"/api/home{query}"
        )
        answer = await self._asked("GET", path)
        if answer is None or answer.status in _COME_BACK:
            return
        self._expect(answer, f"GET {path}", 200)
        if answer.status == 200 and wanted in ("list", "search") and answer.json["me"]["id"] != self.id:
            self._broken("", f"GET {path} is for {answer.json['me']}")

    async def read_todo(self, todo: str) -> None:
        """Look at one of their todos: it is as they have last written it."""
        answer = await self._asked("GET", f"/api/todos/{todo}")
        if answer is None or answer.status in _COME_BACK:
            return
        self._expect(answer, "GET /api/todos/…", 200)
        told_old = answer.headers.get("x-page-partial")  # an old reply stands in, and the page says so
        if answer.status == 200 and not told_old:
            seen = (answer.json["note"], answer.json["status"])
            if seen not in (allowed := allowed_values(self.mine[todo].edits)):
                last = self.mine[todo].edits[-1] if self.mine[todo].edits else self.mine[todo].added
                self._broken(last.key, f"read {seen} after own write, must be one of {sorted(allowed)}")

    # --- writing -----------------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """Do one write, and see it through."""
        kind = self.random.choice(_WRITES) if self.mine else "add"
        if kind == "add":
            await self._add()
            return
        todo = self.random.choice(list(self.mine))
        operation = self._operation(kind, todo)
        path = f"/api/todos/{todo}"
        if kind == "edit":
            operation.status = self.random.choice(("open", "done", "paused"))
            self.mine[todo].edits.append(operation)
            await self._see_through(
                operation, "PATCH", path, {"note": operation.mark, "status": operation.status}
            )
        elif kind == "comment":
            answer = await self._see_through(operation, "POST", f"{path}/comments", {"text": operation.mark})
            if answer is not None and answer.status == 201:
                operation.row = answer.json["id"]
        else:
            del self.mine[todo]
            await self._see_through(operation, "DELETE", path, None)

    async def _add(self) -> None:
        shares = self.random.random() < 0.1
        operation = self._operation("add", "", shares=shares)
        body = {"title": operation.mark, "helper": self.partner_id if shares else None}
        answer = await self._see_through(operation, "POST", "/api/todos", body)
        if answer is not None and answer.status == 201:
            operation.todo = answer.json["id"]
            self.mine[operation.todo] = Mine(operation)

    def _operation(self, kind: Kind, todo: str, *, shares: bool = False) -> Operation:
        self.written += 1
        shared = shares or (todo and "+" in self.mine[todo].added.mark)
        seen_by = [self.number, self.partner] if shared else [self.number]
        text = "" if kind == "remove" else mark(seen_by, f"{kind[0]}{self.written}")
        operation = Operation(self.number, kind, f"{self.number}-{self.written}", text, todo=todo)
        self.ledger.operations.append(operation)
        return operation

    async def _see_through(self, operation: Operation, method: str, path: str, body: Any) -> Answer | None:
        """Ask with the same key until there is an answer that stands; None where the visitor gives up."""
        give_up_at = time.time() + ASKED_AGAIN_FOR
        while True:
            begun = time.time()
            answer = await self._asked(method, path, body, operation.key)
            operation.tries.append(Try(begun, time.time(), 0 if answer is None else answer.status))
            if answer is not None and answer.status not in _COME_BACK:
                tried_before = len(operation.tries) > 1
                gone = (404,) if operation.kind == "remove" and tried_before else ()
                self._expect(answer, f"{method} {operation.key}", 200, 201, *gone)
                return answer
            if time.time() > give_up_at:
                return None
            asked_for = 0.0 if answer is None else float(answer.headers.get("retry-after", "0"))
            await self.sleep(max(asked_for, self.random.uniform(0.3, 2.0)))

    # --- asking ------------------------------------------------------------------------------------------------------

    async def _asked(self, method: str, path: str, body: Any = None, key: str = "") -> Answer | None:
        begun = time.monotonic()
        try:
            answer = await self.browser.ask(self.random.choice(self.browser.ports), method, path, body, key)
        except Cut as cut:
            self._count(f"cut ({cut})")
            return None
        self._count(f"{answer.status} {_kind_of(answer)}".strip())
        if answer.status < 400:
            self.ledger.seconds.append(time.monotonic() - begun)
        if answer.status == 500:
            self._broken(key, f"500 of {method} {path}: {answer.text[:300]}")
        if (text := foreign(answer.text, self.number)) is not None:
            self._broken(key, f"{method} {path} shows what is not theirs: {text}")
        return answer

    def _expect(self, answer: Answer, what: str, *statuses: int) -> None:
        if answer.status not in statuses and answer.status != 500:
            self._broken("", f"{what} was answered {answer.status}: {answer.text[:300]}")

    def _count(self, what: str) -> None:
        counts = self.ledger.statuses
        counts[what] = counts.get(what, 0) + 1

    def _broken(self, key: str, seen: str) -> None:
        self.ledger.violations.append(Violation(self.number, key, seen))


def _kind_of(answer: Answer) -> str:
    """Which problem an answer is, and what failed of a backend."""
    if answer.status < 400 or "problem" not in answer.headers.get("content-type", ""):
        return ""
    found = answer.json
    kind = str(found.get("type", "")).rpartition(":")[2]
    return f"{kind}/{found['failure']}" if "failure" in found else kind


async def visit(plan: Mapping[str, Any], browsers: Callable[[], Asks], ledger: Ledger) -> None:
    """Every visitor of a run at once; the first sign in first, the last after `arrive_within`.

    With `leave_within` they leave in the other order, so long before the end; without, all of them at the end.
    """
    until = plan["until"]
    leave_within = plan.get("leave_within", 0.0)
    people: list[str] = plan["people"]

    async def one(number: int) -> None:
        await asyncio.sleep(plan["arrive_within"] * number / len(people))
        partner = number ^ 1 if (number ^ 1) < len(people) else number
        chance = random.Random(f"{plan['seed']}-{number}")
        leaves = until - leave_within * number / len(people)
        visitor = Visitor(
            number,
            people[number],
            partner,
            people[partner],
            browsers(),
            ledger,
            chance,
            plan["think"],
            leaves,
        )
        await visitor.live()

    tasks = [asyncio.create_task(one(number)) for number in range(len(people))]
    _, late = await asyncio.wait(tasks, timeout=max(0.0, until - time.time()) + ASKED_AGAIN_FOR + 40)
    ledger.unfinished = len(late)
    for task in tasks:
        if task in late:
            task.cancel()
        elif (error := task.exception()) is not None:
            raise error
