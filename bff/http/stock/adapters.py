"""The adapters of requests, for what goes through requests: made, and requests loaded, when the first of it does."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from bff import forks

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.stock.connections import Adapter


class Adapters:
    """The stock adapter of each client, made when it is first asked for; thread-safe."""

    def __init__(self) -> None:
        self._lock = forks.lock()
        self._adapters: WeakKeyDictionary[Client, Adapter] = WeakKeyDictionary()

    def of(self, client: Client) -> Adapter:
        adapter = self._adapters.get(client)
        if adapter is None:
            from bff.http.stock.connections import Adapter

            with self._lock:
                adapter = self._adapters.setdefault(client, Adapter(client.concurrency))
        return adapter

    def close(self) -> None:
        """Closes idle connections."""
        with self._lock:
            for adapter in self._adapters.values():
                adapter.close()
            self._adapters.clear()
