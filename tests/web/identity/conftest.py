"""The backends of the site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from tests.web.identity.sessions import TOKEN


@pytest.fixture
def backends() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post("http://people.test/auth", json={"id": 7, "token": TOKEN})
        mock.add_callback("GET", "http://people.test/me", callback=_me)
        mock.get("http://todos.test/todos", json=[])
        yield mock


def _me(request: Any) -> tuple[int, dict[str, str], str]:
    sent = request.headers.get("Authorization")
    return (200, {}, json.dumps({"name": f"owner of {sent}"})) if sent else (401, {}, "{}")
