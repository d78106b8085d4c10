"""The shop, and the backends that it asks, new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from bff import create_app
from tests.servers import RedisServer
from tests.shop.backends import carriers, payments
from tests.shop.backends.accounts import PASSWORD
from tests.shop.backends.town import Town, open_town

PROJECT = Path(__file__).parent / "project"
PART = "payments_token"
"""What is a part of pages, and no page."""
PLACES = ("accounts", "catalogue", "orders", "payments", "stock", "north", "south")


@pytest.fixture
def town() -> Iterator[Town]:
    with open_town() as town:
        yield town


@pytest.fixture
def environ(town: Town) -> dict[str, str]:
    return {f"{name.upper()}_URL": f"{town.url}/{name}" for name in PLACES} | {
        "BFF_SESSION_KEYS": Fernet.generate_key().decode(),
        "PAYMENTS_HOOK_SECRET": payments.SECRET,
        "NORTH_HOOK_SECRET": carriers.SECRET,
    }


@pytest.fixture
def shop(environ: dict[str, str]) -> Flask:
    """All pages but the one that keeps what it answered in Redis."""
    pages = [
        path.stem for path in (PROJECT / "orchestrations").glob("*.yaml") if path.stem not in ("paid", PART)
    ]
    return create_app(PROJECT, environ=environ, pages=pages)


@pytest.fixture
def whole_shop(environ: dict[str, str], redis: RedisServer) -> FlaskClient:
    """A stranger in the shop with all its pages."""
    return create_app(PROJECT, environ=environ | {"BFF_STATE_URL": redis.url}).test_client()


@pytest.fixture
def stranger(shop: Flask) -> FlaskClient:
    return shop.test_client()


def signed_in(shop: Flask, email: str) -> FlaskClient:
    visitor = shop.test_client()
    answer = visitor.post("/api/session", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200
    return visitor


@pytest.fixture
def ann(shop: Flask) -> FlaskClient:
    """A customer."""
    return signed_in(shop, "ann@example.com")


@pytest.fixture
def sam(shop: Flask) -> FlaskClient:
    """One of the staff."""
    return signed_in(shop, "sam@example.com")
