"""Every `BFF_*` setting of the layer: one declaration each, read once at start.

Sizes are bytes, durations seconds. A setting that is not declared here is an error, so that a misspelt one is
never silently without effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bff.errors import OperatorError
from bff.text import nearest

KIB, MIB = 1024, 1024 * 1024
_SIZE = re.compile(r"(\d{1,12})\s*(B|KiB|MiB)?")
_UNITS = {None: 1, "B": 1, "KiB": KIB, "MiB": MIB}

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
    if not re.fullmatch(r"[1-9]\d{0,11}", text.strip()):
        raise ValueError("a whole number above 0")
    return int(text)


def _switch(text: str) -> bool:
    if text.strip().lower() not in {"0", "1", "true", "false"}:
        raise ValueError("1 or 0")
    return text.strip().lower() in {"1", "true"}


def _header_text(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("one line of printable ASCII")
    return text.strip()


def _setting(default: Any, parse: Callable[[str], Any], doc: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"parse": parse, "doc": doc, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one app; the environment variable of `max_reply` is `BFF_MAX_REPLY`."""

    max_request_body: int = _setting(MIB, _size, "largest body that a visitor may send (413 above it)")
    max_reply: int = _setting(8 * MIB, _size, "largest reply of a backend, decoded")
    max_replies: int = _setting(32 * MIB, _size, "all replies of one page together")
    max_answer: int = _setting(8 * MIB, _size, "largest answer of a page")
    max_depth: int = _setting(100, _count, "how deep JSON may nest, in bodies, replies and answers")
    max_requests: int = _setting(250, _count, "requests to backends for one page, every try counted")
    max_each: int = _setting(100, _count, "items of one `each`")
    max_work: int = _setting(4_000_000, _count, "work that one page's expressions may do (nodes evaluated)")
    max_memory: int = _setting(64 * MIB, _size, "what one page's expressions may build")
    transport_threads: int = _setting(128, _count, "requests to backends under way at once in one process")
    server_timing: bool = _setting(False, _switch, "tell each step's name and time in Server-Timing")
    csp: str = _setting(DEFAULT_CSP, _header_text, "the Content-Security-Policy of every answer; empty sends none")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raises OperatorError on an unknown name or a wrong value, in one line."""
        known = {f"BFF_{declared.name.upper()}": declared for declared in fields(cls)}
        values: dict[str, Any] = {}
        for name in sorted(name for name in environ if name.startswith("BFF_")):
            if name not in known:
                near = nearest(name, known)
                cure = f"did you mean {near}?" if near else f"the settings are {', '.join(sorted(known))}"
                raise OperatorError(f"unknown setting {name}: {cure}")
            try:
                values[known[name].name] = known[name].metadata["parse"](environ[name])
            except ValueError as exc:
                raise OperatorError(f"{name}={environ[name]!r}: expected {exc}") from None
        return cls(**values)

    def describe(self) -> str:
        """One line with every setting, secrets left out, for the log at start."""
        shown = (
            f"{declared.name}={'set' if declared.metadata['secret'] else getattr(self, declared.name)}"
            for declared in fields(self)
            if declared.name != "csp"
        )
        return " ".join(shown)


def settings_table() -> list[tuple[str, str, str]]:
    """(environment variable, default, one-line doc) of every setting, for the docs and their test."""
    return [
        (f"BFF_{declared.name.upper()}", str(declared.default), declared.metadata["doc"])
        for declared in fields(Settings)
    ]
