"""A real server with more visitors than it may take: those above the bound are told at once, health checks answer."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from werkzeug.datastructures import Headers
from werkzeug.test import create_environ, run_wsgi_app

from tests.calls import python_calls
from tests.fakes import PATIENCE, FakeBackend, after, answer
from tests.project import app_of
from tests.servers import layer

LOGIN = {"email": "ann@example.com", "password": "password-1"}
ANSWERS_ALWAYS = ("/healthz", "/readyz", "/", "/metrics")


def test_ten_times_too_many_visitors_are_told_so_at_once(tmp_path: Path) -> None:
    opened = threading.Event()
    with (
        FakeBackend() as backend,
        layer(backend.url, tmp_path, threads=32, BFF_MAX_PAGES="4", BFF_METRICS="1") as served,
    ):
        backend.on("POST /api/collections/people/auth-with-password", after(opened, answer(400)))

        def sign_in() -> tuple[int, str | None, float]:
            begun = time.monotonic()
            found = requests.post(f"{served.url}/api/login", json=LOGIN, timeout=PATIENCE)
            return found.status_code, found.headers.get("Retry-After"), time.monotonic() - begun

        with ThreadPoolExecutor(44) as pool:
            inside = [pool.submit(sign_in) for _ in range(4)]
            assert backend.wait_for_requests(4)
            try:
                outside = [pool.submit(sign_in) for _ in range(40)]
                told = [future.result(PATIENCE) for future in outside]
                health = [requests.get(f"{served.url}{path}", timeout=5) for path in ANSWERS_ALWAYS]
            finally:
                opened.set()
            assert {future.result(PATIENCE)[0] for future in inside} <= {401, 504}
    assert {(status, retry) for status, retry, _ in told} == {(503, "1")}
    # A page inside may wait five seconds for its backend; what is told at once waits for nobody but the machine.
    assert max(seconds for *_, seconds in told) < 5.0
    assert statistics.median(seconds for *_, seconds in told) < 1.0
    assert [found.status_code for found in health] == [200] * len(ANSWERS_ALWAYS)
    assert 'bff_pages_total{outcome="shed",page="login"} 40.0' in health[-1].text
    assert len(backend.requests) == 4


def test_who_is_told_costs_few_calls_from_the_wsgi_entry_on(tmp_path: Path) -> None:
    opened = threading.Event()
    page = "route: GET /api/page\nauth: none\nsteps: {row: {client: todos, get: /row}}\nshape: row\n"
    with FakeBackend() as backend, ThreadPoolExecutor(2) as pool:
        backend.on("GET /row", after(opened, answer(json=1)))
        environ = {"BFF_MAX_PAGES": "2", "BFF_THREADS": "18", "TODOS_URL": backend.url}
        app = app_of(tmp_path, {"page": page}, environ=environ)
        inside = [pool.submit(app.test_client().get, "/api/page") for _ in range(2)]
        assert backend.wait_for_requests(2)
        request = create_environ("/api/page")
        told: list[tuple[Iterable[bytes], str, Headers]] = []
        try:
            counts = [
                python_calls(lambda: told.append(run_wsgi_app(app.wsgi_app, request, buffered=True)))
                for _ in range(20)
            ]
        finally:
            opened.set()
        assert [future.result(PATIENCE).status_code for future in inside] == [200, 200]
    assert {(status, headers["Retry-After"]) for _, status, headers in told} == {
        ("503 SERVICE UNAVAILABLE", "1")
    }
    assert min(counts) <= 400
