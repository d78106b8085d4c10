"""A client: everything that this project says about one backend."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from bff.breaker import Breaker
from bff.certificates import NOT_THERE, naming_variable
from bff.errors import OperatorError
from bff.http.address import problem_of_base_url
from bff.http.arguments import (
    OWN_AUTH,
    at_least,
    check_own_headers,
    known_auth,
    known_breaker,
    known_endpoint,
    known_enforcement,
    known_filters,
    known_schema,
    seconds,
)
from bff.http.auth import ApiKey, Auth, BearerToken, Env, ForwardedToken
from bff.http.by_hand import ByHand
from bff.http.environment import OPTIONS, Reading, envs_in, stand_ins
from bff.http.forwarded import OWN
from bff.http.gate import Gate
from bff.http.headers import set_header
from bff.http.proxies import problem_of_proxy, proxies_of

Quote: TypeAlias = Callable[[str], str]

_DEFAULT_BREAKER = Breaker()
_DEFAULT_HEADERS = {"User-Agent": "bff", "Accept": "application/json"}
_UNPACKERS = ("brotli", "brotlicffi", "zstandard", "backports", "compression")


class Client(ByHand):
    """One backend: where it is, who we are to it, and what we put up with.

    Where it is, who we are and all that is a text, a number or a switch may be `env(…)`, which `resolve` reads at
    start. `timeout` bounds a whole call with its retries. `quote`, `quote_like` and `filters` belong to a backend's
    filter language: how a text is quoted in it, and which query parameters hold it. `concurrency` bounds the calls
    under way at once, and `breaker` says when a failing backend is spared; None never spares it. With
    `forwarded_headers` the backend is told the visitor's address, and the scheme and host that they asked; check
    follows what that makes private, so it is written, not read.

    `schema` names a file beside the client that describes its backend. Replies are held to it as far as pages read
    them; with `enforce="needs"` only to what recipes need. `graphql` is the path, below the base URL, to which GraphQL
    documents are posted.
    """

    def __init__(
        self,
        base_url: str | Env,
        *,
        auth: Auth | None = None,
        timeout: str | Env = "800ms",
        retries: int | Env = 1,
        quote: Quote | None = None,
        quote_like: Quote | None = None,
        filters: Collection[str] = (),
        headers: Mapping[str, str | Env] | None = None,
        concurrency: int | Env = 128,
        breaker: Breaker | None = _DEFAULT_BREAKER,
        cache_entries: int | Env = 1024,
        cache_bytes: int | Env = 32 * 2**20,
        proxies: bool | Env = False,
        verify: bool | str | Env = True,
        cert: str | Env | tuple[str | Env, str | Env] | None = None,
        forwarded_headers: bool = False,
        schema: str | None = None,
        enforce: str = "schema",
        graphql: str = "/graphql",
    ) -> None:
        self.name = ""
        self.auth = known_auth(auth)
        self.quote = quote
        self.quote_like = quote_like
        self.filters = known_filters(filters)
        self.forwarded_headers = forwarded_headers
        self.schema = known_schema(schema)
        self.enforces_schema = known_enforcement(enforce) == "schema"
        self.graphql = known_endpoint(graphql)
        self._breaker = known_breaker(breaker)
        self._written: dict[str, Any] = {
            "base_url": base_url,
            "auth": self.auth,
            "headers": dict(headers or {}),
            "timeout": timeout,
            "retries": retries,
            "concurrency": concurrency,
            "cache_entries": cache_entries,
            "cache_bytes": cache_bytes,
            "proxies": proxies,
            "verify": verify,
            "cert": cert,
        }
        check_own_headers(self._written["headers"], OWN if forwarded_headers else frozenset())
        self.verify: bool | str = True
        self.cert: str | tuple[str, str] | None = None
        self._trusts: str | None = None
        self._base: str | None = None
        self._headers: dict[str, str] = {}
        self._proxy_urls: dict[str, str] = {}
        self._set(self._before_start())
        self._resolve_what_is_written()

    def __repr__(self) -> str:
        return f"<Client {self.name or 'without a name'}>"

    @property
    def variables(self) -> tuple[Env, ...]:
        """What it takes from the environment."""
        return tuple(envs_in(self._written))

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """Texts by variable with which it can start where its environment is not."""
        return stand_ins(self._written)

    @property
    def signs(self) -> bool:
        """Whether its auth is code that signs each request, an AuthBase of requests."""
        return self.auth is not None and not isinstance(self.auth, OWN_AUTH)

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

    @property
    def base_path(self) -> str:
        """The path of the base URL as it is written, or as its variable has it by default."""
        written = self._written["base_url"]
        url = (written.default or "") if isinstance(written, Env) else written
        return urlsplit(url).path.rstrip("/")

    def resolve(self, environ: Mapping[str, str]) -> None:
        """Reads this client's environment variables and makes it ready to call.

        Raises OperatorError with every problem in one line.
        """
        reading = Reading(environ)
        written = self._written
        base_url = reading.text("base_url", written["base_url"])
        if base_url is not None and (problem := problem_of_base_url(base_url)):
            reading.problems.append(f"base_url {problem}")
        headers = self._read_headers(reading)
        found = {
            name: reading.option(name, value)
            if name in OPTIONS and isinstance(value, Env)
            else reading.whole(name, value)
            for name, value in written.items()
            if name not in {"base_url", "headers"}
        }
        proxy_urls: dict[str, str] = {}
        if not reading.problems and base_url is not None and found["proxies"]:
            proxy_urls = proxies_of(base_url)
            if problem := problem_of_proxy(base_url, proxy_urls):
                reading.problems.append(problem)
        if reading.problems or base_url is None:
            raise OperatorError(f"{self._title}: {'; '.join(reading.problems)}")
        self._set(found)
        self._base = base_url.rstrip("/")
        self._headers = headers
        self._proxy_urls = proxy_urls
        if self._base.startswith("https:"):
            self._trust(environ)
            import bff.http.sockets.tls  # noqa: F401  takes a while, and pages have deadlines

    def check_files(self) -> None:
        """Raises OperatorError where a file of `verify` or `cert` is not there."""
        named = [("cert", path) for path in ([self.cert] if isinstance(self.cert, str) else self.cert or ())]
        if isinstance(self.verify, str):
            named.append((self._trusts or "verify", self.verify))
        problems = [f"{what}: {NOT_THERE}" for what, path in named if not os.path.exists(path)]
        if problems:
            raise OperatorError(f"{self._title}: {'; '.join(problems)}")

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

    @property
    def sent_headers(self) -> Mapping[str, str]:
        """The headers of every request, credentials among them."""
        return self._headers

    def says(self, header: str) -> bool:
        """Whether its own headers say this one, whose name is in lower case."""
        return any(name.lower() == header for name in self._written["headers"])

    @property
    def proxy_urls(self) -> dict[str, str]:
        return self._proxy_urls

    @property
    def _title(self) -> str:
        return f"client {self.name}" if self.name else "a client"

    def _resolve_what_is_written(self) -> None:
        """Makes a client ready that needs nothing from the environment; raises ValueError for a wrong URL."""
        base_url = self._written["base_url"]
        if not isinstance(base_url, Env) and (problem := problem_of_base_url(base_url)):
            raise ValueError(f"base_url {problem}")
        if not self.variables:
            try:
                self.resolve({})
            except OperatorError as error:
                raise ValueError(str(error)) from None

    def _before_start(self) -> dict[str, Any]:
        """The arguments as they are known without an environment: a default of `env(…)`, or what a start could have."""
        found = dict(self._written)
        for name, option in OPTIONS.items():
            value = found[name]
            if isinstance(value, Env):
                try:
                    found[name] = option.read(value.default or option.stand_in)
                except ValueError:
                    raise ValueError(f"{name}={value!r}: its default must be {option.expected}") from None
        return found

    def _set(self, found: Mapping[str, Any]) -> None:
        """Takes over what has no part in the environment any more."""
        self.auth = found["auth"]
        self.timeout = seconds(found["timeout"])
        self.retries = at_least("retries", found["retries"], 0)
        self.concurrency = at_least("concurrency", found["concurrency"], 1)
        self.cache_entries = at_least("cache_entries", found["cache_entries"], 1)
        self.cache_bytes = at_least("cache_bytes", found["cache_bytes"], 1)
        self.gate = Gate(self.concurrency, self._breaker)
        self.verify = found["verify"]
        self.cert = found["cert"]

    def _trust(self, environ: Mapping[str, str]) -> None:
        """Takes whom the environment trusts, where the client does not say whom it trusts itself."""
        self._trusts = naming_variable(environ) if self.verify is True else None
        if self._trusts is not None:
            self.verify = environ[self._trusts]

    def _read_headers(self, reading: Reading) -> dict[str, str]:
        written = [(name, value, "") for name, value in self._written["headers"].items()]
        if isinstance(self.auth, ApiKey):
            written.append((self.auth.header, self.auth.value, ""))
        elif isinstance(self.auth, BearerToken):
            written.append(("Authorization", self.auth.value, "Bearer "))
        headers = _DEFAULT_HEADERS | {"Accept-Encoding": _encodings()}
        for name, value, before in written:
            found = reading.text(name, value)
            if found is None:
                continue
            try:
                set_header(headers, name, before + found)
            except ValueError as error:
                reading.problems.append(str(error))
        return headers


@cache
def _encodings() -> str:
    """What urllib3 can unpack: gzip and deflate, and more where there are libraries for it; only then it is asked."""
    if not any(map(find_spec, _UNPACKERS)):
        return "gzip, deflate"
    import urllib3

    return ", ".join(urllib3.util.make_headers(accept_encoding=True)["accept-encoding"].split(","))
