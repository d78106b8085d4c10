"""Where a URL leads: the server that is dialled, and what it is asked for."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote, urlsplit

from msgspec import Struct

_PORTS = {"http": 80, "https": 443}


class Origin(Struct, frozen=True):
    """A server; `host` is what is looked up, `name` what its certificate must be for, `header` goes into Host."""

    secure: bool
    host: str
    port: int
    name: str
    header: str


def split(url: str) -> tuple[Origin, str]:
    """The origin of a whole URL, and the target that is sent to it; raises ValueError for what is no such URL."""
    begin = url.find("/", url.find("://") + 3)
    if begin < 0:
        return _origin(url), "/"
    return _origin(url[:begin]), url[begin:]


@lru_cache(256)
def _origin(text: str) -> Origin:
    parts = urlsplit(text)
    scheme, host = parts.scheme, parts.hostname
    if scheme not in _PORTS or not host:
        raise ValueError("neither http nor https")
    port = parts.port or _PORTS[scheme]
    host = unquote(host)
    name = host.partition("%")[0]  # the zone of a link-local address is nobody's business but ours
    header = f"[{name}]" if ":" in name else name
    if port != _PORTS[scheme]:
        header = f"{header}:{port}"
    return Origin(scheme == "https", host, port, name.rstrip("."), header)
