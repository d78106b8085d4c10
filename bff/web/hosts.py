"""The hosts that an app answers for, and those that are plainly hosts."""

from __future__ import annotations

import re
from collections.abc import Callable

from bff.memo import memoized

PORT = r"(?::(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}))?"
"""A pattern of the port behind a host, if there is one; above 64999 a look does not tell."""
_PLAIN = re.compile(
    rf"(?:[a-z0-9-]{{1,50}}\.)*[a-z0-9-]{{1,50}}\.?{PORT}|\[[0-9a-f:.]{{2,45}}\]{PORT}", re.I | re.A
)
_ANY_PORT = re.compile(r":\d*$")


@memoized(entries=256, longest=1024)
def is_plain_host(host: str) -> bool:
    """Whether any routing takes a Host header for one; what is not plain is for Flask to judge."""
    return len(host) < 250 and _PLAIN.fullmatch(host) is not None


def serves(hosts: tuple[str, ...]) -> Callable[[str], bool]:
    """What tells whether a host, with or without its port, is one of these; `*.` stands for what is below one."""
    exact = {host for host in hosts if host[:2] != "*."}
    below = tuple(host[1:] for host in hosts if host[:2] == "*.")

    def is_served(host: str) -> bool:
        name = _ANY_PORT.sub("", host).lower().rstrip(".")
        return name in exact or name.endswith(below)

    return is_served
