"""This machine: which cores are whose, and what a server and its children cost, read from /proc."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """The core of the server that is measured, and those of everything else."""

    server: frozenset[int]
    others: frozenset[int]

    @property
    def shared(self) -> bool:
        """Whether there is only one, so that server, load and backend take it from each other."""
        return self.server == self.others


def cores() -> Cores:
    """The first core is the server's; where there is no other, all share it."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores(frozenset([first]), frozenset(others or [first]))


@contextlib.contextmanager
def pinned(to: frozenset[int]) -> Iterator[None]:
    """This thread, and what it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for number in found:
        for task in Path(f"/proc/{number}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.extend(map(int, task.read_text().split()))
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all below it, with threads that have ended."""
    return sum(_cpu_of(number) for number in tree(root))


def _cpu_of(number: int) -> float:
    # The clock of another process: clock_getcpuclockid(3), finer than the hundredths of /proc/PID/stat.
    try:
        return time.clock_gettime((~number << 3) | 2)
    except OSError:
        return 0.0


def memory_mb(root: int) -> float:
    """Proportional memory of a process and all below it: what they share is counted once."""
    return sum(_pss_kb(number) for number in tree(root)) / 1024


def _pss_kb(number: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def described() -> str:
    """One line about this machine, for the results."""
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {_gigabytes()} GB, {platform.system()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _gigabytes() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def busy_share() -> float:
    """How much of the machine others use, from 0 to 1, seen over a fifth of a second."""
    before = _times()
    time.sleep(0.2)
    after = _times()
    passed = [later - earlier for earlier, later in zip(before, after, strict=True)]
    idle = passed[3] + passed[4]
    return 1 - idle / max(1, sum(passed))


def _times() -> list[int]:
    return [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
