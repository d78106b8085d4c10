"""Visitors with a Bearer token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.identity.test_bearer import JWKS, token
from tests.web.identity.sessions import sign_in, site


class TestBearer:
    """Visitors who come with a JWT."""

    @pytest.fixture
    def client(self, tmp_path: Path, backends: Any) -> FlaskClient:
        return site(
            tmp_path, BFF_JWT_JWKS=JWKS, BFF_JWT_ISSUER="https://login.test", BFF_JWT_AUDIENCE="todos"
        )

    def test_a_good_token_is_a_visitor(self, client: FlaskClient) -> None:
        answer = client.get("/api/any", headers={"Authorization": f"Bearer {token()}"})
        assert answer.json["user"]["sub"] == "u7"

    def test_a_bad_token_is_401_and_does_not_fall_back_to_the_cookie(self, client: FlaskClient) -> None:
        sign_in(client)
        answer = client.get("/api/any", headers={"Authorization": f"Bearer {token(aud='others')}"})
        assert (answer.status_code, answer.json["detail"]) == (401, "The Bearer token is not valid here.")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    def test_it_is_exempt_from_the_cross_site_rule(self, client: FlaskClient) -> None:
        headers = {"Authorization": f"Bearer {token()}", "Sec-Fetch-Site": "cross-site"}
        assert client.post("/api/change", headers=headers).status_code == 200

    def test_it_is_not_sent_to_a_client_that_does_not_ask_for_it(
        self, client: FlaskClient, backends: Any
    ) -> None:
        client.get("/api/mine", headers={"Authorization": f"Bearer {token()}"})
        assert all("Authorization" not in call.request.headers for call in backends.calls)

    def test_without_a_jwks_it_is_not_taken(self, tmp_path: Path, backends: Any) -> None:
        answer = site(tmp_path / "other").get("/api/any", headers={"Authorization": f"Bearer {token()}"})
        assert (answer.status_code, answer.json["detail"]) == (401, "Bearer tokens are not taken here.")
