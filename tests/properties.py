"""Hypothesis with this project's profile: whoever tests a property imports it from here, and nobody else loads it."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

__all__ = ["HealthCheck", "example", "given", "settings", "st"]

# A busy machine is no mistake of what is tested: no example has a deadline.
settings.register_profile("bff", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bff")
