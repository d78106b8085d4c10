"""Hypothesis with this project's profile: whoever tests a property imports it from here, and nobody else loads it."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

__all__ = ["HealthCheck", "example", "given", "settings", "st"]

# A busy machine is no mistake of what is tested: no example has a deadline. In CI a commit is judged by the same
# examples each time; everywhere else each run tries others.
settings.register_profile(
    "bff", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("bff")
