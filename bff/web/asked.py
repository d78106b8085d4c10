"""The request that is being answered: taken once and passed on, since each look through Flask's proxy costs more."""

from __future__ import annotations

from flask import Request, request
from msgspec import Struct

from bff.http import FORWARDED
from bff.identity import Visitor
from bff.web.input import PageRequest
from bff.web.journal import Journal
from bff.web.site import Page


class Asked(Struct, frozen=True):
    """What is asked for and by whom, as it came and as it was read; `key` is the visitor's for a repeat."""

    request: Request
    journal: Journal
    page: Page
    visitor: Visitor
    given: PageRequest
    key: str | None


def this_request() -> Request:
    """The request itself: it can be read when Flask has forgotten which one it answered."""
    return request._get_current_object()  # type: ignore[attr-defined,no-any-return]


def forwarded_of(request: Request) -> tuple[tuple[str, str], ...]:
    """By which way a request came, as headers for a backend: what is left of it behind the trusted proxies."""
    found = (request.remote_addr, request.scheme, request.host)
    return tuple((name, text) for name, text in zip(FORWARDED, found, strict=True) if text)
