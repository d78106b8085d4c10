"""Headers that say by which way a request came: a backend believes them, and anybody may write them.

So what a visitor says there goes no further. A client with `forwarded_headers` tells its backend what this layer itself
believes: the address, scheme and host that are left when the proxies that are trusted have been counted.
"""

from __future__ import annotations

from typing import Final

FORWARDED: Final = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
"""What a client with `forwarded_headers` sends: the visitor's address, and the scheme and host that they asked."""

OWN: Final = frozenset(name.lower() for name in FORWARDED)

WAY: Final = frozenset(
    {
        *(
            "forwarded",
            "via",
            "x-forwarded",
            "x-real-ip",
            "x-client-ip",
            "true-client-ip",
            "x-cluster-client-ip",
        ),
        *("client-ip", "akamai-client-ip", "x-azure-clientip", "x-azure-socketip", "x-appengine-user-ip"),
        *("forwarded-for", "x-originating-ip", "x-nf-client-connection-ip", "do-connecting-ip"),
        *("fastly-client-ip", "fly-client-ip", "x-remote-addr", "x-remote-ip", "x-host", "x-proxyuser-ip"),
        *("cf-connecting-ip", "cf-connecting-ipv6", "cf-pseudo-ipv4", "cf-visitor"),
    }
)
WAY_PREFIXES: Final = ("x-forwarded-", "x-vercel-forwarded-", "x-original-", "x-rewrite-", "x-envoy-")
"""Of what is neither read of a visitor nor sent to a backend by a recipe, in lower case."""

OF_BROWSER_AND_EDGE: Final = ("cf-", "cloudfront-", "sec-")
"""Of what a browser or the network at its edge says: a recipe may read it, and not send it on by that name."""


def is_of_the_way(name: str) -> bool:
    """Whether a header of this name, in lower case, says by which way a request came; to many servers _ is a -."""
    name = name.replace("_", "-")
    return name in WAY or name.startswith(WAY_PREFIXES)


def may_not_go_up(name: str) -> bool:
    """Whether no request to a backend may have a header of this name, in lower case, that the layer did not make."""
    return is_of_the_way(name) or name.startswith(OF_BROWSER_AND_EDGE)
