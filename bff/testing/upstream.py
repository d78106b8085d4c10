"""What a backend does to one step: a reply, or a way to fail, as a value and as a script of the server."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from bff import clock
from bff.recipe.model import BodyFormat
from bff.testing.encodings import body_in
from bff.testing.server import Received, Script, Wire, answer, flood, gzipped, head

NOT_JSON: Final = object()
EMPTY: Final = object()
MARKER = "upstream-words-that-must-not-show"
"""Stands in every reply of a failing backend."""

RETRY_AFTER = 7
_PATIENCE = 6.0
"""Seconds after which a hanging backend hangs up, so that a deadline that is not kept is seen and not waited for."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a backend answers: decoded JSON, bytes that go through, NOT_JSON or EMPTY; or why there is no reply.

    `sent` says whether the request may have reached the backend, `cut` whether a body that goes through breaks off.
    With an `old` status it fails with that one, and the reply is one that was kept before. `ends_as` are the kind and
    status of the failure that comes of it, where the reply alone does not tell; the kind is '' where none does. A value
    without a `format` is sent as JSON.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = EMPTY
    broken: Literal["refused", "timeout", "too-large"] | None = None
    sent: bool = True
    cut: bool = False
    old: int | None = None
    format: BodyFormat | None = None
    ends_as: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail: what it makes of the good reply, and how the server does it.

    Without a `script` nobody listens; a `stale` one ends idle connections and then answers well. A `warm` one comes
    after a visit in which all was well, to steps whose old replies may stand in. An `is_empty_list` one has null in the
    place of lists; one that `leaves` something of a write is a success by its status alone, and `told` another status
    of a part. Tables show it in the `column` that it shares with others, else in one of its own.
    """

    name: str
    of: Callable[[Upstream], Upstream]
    script: Callable[[Upstream], Script] | None = None
    stale: bool = False
    warm: bool = False
    is_empty_list: bool = False
    leaves: Literal["", "refused", "done", "unknown"] = ""
    told: int | None = None
    column: str = ""

    def __str__(self) -> str:
        return self.name


def at_once_old(reply: Upstream) -> Script:
    """The script of a good backend whose replies are old as soon as they are there."""
    return good_script(replace(reply, headers={**reply.headers, "Cache-Control": "max-age=0"}))


def good_script(reply: Upstream) -> Script:
    """The script that answers as a good backend does."""
    return answer(reply.status, body=raw_of(reply), headers=reply.headers)


def raw_of(reply: Upstream) -> bytes:
    """The body of a reply as it is sent."""
    if isinstance(reply.body, bytes):
        return reply.body
    if reply.body is EMPTY:
        return b""
    return json.dumps(reply.body).encode() if reply.format is None else body_in(reply.format, reply.body)


def _status(code: int, **headers: str) -> Fault:
    reply = Upstream(code, headers, {"message": MARKER, "items": [{"id": MARKER}]})
    return Fault(str(code), lambda _: reply, good_script)


def _hang(_: Received, wire: Wire) -> None:
    wire.until_closed(_PATIENCE)


def _drip(_: Upstream) -> Script:
    def script(_: Received, wire: Wire) -> None:
        wire.send(head(200, {"Content-Type": "application/json", "Content-Length": "100000"}) + b'["')
        ends = clock.monotonic() + _PATIENCE
        while clock.monotonic() < ends and not wire.backend.closing.wait(0.02):
            wire.send(b"a")
        wire.close()

    return script


def _half(reply: Upstream) -> Script:
    text = json.dumps({"message": MARKER, "more": 1}).encode()[:-6]
    return answer(200, body=text, headers=reply.headers)


def _cut_coding(reply: Upstream) -> Script:
    packed = gzipped(raw_of(reply) or b"{}")[:7]
    return answer(reply.status, body=packed, headers={**reply.headers, "Content-Encoding": "gzip"})


def _flood(reply: Upstream) -> Script:
    return flood(10 * 2**20, announced=True)


def _kept(reply: Upstream) -> Upstream:
    """The good reply of before; what is no success was not kept."""
    return replace(reply, old=500) if 200 <= reply.status < 300 else _FAILING.of(reply)


def _html(reply: Upstream) -> Script:
    page = f"<!doctype html><h1>{MARKER}</h1>".encode()
    return answer(200, body=page, headers={"Content-Type": "text/html"})


def another_form(value: Any) -> Any:
    """JSON of another form: every list a mapping, or where there is none, a list or mapping in its place."""
    changed = _without_lists(value, {"error": MARKER})
    if changed != value:
        return changed
    return [{"error": MARKER}] if isinstance(value, dict) else {"error": MARKER}


def _without_lists(value: Any, instead: Any) -> Any:
    if isinstance(value, list):
        return instead
    if isinstance(value, dict):
        return {key: _without_lists(member, instead) for key, member in value.items()}
    return value


def with_null_lists(value: Any) -> Any:
    """The JSON with null in the place of each list, as some backends write an empty one."""
    changed = _without_lists(value, None)
    return changed if changed != value else {"items": None}


def _of_form(name: str, body: Callable[[Any], Any], **more: Any) -> Fault:
    return Fault(name, lambda reply: replace(reply, body=body(reply.body)), good_script, **more)


_FAILING = _status(500)

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("refused", lambda _: Upstream(broken="refused", sent=False)),
        Fault("hangs", lambda _: Upstream(broken="timeout"), lambda _: _hang),
        _status(500),
        _status(503, **{"retry-after": str(RETRY_AFTER)}),
        _status(404),
        _status(401),
        _status(429, **{"retry-after": str(RETRY_AFTER)}),
        Fault("empty", lambda reply: replace(reply, body=EMPTY), good_script),
        Fault("HTML", lambda reply: replace(reply, status=200, body=NOT_JSON, headers={}), _html),
        Fault("half", lambda reply: replace(reply, status=200, body=NOT_JSON), _half),
        Fault("cut", lambda _: Upstream(broken="refused"), _cut_coding),
        _of_form("form", another_form),
        _of_form("null", lambda _: None),
        _of_form("nulls", with_null_lists, is_empty_list=True),
        _of_form("{}", lambda _: {}),
        _of_form("[]", lambda _: []),
        _of_form("text", lambda _: MARKER),
        Fault("10MB", lambda _: Upstream(broken="too-large"), _flood),
        Fault("drip", lambda _: Upstream(broken="timeout"), _drip),
        Fault("stale", lambda reply: reply, good_script, stale=True),
        Fault("kept", _kept, lambda reply: good_script(_FAILING.of(reply)), warm=True),
    )
}
"""Every fault of the matrix by its name, in the order of its columns."""


_ERRORS = [{"message": MARKER, "path": [MARKER]}]

FAULTS_OF_GRAPHQL: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        _of_form("errors", lambda _: {"errors": _ERRORS}, leaves="refused"),
        _of_form(
            "errors and data",
            lambda body: {**body, "errors": _ERRORS} if isinstance(body, dict) else {"errors": _ERRORS},
            leaves="unknown",
            column="errors",
        ),
    )
}
"""What only the reply to a GraphQL document can be: refused before anything was done, or failed on the way."""

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
"""What goes through a page whose body is not read, up and down, where its tests say nothing else."""

_LARGE = b" " * (10 * 2**20)


def _cut(reply: Upstream) -> Script:
    raw = raw_of(reply)

    def script(_: Received, wire: Wire) -> None:
        wire.send(
            head(reply.status, {**reply.headers, "Content-Length": str(len(raw))}) + raw[: len(raw) // 2]
        )
        wire.close()

    return script


def _drip_through(reply: Upstream) -> Script:
    def script(_: Received, wire: Wire) -> None:
        wire.send(head(reply.status, {**reply.headers, "Content-Length": "100000"}))
        ends = clock.monotonic() + _PATIENCE
        while clock.monotonic() < ends and not wire.backend.closing.wait(0.02):
            wire.send(b"a")
        wire.close()

    return script


def _one_of(*names: str) -> dict[str, Fault]:
    return {name: FAULTS[name] for name in names}


FAULTS_OF_PASSING: Mapping[str, Fault] = {
    **_one_of("refused", "hangs", "500", "503", "404", "401", "429", "empty", "HTML"),
    "half": Fault("half", lambda reply: replace(reply, cut=True), _cut),
    "10MB": Fault("10MB", lambda reply: replace(reply, body=_LARGE), good_script),
    "drip": Fault("drip", lambda reply: replace(reply, cut=True), _drip_through),
    **_one_of("stale"),
}
"""The faults of a request whose body goes through: those that are not about JSON, and what a stream can do."""


def script_of(fault: Fault, good: Upstream) -> Script:
    """What the server does at a step with this fault."""
    assert fault.script is not None, "nobody listens"
    scripted = good if fault.stale else fault.of(good)
    script = fault.script(scripted if scripted.broken is None and scripted.body is not NOT_JSON else good)

    def quietly(received: Received, wire: Wire) -> None:
        with contextlib.suppress(OSError):  # the layer hangs up on what takes too long
            script(received, wire)

    return quietly
