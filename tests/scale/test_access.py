"""What failed is found in nginx's log, and excused only where a kill was what cut it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scale.access import AccessLog, Line, read, unexplained
from tests.scale.kills import Kill

KILL = Kill(7001, 100.0, 100.1)
LINE = {"at": 100.05, "took": 0.5, "method": "POST", "path": "/api/todos", "status": 502}
CUT = {**LINE, "upstreams": "127.0.0.1:7001", "heads": "-", "complete": "OK"}


def line(**more: Any) -> Line:
    """A request that was under way at port 7001 when it was killed, but for what is given."""
    (found,) = read(json.dumps(CUT | more))
    return found


def test_what_a_kill_cut_is_explained() -> None:
    assert unexplained([line()], [KILL]) == []


def test_what_was_passed_on_elsewhere_and_answered_has_not_failed() -> None:
    served = line(status=200, upstreams="127.0.0.1:7001, 127.0.0.1:7002", heads="-, 0.031")
    assert (served.upstreams, served.failed) == ((7001, 7002), False)


@pytest.mark.parametrize(
    "more",
    [
        {"at": 99.9},
        {"at": 100.8},
        {"upstreams": "127.0.0.1:7002"},
        {"heads": "0.004"},
        {"status": 500, "heads": "0.004"},
        {"status": 499, "complete": ""},
    ],
    ids=["ended before", "began after", "elsewhere", "an answer of the app", "a 500", "left by the visitor"],
)
def test_what_no_kill_cut_is_not_explained(more: dict[str, Any]) -> None:
    assert unexplained([line(**more)], [KILL]) == [line(**more)]


def test_an_answer_that_broke_off_has_failed() -> None:
    broken = line(status=200, heads="0.004", complete="")
    assert unexplained([broken], []) == [broken]
    assert unexplained([broken], [KILL]) == []


def test_a_log_is_read_on_from_where_a_whole_line_ended(tmp_path: Path) -> None:
    path, whole = tmp_path / "access.log", json.dumps(CUT) + "\n"
    log = AccessLog(path)
    assert log.follow() == []
    path.write_text(whole + whole[:20])
    assert log.follow() == [line()]
    path.write_text(whole + whole)
    assert log.follow() == [line()]
    assert log.lines == [line(), line()]
