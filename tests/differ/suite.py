"""Which cases there are, and how they are run: side by side in one process, since most of them wait."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from bff.modules import _OWN_NAME
from tests.differ.cases import WELL, Case, Record, listening
from tests.differ.kinds import KINDS
from tests.differ.misbehaviours import ALL, TELLING

MISBEHAVIOURS = {"well": WELL, **ALL}
_FOR_THREADS = ("500", "cut")
_THAT_COMPUTE, _THAT_WAIT = 4, 24
_PUT_AWAY_AFTER = 50


def chosen(kind: str) -> list[str]:
    """The misbehaviours that a kind of step is tried with by default."""
    return list(MISBEHAVIOURS) if kind == "read" else ["well", *TELLING]


def chosen_for_threads(kind: str) -> list[str]:
    """Of the chosen ones those in which stock requests are compared with wires by default."""
    return list(MISBEHAVIOURS) if kind == "read" else [*_FOR_THREADS]


class Runs:
    """Cases under way; each is run once."""

    def __init__(self, computing: ThreadPoolExecutor, waiting: ThreadPoolExecutor) -> None:
        self._computing = computing
        self._waiting = waiting
        self._under_way: dict[tuple[str, str, str], Future[Record]] = {}
        self._count = itertools.count(1)

    def begin(self, kind: str, names: Iterable[str], transport: str) -> None:
        """Has cases run as soon as there is room."""
        for name in names:
            if (kind, name, transport) not in self._under_way:
                pool = self._waiting if _waits(kind, name) else self._computing
                self._under_way[kind, name, transport] = pool.submit(self._run, kind, name, transport)

    def of(self, kind: str, names: Iterable[str], transport: str) -> dict[str, Record]:
        """What came of a kind of step with these misbehaviours."""
        wanted = list(names)
        self.begin(kind, wanted, transport)
        return {name: self._under_way[kind, name, transport].result() for name in wanted}

    def _run(self, kind: str, name: str, transport: str) -> Record:
        if next(self._count) % _PUT_AWAY_AFTER == 0:
            _forget_loads()
        return one(kind, name, transport)


def _waits(kind: str, name: str) -> bool:
    """Whether time has to pass in a case, of which others need not wait."""
    return MISBEHAVIOURS[name].short or KINDS[kind].hangs_first or KINDS[kind].held


def _forget_loads() -> None:
    """Takes the modules of cases that are over out of `sys.modules`: who looks through that would take ever longer."""
    loads = [name for name in list(sys.modules) if name.startswith(_OWN_NAME)]
    numbers = {name: int(name.removeprefix(_OWN_NAME).partition(".")[0]) for name in loads}
    for name, number in numbers.items():
        if number <= max(numbers.values()) - _PUT_AWAY_AFTER:
            sys.modules.pop(name, None)


@contextmanager
def running() -> Iterator[Runs]:
    """Within, cases run; those that have not begun at the end never do."""
    with listening(), ExitStack() as pools:
        found = [ThreadPoolExecutor(most, "differ") for most in (_THAT_COMPUTE, _THAT_WAIT)]
        for pool in found:
            pools.callback(pool.shutdown, cancel_futures=True)
        yield Runs(*found)


def one(kind: str, name: str, transport: str) -> Record:
    """What comes of one case; within `listening`."""
    return Case(KINDS[kind], MISBEHAVIOURS[name], transport).run()
