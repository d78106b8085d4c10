"""What is recorded of the calls of pages, and how it differs from what they make now.

`python -m tests.counts.record` writes `counts.json` anew and prints its table with the most that each line may be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from tests.counts.kinds import ROOT, TABLE, Line

FILE = Path(__file__).with_name("counts.json")
COMMAND = "python -m tests.counts.record"
USUAL = "*"
"""In place of a kind: every kind that is not named beside it."""
SORTS = {"python": "Python", "c": "C"}

Calls: TypeAlias = Mapping[str, Mapping[str, int]]
"""How often each function is called, under `python` and `c`."""


def measured() -> dict[str, Calls]:
    """The calls of each kind of page, counted in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("BFF_", "PYTHON"))}
    command = [sys.executable, "-m", "tests.counts.measure"]
    found = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300)
    if found.returncode:
        raise RuntimeError(f"the calls could not be counted:\n{found.stderr}")
    return dict(json.loads(found.stdout))


def recorded(text: str) -> dict[str, Calls]:
    """The calls of each kind of page, of the text of the record."""
    document = json.loads(text)
    return {
        kind: {
            sort: {name: count for name, entry in document[sort].items() if (count := _count(entry, kind))}
            for sort in SORTS
        }
        for kind in document["totals"]
    }


def written(calls: Mapping[str, Calls]) -> str:
    """The text of the record: a line of it is about one line of the table, one kind or one function."""
    totals = {kind: {sort: sum(of_kind[sort].values()) for sort in SORTS} for kind, of_kind in calls.items()}
    parts: dict[str, Mapping[str, object]] = {"table": _table(totals), "totals": totals}
    for sort in SORTS:
        names = sorted({name for of_kind in calls.values() for name in of_kind[sort]})
        parts[sort] = {
            name: _entry({kind: of_kind[sort].get(name, 0) for kind, of_kind in calls.items()})
            for name in names
        }
    texts = (
        f"{json.dumps(part)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items())
        + "\n}"
        for part, entries in parts.items()
    )
    return "{\n" + ",\n".join(texts) + "\n}\n"


def _entry(counts: Mapping[str, int]) -> dict[str, int]:
    """A function's counts by kind; where most are the same, that one stands for them."""
    most = max(counts.values(), key=lambda count: (list(counts.values()).count(count), count))
    usual = {USUAL: most} if most else {}
    return usual | {kind: count for kind, count in counts.items() if count != most}


def _count(entry: Mapping[str, int], kind: str) -> int:
    return entry.get(kind, entry.get(USUAL, 0))


def _table(totals: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
    return {
        line.title: {sort: _number(_of(line, totals, sort)) for sort in SORTS}
        | {"target": {sort: most for sort in SORTS if (most := getattr(line, sort)) is not None}}
        for line in TABLE
    }


def _of(line: Line, totals: Mapping[str, Mapping[str, int]], sort: str) -> Fraction:
    return line.of({kind: of_kind[sort] for kind, of_kind in totals.items()})


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else round(float(value), 2)


def difference(kind: str, before: Calls, now: Calls) -> str:
    """What is not as recorded, the functions that grew most first; empty where nothing is."""
    if before == now:
        return ""
    lines = [_headline(kind, before, now)]
    for sort, word in SORTS.items():
        grown, fallen = _changes(before[sort], now[sort])
        if grown:
            lines += [f"{word} functions that are called more often:", *grown]
        if fallen:
            lines += [f"{word} functions that are called less often:", *fallen]
    return "\n".join([*lines, f"Where that is meant, {COMMAND} records it."])


def _headline(kind: str, before: Calls, now: Calls) -> str:
    sums = ((sum(before[sort].values()), sum(now[sort].values()), word) for sort, word in SORTS.items())
    return f"{kind}: " + ", ".join(
        f"{new} {word} calls (recorded {old}, {new - old:+})" for old, new, word in sums
    )


def _changes(before: Mapping[str, int], now: Mapping[str, int]) -> tuple[list[str], list[str]]:
    growth = {name: now.get(name, 0) - before.get(name, 0) for name in {*before, *now}}
    changed = sorted((-grown, name) for name, grown in growth.items() if grown)
    lines = [
        (grown, f"  {-grown:+4}  {name}  {before.get(name, 0)} → {now.get(name, 0)}")
        for grown, name in changed
    ]
    fallen = [text for grown, text in reversed(lines) if grown > 0]
    return [text for grown, text in lines if grown < 0], fallen


def table(text: str) -> Iterator[str]:
    """The table of a record, for people."""
    rows: list[Sequence[str]] = [("", "Python", "at most", "C", "at most")]
    for title, entry in json.loads(text)["table"].items():
        cells = ((entry[sort], entry["target"].get(sort, "")) for sort in SORTS)
        rows.append((title, *(str(cell) for pair in cells for cell in pair)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for title, *cells in rows:
        yield "  ".join(
            [
                title.ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)),
            ]
        ).rstrip()


def main() -> None:
    text = written(measured())
    FILE.write_text(text, encoding="utf-8")
    print(*table(text), sep="\n")


if __name__ == "__main__":
    main()
