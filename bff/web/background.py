"""What pages have done behind them: made once at start, from the settings and from what the host is."""

from __future__ import annotations

from collections.abc import Mapping

from bff.http import BackgroundReads, freezes_between_requests
from bff.settings import Settings


def background_of(settings: Settings, environ: Mapping[str, str]) -> BackgroundReads:
    """With the store that `BFF_CACHE_URL` names, where it names one."""
    # What the operator says goes before what the host looks like.
    runs_on = settings.background and ("BFF_BACKGROUND" in environ or not freezes_between_requests(environ))
    if not settings.cache_url:
        return BackgroundReads(runs_on=runs_on)
    from bff.http.cache.redis_cache import RedisCache  # it imports cryptography

    return BackgroundReads(RedisCache(settings.cache_url, settings.session_keys), runs_on=runs_on)
