"""Many visitors at once, each with rows of their own: never a byte of another's, and no server error."""

from __future__ import annotations

import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.local.pocketbase import Backend
from tests.servers import Visitor, layer

pytestmark = [pytest.mark.backend, pytest.mark.full]

VISITORS = 200
SECONDS = 60.0
MARK = re.compile(r"visitor-(\d+)-")


class Someone(Visitor):
    """A visitor whose every text holds their own mark."""

    def __init__(self, base_url: str, number: int) -> None:
        super().__init__(base_url)
        self.number = number
        self.todos: list[str] = []
        self.random = random.Random(number)

    def text(self) -> str:
        return f"visitor-{self.number}-{self.random.randrange(1000)}"

    def look(self) -> tuple[int, str]:
        """Do one thing, chosen at random; gives the status and all that came back."""
        todo = self.random.choice(self.todos)
        method, path, body = self.random.choice(
            [
                ("GET", f"/api/home?q={self.random.choice(['', 'visitor', '1'])}", None),
                ("GET", "/api/home?status=open&sort=title&per_page=100", None),
                ("GET", f"/api/todos/{todo}", None),
                ("GET", "/api/stats", None),
                ("GET", "/api/notices", None),
                ("PATCH", f"/api/todos/{todo}", {"note": self.text()}),
                ("POST", f"/api/todos/{todo}/comments", {"text": self.text()}),
            ]
        )
        answer = self.ask(method, path, json=body)
        return answer.status_code, f"{answer.text} {answer.headers}"


def test_200_visitors_see_their_own_rows_only(app_backend: Backend, tmp_path: Path) -> None:
    with layer(app_backend.url, tmp_path) as first, layer(app_backend.url, tmp_path) as second:
        visitors = [
            Someone((first.url, second.url)[number % 2], number) for number in range(1000, 1000 + VISITORS)
        ]

        def arrive(visitor: Someone) -> None:
            visitor.sign_up("Somebody", f"visitor{visitor.number}@example.com")
            visitor.todos = [visitor.add(visitor.text(), note=visitor.text()) for _ in range(3)]

        with ThreadPoolExecutor(4) as few:  # making a password takes PocketBase a while
            list(few.map(arrive, visitors))
        begin, end = threading.Barrier(VISITORS), [0.0]
        looks: list[tuple[int, int, str]] = []

        def stay(visitor: Someone) -> None:
            begin.wait()
            end[0] = end[0] or time.monotonic() + SECONDS
            while time.monotonic() < end[0]:
                status, text = visitor.look()
                looks.append((visitor.number, status, text))
                # People read what they get; without that it would be a test of what a machine can bear.
                time.sleep(visitor.random.uniform(0, 4))

        with ThreadPoolExecutor(VISITORS) as everybody:
            list(everybody.map(stay, visitors))
    assert len(looks) > 10 * VISITORS
    assert [(number, status, text[:300]) for number, status, text in looks if status >= 400] == []
    others = [(number, text) for number, _, text in looks if set(MARK.findall(text)) - {str(number)}]
    assert others == []
    assert sum(bool(MARK.search(text)) for _, _, text in looks) > len(looks) / 3
