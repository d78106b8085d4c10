"""What settings that say where something is may hold.

Each reader gives the text as it is used, or raises ValueError with what is expected and no part of what came: any of it
may be a secret, above all where the mistake is an unescaped character in a password.
"""

from __future__ import annotations

import os
import re
import socket
from urllib.parse import SplitResult, parse_qsl, urlsplit

_REDIS = (
    "a URL such as redis://127.0.0.1:6379/0, rediss://… or unix:///run/redis.sock, "
    "with / in its password as %2F, @ as %40, ? as %3F and # as %23"
)
_HTTPS = "a URL that begins with https:// and holds no user name or password"
_ORIGINS = "origins such as https://app.example, in lower case, with commas between"
_PRINTABLE = re.compile(r"[!-~]+")
_SCHEMES = ("redis://", "rediss://", "unix://")
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
_DATABASE = re.compile(r"/?[0-9]{0,4}")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")

_CHOICES = {
    "ssl_cert_reqs": ("none", "optional", "required"),
    "ssl_check_hostname": ("true", "false"),
}
_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
_OPTIONS = ("client_name", "db", "password", "username")
_TLS_OPTIONS = (*_OPTIONS, *_CHOICES, *_FILES)


def redis_url(text: str) -> str:
    """The URL of a Redis, all of whose options are known and good."""
    url = text.strip()
    parts = _parts(url, _REDIS)
    if not url.startswith(_SCHEMES) or parts.fragment:  # its client knows them in lower case only
        raise ValueError(_REDIS)
    if parts.scheme == "unix":
        right = parts.path not in {"", "/"} and not parts.hostname
    else:
        right = bool(parts.hostname) and _DATABASE.fullmatch(parts.path) is not None
    if not right:
        raise ValueError(_REDIS)
    _check_options(parts)
    return url


def https_url(text: str) -> str:
    """A URL of something that is fetched over https."""
    url = text.strip()
    parts = _parts(url, _HTTPS)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError(_HTTPS)
    return url


def origins(text: str) -> tuple[str, ...]:
    """Origins with commas between, as browsers write them."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(_ORIGIN.fullmatch(origin) for origin in found):
        raise ValueError(_ORIGINS)
    for origin in found:
        _parts(origin, _ORIGINS)
    return found


def _parts(url: str, expected: str) -> SplitResult:
    """A URL in its parts, with a port and a host that can be: what looks names up raises for others, at each page."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    host = parts.hostname
    if not _PRINTABLE.fullmatch(url) or port == 0 or (host and not _is_host(host)):
        raise ValueError(expected)
    return parts


def _is_host(host: str) -> bool:
    """Whether this is a name of labels that are neither empty nor too long, or an IPv6 address."""
    if ":" not in host:
        return _HOST.fullmatch(host) is not None
    try:
        socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except OSError:
        return False
    return True


def _check_options(parts: SplitResult) -> None:
    """Refuse what the client would only stumble over at the first page, or take over what the layer sets."""
    known = _TLS_OPTIONS if parts.scheme == "rediss" else _OPTIONS
    expected = f"a {parts.scheme}:// URL with no other options than {', '.join(sorted(known))}"
    try:
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(expected) from None
    for name, value in options:
        if name not in known:
            raise ValueError(expected)
        if name == "db" and not re.fullmatch("[0-9]{1,4}", value):
            raise ValueError("a URL whose option db is a number")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ValueError(f"a URL whose option {name} is {' or '.join(_CHOICES[name])}")
        if name in _FILES and not os.path.exists(value):
            raise ValueError(f"a URL whose option {name} names what is there")
