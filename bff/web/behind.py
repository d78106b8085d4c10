"""What pages have done behind them: made once at start, from the settings and from what the host is."""

from __future__ import annotations

from collections.abc import Mapping

from bff.errors import OperatorError
from bff.http import Behind, freezes_between_requests
from bff.settings import Settings


def behind_of(settings: Settings, environ: Mapping[str, str]) -> Behind:
    """Raises OperatorError for a URL or a key that cannot be used."""
    # What the operator says goes before what the host looks like.
    runs_on = settings.background and ("BFF_BACKGROUND" in environ or not freezes_between_requests(environ))
    if not settings.cache_url:
        return Behind(runs_on=runs_on)
    from bff.http.tier import RedisTier  # it imports cryptography

    try:
        tier = RedisTier(settings.cache_url, settings.session_keys)
    except ValueError:
        raise OperatorError("BFF_CACHE_URL: expected a URL such as redis://127.0.0.1:6379/1") from None
    return Behind(tier, runs_on=runs_on)
