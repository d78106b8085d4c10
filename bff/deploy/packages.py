"""Which of its pinned packages a bundle can do without, and which of those that it has belong together.

What the engine imports late, for something that only some pages or settings ask for, is named here: the source does
not tell when it is used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bff.expressions.rooms import PATTERNED, SEALING
from bff.plan.compiled import CompiledPages
from bff.plan.model import Plan
from bff.recipe.model import Input
from bff.validation import plain_schema

BASE: Final = "base"
REST: Final = "more"
GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "session": frozenset({"cryptography", "cffi"}),
    "schemas": frozenset({"jsonschema-rs"}),
    "redis": frozenset({"redis"}),
    "patterns": frozenset({"google-re2"}),
}
"""Packages that some bundles have, by what they are there for. What every bundle has is `BASE`, all else `REST`."""

OPTIONAL: Final = frozenset(
    {"granian", "jsonschema-rs", "limits", "prometheus-client", "pycparser", "pyjwt", "redis"}
) | {name for names in GROUPS.values() for name in names}


def needless(
    plans: Collection[Plan],
    compiled: CompiledPages,
    settings: Collection[str],
    *,
    counts: bool,
    serves: bool,
) -> Iterator[str]:
    """The distributions that the engine imports only for what none of these pages and settings asks for.

    With `counts` pages are counted for Prometheus, with `serves` `python -m bff serve` starts them.
    """
    recipes = [plan.recipe for plan in plans]
    signed = any(map(wants_keys, plans))
    limited = any(recipe.rate_limit is not None for recipe in recipes)
    requests = [request for plan in plans for request in plan.requests]
    writes = any(step.writes for step in requests)
    caches = any(step.cache is not None for step in requests)
    if not (compiled.validates or any(_needs_library(recipe.input) for recipe in recipes)):
        yield "jsonschema-rs"
    if not limited:
        yield "limits"
    repeats = any(recipe.idempotency_key is not None for recipe in recipes)
    if not (repeats or ("BFF_STATE_URL" in settings and (limited or writes))) and not (
        "BFF_CACHE_URL" in settings and caches
    ):
        yield "redis"
    if "BFF_JWT_JWKS" not in settings:
        yield "pyjwt"
    if not any(plan.functions & PATTERNED for plan in plans):
        yield "google-re2"
    if not (signed or repeats or settings):  # each of them is encrypted, or checks what is signed
        yield "cryptography"
        yield "cffi"
    yield "pycparser"  # cffi reads declarations with it, and those of cryptography were read when it was built
    if not counts:
        yield "prometheus-client"
    if not serves:
        yield "granian"


def wants_keys(plan: Plan) -> bool:
    """Whether a page may know who asks, or seals something for them: with the keys of sessions."""
    recipe = plan.recipe
    return recipe.auth != "none" or recipe.session is not None or bool(plan.functions & SEALING)


def _needs_library(given: Input) -> bool:
    """Whether anything that a page declares of its input is more than plain."""
    schemas = [parameter.schema for group in (given.path, given.query, given.headers) for parameter in group]
    return any(plain_schema(schema) is None for schema in [*schemas, *filter(None, [given.body])])


def group_of(name: str, base: Collection[str]) -> str:
    """The group of a distribution; `base` are those of every bundle."""
    of_groups = (group for group, names in GROUPS.items() if name in names)
    return next(of_groups, BASE if name in base else REST)


def used_files(name: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """What of a distribution the engine uses: of cffi the one module that cryptography's own loads."""
    if name != "cffi":
        return files
    return {path: content for path, content in files.items() if not path.startswith("cffi/")}
