"""Short forms for tests that make calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from bff.http import Broken, Call, Calls, Client, OutgoingRequest, Reply
from tests.fakes import PATIENCE


def get(path: str, **parts: Any) -> OutgoingRequest:
    return OutgoingRequest("GET", path, safe=True, **parts)


def post(path: str, **parts: Any) -> OutgoingRequest:
    return OutgoingRequest("POST", path, **parts)


def finish(calls: Calls, *expected: Call) -> None:
    """Waits until all these calls have ended."""
    waiting = set(expected)
    end = time.monotonic() + PATIENCE
    while waiting:
        ended = calls.wait(end)
        assert ended, "the calls did not end"
        waiting -= set(ended)


def reply_of(calls: Calls, client: Client, request: OutgoingRequest) -> Reply:
    call = calls.start(client, request)
    finish(calls, call)
    assert isinstance(call.result, Reply), call.result
    return call.result


def broken_of(calls: Calls, client: Client, request: OutgoingRequest) -> Broken:
    call = calls.start(client, request)
    finish(calls, call)
    assert isinstance(call.result, Broken), call.result
    return call.result


def threads_of_transports() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "bff-http"]


def all_ended(threads: Iterable[threading.Thread]) -> bool:
    """Waits for the threads to end."""
    end = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)
