"""The bars of a page's steps."""

from __future__ import annotations

from bff.dev.waterfall import waterfall
from bff.errors import Failure
from bff.executor import StepTrace


def test_bars_stand_where_their_steps_were_under_way() -> None:
    traces = [
        StepTrace("people", 10.5, 11.0, "ok", 3),
        StepTrace("me", 10.0, 10.25, "ok", 1),
        StepTrace("notice", 10.0, 10.3, "fallback", 1, Failure("notice", "timeout", 504, "")),
        StepTrace("counts", 10.3, 10.301, "fallback", 1, Failure("counts", "status", 502, "", 503)),
        StepTrace("late", 10.99, 0.0, "ok", 0),
    ]
    assert "\n".join(waterfall(traces, 10.0, 11.0)) == (
        "page    ========================================   1000.0 ms\n"
        "me      ==========                                  250.0 ms  ok\n"
        "notice  ============                                300.0 ms  fallback (timeout)\n"
        "counts              =                                 1.0 ms  fallback (status 503)\n"
        "people                      ====================    500.0 ms  ok  3 requests\n"
        "late                                           =     10.0 ms  unfinished"
    )


def test_a_page_without_steps_is_one_bar() -> None:
    assert list(waterfall([], 1.0, 1.0)) == ["page  ========================================      0.0 ms"]
