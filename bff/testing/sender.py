"""Who asks for a page in the lab: their session cookie, and the keys that their writes have."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from cryptography.fernet import Fernet

from bff.executor import KeySource
from bff.http import ForwardedToken
from bff.identity.session import Session, SessionSeal
from bff.recipe import Recipe
from bff.testing.samples import GivenInput
from bff.web.site import Page

SESSION_KEY = Fernet.generate_key().decode()
KEY_HEADER, SENT_KEY = "Idempotency-Key", "a-key-of-the-lab"
_seal = SessionSeal([SESSION_KEY], 3600.0)


def cookie_of(page: Page, user: Any) -> str:
    """The session cookie of a user."""
    now = time.time()
    return _seal.seal(Session(user, _tokens(page), int(now) + 3600), now)


def keys_of(page: Page, request: GivenInput, user: Any) -> KeySource:
    """The source of the keys that the layer makes for this request; of nobody's it knows only those of expressions."""
    route = f"{page.recipe.method} {unquote(path_of(page.recipe, request))}"
    mark = b"" if page.recipe.auth == "none" else _seal.mark([user, _tokens(page)])
    return KeySource(mark, route, SENT_KEY)


def _tokens(page: Page) -> dict[str, str]:
    names = [client.auth.name for client in page.plan.clients if isinstance(client.auth, ForwardedToken)]
    return {name: f"token-of-{name}" for name in names}


def path_of(recipe: Recipe, request: GivenInput) -> str:
    """The path of a page with its parameters filled in."""
    return "".join(_path_parts(recipe.path, request.path))


def _path_parts(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    for part in path.split("{"):
        name, closed, rest = part.partition("}")
        yield quote(str(values[name]), safe="") + rest if closed else part
