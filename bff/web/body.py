"""Reads a visitor's JSON body as its recipe declares it: whole, in time, without what the schema does not list."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bff import clock, jsontext
from bff.problems import problem
from bff.validation import MOST_MISTAKES, Validator, known_parts, prune
from bff.web.mistakes import TOO_LARGE, Errors, mistake, mistakes_in
from bff.web.request import PageRequest


class BodyReader(Struct, frozen=True):
    """The JSON body of one recipe."""

    schema: Mapping[str, Any]
    validator: Validator
    max_depth: int
    timeout: float

    @classmethod
    def of(cls, schema: Mapping[str, Any], max_depth: int, timeout: float) -> BodyReader:
        return cls(schema, Validator(schema), max_depth, timeout)

    def read(self, request: PageRequest, errors: Errors, until: float) -> Any:
        """The body, by `until` (monotonic); what does not fit is added to `errors`, what cannot be read is raised."""
        if not _is_json(request.media_type):
            raise problem(
                "unsupported-media-type",
                "This page takes a body of the type application/json.",
                headers={"Accept": "application/json"},
            )
        if request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
            raise problem(
                "unsupported-media-type",
                "The body is packed; this page takes it as it is, without Content-Encoding.",
                headers={"Accept-Encoding": "identity"},
            )
        raw = whole_body(request, self.timeout)
        if large := list(itertools.islice(jsontext.large_numbers(raw), MOST_MISTAKES)):
            places = known_parts(self.schema, large)
            errors.extend(mistake(("body", *place), TOO_LARGE) for place in places)
            return None
        value = prune(self.schema, _parse(raw, self.max_depth))
        errors.extend(mistakes_in(self.validator, value, ("body",)))
        if clock.monotonic() > until:
            raise problem("upload-too-slow", "The body was not read in time.")
        return value


def _is_json(mimetype: str) -> bool:
    return mimetype == "application/json" or (
        mimetype.startswith("application/") and mimetype.endswith("+json")
    )


def whole_body(request: PageRequest, timeout: float) -> bytes:
    """The body; servers that frame it themselves have it cut off where it ends too early or goes over the bound."""
    raw = request.body(timeout)
    announced, most = request.body_length, request.max_body
    if announced is None and most is not None and len(raw) >= most:
        raise problem("body-too-large", "The body is larger than this app takes.")
    if announced is not None and len(raw) < announced:
        raise problem("malformed-body", "The body ends too early.")
    return raw


def _parse(raw: bytes, max_depth: int) -> Any:
    try:
        jsontext.check_strictly(raw)  # strict: a visitor's NaN or broken text is a mistake, not a null
        return jsontext.decode(raw, max_depth)
    except (ValueError, RecursionError) as exc:
        detail = "The body nests too deeply." if isinstance(exc, RecursionError | jsontext.TooDeep) else (
            "The body is not JSON in UTF-8." if raw.strip() else "The body is empty; this page takes a JSON body."
        )  # fmt: skip
        raise problem("malformed-body", detail) from exc
