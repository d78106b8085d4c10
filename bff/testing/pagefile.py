"""`tests/pages/NAME.yaml`: what an author says of a page's request and replies where guessing does not reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bff.errors import OperatorError
from bff.recipe import Recipe, Request
from bff.testing.upstream import EMPTY, Upstream
from bff.text import nearest

FOLDER = Path("tests") / "pages"
_KEYS = ("user", "request", "replies", "page")
_REQUEST_KEYS = ("path", "query", "headers", "body")
_REPLY_KEYS = ("status", "headers", "body")


@dataclass(frozen=True, slots=True)
class PageFile:
    """What the file of a page says; empty where there is none.

    `user` stands over the guessed visitor, `request` over the guessed input, `replies` are by step, and `page`, if
    it is not None, is exactly what the page must be when every backend is well.
    """

    user: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    replies: Mapping[str, Upstream] = field(default_factory=dict)
    page: Any = None


def read_page_file(root: Path, recipe: Recipe) -> PageFile:
    """The file of a recipe, if there is one; raises OperatorError with what is wrong in it."""
    path = root / FOLDER / f"{recipe.name}.yaml"
    if not path.is_file():
        return PageFile()
    try:
        written = yaml.safe_load(path.read_text("utf-8")) or {}
    except yaml.YAMLError as exc:
        raise OperatorError(f"{FOLDER / path.name}: this is no YAML: {exc}") from exc
    place = (FOLDER / path.name).as_posix()
    _known(place, written, _KEYS)
    _known(f"{place}: request", written.get("request", {}), _REQUEST_KEYS)
    steps = [step.name for step in recipe.steps if isinstance(step, Request)]
    replies = written.get("replies", {})
    _known(f"{place}: replies", replies, steps)
    return PageFile(
        written.get("user", {}),
        written.get("request", {}),
        {name: _reply(f"{place}: replies.{name}", reply) for name, reply in replies.items()},
        written.get("page"),
    )


def _reply(place: str, written: Any) -> Upstream:
    """A reply: `{status, headers, body}`, or the body alone."""
    if not isinstance(written, dict) or not written or not set(written) <= set(_REPLY_KEYS):
        return Upstream(200, {"content-type": "application/json"}, written)
    headers = {str(name).lower(): str(value) for name, value in written.get("headers", {}).items()}
    return Upstream(
        written.get("status", 200),
        {"content-type": "application/json", **headers},
        written.get("body", EMPTY),
    )


def _known(place: str, written: Any, known: Any) -> None:
    if not isinstance(written, dict):
        raise OperatorError(f"{place}: expected a mapping with the keys {', '.join(known)}")
    for key in written:
        if key not in known:
            near = nearest(str(key), known)
            meant = f"did you mean {near}?  " if near else ""
            raise OperatorError(f"{place}: unknown key '{key}'; {meant}known are: {', '.join(known)}")
