"""A visitor of pages that hand a body through, and the backend behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes import FakeBackend
from tests.project import app_of
from tests.web.passing.pages import DOWN, SLOW, UP


@pytest.fixture
def make(tmp_path: Path, backend: FakeBackend) -> Iterator[Callable[..., FlaskClient]]:
    made_so_far: list[_Closing] = []

    def made(**environ: str) -> FlaskClient:
        recipes = {"download": DOWN, "upload": UP}
        recipes |= {f"slow_{verb}": SLOW.format(method=verb.upper(), verb=verb) for verb in ("get", "put")}
        app = app_of(tmp_path, recipes, environ={"PEOPLE_URL": backend.url, **environ})
        app.test_client_class = _Closing
        found = app.test_client()
        assert isinstance(found, _Closing)
        made_so_far.append(found)
        return found

    yield made
    for client in made_so_far:
        client.close_all()


class _Closing(FlaskClient):
    """A visitor who leaves at the end of a test, whatever of an answer is still to come."""

    def open(self, *given: Any, **more: Any) -> TestResponse:
        page = super().open(*given, **more)
        self.__dict__.setdefault("pages", []).append(page)
        return page

    def close_all(self) -> None:
        for page in self.__dict__.get("pages", ()):
            page.close()


@pytest.fixture
def visitor(make: Callable[..., FlaskClient]) -> FlaskClient:
    return make()
