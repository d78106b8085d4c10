"""Instances of one app, and the backend that gives another number for every read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff import create_app
from bff.http import BackgroundReads
from bff.web import assembly
from tests.fakes import FakeBackend, Received, Wire, answer
from tests.project import LOGIN, write_project
from tests.web.recent_writes.visits import DOWNLOAD, HOME, KEY, SHELL, UPLOAD, WRITE, urls


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    """Every read gives another number."""
    with FakeBackend() as running:
        numbers = count(1)

        def number(received: Received, wire: Wire) -> None:
            answer(json=next(numbers))(received, wire)

        for path in ("/mine", "/all", "/name", "/below"):
            running.on(f"GET {path}", number)
        running.on("POST /rows", answer(201, json={"id": 1}))
        running.on("DELETE /rows", answer(204))
        running.on("PUT /file", answer(200, json={"file": "a_1.png"}))
        running.on("GET /file", answer(body=b"x", headers={"Content-Type": "image/png"}))
        yield running


@pytest.fixture
def behinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes what instances have done behind their pages."""
    made: list[BackgroundReads] = []
    original = assembly.background_of
    monkeypatch.setattr(assembly, "background_of", lambda *given: made.append(original(*given)) or made[-1])
    yield
    for background in made:
        background.close()


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend, behinds: None) -> Callable[..., FlaskClient]:
    """Makes an instance of the same app, and a visitor who begins there."""

    def made(
        user: str | None = "ann",
        *,
        auth: str = "optional",
        more: str = "",
        write: str = "",
        below: str = "",
        upload: str = "",
        **environ: str,
    ) -> Any:
        shape = ", below: below" if "below:" in below else ""
        text = WRITE.format(auth=auth, more=more, write=write, below=below, shape=shape)
        passing = {"upload": UPLOAD.format(upload=upload), "download": DOWNLOAD}
        write_project(tmp_path, {"login": LOGIN, "home": HOME, "shell": SHELL, "write": text, **passing})
        app = create_app(tmp_path, environ={**urls(backend), "BFF_SESSION_KEYS": KEY, **environ})
        visitor = app.test_client()
        if user is not None:
            assert visitor.post("/api/login", json={"name": user}).status_code == 200
        return visitor

    return made
