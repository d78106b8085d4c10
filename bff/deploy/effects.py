"""What of a recipe has no effect on a host, and why: said when it is built, where it is still cheap to know."""

from __future__ import annotations

from collections.abc import Iterator

from bff.deploy.target import Target
from bff.http import CacheTerms
from bff.plan.model import Plan

_ONE = "an instance serves one request at a time"


def without_effect(plan: Plan, target: Target) -> Iterator[tuple[str, str]]:
    """The keys of a recipe that do nothing on a host, or less than elsewhere, each with the reason."""
    recipe = plan.recipe
    for name in ("memory", "concurrency", "min_instances"):
        if getattr(recipe.deploy, name, None) is not None and name not in target.deploys:
            yield f"deploy.{name}", f"{target.name} has no such setting"
    if target.max_seconds is not None and recipe.deadline > target.max_seconds:
        yield "deadline", f"the host waits no longer than {target.max_seconds} s"
    if not target.streams:
        yield from _of_streams(plan)
    if not target.resident:
        yield from _of_residents(plan)


def _of_streams(plan: Plan) -> Iterator[tuple[str, str]]:
    for step in plan.parts:
        if any(request.name == step and request.defer for request in plan.requests):
            yield f"{step}.defer", "the host hands on whole answers: the page comes in one piece"
    if plan.recipe.passes:
        yield "pass", "the host hands on whole bodies: nothing is streamed, and its own limit of size holds"


def _of_residents(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.recipe.rate_limit is not None:
        yield "rate_limit", "each instance counts for itself, unless BFF_STATE_URL names a Redis"
    for request in plan.requests:
        cache = request.cache
        if cache is not None:
            yield f"{request.name}.cache", "each instance keeps its own, unless BFF_CACHE_URL names a Redis"
            yield from _of_cache(f"{request.name}.cache", cache)
    for client in plan.clients:
        if client.gate.circuit.may_open:
            yield f"breaker of {client.name}", f"{_ONE}: it knows of no failures of others"
        yield f"concurrency of {client.name}", f"{_ONE}: it bounds the requests of a page, not of the backend"


def _of_cache(name: str, cache: CacheTerms) -> Iterator[tuple[str, str]]:
    if cache.shared:
        yield f"{name}.shared", f"{_ONE}: nobody asks for the same at the same time"
    if cache.stale_while_revalidate:
        yield (
            f"{name}.stale_while_revalidate",
            "the host stops an instance between requests (BFF_BACKGROUND=0)",
        )
