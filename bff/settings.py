"""Every `BFF_*` setting of the layer: one declaration each, read once at start, of the environment and the project.

Sizes are bytes, durations seconds. A setting that is not declared here is an error, so that a misspelt one is
never silently without effect. Every mistake is told at once, each in a line that says what is expected and never what
came: a value in the wrong variable may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Final

from msgspec import Struct

from bff import jsontext
from bff.addresses import https_url, redis_url
from bff.addresses import origins as parse_origins
from bff.errors import OperatorError
from bff.records import Unshown
from bff.text import nearest, parse_duration

KIB, MIB = 1024, 1024 * 1024
_SIZE = re.compile(r"([0-9]{1,12})\s*(B|KiB|MiB)?")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_UNITS = {None: 1, "B": 1, "KiB": KIB, "MiB": MIB}

SPARE_THREADS = 16
"""Threads that full pages leave to health checks and refusals."""
DEFAULT_CSP = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; object-src 'none'"
)


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError("a size such as 65536, 512 KiB or 8 MiB")
    return int(match[1]) * _UNITS[match[2]]


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text.strip()):
        raise ValueError("a whole number above 0")
    return int(text)


def _count_or_none(text: str) -> int:
    return 0 if text.strip() == "0" else _count(text)


def _switch(text: str) -> bool:
    if text.strip().lower() not in {"0", "1", "true", "false"}:
        raise ValueError("1 or 0")
    return text.strip().lower() in {"1", "true"}


def _header_text(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("one line of printable ASCII")
    return text.strip()


def _duration(text: str) -> float:
    seconds = parse_duration(text.strip())
    if not seconds:
        raise ValueError("a duration such as 300ms, 2s, 5m or 8h")
    return seconds


def _transport(text: str) -> str:
    if text.strip() not in {"sockets", "threads"}:
        raise ValueError("sockets or threads")
    return text.strip()


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text.strip()):
        raise ValueError("a whole number from 0")
    return int(text)


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line of printable characters")
    return text.strip()


def _jwks(text: str) -> str:
    if not text.strip():
        return ""
    try:
        if not text.lstrip().startswith("{"):
            return https_url(text)
        jsontext.decode(text.encode())
    except ValueError:
        raise ValueError(
            "a URL that begins with https:// and holds no user name or password, or the JWKS itself"
        ) from None
    return text.strip()


def _keys(text: str) -> tuple[str, ...]:
    keys = _list(text)
    if not keys or not all(_KEY.fullmatch(key) for key in keys):
        raise ValueError("keys of 32 bytes in URL-safe base64, newest first, with commas between")
    return keys


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in _list(text))
    name = r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+"
    if not all(re.fullmatch(rf"(?:\*\.)?{name}|\[[0-9a-f:.]+\]", host) for host in hosts):
        raise ValueError("hosts without ports such as app.example or *.app.example, with commas between")
    return hosts


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


class Declared(Struct, frozen=True):
    """How one setting is read, and what is told of it."""

    default: Any
    parse: Callable[[str], Any]
    doc: str
    secret: bool


_declared: list[Declared] = []
_NOTHING: Mapping[str, str] = {}


def _setting(default: Any, parse: Callable[[str], Any], doc: str, *, secret: bool = False) -> Any:
    _declared.append(Declared(default, parse, doc, secret))
    return default


class Settings(Unshown, frozen=True):
    """The settings of one app; the environment variable of `max_reply` is `BFF_MAX_REPLY`."""

    max_request_body: int = _setting(MIB, _size, "largest body that a visitor may send (413 above it)")
    body_timeout: float = _setting(
        10.0, _duration, "longest wait for the next byte of a visitor's body (408 after it)"
    )
    max_upload: int = _setting(
        16 * MIB, _size, "largest body that goes through a page with `pass` to a backend"
    )
    max_download: int = _setting(
        64 * MIB, _size, "largest body that goes through a page with `pass` to a visitor"
    )
    max_reply: int = _setting(8 * MIB, _size, "largest reply of a backend, decoded")
    max_replies: int = _setting(32 * MIB, _size, "all replies of one page together")
    max_answer: int = _setting(8 * MIB, _size, "largest answer of a page")
    max_depth: int = _setting(100, _count, "how deep JSON may nest, in bodies, replies and answers")
    max_requests: int = _setting(250, _count, "requests to backends for one page, every try counted")
    max_each: int = _setting(100, _count, "items of one `each`")
    max_work: int = _setting(4_000_000, _count, "work that one page's expressions may do (nodes evaluated)")
    max_memory: int = _setting(64 * MIB, _size, "what one page's expressions may build")
    max_pages: int = _setting(
        0, _count_or_none, "pages under way at once in one process, more are answered 503; 0 for no bound"
    )
    threads: int = _setting(
        0, _count_or_none, "threads that the server has for one process, as `make serve` tells"
    )
    transport: str = _setting(
        "sockets", _transport, "how backends are asked: `sockets`, or `threads` for stock requests on threads"
    )
    transport_threads: int = _setting(
        128, _count, "requests to backends under way at once on threads in one process"
    )
    server_timing: bool = _setting(False, _switch, "tell each step's name and time in Server-Timing")
    session_keys: tuple[str, ...] = _setting(
        (), _keys, "keys of the session cookie (Fernet), newest first, with commas between", secret=True
    )
    session_ttl: float = _setting(8 * 3600.0, _duration, "the longest that a session lives")
    origins: tuple[str, ...] = _setting(
        (), parse_origins, "other origins whose pages may call this app (CORS)"
    )
    hosts: tuple[str, ...] = _setting(
        (), _hosts, "hosts that this app answers for, such as app.example or *.app.example (421 for others)"
    )
    trusted_proxies: int = _setting(
        0, _whole, "how many proxies before this app set X-Forwarded-For, -Proto, -Host"
    )
    jwt_jwks: str = _setting(
        "", _jwks, "where the keys of Bearer tokens are: an https URL, or the JWKS itself", secret=True
    )
    jwt_issuer: str = _setting("", _line, "the `iss` that Bearer tokens must have")
    jwt_audience: str = _setting("", _line, "the `aud` that Bearer tokens must have")
    jwt_leeway: float = _setting(30.0, _duration, "how far clocks may differ when a Bearer token is checked")
    state_url: str = _setting(
        "",
        redis_url,
        "a Redis that answers a repeated write again and counts rates: redis://host:port/0",
        secret=True,
    )
    cache_url: str = _setting(
        "",
        redis_url,
        "a Redis in which instances keep replies of backends together: redis://host:port/1",
        secret=True,
    )
    background: bool = _setting(
        True,
        _switch,
        "refresh kept replies behind pages; 0 where the host stops the process between requests",
    )
    metrics: bool = _setting(False, _switch, "count pages, steps and calls for Prometheus, at /metrics")
    tracing: bool = _setting(False, _switch, "make OpenTelemetry spans of pages and requests to backends")
    csp: str = _setting(
        DEFAULT_CSP, _header_text, "the Content-Security-Policy of every answer; empty sends none"
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], project: Mapping[str, str] = _NOTHING) -> Settings:
        """Read and check the settings; raises OperatorError with a line for each mistake.

        `project` has the texts that hold where the environment says nothing: those that a project has, all of them
        right.
        """
        values = {name: SETTINGS[name].parse(text) for name, text in project.items()}
        mistakes: list[str] = []
        for variable in sorted(name for name in environ if name.startswith("BFF_")):
            name = variable.removeprefix("BFF_").lower()
            declared = SETTINGS.get(name) if variable == variable_of(name) else None
            if declared is None:
                mistakes.append(_unknown(variable))
                continue
            try:
                values[name] = declared.parse(environ[variable])
            except ValueError as exc:
                mistakes.append(f"{variable}: expected {exc}")
        settings = None if mistakes else cls(**values)
        if settings is not None:
            mistakes.extend(_mistakes_together(settings))
        if settings is None or mistakes:
            raise OperatorError("\n".join(mistakes))
        return settings

    def describe(self) -> str:
        """One line with every setting that is not at its default, secrets left out, for the log at start."""
        values = {name: getattr(self, name) for name in SETTINGS}
        shown = (
            f"{name}={'(set)' if declared.secret else repr(values[name])}"
            for name, declared in SETTINGS.items()
            if values[name] != declared.default
        )
        return " ".join(shown) or "every setting at its default"


SETTINGS: Mapping[str, Declared] = dict(zip(Settings.__struct_fields__, _declared, strict=True))
"""How each setting is read, by its name."""


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"BFF_{name.upper()}"


def settings_table() -> list[tuple[str, str, str]]:
    """(environment variable, default, one-line doc) of every setting, for the docs and their test."""
    return [(variable_of(name), str(found.default), found.doc) for name, found in SETTINGS.items()]


def _unknown(variable: str) -> str:
    known = list(map(variable_of, SETTINGS))
    near = nearest(variable.upper(), known)
    cure = f"did you mean {near}?" if near else f"the settings are {', '.join(sorted(known))}"
    return f"unknown setting {variable}: {cure}"


PACKAGES: Final[Mapping[str, str]] = {
    "BFF_SESSION_KEYS": "cryptography",
    "BFF_STATE_URL": "redis",
    "BFF_CACHE_URL": "redis",
    "BFF_JWT_JWKS": "jwt",
}
"""The package that a setting needs, by its variable: what is built has those of the settings it was told of."""


EXTRAS: Final[Mapping[str, str]] = {
    "granian": "serve",
    "graphql": "graphql",
    "jwt": "jwt",
    "opentelemetry": "tracing",
    "prometheus_client": "metrics",
    "re2": "patterns",
    "redis": "redis",
}
"""The extra of the distribution that brings a package which only some projects need."""


def installing(package: str) -> str:
    """The command that brings a package of an extra."""
    return f"pip install 'bff-recipes[{EXTRAS[package]}]'"


def _mistakes_together(settings: Settings) -> Iterator[str]:
    """What is wrong with settings that are right one by one."""
    for variable, package in PACKAGES.items():
        if getattr(settings, variable.removeprefix("BFF_").lower()) and find_spec(package) is None:
            install = f"{installing(package)}, " if package in EXTRAS else ""
            yield (
                f"{variable} is set, and there is no package {package} here: {install}build the pages with "
                f"--setting {variable}, or leave the variable out"
            )
    if settings.metrics and find_spec("prometheus_client") is None:
        yield f"BFF_METRICS=1 needs the package prometheus_client: {installing('prometheus_client')}"
    if settings.state_url and not settings.session_keys:
        yield "BFF_STATE_URL needs BFF_SESSION_KEYS: what is kept there is encrypted with them"
    if settings.jwt_jwks and not (settings.jwt_issuer and settings.jwt_audience):
        yield "BFF_JWT_JWKS needs BFF_JWT_ISSUER and BFF_JWT_AUDIENCE beside it"
    if settings.max_pages and not settings.threads:
        yield "BFF_MAX_PAGES needs BFF_THREADS: the threads that the server has for one process"
    elif settings.max_pages and settings.max_pages > settings.threads - SPARE_THREADS:
        yield (
            "BFF_MAX_PAGES is too close to BFF_THREADS: "
            f"{SPARE_THREADS} threads must be left for health checks and refusals"
        )
