"""Who we are to a backend, and what is read from the environment at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from bff.http.headers import FORBIDDEN_REQUEST_HEADERS, check_header
from bff.records import Unshown

if TYPE_CHECKING:
    from requests.auth import AuthBase


class Env(Struct, frozen=True):
    """An environment variable that is read at start, not at import."""

    variable: str
    default: str | None = None

    def read(self, environ: Mapping[str, str]) -> str | None:
        """The variable's value, its default where it is unset or empty, None where there is neither."""
        return environ.get(self.variable) or self.default

    def __repr__(self) -> str:
        return f"env({self.variable!r})"

    def __str__(self) -> str:
        """Raises TypeError: a text would be made at import of a value that is read at start."""
        raise TypeError(f"{self!r} is read at start and is no text before: keep it as it is")

    def __format__(self, spec: str) -> str:
        return str(self)


def env(variable: str, default: str | None = None) -> Env:
    """Names an environment variable that an argument of a client is read from at start."""
    return Env(variable, default)


class ApiKey(Unshown, frozen=True):
    """Our own key for a backend, sent in a header of its choice."""

    header: str
    value: str | Env

    def __post_init__(self) -> None:
        check_header(self.header, "")
        if self.header.lower() in FORBIDDEN_REQUEST_HEADERS - {"authorization"}:
            raise ValueError(f"no key may be sent in the header {self.header}")


class BearerToken(Unshown, frozen=True):
    """Our own (service) token for a backend, sent as `Authorization: Bearer …`."""

    value: str | Env


class ForwardedToken(Struct, frozen=True):
    """The visitor's own token of that name, kept in the session; `bearer`: or the one the request came with."""

    name: str
    bearer: bool = False


def forward_token(name: str, *, bearer: bool = False) -> ForwardedToken:
    """Sends the visitor's own token of that name as `Authorization: Bearer …`.

    With `bearer=True` a visitor who came with a Bearer token instead of a session has that one sent.
    """
    return ForwardedToken(name, bearer)


Auth: TypeAlias = "ApiKey | BearerToken | ForwardedToken | AuthBase"
