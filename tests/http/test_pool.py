"""The pool of threads."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from bff.http.pool import Pool
from tests.fakes import PATIENCE
from tests.http.calling import all_ended, threads_of_transports


class Queue:
    def __init__(self, concurrency: int = 100) -> None:
        self.concurrency = concurrency


class Work:
    def __init__(self, lane: Queue, until: threading.Event | None = None) -> None:
        self.lane = lane
        self.held = False
        self.begun = threading.Event()
        self.ended = threading.Event()
        self._until = until

    def run(self) -> None:
        self.begun.set()
        if self._until is not None:
            self._until.wait(PATIENCE)
        self.ended.set()


def test_threads_start_when_they_are_needed_and_are_used_again() -> None:
    before, pool, lane = len(threads_of_transports()), Pool(8), Queue()
    assert len(threads_of_transports()) == before
    for _ in range(20):
        work = Work(lane)
        pool.submit(work)
        assert work.ended.wait(PATIENCE)
    assert len(threads_of_transports()) - before <= 2
    pool.close()


def test_no_more_threads_run_than_the_pool_may_have() -> None:
    pool, go = Pool(3), threading.Event()
    works = [Work(Queue(), go) for _ in range(10)]
    for work in works:
        pool.submit(work)
    for work in works[:3]:
        assert work.begun.wait(PATIENCE)
    assert not any(work.begun.is_set() for work in works[3:])
    go.set()
    assert all(work.ended.wait(PATIENCE) for work in works)
    pool.close()


def test_jobs_of_a_lane_wait_in_order_and_leave_room_for_others() -> None:
    pool, go, narrow = Pool(8), threading.Event(), Queue(concurrency=2)
    works = [Work(narrow, go) for _ in range(4)]
    for work in works:
        pool.submit(work)
    assert [work.held for work in works] == [False, False, True, True]
    other = Work(Queue())
    pool.submit(other)
    assert other.ended.wait(PATIENCE)
    assert not works[2].begun.is_set()
    go.set()
    assert all(work.ended.wait(PATIENCE) for work in works)
    pool.close()


def test_a_job_that_waits_can_be_taken_back() -> None:
    pool, go, narrow = Pool(2), threading.Event(), Queue(concurrency=1)
    running, held, next_ = Work(narrow, go), Work(narrow), Work(narrow)
    full, queued = Work(Queue(), go), Work(Queue())
    for work in (running, held, next_, full, queued):
        pool.submit(work)
    assert running.begun.wait(PATIENCE) and full.begun.wait(PATIENCE)
    assert pool.withdraw(held)
    assert pool.withdraw(queued)
    assert not pool.withdraw(queued)
    assert not pool.withdraw(running)
    go.set()
    assert next_.ended.wait(PATIENCE)
    assert not held.begun.is_set() and not queued.begun.is_set()
    pool.close()


def test_taking_back_a_ready_job_lets_the_next_of_its_lane_on() -> None:
    pool, go, narrow = Pool(1), threading.Event(), Queue(concurrency=1)
    busy, ready, waiting = Work(Queue(), go), Work(narrow), Work(narrow)
    for work in (busy, ready, waiting):
        pool.submit(work)
    assert pool.withdraw(ready)
    go.set()
    assert waiting.ended.wait(PATIENCE)
    assert not ready.begun.is_set()
    pool.close()


def test_idle_threads_end() -> None:
    before = set(threads_of_transports())
    pool = Pool(4, idle_seconds=0.01)
    work = Work(Queue())
    pool.submit(work)
    assert work.ended.wait(PATIENCE)
    assert all_ended(set(threads_of_transports()) - before)
    again = Work(Queue())
    pool.submit(again)
    assert again.ended.wait(PATIENCE)
    pool.close()


def test_a_closed_pool_has_no_threads() -> None:
    before = set(threads_of_transports())
    pool, go = Pool(4), threading.Event()
    busy, done = Work(Queue(), go), Work(Queue())
    pool.submit(busy)
    pool.submit(done)
    assert done.ended.wait(PATIENCE)
    pool.close()
    go.set()
    assert all_ended(set(threads_of_transports()) - before)


def test_an_idle_pool_holds_no_lane() -> None:
    pool = Pool(1)
    lane = Queue()
    work = Work(lane)
    pool.submit(work)
    assert work.ended.wait(PATIENCE)
    gone = weakref.ref(lane)
    last = Work(Queue())
    pool.submit(last)
    assert last.ended.wait(PATIENCE)
    del lane, work
    gc.collect()
    assert gone() is None
    pool.close()


def test_a_machine_without_threads_leaves_the_job_to_a_running_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, go = Pool(8), threading.Event()
    first, second = Work(Queue(), go), Work(Queue())
    pool.submit(first)
    assert first.begun.wait(PATIENCE)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    pool.submit(second)
    go.set()
    assert second.ended.wait(PATIENCE)
    pool.close()
