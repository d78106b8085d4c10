"""Time zones by their names, and nothing else by them."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, tzinfo
from functools import cache
from typing import Any


def zone_of(name: Any) -> tzinfo | None:
    """The zone of a name; None where there is none, or where that is no name."""
    if name == "UTC":
        return UTC
    if name.__class__ is not str or name not in zone_names():
        return None
    try:
        return _loaded(name)
    except (ValueError, OSError, LookupError):
        return None


@cache
def zone_names() -> Set[str]:
    """Every zone there is: to look for one that is not there goes through many folders and takes a millisecond."""
    from zoneinfo import available_timezones  # only pages with times of other zones need them

    return available_timezones()


@cache
def _loaded(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
