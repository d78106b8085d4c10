"""What goes wrong during a run, and when: drawn from a seed, so that a run can be had again."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Blow = Literal["kill", "pause", "restart"]
TARGETS = ("backend", "redis", "instance")


class Part(Protocol):
    """A process that may be struck and comes back."""

    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Seconds after the start at which a part is struck, and for how long it is away."""

    at: float
    target: str
    blow: Blow
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:5.1f} s  {self.blow} {self.target} for {self.seconds:.1f} s"


def schedule(seed: int, seconds: float, targets: Sequence[str] = TARGETS) -> list[Fault]:
    """Faults with quiet stretches between; every part is struck in every way before one is struck twice the same.

    The first begins when a tenth of the time is over, the last has ended before the last tenth begins.
    """
    chance = random.Random(seed)
    blows: tuple[Blow, ...] = ("kill", "pause", "restart")
    left: list[tuple[str, Blow]] = []
    found: list[Fault] = []
    at, scale = 0.1 * seconds, min(1.0, seconds / 150)
    while True:
        if not left:
            left = [(target, blow) for target in targets for blow in blows]
            chance.shuffle(left)
        target, blow = left.pop()
        lasting = scale * (chance.uniform(1.0, 12.0) if blow == "pause" else chance.uniform(0.2, 6.0))
        if at + lasting > 0.9 * seconds:
            return found
        found.append(Fault(at, target, blow, lasting))
        at += lasting + scale * chance.uniform(1.0, 14.0)


def carry_out(
    faults: Sequence[Fault],
    parts: Mapping[str, Part],
    told: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> Counter[str]:
    """Strike the parts as scheduled, each back before the next is struck; gives how often each blow fell."""
    begun, counts = clock(), Counter[str]()
    for fault in faults:
        wait(max(0.0, begun + fault.at - clock()))
        told(str(fault))
        part = parts[fault.target]
        if fault.blow == "pause":
            part.pause()
            wait(fault.seconds)
            part.resume()
        else:
            (part.kill if fault.blow == "kill" else part.stop)()
            wait(fault.seconds)
            part.start()
        counts[f"{fault.blow} {fault.target}"] += 1
    return counts
