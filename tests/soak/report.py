"""The table of a run, and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.soak.gauges import GROWTH_PER_MINUTE, MIB, Sample, growing, growth_per_minute
from tests.soak.judge import Truth, judge
from tests.soak.ledger import Kind, Ledger, Operation, Violation

_KINDS: tuple[Kind, ...] = ("add", "edit", "comment", "remove")
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run brought: what visitors say, what the backend holds, faults, gauges, what logs tell."""

    ledger: Ledger
    truth: Truth
    faults: Mapping[str, int]
    samples: Sequence[Sample]
    tracebacks: int = 0

    def violations(self) -> list[Violation]:
        """Every promise that was broken."""
        ledger = self.ledger
        found = [*ledger.violations, *judge(ledger.operations, self.truth)]
        found += [Violation(-1, "", words) for words in growing(self.samples)]
        if ledger.unfinished:
            found.append(Violation(-1, "", f"{ledger.unfinished} visitors never came to an end"))
        if self.tracebacks:
            found.append(Violation(-1, "", f"{self.tracebacks} tracebacks in the logs of the instances"))
        if not any(operation.acknowledged for operation in ledger.operations):
            found.append(Violation(-1, "", "no write was answered as done: nothing was tried"))
        return found

    def table(self) -> str:
        """Counts, faults, gauges and the verdict, as text."""
        found = self.violations()
        verdict = "every promise was kept" if not found else f"{len(found)} promises were broken"
        shown = [f"  {violation}" for violation in found[:_SHOWN]]
        if len(found) > _SHOWN:
            shown.append(f"  … and {len(found) - _SHOWN} more")
        lines = [*self._answers(), "", *self._writes(), "", *self._faults(), "", *self._gauges()]
        return "\n".join([*lines, "", verdict, *shown])

    def _answers(self) -> Iterator[str]:
        statuses, seconds = self.ledger.statuses, sorted(self.ledger.seconds)
        yield f"answers    {sum(statuses.values())}: " + _counts(statuses)
        if seconds:
            p50, p99 = (seconds[int(len(seconds) * share)] * 1000 for share in (0.5, 0.99))
            yield f"latency    p50 {p50:.0f} ms, p99 {p99:.0f} ms of the answered pages, faults among them"

    def _writes(self) -> Iterator[str]:
        yield f"{'writes':11}{'asked':>8}{'done':>8}{'unknown':>9}{'refused':>9}{'tries':>8}{'repeated':>10}"
        for kind in _KINDS:
            yield _row(kind, [one for one in self.ledger.operations if one.kind == kind])
        yield f"rows       {len(self.truth.todos)} todos, {len(self.truth.comments)} comments in the backend"

    def _faults(self) -> Iterator[str]:
        yield f"faults     {sum(self.faults.values())}: " + _counts(self.faults)

    def _gauges(self) -> Iterator[str]:
        if not self.samples:
            return
        first, last = self.samples[0], self.samples[-1]
        for gauge, unit in (("memory", MIB), ("descriptors", 1)):
            ends = [getattr(one, gauge) / unit for one in (first, last)]
            slope = growth_per_minute(self.samples, gauge)
            told = "too short a run to tell growth"
            if slope is not None:
                bound = GROWTH_PER_MINUTE[gauge] / unit
                told = f"{slope / unit:+.2f} a minute in the second half, at most {bound:g} may be"
            name = "memory MiB" if gauge == "memory" else "files open"
            yield f"{name:11}{ends[0]:.1f} to {ends[1]:.1f}; {told}"


def _row(kind: str, operations: Sequence[Operation]) -> str:
    done = sum(one.acknowledged for one in operations)
    unknown = sum(one.possible and not one.acknowledged for one in operations)
    tries = sum(len(one.tries) for one in operations)
    again = sum(len(one.tries) > 1 for one in operations)
    asked = len(operations)
    return f"{kind:11}{asked:>8}{done:>8}{unknown:>9}{asked - done - unknown:>9}{tries:>8}{again:>10}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(Counter(counts).items()))
