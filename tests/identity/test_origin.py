"""The cross-site rule."""

from __future__ import annotations

import pytest

from bff.identity.origin import passes

OWN, LISTED, OTHER = "https://app.test", "https://www.partner.test", "https://evil.test"


def asked(**changed: object) -> bool:
    facts: dict[str, object] = {
        "method": "POST",
        "signs_in": False,
        "has_cookie": True,
        "has_bearer": False,
        "fetch_site": None,
        "origin": None,
        "own": OWN,
        "allowed": (LISTED,),
    }
    return passes(**{**facts, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "allowed"),
    [
        ({"fetch_site": "same-origin"}, True),
        ({"fetch_site": "none"}, True),
        ({"fetch_site": "same-origin", "origin": OTHER}, True),
        ({"fetch_site": "cross-site"}, False),
        ({"fetch_site": "same-site"}, False),  # a sibling: another.app.test
        ({"fetch_site": "cross-site", "origin": OTHER}, False),
        ({"fetch_site": "same-site", "origin": "https://sibling.app.test"}, False),
        ({"fetch_site": "cross-site", "origin": LISTED}, True),
        ({"origin": OWN}, True),
        ({"origin": LISTED}, True),
        ({"origin": "https://www.partner.test.evil.test"}, False),
        ({"origin": "https://WWW.partner.test"}, False),
        ({"origin": "http://app.test"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({}, True),  # neither header: no browser
        ({"method": "GET", "fetch_site": "cross-site"}, True),
        ({"method": "DELETE", "fetch_site": "cross-site"}, False),
        ({"has_cookie": False, "fetch_site": "cross-site"}, True),
        ({"has_cookie": False, "signs_in": True, "fetch_site": "cross-site"}, False),  # login CSRF
        ({"has_cookie": False, "has_bearer": True, "fetch_site": "cross-site"}, True),
        ({"has_cookie": True, "has_bearer": True, "fetch_site": "cross-site"}, False),
    ],
)
def test_a_request_acts_for_a_visitor_only_from_our_own_pages(
    facts: dict[str, object], allowed: bool
) -> None:
    assert asked(**facts) is allowed
