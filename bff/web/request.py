"""A visitor's request as a page reads it, made of what WSGI says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from bff.http import FORWARDED
from bff.problems import problem
from bff.web.hosts import PORT
from bff.web.receiving import Cut, Incoming, TooLong, announced_length
from bff.web.waiting import waiting_at_most

Environ: TypeAlias = dict[str, Any]

_PLAIN_HOST = re.compile(rf"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*{PORT}", re.ASCII)
_USUAL_PORTS: Mapping[str, str] = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


class PageRequest(Struct):
    """One request; `max_body` are the most bytes of a body that is not handed through.

    It `has_stale_cookie` where it brought a session that is none: the answer takes it away.
    """

    environ: Environ
    method: str
    max_body: int | None = None
    has_stale_cookie: bool = False
    _incoming: Incoming | None = None
    _whole: bytes | None = None

    @property
    def path(self) -> str:
        return path_of(self.environ)

    @property
    def full_path(self) -> str:
        """The path with its query."""
        query: str = self.environ.get("QUERY_STRING", "")
        return f"{self.path}?{query.encode('latin-1').decode()}"

    @property
    def scheme(self) -> str:
        found: str = self.environ.get("wsgi.url_scheme", "http")
        return found

    @property
    def is_secure(self) -> bool:
        return self.scheme in ("https", "wss")

    @property
    def host(self) -> str:
        return host_of(self.environ)

    @property
    def remote_address(self) -> str | None:
        return self.environ.get("REMOTE_ADDR")

    @property
    def media_type(self) -> str:
        """The type of the body, in lower case and without parameters."""
        found: str = self.environ.get("CONTENT_TYPE", "")
        return found.partition(";")[0].strip().lower()

    @property
    def body_length(self) -> int | None:
        """The bytes of the body as they were announced; None where nobody knows."""
        return announced_length(self.environ)

    def header(self, name: str, default: str = "") -> str:
        """A header by its name."""
        found: str = self.environ.get(key_of(name), default)
        return found

    def forwarded(self) -> tuple[tuple[str, str], ...]:
        """By which way it came, as headers for a backend: what is left of it behind the trusted proxies."""
        found = (self.remote_address, self.scheme, self.host)
        return tuple((name, text) for name, text in zip(FORWARDED, found, strict=True) if text)

    def body(self, timeout: float | None = None) -> bytes:
        """The whole body; `timeout` bounds each wait for it. Raises PageError for one that is too long or cut off."""
        if self._whole is None:
            try:
                self._whole = self._read_whole(timeout)
            except TooLong as error:
                raise problem("body-too-large", "The body is larger than this app takes.") from error
            except Cut as error:
                raise problem("invalid-input", "The request is not valid.", status=400) from error
        return self._whole

    def bind(self, most: int) -> None:
        """Let a body of so many bytes be read."""
        self.max_body = most

    def _read_whole(self, timeout: float | None) -> bytes:
        with waiting_at_most(self.environ, timeout):
            return self._source().read_all()

    def piece(self, size: int, timeout: float) -> bytes:
        """The next bytes of the body; raises TooLong beyond `max_body`, and Cut where they do not come."""
        with waiting_at_most(self.environ, timeout):
            return self._source().read(size)

    def _source(self) -> Incoming:
        if self._incoming is None:
            self._incoming = Incoming(self.environ, self.max_body)
        return self._incoming


def key_of(name: str) -> str:
    """Where an environ has a header."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def path_of(environ: Mapping[str, Any]) -> str:
    """The path as text, with stand-ins for what is none; it begins with one slash."""
    path: str = environ.get("PATH_INFO") or ""
    if not path.isascii():
        path = path.encode("latin-1").decode("utf-8", "replace")
    return path if path[:1] == "/" and path[1:2] != "/" else "/" + path.lstrip("/")


def host_of(environ: Mapping[str, Any]) -> str:
    """The host that was asked for, without the usual port; empty for what cannot be one."""
    host = environ.get("HTTP_HOST")
    if host is not None and _PLAIN_HOST.fullmatch(host):
        plain: str = host.removesuffix(_USUAL_PORTS.get(environ["wsgi.url_scheme"], " "))
        return plain
    from werkzeug.wsgi import get_host  # what is no plain name is rare

    return get_host(dict(environ))
