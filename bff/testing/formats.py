"""Steps whose replies are no JSON, in the fault matrix: what their backends answer, and how these fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bff.expressions import Evaluation
from bff.http import Reply
from bff.plan.formats import FormatDecoder, Unreadable
from bff.recipe.model import BodyFormat
from bff.testing.encodings import MEDIA_TYPES, in_rows
from bff.testing.upstream import EMPTY, FAULTS, MARKER, NOT_JSON, Fault, Upstream, good_script

CHARSET: Final = "charset"
_ALIKE = (
    *("refused", "hangs", "500", "503", "404", "401", "429", "empty"),
    *("cut", "10MB", "drip", "stale", "kept"),
)
_HTML = f"<!doctype html><h1>{MARKER}</h1>".encode()
_HALF: Final[Mapping[str, bytes]] = {
    "ndjson": b'{"message": "' + MARKER.encode(),
    "form": b"message=%E2%82",
    "text": MARKER.encode() + b"\xe2\x82",
}
_NO_UTF_16 = MARKER.encode("utf-16-le") + b"\x00"


def faults_of_format(form: BodyFormat) -> dict[str, Fault]:
    """The faults of a step whose replies are of a format: those that are not about JSON, and its own."""
    media_type = MEDIA_TYPES[form.name]
    utf_16 = f"{media_type.partition(';')[0]}; charset=utf-16le"
    own = {
        "HTML": _unreadable("HTML", _HTML, "text/html"),
        "half": _unreadable("half", _half(form), media_type),
        CHARSET: _unreadable(CHARSET, _NO_UTF_16, utf_16),
    }
    if form.name == "text":  # a page is one, too
        del own["HTML"]
    return {name: FAULTS[name] for name in _ALIKE} | own


def _unreadable(name: str, raw: bytes, content_type: str) -> Fault:
    declared = {"content-type": content_type}

    def of(reply: Upstream) -> Upstream:
        return replace(reply, status=200, body=NOT_JSON, headers=declared)

    return Fault(name, of, lambda reply: good_script(replace(of(reply), body=raw)))


def _half(form: BodyFormat) -> bytes:
    """A body that ends too early, where its format shows that; of rows without quotes, one that is too long."""
    if form.name != "csv":
        return _HALF[form.name]
    if form.quote is not None:
        return in_rows(form, [["message"]]) + f"{form.quote}{MARKER}".encode()
    return in_rows(form, [["message"], [MARKER] * (len(form.header) + 2)])


def reply_in(form: BodyFormat, given: Upstream) -> Upstream:
    """A reply that an author wrote: a text is the body as it is sent, anything else its value."""
    headers = {**given.headers}
    if headers.get("content-type") == "application/json":
        headers["content-type"] = MEDIA_TYPES[form.name]
    body: Any = given.body
    if isinstance(body, str) and form.name != "text":
        try:
            body = FormatDecoder(form).freely(Reply(200, headers, body.encode()), Evaluation())
        except Unreadable:
            body = body.encode()
    return replace(given, headers=headers, body=body, format=form)


def nothing_in(form: BodyFormat) -> Any:
    """What a body without a byte is in a format; EMPTY where it is none."""
    decoder = FormatDecoder(form)
    return decoder.freely(Reply(200), Evaluation()) if decoder.may_be_nothing else EMPTY
