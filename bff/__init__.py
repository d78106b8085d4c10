"""A backend-for-frontend layer: one YAML recipe says what a page shows, the engine asks the backends side by side.

`create_app` makes the Flask app of a project folder; `Client` and what goes with it describe a backend;
`visitor_client` gives a view written by hand a client that asks on behalf of its visitor.

What runs is apart from what makes it. A process starts as fast as its imports, so no module that a running page needs
imports one that only authors need: `expressions/running` knows nothing of the generator, `plan` nothing of the
planner, and `web/site` loads `planning`, the one way to the checker and the loader, only where there are recipes.
What only some pages need (JSON Schema, cryptography, Redis, requests, ssl, tracing) and what none needs (Flask) is
imported where it is used; a test lists what a first page may not load. The records of a running page are structs of
msgspec, because a frozen dataclass with slots takes the interpreter twenty times as long to make.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bff.http import ApiKey, BearerToken, Breaker, Client, env, forward_token
    from bff.web.app import create_app
    from bff.web.by_hand import visitor_client

__version__ = "0.2.0"

__all__ = [
    "ApiKey",
    "BearerToken",
    "Breaker",
    "Client",
    "create_app",
    "env",
    "forward_token",
    "visitor_client",
]
_OF_THE_WEB_LAYER = {"create_app": "bff.web.app", "visitor_client": "bff.web.by_hand"}


def __getattr__(name: str) -> Any:
    # Imported at first use: `bff check` needs no Flask, a client module no web layer.
    if name not in __all__:
        raise AttributeError(f"module 'bff' has no attribute {name!r}")
    return getattr(import_module(_OF_THE_WEB_LAYER.get(name, "bff.http")), name)
