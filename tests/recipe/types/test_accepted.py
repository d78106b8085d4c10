"""Which conditions of `ok` let replies through of which a backend promises nothing."""

from __future__ import annotations

import pytest

from bff.expressions.parse import parse
from bff.recipe.types.accepted import accepts_failures


@pytest.mark.parametrize(
    "ok",
    [
        "reply.status == 200",
        "200 <= reply.status < 300",
        "reply['status'] in [200, 201]",
        "reply.status == 200 and reply.body.id",
        "not (reply.status < 200 or reply.status >= 300)",
        "not (reply.status not in [200])",
        "reply.status == 200 or reply.status == 201",
        "200 <= reply.status and reply.status <= 299 and not reply.body.error",
    ],
)
def test_a_condition_rules_out_every_failure(ok: str) -> None:
    assert not accepts_failures(parse(ok))


@pytest.mark.parametrize(
    "ok",
    [
        "reply.status < 500",
        "reply.status != 404",
        "not reply.body.error",
        "200 <= reply.status < 300 or reply.body.code == 'taken'",
        "reply.status in [200, reply.body.other]",
        "reply.status not in [404]",
        "reply.status == reply.body.status",
        "true",
        "200 <= reply.status <= 300",
    ],
)
def test_a_condition_may_take_a_failure_for_a_success(ok: str) -> None:
    assert accepts_failures(parse(ok))
