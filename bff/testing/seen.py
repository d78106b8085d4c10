"""A case as it went, and what its recipe declares for that: the ground on which invariants stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bff.expressions.fields import fields
from bff.plan.model import Plan, PlannedRequest, PlannedUntil
from bff.problems import CONTENT_TYPE
from bff.recipe.graph import reached
from bff.recipe.model import Recipe, Request
from bff.recipe.needs import Need
from bff.testing.app_under_test import Answered
from bff.testing.formats import nothing_in
from bff.testing.replied import breaks, chunks_in, items_failed
from bff.testing.scenario import Scenario
from bff.testing.upstream import EMPTY, NOT_JSON, Fault, Upstream

_KEPT = {404, 409, 410, 412, 422, 429}


@dataclass(frozen=True, slots=True)
class Record:
    """The answer of a page, and which steps were asked for it how often; undos are `undo.STEP`."""

    answered: Answered
    asked: Counter[str]


@dataclass(frozen=True)
class Seen:
    """A case as it went: what was declared, what is recorded of the good page, what the visitor and backends saw.

    `step`, `fault` and `reply` (what the fault makes of the good one) are None where every backend is well; `whole`
    is the page in one piece, where `found` came in lines.
    """

    plan: Plan
    scenario: Scenario
    deadline: float
    recorded: Record
    found: Answered
    asked: Counter[str]
    step: PlannedRequest | None = None
    fault: Fault | None = None
    reply: Upstream | None = None
    needs: tuple[Need, ...] = ()
    wanted: Any = None
    whole: Answered | None = None

    @property
    def recipe(self) -> Recipe:
        return self.plan.recipe

    @property
    def good(self) -> Answered:
        """The page while its backends are well."""
        return self.recorded.answered

    @property
    def name(self) -> str:
        """The step that the case is about; empty where every backend is well."""
        return "" if self.step is None else self.step.name

    @cached_property
    def below(self) -> frozenset[str]:
        """The steps that wait for it, itself included."""
        edges = {name: frozenset(after) for name, after in self.plan.followers.items()}
        return reached(self.name, edges) if self.name else frozenset()

    @cached_property
    def problem(self) -> Mapping[str, Any] | None:
        """The problem that the page ended with."""
        is_problem = self.found.headers.get("Content-Type") == CONTENT_TYPE
        return self.found.json if is_problem and isinstance(self.found.json, dict) else None

    @cached_property
    def fails(self) -> bool | None:
        """Whether the step fails with this reply; None where its recipe has a say in that."""
        step, reply = self.step, self.reply
        if step is None or reply is None or self.is_good:
            return False
        if self.fault is not None and self.fault.leaves:
            return True if self._has_no_say else None
        if reply.ends_as is not None:
            return bool(reply.ends_as[0]) or None
        if reply.broken is None and (reply.status in step.on_status or step.ok is not None):
            return None
        if reply.broken is not None or not 200 <= reply.status < 300:
            return True
        if self.recipe.passes:
            return reply.body is NOT_JSON
        if isinstance(step.repeats, PlannedUntil):  # it may be asked again, whatever came
            return None
        if reply.body is EMPTY and step.format is not None:
            reply = replace(reply, body=nothing_in(step.format.format))
        if reply.body is EMPTY and self._names_items(None):
            return None
        if reply.body is NOT_JSON or reply.body is EMPTY:
            return (step.reads if reply.body is NOT_JSON else step.reads_into) or None
        if self._names_items(reply.body):
            return None
        if breaks(step, reply, self.needs, self.scenario.good.scope):
            return True
        return False if self._has_empty_lists else None

    def _names_items(self, body: Any) -> bool:
        """Whether a bulk write takes a body for one that says that some of its items were not done."""
        step, scope = self.step, self.scenario.good.scope
        if step is None or step.failed is None:
            return False
        return any(items_failed(step, scope, body, chunk) for chunk in chunks_in(step, scope))

    @property
    def _has_no_say(self) -> bool:
        """Whether the recipe leaves it to the layer what a reply means that is a success by its status."""
        written = self.recipe.step(self.name)
        assert isinstance(written, Request) and self.reply is not None
        if self.reply.status in dict(written.on_status):
            return False
        return written.ok is None or (written.graphql is not None and written.graphql.judged)

    @property
    def _has_empty_lists(self) -> bool:
        """Whether the reply is the good one, with null in the place of lists."""
        if self.fault is None or not self.fault.is_empty_list or self.reply is None:
            return False
        good, now = self.scenario.replies[self.name].body, self.reply.body
        return isinstance(good, list) or (isinstance(good, dict) and good.keys() <= now.keys())

    @property
    def is_good(self) -> bool:
        """Whether the step has its good reply after all, be it one that was kept."""
        return self.fault is None or self.fault.stale or self.is_old

    @property
    def is_old(self) -> bool:
        """Whether a reply that was kept stands in for the one that failed."""
        return self.reply is not None and self.reply.old is not None

    @property
    def falls_back(self) -> bool:
        return self.step is not None and self.step.fallback is not None

    @property
    def shows_reply(self) -> bool:
        """Whether the page goes on with what a fallback makes of the reply that failed."""
        return self.step is not None and self.step.falls_back_on_reply

    @property
    def status(self) -> int:
        """The status with which the step's failure ends a page, by the table in docs/recipes.md."""
        assert self.step is not None and self.reply is not None
        if self.reply.ends_as is not None:
            return self.reply.ends_as[1]
        upstream = (self.fault and self.fault.told) or self.reply.old or self.reply.status
        if self.reply.broken is not None:
            return 504 if self.reply.broken == "timeout" else 502
        if upstream in _KEPT or (upstream in (401, 403) and self.step.client.forwards_token):
            return upstream
        return 422 if upstream == 400 and self.step.body_from_input else 502

    @property
    def kind(self) -> str:
        """How the step fails."""
        assert self.reply is not None
        if self.fault is not None and self.fault.leaves:
            return "status"
        if self.reply.ends_as is not None:
            return self.reply.ends_as[0]
        if self.reply.broken is not None or self.is_old or not 200 <= self.reply.status < 300:
            return self.reply.broken or "status"
        is_json = not self.recipe.passes and (self.step is None or self.step.format is None)
        return "not-json" if self.reply.body is NOT_JSON and is_json else "bad-reply"

    def fields(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The fields of the page, each with the names that it is made of."""
        for path, inspection in fields(self.recipe.shape) if self.recipe.shape is not None else ():
            yield path, frozenset(use.name for use in inspection.names)
