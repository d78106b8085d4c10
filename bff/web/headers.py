"""The headers of an answer as a list of pairs, which is what a server takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Headers: TypeAlias = list[tuple[str, str]]

_OF_A_BODY = frozenset({
    *("allow", "content-encoding", "content-language", "content-length", "content-md5", "content-range"),
    *("content-type", "last-modified"),
})  # fmt: skip


def names_of(headers: Sequence[tuple[str, str]]) -> set[str]:
    """Their names in lower case."""
    return {name.lower() for name, _ in headers}


def value_of(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    """The first value of a name in lower case; None where there is none."""
    return next((value for found, value in headers if found.lower() == name), None)


def put(headers: Headers, name: str, value: str) -> None:
    """Set a header in the place of the first of its name; the others of its name are taken out."""
    lower = name.lower()
    places = [at for at, (found, _) in enumerate(headers) if found.lower() == lower]
    if not places:
        headers.append((name, value))
        return
    headers[places[0]] = (name, value)
    for at in reversed(places[1:]):
        del headers[at]


def take_out(headers: Headers, name: str) -> None:
    """Remove all headers of a name in lower case."""
    headers[:] = [pair for pair in headers if pair[0].lower() != name]


def vary_with(headers: Headers, name: str) -> None:
    """Add the name of a request's header to Vary, if it is not there."""
    names = [one.strip() for one in (value_of(headers, "vary") or "").split(",") if one.strip()]
    if name.lower() not in [one.lower() for one in names]:
        put(headers, "Vary", ", ".join([*names, name]))


def without_body(headers: Headers, status: int) -> Headers:
    """The headers of an answer that has no body because of its status: 204 and 304."""
    lacking = _OF_A_BODY if status == 304 else {"content-length"}
    return [pair for pair in headers if pair[0].lower() not in lacking]
