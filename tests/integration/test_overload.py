"""A real server with more visitors than it may take: those above the bound are told at once, health checks answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.fakes import PATIENCE, FakeBackend, after, answer
from tests.servers import layer

LOGIN = {"email": "ann@example.com", "password": "password-1"}


def test_ten_times_too_many_visitors_are_told_so_at_once(tmp_path: Path) -> None:
    opened = threading.Event()
    with (
        FakeBackend() as backend,
        layer(backend.url, tmp_path, BFF_MAX_PAGES="4", BFF_THREADS="32") as served,
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
                health = [
                    requests.get(f"{served.url}{path}", timeout=5) for path in ("/healthz", "/readyz", "/")
                ]
            finally:
                opened.set()
            assert {future.result(PATIENCE)[0] for future in inside} <= {401, 504}
    assert {(status, retry) for status, retry, _ in told} == {(503, "1")}
    # A page inside may wait five seconds for its backend.
    assert max(seconds for *_, seconds in told) < 5.0
    assert [found.status_code for found in health] == [200, 200, 200]
    assert len(backend.requests) == 4
