"""Asks a backend once what it has, for the first page of a project. Names of fields are kept, values are not."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import requests
from msgspec import Struct

from bff import clock
from bff.errors import OperatorError

SECONDS: Final = 5.0
_MOST_BYTES: Final = 1024 * 1024
_MOST_FIELDS: Final = 8
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SECRET: Final = re.compile(r"key|token|secret|password|passwd|auth|sig", re.I)


class Asked(Struct, frozen=True):
    """What a backend answered at an address.

    `target` is the path with its query. Its rows are the members `within` of the reply, or the reply itself where that
    is empty, and None where there are none; `fields` are plain members of a row, or of the reply. `trouble` says why
    nothing is known, in a sentence that goes on from the address.
    """

    origin: str
    target: str
    within: str | None = None
    fields: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def is_list(self) -> bool:
        return self.within is not None


def ask(url: str) -> Asked:
    """Asks for an address once, for five seconds at most; raises OperatorError for one that no page could ask for."""
    origin, target = _parts(url)
    try:
        value = _json_of(url)
    except _Trouble as trouble:
        return Asked(origin, target, trouble=str(trouble))
    within = _list_in(value)
    if within is None:
        return Asked(
            origin, target, None, _fields_of(value), "" if isinstance(value, dict) else "has no rows"
        )
    rows = value[within] if within else value
    return Asked(origin, target, within, _fields_of(rows[0] if rows else {}))


class _Trouble(Exception):
    """Why a backend told nothing."""


def _parts(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise OperatorError("--backend takes an address like https://api.example.com/items")
    if parts.username is not None or any(_SECRET.search(name) for name, _ in parse_qsl(parts.query)):
        raise OperatorError(
            "--backend has a secret in its address, and would be written into files: leave it out, and tell the "
            "client of it (Client(auth=…), docs/clients.md)"
        )
    target = requests.Request("GET", url).prepare().path_url
    return f"{parts.scheme}://{parts.netloc}", target.replace("{", "%7B").replace("}", "%7D")


def _json_of(url: str) -> Any:
    until = clock.monotonic() + SECONDS
    try:
        with requests.get(
            url, headers={"Accept": "application/json"}, timeout=SECONDS, stream=True, allow_redirects=False
        ) as reply:
            if 300 <= reply.status_code < 400:
                raise _Trouble(f"leads elsewhere ({reply.status_code})")
            if reply.status_code >= 400:
                raise _Trouble(f"answers {reply.status_code}")
            raw = b""
            for piece in reply.iter_content(64 * 1024):
                raw += piece
                if len(raw) > _MOST_BYTES:
                    raise _Trouble("answers more than 1 MiB")
                if clock.monotonic() > until:
                    raise _Trouble(f"takes longer than {SECONDS:.0f} s")
        return json.loads(raw)
    except requests.Timeout:
        raise _Trouble(f"takes longer than {SECONDS:.0f} s") from None
    except (requests.RequestException, OSError):
        raise _Trouble("cannot be reached") from None
    except (ValueError, RecursionError):
        raise _Trouble("answers something else than JSON") from None


def _list_in(value: Any) -> str | None:
    """Where the rows are: "" for the value itself, else the name of a member; None without any.

    Of several members the first that is not empty counts: many backends send lists of their own beside the rows.
    """
    if _is_rows(value):
        return ""
    if isinstance(value, dict):
        named = [name for name, one in value.items() if _FIELD.fullmatch(name) and _is_rows(one)]
        return next((name for name in named if value[name]), named[0] if named else None)
    return None


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _fields_of(row: Any) -> tuple[str, ...]:
    """The first plain members of a row, by name."""
    if not isinstance(row, dict):
        return ()
    plain = [name for name, value in row.items() if not isinstance(value, dict | list)]
    return tuple(name for name in plain if _FIELD.fullmatch(name))[:_MOST_FIELDS]
