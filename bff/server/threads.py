"""The threads that make pages: a fixed number, each started when there is something to do for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], None]


class Threads:
    """Up to `most` threads that do jobs in the order in which they came; a job raises nothing."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._started = 0

    def do(self, job: Job) -> None:
        """Have a job done as soon as there is a thread for it; called from one thread only."""
        self._jobs.put(job)
        if self._started < self._most:
            self._started += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._jobs.get()()
