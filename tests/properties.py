"""Hypothesis with this project's profile: whoever tests a property imports it from here, and nobody else loads it."""

from __future__ import annotations

import os
from typing import Any

import hypothesis
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

__all__ = ["HealthCheck", "example", "given", "settings", "st"]

# Each run tries other examples, so a fifth of them does while one works. A commit is judged by all: `ALL_EXAMPLES=1`.
_SHARE = 1 if "ALL_EXAMPLES" in os.environ else 5


def settings(*parent: hypothesis.settings, max_examples: int = 100, **more: Any) -> hypothesis.settings:
    """Hypothesis's settings; of the examples, as many as this run is for."""
    return hypothesis.settings(*parent, max_examples=max_examples // _SHARE, **more)


# A busy machine is no mistake of what is tested: no example has a deadline. In CI a commit is judged by the same
# examples each time; everywhere else each run tries others.
hypothesis.settings.register_profile(
    "bff",
    settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ),
)
hypothesis.settings.load_profile("bff")
