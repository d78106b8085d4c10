"""A project that is being written, and the app of the development server for it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bff.dev.application import DevApp
from bff.dev.pages import DevPages, Told
from tests.project import write_project

GOOD = """
    route: GET /api/good
    auth: none
    shape: 1
    """


@dataclass
class Project:
    """A folder whose files a test writes while its app runs; `told` and `lines` are what its author sees."""

    root: Path
    told: list[Told] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    app: DevApp | None = None

    def write(self, file: str, text: str) -> None:
        """Write a file, as new as if a second had passed."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        os.utime(path, ns=(before + 10**9, before + 10**9))

    def start(self, **recipes: str) -> FlaskClient:
        """Write recipes and load their app."""
        write_project(self.root, recipes)
        self.app = DevApp(self.root, DevPages(self.told.append), self.lines.append)
        return self.client

    @property
    def client(self) -> FlaskClient:
        assert self.app is not None
        app = self.app._app
        assert isinstance(app, Flask)
        return app.test_client()

    @property
    def said(self) -> list[str]:
        """Every mistake that the author was told, as often as it was."""
        return [str(one) for told in self.told for one in told.new]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.delenv("BFF_SESSION_KEYS", raising=False)
    monkeypatch.setenv("TODOS_URL", "http://127.0.0.1:9")  # nobody is there
    return Project(tmp_path)


@pytest.fixture
def answers(project: Project) -> Callable[[str], object]:
    """What a page of the project answers now: its JSON, or the detail of its problem."""

    def answers(path: str) -> object:
        answer = project.client.get(path)
        return answer.json if answer.status_code == 200 else answer.json["detail"]

    return answers
