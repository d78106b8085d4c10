"""What a client takes from the environment: arguments that are `env(…)`, or have one in them, read at start."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from bff.http.auth import ApiKey, BearerToken, Env
from bff.text import parse_duration

_PLACEHOLDER = "http://backend.test"


class Option(Struct, frozen=True):
    """An argument that is no text: how one of the environment is read, and `stand_in`, which is good for a start."""

    read: Callable[[str], Any]
    expected: str
    stand_in: str


class Reading:
    """Reads arguments with one environment; `problems` say what is missing or wrong, and hold no value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ
        self._copies: dict[int, Any] = {}  # auth may hold itself

    def text(self, what: str, value: str | Env) -> str | None:
        """A text; None where it is missing."""
        if not isinstance(value, Env):
            return value
        found = value.read(self._environ)
        if found is None:
            self.problems.append(f"the environment variable {value.variable} is not set ({what})")
        return found

    def option(self, what: str, value: Env) -> Any:
        """What is no text; None where it is missing or wrong."""
        text = self.text(what, value)
        if text is None:
            return None
        try:
            return OPTIONS[what].read(text.strip())
        except ValueError:
            expected = OPTIONS[what].expected
            self.problems.append(f"the environment variable {value.variable} must be {expected} ({what})")
            return None

    def whole(self, what: str, value: Any) -> Any:
        """A value with texts in the place of what it takes from the environment; itself where that is nothing."""
        if isinstance(value, Env):
            return self.text(what, value)
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(self.whole(what, one) for one in value)
        if type(value) is dict:
            return {name: self.whole(what, one) for name, one in value.items()}
        if not _is_auth(value) or not any(envs_in(value)):
            return value
        if id(value) in self._copies:
            return self._copies[id(value)]
        own = self._copies[id(value)] = copy.copy(value)
        for name, one in _attributes(value).items():
            if any(envs_in(one)):
                object.__setattr__(own, name, self.whole(what, one))
        return own


def envs_in(value: Any, _within: tuple[Any, ...] = ()) -> Iterator[Env]:
    """What a value takes from the environment: in collections, and in the attributes of auth of requests, too."""
    if isinstance(value, Env):
        yield value
    elif isinstance(value, ApiKey | BearerToken):
        yield from envs_in(value.value)
    elif type(value) in (list, tuple, set, frozenset):
        for one in value:
            yield from envs_in(one, _within)
    elif type(value) is dict:
        yield from envs_in(list(value.values()), _within)
    elif _is_auth(value) and not any(value is outer for outer in _within):
        yield from envs_in(list(_attributes(value).values()), (*_within, value))


def stand_ins(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Texts by variable with which a client can start where its environment is not."""
    return {
        found.variable: OPTIONS[name].stand_in if name in OPTIONS else _PLACEHOLDER
        for name, value in arguments.items()
        for found in envs_in(value)
    }


def _is_auth(value: Any) -> bool:
    """Whether it is auth of requests; who has not loaded requests has none, nor while another thread loads it."""
    base = getattr(sys.modules.get("requests.auth"), "AuthBase", None)
    return base is not None and isinstance(value, base)


def _attributes(auth: Any) -> dict[str, Any]:
    slots = [name for kind in type(auth).__mro__ for name in getattr(kind, "__slots__", ())]
    return {**{name: getattr(auth, name) for name in slots if hasattr(auth, name)}, **vars(auth)}


def _whole_number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,12}", text) or int(text) < least:
            raise ValueError
        return int(text)

    return read


def _duration(text: str) -> str:
    if not parse_duration(text):
        raise ValueError
    return text


def _switch(text: str) -> bool:
    if text.lower() not in {"0", "1", "true", "false"}:
        raise ValueError
    return text.lower() in {"1", "true"}


_FROM_ONE = Option(_whole_number(1), "a whole number from 1", "64")
OPTIONS: Mapping[str, Option] = {
    "timeout": Option(_duration, "a duration such as 300ms, 2s or 1m", "800ms"),
    "retries": Option(_whole_number(0), "a whole number from 0", "1"),
    "concurrency": _FROM_ONE,
    "cache_entries": _FROM_ONE,
    "cache_bytes": _FROM_ONE,
    "proxies": Option(_switch, "1 or 0", "0"),
    "verify": Option(str, "", "/dev/null"),
    "cert": Option(str, "", "/dev/null"),
}
