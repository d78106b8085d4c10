"""Types of replies, learned while pages are asked, from what their steps decode.

Only `bff dev` and `bff introspect` do this. Where a client's schema describes a request, nothing is learned of it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bff import clock, jsontext
from bff.expressions.inspect import inspect_tree
from bff.plan.model import Plan, PlannedRequest
from bff.recipe.contracts.document import Document, read_document
from bff.recipe.contracts.learned import Learned, learned_file
from bff.recipe.contracts.observed import Names, Schema, merged, schema_of
from bff.recipe.contracts.operations import request_of
from bff.recipe.contracts.project import ClientContract
from bff.recipe.contracts.types_file import with_learned
from bff.recipe.model import Request

_EVERY = 1.0
"""Seconds between two writes, at least."""
_MOST_WAITING = 16
"""Replies of one request that are kept to be looked at; those that come meanwhile are not."""
_MOST_DEPTH = 100

Seen = tuple[str, str]
"""A client, and a request of it."""


class Learner:
    """Collects replies of a project's clients, or of one, and writes of which types they are.

    `tell` gets a line for each file that is written.
    """

    def __init__(self, root: Path, tell: Callable[[str], None], client: str | None = None) -> None:
        self._root = root
        self._tell = tell
        self._client = client
        self._lock = threading.Lock()
        self._waiting: dict[Seen, list[tuple[bytes, Names]]] = {}
        self._written = 0.0

    def watched(self, plan: Plan, contracts: Mapping[str, ClientContract]) -> Plan:
        """The same plan, whose steps' replies are learned from."""
        return replace(plan, steps=tuple(self._step(plan, step, contracts) for step in plan.steps))

    def learn(self) -> None:
        """Write what is new, unless it has just been done."""
        if self._waiting and clock.monotonic() - self._written >= _EVERY:
            self.write()

    def write(self) -> dict[Seen, Schema]:
        """Write what is new; gives what all that has waited was of."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        self._written = clock.monotonic()
        found: dict[Seen, Schema] = {}
        for seen, replies in waiting.items():
            if schema := _schema_of(replies):
                found[seen] = schema
        for client in dict.fromkeys(client for client, _ in found):
            self._write(client, {request: one for (name, request), one in found.items() if name == client})
        return found

    def _step(self, plan: Plan, step: Any, contracts: Mapping[str, ClientContract]) -> Any:
        if not isinstance(step, PlannedRequest) or not step.reads or step.format is not None:
            return step
        declared = plan.recipe.step(step.name)
        assert isinstance(declared, Request)
        if self._client not in (None, declared.client) or declared.graphql is not None:
            return step  # all documents have one address
        contract = contracts.get(declared.client)
        if contract is not None and contract.describes(declared.method, declared.path):
            return step
        seen = declared.client, request_of(declared.method, declared.path)
        names = _names_of(step.decode, declared)
        return replace(step, decode=_Watching(step.decode, names, seen, self._see))

    def _see(self, seen: Seen, raw: bytes, names: Names) -> None:
        with self._lock:
            waiting = self._waiting.setdefault(seen, [])
            if len(waiting) < _MOST_WAITING:
                waiting.append((raw, names))

    def _write(self, client: str, learned: Mapping[str, Schema]) -> None:
        file = learned_file(client)
        path = self._root / file
        document: Document | None = None
        if path.is_file():
            document, findings = read_document(path, file)
            if document is None or findings or Learned(document).findings:
                return  # somebody is writing it
        text, changed = with_learned(document, learned)
        if changed:
            _write_whole(path, text)
            self._tell(f"{file}: learned {', '.join(changed)}")


class _Watching:
    """A step's decoder whose replies are learned from, whatever the step makes of them."""

    def __init__(
        self, decode: Any, names: Names, seen: Seen, see: Callable[[Seen, bytes, Names], None]
    ) -> None:
        self._decode = decode
        self._names = names
        self._seen = seen
        self._see = see

    def __call__(self, raw: bytes, max_depth: int) -> Any:
        self._see(self._seen, raw, self._names)
        return self._decode(raw, max_depth)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decode, name)


def _names_of(decode: Any, step: Request) -> Names:
    """What a decoder reads of a reply, what it holds it to, and what is read to know whether the reply is the last."""
    needs = getattr(decode, "needs", ())
    done = () if step.until is None else inspect_tree(step.until.done).reads
    waited = (path[2:] for path in done if path[:2] == ("reply", "body"))
    return Names([*getattr(decode, "paths", ()), *(need.path for need in needs), *waited])


def _schema_of(replies: list[tuple[bytes, Names]]) -> Schema:
    found: Schema = {}
    for value, names in _values(replies):
        found = merged(found, schema_of(value, names))
    return found


def _values(replies: list[tuple[bytes, Names]]) -> Iterator[tuple[Any, Names]]:
    for raw, names in replies:
        try:
            yield jsontext.decode(raw, _MOST_DEPTH), names
        except ValueError:  # what is no JSON is told by its step
            continue


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all; its neighbour is followed by nobody."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
