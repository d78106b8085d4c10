"""A client: everything that this project says about one backend."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TypeAlias

from msgspec.structs import replace

from bff.errors import OperatorError
from bff.http.address import problem_of_base_url
from bff.http.auth import ApiKey, Auth, BearerToken, Env, ForwardedToken
from bff.http.breaker import Breaker, Circuit
from bff.http.bulkhead import Bulkhead
from bff.http.cache import ReplyCache
from bff.http.calls import Calls
from bff.http.choice import default_transport
from bff.http.forwarded import OWN
from bff.http.messages import (
    FORBIDDEN_REQUEST_HEADERS,
    Broken,
    CallError,
    OutgoingRequest,
    Reply,
    check_header,
    set_header,
)
from bff.http.retry import Budget, budget_of_hedges
from bff.http.transport import Transport
from bff.jsontext import JSON, encode
from bff.records import Unshown
from bff.text import parse_duration

Quote: TypeAlias = Callable[[str], str]
Query: TypeAlias = Mapping[str, str | Sequence[str]]

_DEFAULT_BREAKER = Breaker()
_DEFAULT_HEADERS = {"User-Agent": "bff", "Accept": "application/json"}
_OWN_AUTH = (ApiKey, BearerToken, ForwardedToken)
_UNPACKERS = ("brotli", "brotlicffi", "zstandard", "backports", "compression")


class Visit(Unshown, frozen=True):
    """On whose behalf a view by hand asks, as which request, and until when (monotonic)."""

    token: str | None
    mark: bytes
    request_id: str
    until: float
    forwarded: tuple[tuple[str, str], ...] = ()


class Client:
    """One backend: where it is, who we are to it, and what we put up with.

    `base_url` and secrets may be `env(…)`, which `resolve` reads at start. `timeout` bounds a whole call
    with its retries. `quote`, `quote_like` and `filters` belong to a backend's filter language: how a text is
    quoted in it, and which query parameters hold it. `concurrency` bounds the calls under way at once, and
    `breaker` says when a failing backend is spared; None never spares it. With `forwarded_headers` the backend is told
    the visitor's address, and the scheme and host that they asked.
    """

    def __init__(
        self,
        base_url: str | Env,
        *,
        auth: Auth | None = None,
        timeout: str = "800ms",
        retries: int = 1,
        quote: Quote | None = None,
        quote_like: Quote | None = None,
        filters: Collection[str] = (),
        headers: Mapping[str, str | Env] | None = None,
        concurrency: int = 64,
        breaker: Breaker | None = _DEFAULT_BREAKER,
        cache_entries: int = 1024,
        cache_bytes: int = 32 * 2**20,
        proxies: bool = False,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        forwarded_headers: bool = False,
    ) -> None:
        self.name = ""
        self.auth = _known_auth(auth)
        self.timeout = _seconds(timeout)
        self.retries = _at_least("retries", retries, 0)
        self.concurrency = _at_least("concurrency", concurrency, 1)
        self.quote = quote
        self.quote_like = quote_like
        self.filters = frozenset([filters] if isinstance(filters, str) else filters)
        self.proxies = proxies
        self.verify = verify
        self.cert = cert
        self.forwarded_headers = forwarded_headers
        self.cache = ReplyCache(
            _at_least("cache_entries", cache_entries, 1), _at_least("cache_bytes", cache_bytes, 1)
        )
        self.budget = Budget()
        self.hedges = budget_of_hedges()
        self.bulkhead = Bulkhead(self.concurrency)
        self.circuit = Circuit(_known_breaker(breaker))
        self.transport: Transport | None = None
        self._visit: Visit | None = None
        self._written_url = base_url
        self._written_headers = dict(headers or {})
        _check_own_headers(self._written_headers, OWN if forwarded_headers else frozenset())
        self._base: str | None = None
        self._headers: dict[str, str] = {}
        self._proxy_urls: dict[str, str] = {}
        self._resolve_what_is_written()

    def __repr__(self) -> str:
        return f"<Client {self.name or 'without a name'}>"

    @property
    def variables(self) -> tuple[Env, ...]:
        """What it takes from the environment."""
        secret = self.auth.value if isinstance(self.auth, ApiKey | BearerToken) else None
        written = (self._written_url, secret, *self._written_headers.values())
        return tuple(value for value in written if isinstance(value, Env))

    @property
    def signs(self) -> bool:
        """Whether its auth is code that signs each request, an AuthBase of requests."""
        return self.auth is not None and not isinstance(self.auth, _OWN_AUTH)

    @property
    def forwards_token(self) -> bool:
        return self.forwards is not None

    @property
    def forwards(self) -> str | None:
        """The name of the visitor's token that this client sends, if it sends one."""
        return self.auth.name if isinstance(self.auth, ForwardedToken) else None

    @property
    def auth_header(self) -> str | None:
        """The header, in lower case, that carries this client's credentials, if that is known."""
        if isinstance(self.auth, ApiKey):
            return self.auth.header.lower()
        return None if self.auth is None else "authorization"

    def resolve(self, environ: Mapping[str, str]) -> None:
        """Reads this client's environment variables and makes it ready to call.

        Raises OperatorError with every problem in one line.
        """
        problems: list[str] = []
        base_url = _read("base_url", self._written_url, environ, problems)
        if base_url is not None and (problem := problem_of_base_url(base_url)):
            problems.append(f"base_url {problem}")
        headers = self._read_headers(environ, problems)
        if problems or base_url is None:
            raise OperatorError(f"{self._title}: {'; '.join(problems)}")
        self._base = base_url.rstrip("/")
        self._headers = headers
        self._proxy_urls = _proxies_of(base_url) if self.proxies else {}
        if self._base.startswith("https:"):
            import bff.http.sockets.tls  # noqa: F401  takes a while, and pages have deadlines

    def url(self, target: str) -> str:
        """The whole URL of a path with query that begins with `/`; raises OperatorError before `resolve`."""
        if self._base is None:
            raise OperatorError(f"{self._title} is not ready: its environment variables were not read")
        return self._base + target

    def at(self, base_url: str) -> Client:
        """The same client, its caches and budgets too, for a backend at another address; it is ready to call."""
        moved = copy.copy(self)
        moved._base = base_url.rstrip("/")
        return moved

    def for_visit(self, visit: Visit) -> Client:
        """The same client, its caches and budgets too, for requests on behalf of one visitor."""
        bound = copy.copy(self)
        bound._visit = visit
        return bound

    @property
    def sent_headers(self) -> Mapping[str, str]:
        """The headers of every request, credentials among them."""
        return self._headers

    @property
    def proxy_urls(self) -> dict[str, str]:
        return self._proxy_urls

    def get(self, path: str, *, query: Query | None = None, deadline: float = 3.0) -> Reply:
        """Asks for a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send(_outgoing("GET", path, query, safe=True), deadline=deadline)

    def post(
        self, path: str, *, json: JSON = None, query: Query | None = None, deadline: float = 3.0
    ) -> Reply:
        """Posts JSON to a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send(_outgoing("POST", path, query, encode(json)), deadline=deadline)

    def put(
        self, path: str, *, json: JSON = None, query: Query | None = None, deadline: float = 3.0
    ) -> Reply:
        """Puts JSON at a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send(_outgoing("PUT", path, query, encode(json)), deadline=deadline)

    def patch(
        self, path: str, *, json: JSON = None, query: Query | None = None, deadline: float = 3.0
    ) -> Reply:
        """Patches a path with JSON; raises CallError where no reply comes within `deadline` seconds."""
        return self.send(_outgoing("PATCH", path, query, encode(json)), deadline=deadline)

    def delete(self, path: str, *, query: Query | None = None, deadline: float = 3.0) -> Reply:
        """Deletes a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send(_outgoing("DELETE", path, query), deadline=deadline)

    def send(self, request: OutgoingRequest, *, deadline: float = 3.0) -> Reply:
        """Sends one request and waits for its reply, with this client's retries.

        A reply of any status is a reply; raises CallError where none comes within `deadline` seconds.
        """
        end, visit = time.monotonic() + deadline, self._visit
        if visit is not None:
            end = min(end, visit.until)
            request = replace(
                request, token=visit.token, visitor=visit.mark or None, forwarded=visit.forwarded
            )
        request_id = "" if visit is None else visit.request_id
        calls = Calls(self.transport or default_transport(), end, request_id=request_id)
        try:
            call = calls.start(self, request)
            while call.result is None:
                calls.wait(end)
        finally:
            calls.close()
        if isinstance(call.result, Broken):
            raise CallError(self.name, call.result)
        return call.result

    @property
    def _title(self) -> str:
        return f"client {self.name}" if self.name else "a client"

    def _resolve_what_is_written(self) -> None:
        """Makes a client ready that needs nothing from the environment; raises ValueError for a wrong URL."""
        if not isinstance(self._written_url, Env) and (problem := problem_of_base_url(self._written_url)):
            raise ValueError(f"base_url {problem}")
        if not self.variables:
            try:
                self.resolve({})
            except OperatorError as error:
                raise ValueError(str(error)) from None

    def _read_headers(self, environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
        written = [(name, value, "") for name, value in self._written_headers.items()]
        if isinstance(self.auth, ApiKey):
            written.append((self.auth.header, self.auth.value, ""))
        elif isinstance(self.auth, BearerToken):
            written.append(("Authorization", self.auth.value, "Bearer "))
        headers = _DEFAULT_HEADERS | {"Accept-Encoding": _encodings()}
        for name, value, before in written:
            found = _read(name, value, environ, problems)
            if found is None:
                continue
            try:
                set_header(headers, name, before + found)
            except ValueError as error:
                problems.append(str(error))
        return headers


def _read(what: str, value: str | Env, environ: Mapping[str, str], problems: list[str]) -> str | None:
    if isinstance(value, str):
        return value
    found = value.read(environ)
    if found is None:
        problems.append(f"the environment variable {value.variable} is not set ({what})")
    return found


def _outgoing(
    method: str, path: str, query: Query | None, body: bytes | None = None, *, safe: bool = False
) -> OutgoingRequest:
    pairs: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        pairs.extend((name, one) for one in ([value] if isinstance(value, str) else value))
    content_type = None if body is None else "application/json"
    return OutgoingRequest(method, path, tuple(pairs), body=body, content_type=content_type, safe=safe)


def _seconds(timeout: str) -> float:
    seconds = parse_duration(timeout) if isinstance(timeout, str) else None
    if not seconds:
        raise ValueError(f"timeout={timeout!r} is no duration: write it like '300ms', '2s' or '1m'")
    return seconds


@cache
def _encodings() -> str:
    """What urllib3 can unpack: gzip and deflate, and more where there are libraries for it; only then it is asked."""
    if not any(map(find_spec, _UNPACKERS)):
        return "gzip, deflate"
    from urllib3.util import make_headers

    return ", ".join(make_headers(accept_encoding=True)["accept-encoding"].split(","))


def _proxies_of(base_url: str) -> dict[str, str]:
    from requests.utils import get_environ_proxies

    return get_environ_proxies(base_url)


def _known_auth(auth: Auth | None) -> Auth | None:
    if auth is None or isinstance(auth, _OWN_AUTH):
        return auth
    from requests.auth import AuthBase

    if not isinstance(auth, AuthBase):
        raise ValueError("auth= takes ApiKey, BearerToken, forward_token or a requests.auth.AuthBase")
    return auth


def _known_breaker(breaker: Breaker | None) -> Breaker | None:
    if breaker is not None and not isinstance(breaker, Breaker):
        raise ValueError("breaker= takes a Breaker, or None for none")
    return breaker


def _at_least(name: str, value: int, least: int) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"{name}={value!r} must be a whole number from {least}")
    return value


def _check_own_headers(headers: Mapping[str, str | Env], made: frozenset[str]) -> None:
    for name, value in headers.items():
        check_header(name, value if isinstance(value, str) else "")
        if name.lower() in made:
            raise ValueError(f"forwarded_headers=True makes the header {name}: leave one of the two out")
        if name.lower() in FORBIDDEN_REQUEST_HEADERS:
            cure = ": use auth=" if name.lower() == "authorization" else ""
            raise ValueError(f"a client may not set the header {name}{cure}")
