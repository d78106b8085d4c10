"""Which cases there are, and how they are run: side by side in one process, since most of them wait."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.differ.cases import WELL, Case, Record, listening
from tests.differ.kinds import KINDS
from tests.differ.misbehaviours import ALL, TELLING

MISBEHAVIOURS = {"well": WELL, **ALL}
_SIDE_BY_SIDE = 6
_WITH_ALL = {"read", "write"}

_FOR_THREADS = ("well", "500", "refused", "cut", "hang", "smuggled")

_not_put_away = 0
_run: dict[tuple[str, str, str], Record] = {}


def chosen(kind: str) -> list[str]:
    """The misbehaviours that a kind of step is tried with by default."""
    return list(MISBEHAVIOURS) if kind in _WITH_ALL else ["well", *TELLING]


def left(kind: str) -> list[str]:
    """Those that it is tried with only in the whole product."""
    return [name for name in MISBEHAVIOURS if name not in chosen(kind)]


def chosen_for_threads(kind: str) -> list[str]:
    """Of the chosen ones those in which stock requests are compared with wires by default."""
    return list(MISBEHAVIOURS) if kind == "read" else [name for name in chosen(kind) if name in _FOR_THREADS]


def records(kind: str, names: Iterable[str], transport: str) -> dict[str, Record]:
    """What comes of a kind of step with these misbehaviours; each is run once in a process."""
    wanted = list(names)
    new = [name for name in wanted if (kind, name, transport) not in _run]
    if new:
        with listening(), ThreadPoolExecutor(_SIDE_BY_SIDE, "differ") as pool:
            for name, record in zip(new, pool.map(lambda name: one(kind, name, transport), new), strict=True):
                _run[kind, name, transport] = record
        _put_away(len(new))
    return {name: _run[kind, name, transport] for name in wanted}


def _put_away(count: int) -> None:
    """Spares the collector what loads of projects leave in `sys.modules`: it would stop all threads for a second."""
    global _not_put_away
    _not_put_away += count
    if _not_put_away > 150:
        _not_put_away = 0
        gc.collect()
        gc.freeze()


def one(kind: str, name: str, transport: str) -> Record:
    """What comes of one case; within `listening`."""
    return Case(KINDS[kind], MISBEHAVIOURS[name], transport).run()
