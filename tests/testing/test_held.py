"""What the plan of a step holds its replies to, by path."""

from __future__ import annotations

from typing import Any

import pytest

from bff.expressions.paths import ANY, Path
from bff.testing import Matrix
from bff.testing.held import HeldReply
from bff.testing.trial import Stage
from bff.testing.upstream import Upstream


def held(matrix: Matrix, step: str) -> HeldReply:
    [case] = [case for case in matrix.cases if str(case) == "promised-good"]
    [planned] = [planned for planned in case.under_test.page.plan.requests if planned.name == step]
    return HeldReply(planned)


@pytest.mark.parametrize(
    ("step", "path", "value", "fits"),
    [
        ("person", ("name",), "Ann", True),
        ("person", ("name",), 3, False),
        ("person", ("name",), None, False),
        ("person", ("age",), 3, True),
        ("person", ("age",), True, False),
        ("person", ("state",), "widowed", True),
        ("person", ("other",), 3, True),
        ("rows", ("found",), "text", False),
        ("rows", ("found", ANY, "due"), None, True),
        ("rows", ("found", ANY, "due"), "today", False),
        ("settings", ("depth",), 1.5, True),
        ("settings", ("colour",), "green", True),
        ("settings", ("colour",), 3, False),
        ("settings", ("by_name", ANY), False, True),
        ("settings", ("by_name", ANY), "no", False),
        ("settings", ("inner", ANY, "inner", ANY, "depth"), "deep", False),
        ("settings", ("other", "inner"), "text", True),
    ],
)
def test_a_value_fits_where_it_is_of_the_promised_kind(
    matrix: Matrix, step: str, path: Path, value: Any, fits: bool
) -> None:
    assert held(matrix, step).fits(path, value) is fits


@pytest.mark.parametrize(
    ("step", "body", "refused"),
    [
        ("person", {"name": "Ann", "age": 3, "state": "widowed"}, False),
        ("person", {"name": "Ann", "age": 3}, True),
        ("person", {"name": None, "age": 3, "state": "single"}, True),
        ("rows", {"found": [{"id": 1}, {"id": 2, "due": None}]}, False),
        ("rows", {"found": [{"id": 1}, {"due": None}]}, True),
        ("settings", {"depth": 1, "colour": "red", "by_name": {}, "inner": []}, False),
        ("settings", {"depth": 1, "colour": "red", "by_name": {"a": 1}, "inner": []}, True),
    ],
)
def test_a_body_is_refused_that_is_not_what_is_promised(
    matrix: Matrix, step: str, body: Any, refused: bool
) -> None:
    assert held(matrix, step).refuses(body) is refused


def test_what_is_required_is_required_by_its_path(matrix: Matrix) -> None:
    rows = held(matrix, "rows")
    assert [rows.requires(("found", ANY, name)) for name in ("id", "due", "other")] == [True, False, False]
    assert [rows.form(("found", ANY, name)) for name in ("id", "due", "other")] == [
        "integer",
        "boolean",
        "any",
    ]


def test_a_step_is_held_to_nothing_whose_reply_is_not_read(matrix: Matrix) -> None:
    [case] = [case for case in matrix.cases if str(case) == "sending-good"]
    [planned] = case.under_test.page.plan.requests
    assert HeldReply(planned).refuses("text") is False


def test_a_run_tells_of_a_reply_that_is_not_what_is_promised(matrix: Matrix) -> None:
    [case] = [case for case in matrix.cases if str(case) == "promised-good"]
    replies = {**case.scenario.replies, "rows": Upstream(200, {}, {"found": 1})}
    run = Stage(case.under_test.page.plan).run(case.scenario.scope, replies)
    assert (run.unmet, run.problem) == ((("rows", "reply"),), None)
