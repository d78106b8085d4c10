"""What tests of the project's own recipes share: mocked backends, an app on them, and all that can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from flask.testing import FlaskClient

from bff import create_app

ROOT = Path(__file__).resolve().parents[2]
HOSTS = {name: f"http://{name}.test" for name in ("people", "todos", "notices")}

# A reply that cannot be used, and the kind and status of the failure that it is.
TROUBLE = {
    "failing": ({"status": 500, "json": {"message": "secret trouble"}}, "status", 502),
    "overloaded": ({"status": 503, "body": "secret trouble"}, "status", 502),
    "refusing us": ({"status": 403, "json": {"message": "secret trouble"}}, "status", 502),
    "down": ({"body": requests.ConnectionError("secret.example refused")}, "refused", 502),
    "slow": ({"body": requests.ReadTimeout("secret.example is slow")}, "timeout", 504),
    "HTML": ({"body": "<h1>secret trouble</h1>", "content_type": "text/html"}, "not-json", 502),
    "half a JSON": ({"body": '{"items": ["secret trou'}, "not-json", 502),
    "of another form": ({"json": {"items": {"secret": "trouble"}}}, "bad-reply", 502),
}


@dataclass
class Backends:
    """The mocked backends; `answers` says what a collection replies, `calls` which were asked."""

    mock: responses.RequestsMock
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(
        self, client: str, collection: str, method: str = "GET", suffix: str = "", **reply: Any
    ) -> None:
        """Replies so from now on, in place of what was said before."""
        url = f"{HOSTS[client]}/api/collections/{collection}/records{suffix}"
        self.mock.upsert(method, url, **reply)

    def calls(self, collection: str) -> list[requests.PreparedRequest]:
        """The requests that this collection got, in order."""
        asked = [call.request for call in self.mock.calls]
        return [request for request in asked if f"/collections/{collection}/" in str(request.url)]


@pytest.fixture
def backends() -> Iterator[Backends]:
    """Backends that answer only what a test tells them to."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Backends(mock)


@pytest.fixture
def visitor() -> FlaskClient:
    """A test client of this project's app."""
    environ = {f"{name.upper()}_URL": url for name, url in HOSTS.items()}
    return create_app(ROOT, environ=environ).test_client()


def query_of(request: requests.PreparedRequest) -> dict[str, str]:
    """The query of a request that was sent."""
    return dict(request.params)  # type: ignore[attr-defined]
