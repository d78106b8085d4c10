"""A backend is down and an old reply stands in: the page keeps coming, and says so everywhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeBackend, answer, close, hang
from tests.project import BACKENDS, visitor

PAGE = """
    route: GET /api/page
    auth: none
    cache: {{max_age: 1m, shared_max_age: 1m}}
    steps:
      rows:
        client: todos
        get: /rows
      prices:
        client: notices
        get: /prices
        {prices}
        timeout: 400ms
        retries: 0
        cache:
          ttl: 1m
          stale_if_error: 1h
      total:
        value: sum([price for price in prices])
    shape:
      rows: rows
      prices: prices
      total: total
      errors: errors
    """
AT_ONCE_OLD = {"Cache-Control": "max-age=0"}
WHY = {
    "type": "urn:bff:problem:backend-failed",
    "title": "A backend failed",
    "status": 502,
    "detail": "'prices' answered with status 503.",
    "step": "prices",
    "retryable": True,
    "kind": "status",
    "fields": ["prices", "total"],
    "stale": True,
}


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    with FakeBackend() as running:
        running.on("GET /rows", answer(json=[]))
        yield running


def site(
    root: Path, backend: FakeBackend, prices: str = "", recipe: str = PAGE, **environ: str
) -> FlaskClient:
    urls = {f"{name.upper()}_URL": backend.url for name in BACKENDS}
    return visitor(root, recipe.format(prices=prices), environ={**urls, **environ})


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answer(503), WHY),
        (close, WHY | {"detail": "'prices' ended the connection without an answer.", "kind": "refused"}),
        (
            hang,
            WHY
            | {"type": "urn:bff:problem:backend-timeout", "title": "A backend took too long", "status": 504}
            | {"detail": "'prices' did not answer in time.", "kind": "timeout"},
        ),
    ],
    ids=["503", "refused", "hangs"],
)
def test_a_page_with_an_old_reply_is_whole_and_says_where_and_why_it_is_old(
    script: Any, why: dict[str, Any], tmp_path: Path, backend: FakeBackend
) -> None:
    backend.on("GET /prices", answer(json=[1, 2], headers=AT_ONCE_OLD), script)
    client = site(tmp_path, backend)
    new, old = client.get("/api/page"), client.get("/api/page")
    assert new.json == {"rows": [], "prices": [1, 2], "total": 3, "errors": []}
    assert "X-Page-Stale" not in new.headers
    assert old.status_code == 200
    assert old.json == {**new.json, "errors": [why]}
    assert old.headers["X-Page-Stale"] == "prices"
    assert "X-Page-Partial" not in old.headers
    assert (old.headers["Cache-Control"], "ETag" in old.headers) == ("no-store", False)


def test_without_an_old_reply_the_page_fails_as_ever(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /prices", answer(503))
    found = site(tmp_path, backend).get("/api/page")
    assert (found.status_code, found.json["step"], "stale" in found.json) == (502, "prices", False)


def test_when_the_backend_is_back_the_page_is_new_again(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on(
        "GET /prices",
        answer(json=[1], headers=AT_ONCE_OLD),
        answer(500),
        answer(json=[2], headers=AT_ONCE_OLD),
    )
    client = site(tmp_path, backend)
    found = [client.get("/api/page") for _ in range(3)]
    assert [(page.json["prices"], page.headers.get("X-Page-Stale")) for page in found] == [
        ([1], None),
        ([1], "prices"),
        ([2], None),
    ]


def test_each_old_item_is_told_and_the_step_named_once(tmp_path: Path, backend: FakeBackend) -> None:
    old, down = answer(json=5, headers=AT_ONCE_OLD), answer(503)
    for path in ("a", "c"):
        backend.on(f"GET /prices/{path}", old, down)
    backend.on("GET /prices/b", answer(json=7, headers=AT_ONCE_OLD))
    recipe = PAGE.replace("get: /prices", "each: name in ['a', 'b', 'c']\n        get: /prices/{{name}}")
    client = site(tmp_path, backend, recipe=recipe)
    client.get("/api/page")
    found = client.get("/api/page")
    assert found.json["prices"] == [5, 7, 5]
    assert found.headers["X-Page-Stale"] == "prices"
    assert sorted(error["item"] for error in found.json["errors"]) == [0, 2]


def test_a_step_with_an_old_item_and_a_failed_one_is_both_stale_and_partial(
    tmp_path: Path, backend: FakeBackend
) -> None:
    backend.on("GET /prices/a", answer(json=5, headers=AT_ONCE_OLD), answer(503))
    backend.on("GET /prices/b", answer(503))
    recipe = PAGE.replace("get: /prices", "each: name in ['a', 'b']\n        get: /prices/{{name}}")
    client = site(tmp_path, backend, "fallback: 0", recipe)
    client.get("/api/page")
    found = client.get("/api/page")
    assert found.json["prices"] == [5, 0]
    assert (found.headers["X-Page-Stale"], found.headers["X-Page-Partial"]) == ("prices", "prices")
    assert sorted((error["item"], error.get("stale", False)) for error in found.json["errors"]) == [
        (0, True),
        (1, False),
    ]


def test_an_old_second_source_keeps_the_page_from_being_partial(tmp_path: Path, backend: FakeBackend) -> None:
    recipe = """
        route: GET /api/page
        auth: none
        steps:
          first: {{client: todos, get: /first, retries: 0, fallback: null}}
          second:
            when: first is None
            client: notices
            get: /second
            retries: 0
            cache: {{ttl: 1m, stale_if_error: 1h}}
        shape: default(first, second)
        """
    backend.on("GET /first", answer(503))
    backend.on("GET /second", answer(json="old", headers=AT_ONCE_OLD), answer(503))
    client = site(tmp_path, backend, recipe=recipe)
    client.get("/api/page")
    found = client.get("/api/page")
    assert (found.json, found.headers["X-Page-Stale"]) == ("old", "second")
    assert "X-Page-Partial" not in found.headers


def test_the_log_and_server_timing_say_which_step_was_old(
    tmp_path: Path, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.on("GET /prices", answer(json=[1], headers=AT_ONCE_OLD), answer(503))
    client = site(tmp_path, backend, BFF_SERVER_TIMING="1")
    client.get("/api/page")
    caplog.set_level(logging.INFO, "bff.page")
    found = client.get("/api/page")
    [line] = [json.loads(record.message) for record in caplog.records if record.name == "bff.page"]
    assert (line["level"], line["stale"], line["partial"]) == ("warning", ["prices"], [])
    assert {name: step["outcome"] for name, step in line["steps"].items()} == {
        "rows": "ok",
        "prices": "stale",
        "total": "ok",
    }
    timings = dict(part.split(";", 1) for part in found.headers["Server-Timing"].split(", "))
    assert timings["prices"].endswith(";desc=stale")
    assert "desc" not in timings["rows"]


def test_other_origins_may_read_that_a_page_is_old(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /prices", answer(json=[1]))
    client = site(tmp_path, backend, BFF_ORIGINS="https://app.example")
    found = client.get("/api/page", headers={"Origin": "https://app.example"})
    assert "X-Page-Stale" in found.headers["Access-Control-Expose-Headers"].split(", ")


def test_old_pages_and_steps_are_counted_as_such(tmp_path: Path, backend: FakeBackend) -> None:
    backend.on("GET /prices", answer(json=[1], headers=AT_ONCE_OLD), answer(503))
    client = site(tmp_path, backend, BFF_METRICS="1")
    for _ in range(2):
        client.get("/api/page")
    counted = client.get("/metrics").text.splitlines()
    for outcome in ("ok", "stale"):
        assert f'bff_pages_total{{outcome="{outcome}",page="page"}} 1.0' in counted
        assert f'bff_steps_total{{outcome="{outcome}",page="page",step="prices"}} 1.0' in counted
