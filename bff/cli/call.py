"""`call`: one page, asked in this process, with what it answers and how long each step took."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bff import clock, jsontext
from bff.dev.asking import Called, Visitor, ask_page, visitor_of
from bff.dev.waterfall import waterfall
from bff.errors import OperatorError


def call(
    root: Path, page: str, query: Sequence[str], data: str | None, who: Path | None, *, trace: bool
) -> int:
    """Print what a page answers; 1 where that is a problem. Its status, and with `trace` its steps, go to stderr."""
    visitor = None if who is None else visitor_in(who)
    called = ask_page(
        root.resolve(), page, [pair_of(one) for one in query], body_of(data), visitor, os.environ
    )
    ended = clock.monotonic()
    print(_shown(called.body))
    journal = called.journal
    sys.stdout.flush()
    print(f"{called.status} in {(ended - journal.begun) * 1000:.0f} ms{_marks(called)}", file=sys.stderr)
    for hint in called.hints:
        print(hint, file=sys.stderr)
    if trace:
        for line in waterfall(list(journal.traces.values()), journal.begun, ended):
            print(line, file=sys.stderr)
    return 0 if called.status < 400 else 1


def body_of(data: str | None) -> bytes | None:
    """The body that `-d` says, or names a file of."""
    if data is None:
        return None
    return _read(Path(data[1:])).encode() if data[:1] == "@" else data.encode()


def pair_of(text: str) -> tuple[str, str]:
    """A name and a value of `-q`; raises OperatorError for what has no `=`."""
    name, is_pair, value = text.partition("=")
    if not is_pair:
        raise OperatorError(f"-q takes NAME=VALUE, and {text!r} has no =")
    return name, value


def visitor_in(path: Path) -> Visitor:
    """The visitor of a file; raises OperatorError where that cannot be read, or says something else."""
    return visitor_of(_read(path))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        ) from None


def _shown(body: bytes) -> str:
    """JSON in lines that people read; anything else as it is."""
    try:
        return json.dumps(jsontext.decode(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body.decode("utf-8", "replace")


def _marks(called: Called) -> str:
    """What of the page is missing or old."""
    journal = called.journal
    found = [("partial", journal.partial), ("old", journal.stale)]
    return "".join(f"  {mark}: {', '.join(names)}" for mark, names in found if names)
