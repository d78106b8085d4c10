"""A bounded pool of daemon threads that shares them out between clients."""

from __future__ import annotations

import threading
from collections import OrderedDict
from queue import Empty, SimpleQueue
from typing import Protocol
from weakref import WeakKeyDictionary

from msgspec import Struct, field

from bff.forks import renew_in_child


class Lane(Protocol):
    """What jobs stand in line for: at most `concurrency` of a lane's jobs run at once."""

    @property
    def concurrency(self) -> int: ...


class Job(Protocol):
    """Something to do on a thread; `held` is set when it must wait for others of its lane."""

    held: bool

    @property
    def lane(self) -> Lane: ...

    def run(self) -> None:
        """Does it; never raises."""


class _Line(Struct):
    running: int = 0
    waiting: OrderedDict[Job, None] = field(default_factory=OrderedDict)


class Pool:
    """Runs jobs on at most `max_threads` daemon threads, started when needed and ended when idle for long.

    A lane whose jobs all hang takes no more than its share of the threads.
    """

    def __init__(self, max_threads: int, idle_seconds: float = 30.0, name: str = "bff-http") -> None:
        self._max_threads = max_threads
        self._name = name
        self._idle_seconds = idle_seconds
        self._closed = False
        self.begin_anew()
        renew_in_child(self)

    def begin_anew(self) -> None:
        """Begins anew: a child of this process has none of the threads, and nobody there waits for their jobs."""
        self._lock = threading.Lock()
        self._lines: WeakKeyDictionary[Lane, _Line] = WeakKeyDictionary()
        self._ready: OrderedDict[Job, None] = OrderedDict()
        self._idle: list[SimpleQueue[Job | None]] = []
        self._threads = 0

    def submit(self, job: Job) -> None:
        """Queues a job; never blocks on one."""
        with self._lock:
            line = self._lines.setdefault(job.lane, _Line())
            if line.running >= job.lane.concurrency:
                job.held = True
                line.waiting[job] = None
                return
            line.running += 1
            if not self._needs_thread(job):
                return
        self._start_thread(job)

    def withdraw(self, job: Job) -> bool:
        """Takes a job back that no thread has begun; says whether it could."""
        with self._lock:
            line = self._lines.get(job.lane)
            if line is None:
                return False
            if job in line.waiting:
                del line.waiting[job]
                return True
            if job not in self._ready:
                return False
            del self._ready[job]
            self._leave(line)
            return True

    def close(self) -> None:
        """Ends the idle threads now, the others after their jobs."""
        with self._lock:
            self._closed = True
            self._threads -= len(self._idle)
            for inbox in self._idle:
                inbox.put(None)
            self._idle.clear()

    def _needs_thread(self, job: Job) -> bool:
        """Gives a job to an idle thread or queues it; True when a new thread may take it."""
        if self._idle:
            self._idle.pop().put(job)
            return False
        if self._threads < self._max_threads:
            self._threads += 1
            return True
        self._ready[job] = None
        return False

    def _start_thread(self, job: Job) -> None:
        inbox: SimpleQueue[Job | None] = SimpleQueue()
        inbox.put(job)
        try:
            threading.Thread(target=self._work, args=(inbox,), name=self._name, daemon=True).start()
        except RuntimeError:  # the machine gives no more threads: a running one will take the job
            with self._lock:
                self._threads -= 1
                self._ready[job] = None

    def _work(self, inbox: SimpleQueue[Job | None]) -> None:
        while True:
            job = self._take(inbox)
            if job is None:
                return
            job.run()
            self._finish(job.lane, inbox)
            del job  # an idle thread keeps no client alive

    def _take(self, inbox: SimpleQueue[Job | None]) -> Job | None:
        """The next job for this thread, None when it shall end."""
        try:
            return inbox.get(timeout=self._idle_seconds)
        except Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    self._threads -= 1
                    return None
            return inbox.get()  # it was given a job in the same moment

    def _finish(self, lane: Lane, inbox: SimpleQueue[Job | None]) -> None:
        with self._lock:
            self._leave(self._lines[lane])
            if self._ready:
                inbox.put(self._ready.popitem(last=False)[0])
            elif self._closed:
                self._threads -= 1
                inbox.put(None)
            else:
                self._idle.append(inbox)

    def _leave(self, line: _Line) -> None:
        """Frees a place in a line; the first that waits there becomes ready."""
        line.running -= 1
        if line.waiting:
            job, _ = line.waiting.popitem(last=False)
            line.running += 1
            self._ready[job] = None
