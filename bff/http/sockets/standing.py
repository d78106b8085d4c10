"""Which of a name's addresses come last, because they failed where another was there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bff import clock
from bff.http.sockets.dial import Address

REST: Final = 300.0
"""Seconds for which an address that failed comes behind those that did not."""
_MOST: Final = 64


class Standing:
    """The order in which the addresses of one name are tried; without it each is as good as the others.

    Any thread may tell it how an address did.
    """

    __slots__ = ("_lost_at",)

    def __init__(self) -> None:
        self._lost_at: dict[Address, float] = {}

    def in_order(self, addresses: Sequence[Address]) -> Sequence[Address]:
        """The addresses as they were looked up, but those last that failed lately, the latest at the end."""
        lost_at = self._lost_at
        if not lost_at:
            return addresses
        since = clock.monotonic() - REST
        return sorted(addresses, key=lambda address: max(lost_at.get(address, since), since))

    def lost(self, addresses: Iterable[Address]) -> None:
        """These refused, were overtaken, or took a connection and gave no answer."""
        for address in addresses:
            if len(self._lost_at) >= _MOST:
                self._lost_at.clear()
            self._lost_at[address] = clock.monotonic()

    def has_lost(self, address: Address, since: float) -> bool:
        """Whether that was said of an address since then (monotonic)."""
        return self._lost_at.get(address, 0.0) > since
