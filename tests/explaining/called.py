"""What `bff call` prints of the ten recipes, with one backend behind all of their clients; times are left out."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bff.cli import main
from tests.explaining.project import CLIENTS, page_of
from tests.fakes import FakeBackend, answer

REPLIES: Mapping[str, Any] = {
    "GET /v1/holidays/2026": {"days": [{"date": "2026-12-25", "names": {"en": "Christmas"}}]},
    "GET /todos": [
        {"title": "Tea", "done": False, "helper_id": "7"},
        {"title": "Cups", "done": True, "helper_id": None},
    ],
    "GET /people": [{"id": "7", "name": "Ada", "face": "ada.png"}],
    "GET /people/7": {"id": "7", "name": "Ada", "team_id": "t", "may_order": True},
    "GET /teams/t": {"name": "Kitchen"},
    "GET /todos/1": {"title": "Tea"},
    "GET /labels/red": {"text": "Red"},
    "GET /labels/green": {"text": "Green"},
    "GET /labels/blue": {"text": "Blue"},
    "GET /v1/prices": {"tea": 2},
    "GET /v1/rates": {"eur": 1.5},
    "GET /v1/texts": {"text": "Welcome", "key": "w"},
    "GET /v1/offers": [{"tea": 1}],
    "GET /v1/weather": {"now": {"celsius": 3}},
    "POST /orders": {"id": "o1"},
    "POST /lines": {"id": "l1"},
    "POST /notices": {},
    "GET /orders/o1": {"at": "noon"},
    "GET /notices": [{"text": "Closed on Friday"}],
    "GET /faces": [{"id": "7", "url": "ada.png"}],
    "GET /plans/p": {"plan": {"owner": "7", "text": "old", "names": []}},
    "POST /v1/search": {"hits": [{"id": "h", "score": 0.9}]},
    "GET /v1/hits/h": {"id": "h", "names": ["Hit"]},
    "PUT /plans/p": {"id": "p", "version": 2},
    "POST /log": {"id": "1"},
}
"""Whatever else is asked for is not there."""
OF_PAGES: Mapping[str, Mapping[str, Any]] = {
    "chain": {"GET /todos": {"items": [{"title": "Tea", "owner_id": "7"}]}},
    "parts": {"GET /todos": {"items": [{"title": "Tea", "owner": "7"}]}},
    "all": {"GET /v1/rates": [{"day": "mon", "eur": 1.5}]},
}
"""Where the backend of a page has something in another form."""
ARGUMENTS = {
    "one_read": ["-q", "year=2026"],
    "each": ["-q", "id=1", "-q", "id=2"],
    "writes": ["-d", '{"titles": ["Tea"], "number": "n1"}'],
    "all": ["-q", "id=p", "-d", '{"text": "new", "days": ["mon"]}'],
}
_VISITOR = '{"user": {"id": "7"}, "tokens": {"people": "a token"}}'


def called(root: Path, stem: str) -> str:
    """The answer of a recipe's page, and below it its status and its steps."""
    name = page_of(stem)
    out, err = io.StringIO(), io.StringIO()
    (root / "ada.json").write_text(_VISITOR)
    handlers = logging.getLogger("bff").handlers[:]
    with FakeBackend() as backend, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for route, reply in {**REPLIES, **OF_PAGES.get(name, {})}.items():
            backend.on(route, answer(json=reply, headers={"X-Source": "stock"}))
        urls = {f"{name.upper()}_URL": backend.url for name in CLIENTS}
        with patch.dict(os.environ, urls):
            who = ["--as", str(root / "ada.json")]
            main(["--root", str(root), "call", name, *ARGUMENTS.get(name, []), *who, "--trace"])
    logging.getLogger("bff").handlers[:] = handlers
    steps = re.sub(r"\s+=+\s+[\d.]+ ms", "  …", re.sub(r"in \d+ ms", "in … ms", err.getvalue()))
    answered = re.sub(r'"instance": "[0-9a-f]{32}"', '"instance": "…"', out.getvalue())
    # Which of two that wait for different replies begins first is the network's to say.
    status, page, *others = (line.rstrip() for line in steps.splitlines())
    return "\n".join([answered, status, page, *sorted(others), ""])
