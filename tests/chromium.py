"""The Chromium that tests drive: which program it is, and how it starts."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Playwright, sync_playwright

# The shell is the same Chromium without what only windows need, and does the same for two thirds of the time.
PROGRAM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# What Chromium asks of its maker at every start is no part of a test.
ARGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_running: list[Playwright] = []
"""The driver of this process, which can have one."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without windows; `needs("chromium")` says whether there can be one."""
    with contextlib.ExitStack() as stack:
        if not _running:
            _running.append(stack.enter_context(sync_playwright()))
            stack.callback(_running.clear)
        (playwright,) = _running
        browser = playwright.chromium.launch(executable_path=PROGRAM, chromium_sandbox=False, args=list(ARGS))
        stack.callback(browser.close)
        yield browser
