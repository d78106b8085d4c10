"""Requests from other sites, and of whom it is believed which site is ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.identity.sessions import sign_in, site

OTHER_SITE = "https://evil.test"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": OTHER_SITE}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost.evil.test"}, 403),
        ({"Origin": "https://partner.test", "Sec-Fetch-Site": "cross-site"}, 200),
        ({}, 200),
    ],
)
def test_another_site_cannot_act_for_a_visitor(
    tmp_path: Path, backends: Any, headers: dict[str, str], status: int
) -> None:
    client = site(tmp_path, BFF_ORIGINS="https://partner.test")
    sign_in(client)
    assert client.post("/api/change", headers=headers).status_code == status
    assert client.get("/api/mine", headers=headers).status_code == 200


def test_another_site_cannot_sign_a_visitor_in(tmp_path: Path, backends: Any) -> None:
    answer = sign_in(site(tmp_path), headers={"Sec-Fetch-Site": "cross-site", "Origin": OTHER_SITE})
    assert (answer.status_code, answer.json["type"]) == (403, "urn:bff:problem:other-site")
    assert "Set-Cookie" not in answer.headers
    assert len(backends.calls) == 0


def test_cors_is_only_for_listed_origins(tmp_path: Path, backends: Any) -> None:
    client = site(tmp_path, BFF_ORIGINS="https://partner.test")
    listed = client.get("/api/any", headers={"Origin": "https://partner.test"})
    assert listed.headers["Access-Control-Allow-Origin"] == "https://partner.test"
    assert listed.headers["Access-Control-Allow-Credentials"] == "true"
    other = client.get("/api/any", headers={"Origin": OTHER_SITE})
    assert "Access-Control-Allow-Origin" not in other.headers
    asked = {"Origin": "https://partner.test", "Access-Control-Request-Method": "POST"}
    preflight = client.options("/api/change", headers=asked)
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


def test_forwarded_headers_are_believed_only_of_trusted_proxies(tmp_path: Path, backends: Any) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.test", "X-Forwarded-For": "9.9.9.9"}
    assert sign_in(site(tmp_path), headers=forwarded).headers["Set-Cookie"].startswith("bff-session=")
    trusting = site(tmp_path, BFF_TRUSTED_PROXIES="1")
    assert sign_in(trusting, headers=forwarded).headers["Set-Cookie"].startswith("__Host-bff=")


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({"BFF_TRUSTED_PROXIES": "1"}, {"X-Forwarded-Host": "todos.example"}, 200),
        ({"BFF_TRUSTED_PROXIES": "1"}, {}, 403),
        ({"BFF_TRUSTED_PROXIES": "1"}, {"Sec-Fetch-Site": "same-origin"}, 200),
        ({"BFF_TRUSTED_PROXIES": "1"}, {"Host": "todos.example"}, 200),
        ({"BFF_ORIGINS": "http://todos.example"}, {}, 200),
        ({}, {"X-Forwarded-Host": "todos.example"}, 403),
    ],
)
def test_an_origin_is_our_own_by_the_host_that_the_proxy_says(
    settings: dict[str, str], headers: dict[str, str], status: int, tmp_path: Path, backends: Any
) -> None:
    sent = {"Host": "app:8000", "Origin": "http://todos.example", **headers}
    assert sign_in(site(tmp_path, **settings), headers=sent).status_code == status
