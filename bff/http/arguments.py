"""What the arguments of a client may be; each raises ValueError for what is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from bff.breaker import Breaker
from bff.http.auth import ApiKey, Auth, BearerToken, Env, ForwardedToken
from bff.http.headers import FORBIDDEN_REQUEST_HEADERS, check_header
from bff.http.paths import check_path
from bff.text import parse_duration

OWN_AUTH = (ApiKey, BearerToken, ForwardedToken)


def seconds(timeout: str) -> float:
    """The seconds of a time-out."""
    seconds = parse_duration(timeout) if isinstance(timeout, str) else None
    if not seconds:
        raise ValueError(f"timeout={timeout!r} is no duration: write it like '300ms', '2s' or '1m'")
    return seconds


def known_auth(auth: Auth | None) -> Auth | None:
    """A way to say who we are."""
    if auth is None or isinstance(auth, OWN_AUTH):
        return auth
    import requests

    if not isinstance(auth, requests.auth.AuthBase):
        raise ValueError("auth= takes ApiKey, BearerToken, forward_token or a requests.auth.AuthBase")
    return auth


def known_breaker(breaker: Breaker | None) -> Breaker | None:
    """A breaker, or none."""
    if breaker is not None and not isinstance(breaker, Breaker):
        raise ValueError("breaker= takes a Breaker, or None for none")
    return breaker


def known_filters(filters: Collection[str]) -> frozenset[str]:
    """The names of query parameters; one may stand alone."""
    found = frozenset([filters] if isinstance(filters, str) else filters)
    if not all(isinstance(name, str) for name in found):
        raise ValueError("filters= takes names of query parameters")
    return found


def known_endpoint(graphql: str) -> str:
    """The path of an endpoint below the base URL."""
    if isinstance(graphql, str) and graphql.startswith("/"):
        with suppress(ValueError):
            check_path(graphql)
            return graphql
    raise ValueError("graphql= takes the path of the endpoint below base_url, such as '/graphql'")


def known_schema(schema: str | None) -> str | None:
    """The name of a file, or none."""
    if schema is not None and (not isinstance(schema, str) or not schema):
        raise ValueError("schema= takes the name of a file beside the client, such as 'people.openapi.yaml'")
    return schema


def known_enforcement(enforce: str) -> str:
    """What replies are held to: all that a schema says, or what recipes need."""
    if enforce not in ("schema", "needs"):
        raise ValueError("enforce= takes 'schema' or 'needs'")
    return enforce


def at_least(name: str, value: int, least: int) -> int:
    """A whole number, from the least on."""
    if type(value) is not int or value < least:
        raise ValueError(f"{name}={value!r} must be a whole number from {least}")
    return value


def check_own_headers(headers: Mapping[str, str | Env], made: frozenset[str]) -> None:
    """Checks headers that a client sends with each request, beside those that are made for it."""
    for name, value in headers.items():
        check_header(name, value if isinstance(value, str) else "")
        if name.lower() in made:
            raise ValueError(f"forwarded_headers=True makes the header {name}: leave one of the two out")
        if name.lower() in FORBIDDEN_REQUEST_HEADERS:
            cure = ": use auth=" if name.lower() == "authorization" else ""
            raise ValueError(f"a client may not set the header {name}{cure}")
