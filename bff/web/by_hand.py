"""What a view written by hand needs of the layer."""

from __future__ import annotations

from typing import Literal

from flask import current_app, g

from bff.http import Client, ForwardedToken
from bff.http.by_hand import Visit
from bff.text import nearest
from bff.web.journal import Journal
from bff.web.request import PageRequest
from bff.web.site import Site


def visitor_client(
    name: str, *, auth: Literal["required", "optional"] = "required", deadline: float = 3.0
) -> Client:
    """A client of the app that asks on behalf of the visitor of the current request.

    It sends their token where it forwards one, and by which way they came where it tells that; every request ends
    within `deadline` seconds since the visitor's came. Raises PageError, which becomes the answer: 401 for a stranger
    (with `auth="optional"` nobody's token is sent), 403 for a request that another site sent; LookupError for a client
    that there is not.
    """
    site: Site = current_app.extensions["bff"]
    client = site.clients.get(name)
    if client is None:
        near = nearest(name, site.clients)
        meant = f"did you mean '{near}'?  " if near else ""
        raise LookupError(f"unknown client '{name}': {meant}there are: {', '.join(site.clients)}")
    asked: PageRequest = g.asked
    visitor = site.identity.of(asked, auth)
    journal: Journal = g.journal
    sent = client.auth
    token = visitor.token(sent.name, or_bearer=sent.bearer) if isinstance(sent, ForwardedToken) else None
    until = journal.begun + deadline
    forwarded = asked.forwarded() if client.forwarded_headers else ()
    return client.for_visit(Visit(token, visitor.mark, journal.request_id, until, forwarded))
