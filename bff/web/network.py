"""Which network a visitor comes from, as a server or a proxy writes their address."""

from __future__ import annotations

import ipaddress
import re

UNKNOWN = "unknown"
"""Stands for every address that is none: a text that anybody may choose anew must not make anybody a new visitor."""

_BRACKETED = re.compile(r"\[([^]]*)\](?::[^:]*)?")
_WITH_PORT = re.compile(r"([^:]*):[^:]*")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def network_of(written: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: the smallest network that a visitor is given.

    Brackets, port, zone and quotes are no part of it (RFC 7239); an IPv4 address inside of an IPv6 one is itself:
    of 6to4 it has 65,536 networks.
    What is no address, such as `unknown` or a hidden `_name`, is UNKNOWN.
    """
    text = written.strip().strip('"').strip()
    port = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        found = ipaddress.ip_address((text if port is None else port[1]).strip().partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    inside = found.ipv4_mapped or found.sixtofour
    if inside is None and found in _TRANSLATED:
        inside = ipaddress.IPv4Address(found.packed[-4:])
    return str(ipaddress.IPv6Network((found, 64), strict=False) if inside is None else inside)
