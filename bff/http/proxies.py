"""The proxies that the environment names, for clients that go through one."""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import urlsplit


def proxies_of(base_url: str) -> dict[str, str]:
    """What requests reads from the environment for a URL."""
    import requests

    return requests.utils.get_environ_proxies(base_url)


def problem_of_proxy(base_url: str, proxies: dict[str, str]) -> str | None:
    """What keeps the proxy of a URL from being one, None if nothing does; names no part of it: it may hold a secret."""
    import requests

    url = requests.utils.select_proxy(base_url, proxies)
    if url is None:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        right = bool(parts.hostname) and parts.port != 0 and parts.path in {"", "/"} and url.isprintable()
    except ValueError:
        right = False
    if not right:
        return (
            "the proxy that the environment names is no URL such as http://proxy.internal:3128, "
            "with / in its password as %2F and @ as %40"
        )
    if parts.scheme.startswith("socks") and find_spec("socks") is None:
        return "the proxy that the environment names needs PySocks"
    return (
        None if parts.scheme in _SCHEMES else "the proxy that the environment names is neither http nor SOCKS"
    )


_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
