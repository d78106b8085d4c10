"""The project's own app on the real backend, asked by people who sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff import create_app
from clients.local.pocketbase import Backend
from clients.local.seed import address_of, seed
from tests.quick_backend import quick
from tests.servers import ROOT, environ_of

PASSWORD = "one for all of them"


@pytest.fixture(scope="session")
def seeded_backend(backend_program: Path) -> Iterator[Backend]:
    """A PocketBase with the seeded rows, shared: read it, don't write to it. Everybody's password is `PASSWORD`."""
    with quick() as running:
        seed(running, PASSWORD)
        yield running


@pytest.fixture(scope="session")
def site() -> Callable[..., FlaskClient]:
    """Makes a test client of the project's own app whose clients all ask the backend at this URL."""

    def make(backend_url: str, **environ: str) -> FlaskClient:
        return create_app(ROOT, environ=environ_of(backend_url, **environ)).test_client()

    return make


@pytest.fixture(scope="session")
def lin(seeded_backend: Backend, site: Callable[..., FlaskClient]) -> FlaskClient:
    """Lin, who sees 25 of the seeded todos."""
    return signed_in(site(seeded_backend.url), "lin")


def signed_in(client: FlaskClient, key: str) -> FlaskClient:
    """The client after one of the seeded people has signed in."""
    answer = client.post("/api/login", json={"email": address_of(key), "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


def signed_up(client: FlaskClient, name: str = "Ann") -> tuple[FlaskClient, dict[str, Any]]:
    """The client after somebody has signed up, and who that is: `{id, name, email}`."""
    body = {"name": name, "email": f"{name.lower()}@example.com", "password": PASSWORD}
    answer = client.post("/api/signup", json=body)
    assert answer.status_code == 201, answer.text
    return client, answer.get_json()["user"]
