"""What pages make of replies of another form: a table of every step of the app and of the cookbook.

`python -m tests.testing.record` writes `replies_of_another_form.txt` anew.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bff import clock
from bff.testing import FaultCase, matrix_of
from bff.testing.compare import at_path, keys_of, neutral
from bff.testing.matrix import quiet
from bff.testing.seen import Seen
from tests import test_cookbook as cookbook

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("replies_of_another_form.txt")
COLUMNS = ("{}", "null", "empty", "[]", "nulls", "text", "missing", "retyped")
_PATIENT = 5.0
_TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
_ABOUT = """\
What a page makes of a reply of another form, for every step of every recipe. "nulls" is the good reply with null in
the place of lists ({"items": null} where it has none); "missing" is each key in turn that the page goes over or reads
through, or that must be there; "retyped" each that it reads, as a text, or as a mapping where it is neither list nor
mapping.

"502 bad-reply" is the problem of the step, "fallback" a partial page, "same" the good page. "page" is another page,
"empty" one in which every field that hangs on the step is empty: what it reads are leaves that nothing enforces. Below
are the fields that are others then, each with what stands there.
"""


def seen_of(root: Path) -> dict[FaultCase, Seen]:
    """Every case of these columns of a project."""
    with quiet():
        cases = [case for case in matrix_of(root, faults=COLUMNS).cases if case.fault and not case.in_lines]
        with ThreadPoolExecutor(4) as pool:
            return dict(zip(cases, pool.map(lambda case: case.see(_PATIENT), cases), strict=True))


def projects(folder: Path) -> dict[str, Path]:
    """The app, and a project of the recipes of the cookbook, in a folder."""
    return {"the app": ROOT, "the cookbook": cookbook.project(folder, *cookbook.PAGES)}


def table(found: dict[FaultCase, Seen]) -> Iterator[str]:
    """The lines of the table of one project."""
    rows: dict[str, dict[str, list[str]]] = {}
    for case, seen in found.items():
        assert case.fault is not None
        cells = rows.setdefault(f"{case.page}.{case.step}", {})
        of_column = cells.setdefault(case.fault.column or case.fault.name, [])
        if (cell := cell_of(seen)) not in of_column:
            of_column.append(cell)
    texts = [["", *COLUMNS]]
    texts += [[row, *("/".join(cells.get(name, ())) for name in COLUMNS)] for row, cells in rows.items()]
    wide = [max(len(line[at]) for line in texts) for at in range(len(texts[0]))]
    for line in texts:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(line, wide, strict=True)).rstrip()
    yield ""
    alike: dict[tuple[str, str], list[str]] = {}
    for case, seen in found.items():
        if cell_of(seen) in ("page", "empty"):
            changes = ", ".join(f"{path} = {_short(value)}" for path, value in changed(seen))
            alike.setdefault((f"{case.page}.{case.step}", changes), []).append(str(case.fault))
    for (row, changes), faults in alike.items():
        yield f"{row}, {', '.join(faults)}: {changes}"


def cell_of(seen: Seen) -> str:
    """What became of the page, in a word or two."""
    if seen.problem is not None:
        kind = seen.problem.get("failure") or str(seen.problem["type"]).rpartition(":")[2]
        whose = "" if seen.problem.get("step") == seen.name else f" of {seen.problem.get('step')}"
        return f"{seen.found.status} {kind}{whose}"
    if seen.name in seen.found.headers.get("X-Page-Partial", "").split(", "):
        return "fallback"
    if neutral(seen.found.json) == neutral(seen.good.json):
        return "same"
    of_step = [at_path(seen.found.json, keys_of(path)) for path in seen.plan.fields[seen.name]]
    return "page" if any(map(_says_something, of_step)) else "empty"


def changed(seen: Seen) -> Iterator[tuple[str, Any]]:
    """The fields that are not as on the good page, each with what stands there."""
    for path in seen.plan.fields[seen.name]:
        value = at_path(seen.found.json, keys_of(path))
        if neutral(value) != neutral(at_path(seen.good.json, keys_of(path))):
            yield path or "the page", value


def _says_something(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_says_something, value))
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    return bool(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}…"


def measured(folder: Path) -> str:
    """The text of the record, as of a day: pages show what is near today."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: _TODAY)
        patch.setattr(clock, "wall", _TODAY.timestamp)
        parts = [f"{name}\n\n" + "\n".join(table(seen_of(root))) for name, root in projects(folder).items()]
    return "\n\n".join([_ABOUT, *parts]) + "\n"


def main() -> None:
    """Write the record anew."""
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(measured(Path(folder)), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)} is written", file=sys.stderr)


if __name__ == "__main__":
    main()
