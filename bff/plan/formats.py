"""Bodies of replies that are no JSON, as values: a text, rows, a list of JSON values, a form.

Each is bounded before it is built, in rows, columns and cells, and paid for like what expressions build.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from msgspec import Struct

from bff.errors import FailureKind, Reason
from bff.expressions import Evaluation
from bff.expressions.evaluation import text_size
from bff.http import Reply
from bff.http.charsets import UnknownCharset, as_text
from bff.jsontext import NotJSON, TooDeep, decode, decode_exactly
from bff.plan.holding import Held, hold
from bff.recipe.model import BodyFormat

MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 1_000
MAX_CELLS: Final = 500_000
MAX_PAIRS: Final = 1_000
_CHUNK: Final = 1_000
_ROW, _CELL = 200, 64
"""Bytes of a row and of each of its cells, about."""
_MARKUP = re.compile(r"\s*<[!?A-Za-z]")
_JSON = re.compile(r"\s*[\[{]")


class Unreadable(Exception):
    """A body is not of its format: the kind and reason of the failure, and `what` it is instead in constant words."""

    def __init__(self, what: str, reason: Reason = "format", kind: FailureKind = "bad-reply") -> None:
        super().__init__(what)
        self.what = what
        self.kind: FailureKind = kind
        self.reason: Reason = reason


class FormatDecoder(Struct, frozen=True):
    """Reads the bodies of a step's replies, and holds successes to the `needs`.

    With `exactly` a number that cannot be held is no JSON: what is made of the value is written.
    """

    format: BodyFormat
    needs: tuple[Held, ...] = ()
    exactly: bool = False

    @property
    def may_be_nothing(self) -> bool:
        """Whether a body without a byte is of the format: a text, or a list or form with nothing in it."""
        return self.format.name != "csv" or bool(self.format.header)

    def read(self, reply: Reply, evaluation: Evaluation) -> Any:
        """The value of a body; raises Unreadable, BoundError, and UnmetNeed for a success without what is needed."""
        value = self.freely(reply, evaluation)
        if self.needs and reply.ok:
            hold(value, self.needs)
        return value

    def freely(self, reply: Reply, evaluation: Evaluation) -> Any:
        """The value of a body that is held to nothing."""
        evaluation.charge(len(reply.raw) >> 5)
        return _READERS[self.format.name](self, reply, evaluation)


def _text(decoder: FormatDecoder, reply: Reply, evaluation: Evaluation) -> str:
    evaluation.take(text_size(len(reply.raw)))
    try:
        return as_text(reply.raw, reply.headers.get("content-type"))
    except UnknownCharset:
        raise Unreadable("in a charset that nobody knows", "charset") from None
    except UnicodeError:
        raise Unreadable("with what is not in its charset", "charset") from None


# --- csv ---------------------------------------------------------------------------------------------------------


def _csv(decoder: FormatDecoder, reply: Reply, evaluation: Evaluation) -> list[dict[str, str | None]]:
    text = _text(decoder, reply, evaluation)
    if not text or text.isspace():
        if decoder.format.header:
            return []
        raise Unreadable("with no header row", "empty")
    if _MARKUP.match(text) or (not decoder.format.header and _JSON.match(text)):
        raise Unreadable("with something else than CSV")
    if text.count(decoder.format.delimiter) > MAX_CELLS:
        raise _too_many()
    try:
        return _rows(decoder.format, text, evaluation)
    except csv.Error:
        raise Unreadable("with something else than CSV") from None


def _rows(form: BodyFormat, text: str, evaluation: Evaluation) -> list[dict[str, str | None]]:
    """The rows as objects; an empty line is none."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=form.delimiter,
        quotechar=form.quote or None,
        quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
        strict=True,
    )
    header = list(form.header) or next(filter(None, islice(reader, MAX_ROWS)), [])
    width = len(header)
    if not 0 < width <= MAX_COLUMNS:
        raise _too_many()
    if len(set(header)) < width:
        raise Unreadable("with two columns of one name", "columns")
    rows: list[dict[str, str | None]] = []
    met, most = 0, min(MAX_ROWS, MAX_CELLS // width)
    while chunk := list(islice(reader, min(_CHUNK, most + 1))):
        met += len(chunk)
        if met > MAX_ROWS:  # empty lines take time, too
            raise _too_many()
        evaluation.charge(len(chunk) * (width + 4))
        evaluation.take(len(chunk) * (_ROW + width * _CELL))
        rows += _objects(header, width, chunk)
        if len(rows) > most:
            raise _too_many()
    return rows


def _objects(header: list[str], width: int, chunk: list[list[str]]) -> Iterator[dict[str, str | None]]:
    for cells in chunk:
        if len(cells) == width:
            yield dict(zip(header, cells, strict=True))
        elif len(cells) > width:
            raise Unreadable("with a row that is longer than its header", "columns")
        elif cells:
            yield dict(zip(header, chain(cells, [None] * (width - len(cells))), strict=True))


def _too_many() -> Unreadable:
    return Unreadable("with more rows or columns than are read", "rows", "too-large")


# --- ndjson and form ---------------------------------------------------------------------------------------------


def _ndjson(decoder: FormatDecoder, reply: Reply, evaluation: Evaluation) -> list[Any]:
    content_type = reply.headers.get("content-type")
    raw = reply.raw
    if content_type is not None or not raw.isascii():
        raw = _text(decoder, reply, evaluation).encode()
    if raw.count(b"\n") > MAX_ROWS:
        raise _too_many()
    lines = [line for line in raw.split(b"\n") if line and not line.isspace()]
    evaluation.charge(8 * len(lines))
    evaluation.take(_CELL * len(lines))
    read = decode_exactly if decoder.exactly else decode
    try:
        return [read(line, reply.max_depth) for line in lines]
    except TooDeep:
        raise Unreadable("with JSON nested too deeply", "depth", "too-large") from None
    except NotJSON:
        raise Unreadable("with a line that is not JSON") from None


def _form(decoder: FormatDecoder, reply: Reply, evaluation: Evaluation) -> dict[str, str]:
    from urllib.parse import parse_qsl

    text = _text(decoder, reply, evaluation).strip("\r\n")
    if _MARKUP.match(text) or _JSON.match(text):
        raise Unreadable("with something else than a form")
    evaluation.take(text_size(len(text)))
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PAIRS)
    except UnicodeError:
        raise Unreadable("with what is not in its charset", "charset") from None
    except ValueError:
        raise _too_many() from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("with two values of one name", "columns")
    return found


_READERS: Final[Mapping[str, Callable[[FormatDecoder, Reply, Evaluation], Any]]] = {
    "text": _text,
    "csv": _csv,
    "ndjson": _ndjson,
    "form": _form,
}

ACCEPT: Final[Mapping[str, str]] = {
    "text": "text/plain, */*;q=0.5",
    "csv": "text/csv, */*;q=0.5",
    "ndjson": "application/x-ndjson, */*;q=0.5",
    "form": "application/x-www-form-urlencoded, */*;q=0.5",
}
"""What a step asks its backend for, where neither it nor its client says."""
