"""The headers that a recipe sets: their texts, and places as URIs."""

from __future__ import annotations

import re
from typing import Any

from bff.expressions.values import to_text
from bff.http import check_header
from bff.problems import problem
from bff.web.headers import Headers

_PLACES = frozenset({"location", "content-location"})
_PLAIN_PLACE = re.compile(r"(?:/[\w.~%!$&'()*+,:;=@-]+)+/?", re.ASCII)


def headers_of_recipe(tree: Any) -> Headers:
    """The headers that a recipe sets; what leads somewhere is encoded as a URI."""
    headers: Headers = []
    for name, value in tree.items():
        texts = [to_text(element) for element in (value if isinstance(value, list) else [value])]
        joined = ", ".join(text for text in texts if text is not None)
        if value is None or not any(text is not None for text in texts):
            continue
        try:
            check_header(name, joined)
        except ValueError as exc:
            log = f"headers: the value of {name} cannot be in a header"
            raise problem("internal", "This page could not be made.", log=log) from exc
        headers.append((name, as_uri(joined) if name.lower() in _PLACES else joined))
    return headers


def as_uri(place: str) -> str:
    """A place as it can stand in a header, spaces and characters outside ASCII encoded."""
    if _PLAIN_PLACE.fullmatch(place):
        return place
    from werkzeug.urls import iri_to_uri  # few places are none yet

    return iri_to_uri(place)
