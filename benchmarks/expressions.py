"""What compiled expressions cost beside the Python that one would write by hand for the same page.

`python benchmarks/expressions.py` prints a table and exits with 1 when a case is over its bound.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bff.expressions import Evaluation, compile_tree
from bff.expressions.parse import parse, parse_each
from bff.expressions.tree import Each, Let, Mapping, Tree

SIZES = (100, 10_000)
ROUNDS = 41
ITEMS_PER_ROUND = 20_000

Scope = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A page part: the tree as a recipe has it, the same by hand, and how many times by hand it may cost."""

    name: str
    tree: Tree
    by_hand: Callable[[Scope], Any]
    bound: float


def scope(items: int) -> Scope:
    """A team's todos with their helpers and owners; every seventh has no helper, every fifth no hours."""
    people = {f"person{number:04d}": {"name": f"名字 {number}"} for number in range(max(30, items // 20))}
    names = list(people)
    todos = [
        {
            "id": f"todo{number:05d}",
            "title": f"Water the plants {number}",
            "status": "open" if number % 3 else "done",
            "helper_id": names[number % len(names)] if number % 7 else "",
            "owner_id": names[number * 7 % len(names)],
            "hours": number % 9 if number % 5 else None,
            "due": f"2026-11-{number % 30 + 1:02d}",
            "tags": ["home", "garden"],
            "notes": "",
        }
        for number in range(items)
    ]
    query = {"status": "open", "until": "2026-11-20"}
    return {"todos": todos, "people": people, "query": query, "rate": 40}


def _item(**fields: str) -> Mapping:
    return Mapping(tuple((key, parse(text)) for key, text in fields.items()))


def joined_by_hand(scope: Scope) -> Any:
    people, status = scope["people"], scope["query"].get("status")
    return [
        {
            "id": todo.get("id"),
            "title": todo.get("title"),
            "helper": (people.get(todo.get("helper_id")) or {}).get("name"),
            "owner": (people.get(todo.get("owner_id")) or {}).get("name"),
        }
        for todo in scope["todos"]
        if todo.get("status") == status
    ]


JOINED = Case(
    "filter + project + two joins",
    Each(
        (parse_each("todo in todos if todo.status == query.status"),),
        _item(
            id="todo.id",
            title="todo.title",
            helper="people[todo.helper_id].name",
            owner="people[todo.owner_id].name",
        ),
    ),
    joined_by_hand,
    1.5,
)


def computed_by_hand(scope: Scope) -> Any:
    people, until, rate = scope["people"], scope["query"].get("until"), scope["rate"]
    result = []
    for todo in scope["todos"]:
        due = todo.get("due")
        if due is not None and due < until:
            hours = todo.get("hours")
            result.append(
                {
                    "id": todo.get("id"),
                    "helper": (people.get(todo.get("helper_id")) or {}).get("name"),
                    "owner": (people.get(todo.get("owner_id")) or {}).get("name"),
                    "cost": None if hours is None else hours * rate + 5,
                    "long": None if hours is None else hours > 4,
                }
            )
    return result


COMPUTED = Case(
    "… with ordering and arithmetic",
    Each(
        (parse_each("todo in todos if todo.due < query.until"),),
        _item(
            id="todo.id",
            helper="people[todo.helper_id].name",
            owner="people[todo.owner_id].name",
            cost="todo.hours * rate + 5",
            long="todo.hours > 4",
        ),
    ),
    computed_by_hand,
    2.0,
)


def flat_by_hand(scope: Scope) -> Any:
    people, rate, result = scope["people"], scope["rate"], []
    for todo in scope["todos"]:
        if todo.get("status") == "open":
            helper, hours = people.get(todo.get("helper_id")) or {}, todo.get("hours")
            cost = None if hours is None else hours * rate + 5
            for tag in todo.get("tags") or ():
                long = None if cost is None else cost > 100
                result.append({"tag": tag, "helper": helper.get("name"), "cost": cost, "long": long})
    return result


FLAT = Case(
    "two loops + lets",
    Each(
        (parse_each("todo in todos if todo.status == 'open'"), parse_each("tag in todo.tags")),
        _item(tag="tag", helper="helper.name", cost="cost", long="cost > 100"),
        (
            Let("helper", parse("people[todo.helper_id]")),
            Let("cost", parse("todo.hours * rate + 5")),
        ),
    ),
    flat_by_hand,
    3.0,
)


def measure(case: Case, items: int) -> list[float]:
    """How many times the cost by hand the compiled tree costs, in ascending order, of interleaved rounds."""
    compiled, values = compile_tree(case.tree), scope(items)
    if compiled(values, Evaluation()) != case.by_hand(values):
        raise AssertionError(f"{case.name}: the compiled tree and the one by hand differ")
    calls = max(1, ITEMS_PER_ROUND // items)
    ratios = []
    for _ in range(ROUNDS):
        by_hand = _seconds(lambda: case.by_hand(values), calls)
        ratios.append(_seconds(lambda: compiled(values, Evaluation()), calls) / by_hand)
    return sorted(ratios)


def _seconds(call: Callable[[], Any], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - start


def _row(case: Case, items: int) -> dict[str, Any]:
    ratios = measure(case, items)
    quarter = len(ratios) // 4
    return {
        "name": case.name,
        "items": items,
        "times_hand_written": round(statistics.median(ratios), 2),
        "spread": {"times_hand_written": [round(ratios[quarter], 2), round(ratios[-1 - quarter], 2)]},
        "rounds": len(ratios),
        "bound": case.bound,
    }


def run() -> tuple[list[dict[str, Any]], bool]:
    """Prints the table; gives one row for each case and size, and whether all are within their bounds."""
    rows = [_row(case, items) for case in (JOINED, COMPUTED, FLAT) for items in SIZES]
    print(f"{'expressions':34}{'items':>8}{'× by hand':>12}{'bound':>8}")
    for row in rows:
        late = "  over" if row["times_hand_written"] > row["bound"] else ""
        print(f"{row['name']:34}{row['items']:>8}{row['times_hand_written']:>12.2f}{row['bound']:>8}{late}")
    return rows, all(row["times_hand_written"] <= row["bound"] for row in rows)


def main() -> int:
    return 0 if run()[1] else 1


if __name__ == "__main__":
    sys.exit(main())
