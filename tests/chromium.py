"""The Chromium that tests drive: which program it is, and how it starts."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

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


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without windows; `needs("chromium")` says whether there can be one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, chromium_sandbox=False, args=list(ARGS))
        try:
            yield browser
        finally:
            browser.close()
