"""`tests/pages/NAME.yaml`: what an author says of a page's request and replies where guessing does not reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bff.errors import AuthorError, Finding
from bff.recipe.loader.reading import suggest
from bff.recipe.loader.schemas import plain
from bff.recipe.model import Recipe, Request
from bff.recipe.source.nodes import MapNode, Node, mark_of, read_nodes
from bff.recipe.source.text import read_source
from bff.testing.upstream import EMPTY, Upstream

FOLDER = Path("tests") / "pages"
KEYS = ("user", "request", "replies", "faults", "page")
REQUEST_KEYS = ("path", "query", "headers", "body")
REPLY_KEYS = ("status", "headers", "body")
FAULT_KEYS = ("endless", "items")
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """What the file of a page says; empty where there is none.

    `user` stands over the guessed visitor, `request` over the guessed input, `replies` are by step, `faults` by step
    and fault, and `page`, if it is not None, is exactly what the page must be when every backend is well.
    """

    user: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    replies: Mapping[str, Upstream] = field(default_factory=dict)
    page: Any = None
    faults: Mapping[str, Mapping[str, Upstream]] = field(default_factory=dict)

    def fault(self, step: str, name: str) -> Upstream | None:
        """What a step is answered in a fault, where the file says so."""
        return self.faults.get(step, {}).get(name)


def read_page_file(root: Path, recipe: Recipe) -> PageFile:
    """The file of a recipe, if there is one; raises AuthorError with everything that is wrong in it."""
    path = root / FOLDER / f"{recipe.name}.yaml"
    if not path.is_file():
        return PageFile()
    source, findings = read_source(path, path.relative_to(root).as_posix())
    node = None
    if source is not None:
        node, more = read_nodes(source)
        findings = [*findings, *more]
    if node is not None:
        findings = [*findings, *_mistakes(node, recipe)]
    if findings or node is None:
        raise AuthorError(findings)
    return page_file(plain(node))


def page_file(written: Mapping[str, Any]) -> PageFile:
    """What such a file says, once it is known to have the right keys."""
    replies = _replies(written.get("replies"))
    faults = {step: _replies(found) for step, found in (written.get("faults") or {}).items()}
    return PageFile(
        written.get("user") or {}, written.get("request") or {}, replies, written.get("page"), faults
    )


def _replies(written: Mapping[str, Any] | None) -> dict[str, Upstream]:
    return {name: _reply(reply) for name, reply in (written or {}).items()}


def _reply(written: Any) -> Upstream:
    """A reply: `{status, headers, body}`, or the body alone."""
    if not isinstance(written, dict) or not written or not set(written) <= set(REPLY_KEYS):
        return Upstream(200, _JSON, written)
    headers = {str(name).lower(): str(value) for name, value in (written.get("headers") or {}).items()}
    return Upstream(written.get("status", 200), {**_JSON, **headers}, written.get("body", EMPTY))


def _mistakes(node: Node, recipe: Recipe) -> Iterator[Finding]:
    yield from _unknown(node, KEYS)
    steps = [step.name for step in recipe.steps if isinstance(step, Request)]
    tables = {"user": None, "request": REQUEST_KEYS, "replies": steps, "faults": steps}
    for key, value in node.items if isinstance(node, MapNode) else ():
        if key.text in tables:
            yield from _unknown(value, tables[key.text])
        if key.text == "faults" and isinstance(value, MapNode):
            for _, found in value.items:
                yield from _unknown(found, FAULT_KEYS)


def _unknown(node: Node, known: Iterable[str] | None) -> Iterator[Finding]:
    if not isinstance(node, MapNode):
        yield mark_of(node).finding("expected a mapping")
        return
    for key, _ in node.items:
        if known is not None and key.text not in known:
            yield mark_of(key).finding(f"unknown key '{key.text}'", suggest(key.text, known))
