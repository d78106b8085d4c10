"""An account for every test."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from tests.servers import Layer, Visitor

Account = Callable[..., Visitor]
_numbers = itertools.count(1)


@pytest.fixture
def account(app: Layer) -> Account:
    """Makes accounts: `account("Ann")`."""

    def make(name: str = "Ann", base_url: str | None = None) -> Visitor:
        return Visitor(base_url or app.url).sign_up(name, f"person{next(_numbers)}@example.com")

    return make
