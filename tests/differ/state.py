"""What an app's clients hold between two pages: the only place here that looks inside of the layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from bff.executor import undo
from bff.http import Client, SocketTransport, ThreadTransport


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Within, what is taken back has so long for it: where much else runs, its two seconds may be too few."""
    before, undo.DEADLINE = undo.DEADLINE, seconds
    try:
        yield
    finally:
        undo.DEADLINE = before


def begin(app: Flask) -> None:
    """Takes time and chance out of what is counted: budgets do not fill by themselves, breakers rest as written."""
    for client in _clients(app).values():
        client.gate.budget._per_second = 0.0
        client.gate.circuit._jitter = lambda: 0.5


def let_rest(app: Flask) -> None:
    """Has every open breaker rested: the next request may try."""
    for client in _clients(app).values():
        client.gate.circuit._until = 0.0


def of(app: Flask) -> dict[str, str]:
    """By client, what it holds; clients that nothing was asked of yet are left out."""
    return {name: _told(app, client) for name, client in _clients(app).items() if _was_asked(app, client)}


def places_taken(app: Flask) -> dict[str, int]:
    """The places that are taken, by client, where any are."""
    found = {name: client.gate._taken for name, client in _clients(app).items()}
    return {name: taken for name, taken in found.items() if taken}


def failures(app: Flask) -> int:
    """How many failures the breakers know of."""
    circuits = [client.gate.circuit for client in _clients(app).values()]
    return sum(failed for circuit in circuits for _, failed in list(circuit._outcomes))


def idle(app: Flask) -> int:
    """How many connections wait for their next request."""
    return sum(_idle(app, client) for client in _clients(app).values())


def close(app: Flask) -> None:
    """Ends connections and threads."""
    app.extensions["bff"]._transport.close()


def _clients(app: Flask) -> dict[str, Client]:
    clients: dict[str, Client] = app.extensions["bff"].clients
    return clients


def _was_asked(app: Flask, client: Client) -> bool:
    return client.gate.budget.tokens != 10.0 or client.gate.circuit._permit > 0 or _idle(app, client) > 0


def _told(app: Flask, client: Client) -> str:
    circuit = client.gate.circuit
    outcomes = "".join("-" if failure else "+" for _, failure in circuit._outcomes) or "none"
    told = [
        f"breaker {circuit._state} {circuit._permit}: {outcomes} ({circuit._in_a_row})",
        f"budget {client.gate.budget.tokens:.1f}",
        f"hedges {client.gate.hedges.tokens:.2f}",
        f"idle {_idle(app, client)}",
    ]
    return "; ".join([f"{client.gate._taken} PLACES TAKEN", *told] if client.gate._taken else told)


def _idle(app: Flask, client: Client) -> int:
    transport: Any = app.extensions["bff"]._transport
    if isinstance(transport, SocketTransport):
        by_origin = transport._idle.get(client) or {}
        return sum(map(len, list(by_origin.values()))) + _idle_on_threads(transport._stock, client)
    return _idle_on_threads(transport, client)


def _idle_on_threads(transport: ThreadTransport, client: Client) -> int:
    adapter = transport._adapters._adapters.get(client)
    if adapter is None:
        return 0
    pools = list(adapter.poolmanager.pools._container.values())
    return sum(one is not None and one.sock is not None for pool in pools for one in list(pool.pool.queue))
