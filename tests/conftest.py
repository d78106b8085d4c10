"""What every test may use: tools that may be missing, the real backend, the project's own app on it.

Only what every test needs is imported here; a fixture imports what it starts.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.leftovers import Run  # noqa: E402

if TYPE_CHECKING:
    from clients.local import pocketbase
    from tests.clock import Clock
    from tests.servers import Layer, RedisServer

_CURES = {
    "ab": "apt-get install apache2-utils",
    "chromium": "apt-get install chromium-headless-shell",
    "nginx": "apt-get install nginx-light",
    "redis-server": "apt-get install redis-server",
    "strace": "apt-get install strace",
}
# What does as well.
_INSTEAD = {"chromium": "chromium-headless-shell"}


# Where several processes share the tests, what takes longest begins first, so that none ends long after the others.
_FIRST = ("browser", "deploy", "cli", "integration", "app", "testing")

_run: Run | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run that everything started from here belongs to; workers are part of the one that started them."""
    global _run
    if not hasattr(config, "workerinput") and sys.platform == "linux":
        _run = Run()
        # Who is told to end cleans up as who is interrupted.
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What thousands of tests are made of stays to the end: the collector need not look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the folders that take longest first in a worker; alone, tests run in the order of their names."""
    if hasattr(config, "workerinput"):
        ranks = {name: rank for rank, name in enumerate(_FIRST)}
        items.sort(key=lambda item: ranks.get(item.path.relative_to(ROOT).parts[1], len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Fail a run that leaves anything behind, also one that failed or was interrupted."""
    try:
        yield
    finally:
        if _run is not None and (left := _run.end()):
            print("\n\nleft behind by the tests:", *left, sep="\n  ", file=sys.stderr)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def needs(*programs: str) -> None:
    """Skips the test where a program is missing; fails it where REQUIRE_ALL=1 says that all must run."""
    for program in programs:
        if not any(map(shutil.which, (program, _INSTEAD.get(program, program)))):
            missing(f"needs {program}: {_CURES.get(program, 'install it')}")


def missing(reason: str) -> NoReturn:
    """Skips, or under REQUIRE_ALL=1 fails, with the reason."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(name="needs", scope="session")
def needs_fixture() -> Callable[..., None]:
    """`needs("ab")` in a test."""
    return needs


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The layer's clock, which stands still until the test moves it."""
    from tests.clock import Clock

    moved = Clock()
    yield moved
    moved.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of all tests; one of them may have stopped it and left it so."""
    needs("redis-server")
    from tests.servers import RedisServer

    running = RedisServer()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """A running Redis with nothing in it."""
    redis_server.start()
    redis_server.client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def wheelhouse() -> Iterator[None]:
    """Builds take their wheels from `.local/wheels/`, which is filled at first need, and start once."""
    from tests.wheelhouse import in_place

    with in_place():
        yield


@pytest.fixture(scope="session")
def backend_program() -> Path:
    """The real PocketBase, as `make install-backend` leaves it."""
    from clients.local import pocketbase
    from clients.local.binary import BackendError, checked_binary

    try:
        return checked_binary(pocketbase.ENVIRONMENT)
    except BackendError as exc:
        missing(str(exc))


@pytest.fixture
def backend(backend_program: Path) -> Iterator[pocketbase.Backend]:
    """An empty PocketBase of this test's own."""
    from tests.quick_backend import quick

    with quick() as running:
        yield running


@pytest.fixture(scope="session")
def app_backend(backend_program: Path) -> Iterator[pocketbase.Backend]:
    """A PocketBase that the tests of the app share; each of them has accounts of its own."""
    from tests.quick_backend import quick

    with quick() as running:
        running.add("notices", en="Hello", zh="你好", published="2026-01-01 00:00:00.000Z")
        yield running


@pytest.fixture(scope="session")
def app(app_backend: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    """The app as a process of its own."""
    from tests.servers import layer

    with layer(app_backend.url, tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="session")
def live_app(request: pytest.FixtureRequest) -> str:
    """Where browsers find the app.

    It is one instance; BROWSER_INSTANCES of them that take requests in turn; or with BROWSER_PAGES=1 each page as a
    process of its own.
    """
    if os.environ.get("BROWSER_PAGES") == "1":
        return str(request.getfixturevalue("live_pages"))
    if int(os.environ.get("BROWSER_INSTANCES", "1")) > 1:
        return str(request.getfixturevalue("live_instances"))
    return str(request.getfixturevalue("app").url)


@pytest.fixture(scope="session")
def live_instances(
    app_backend: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """BROWSER_INSTANCES instances that take requests in turn."""
    needs("nginx")
    from tests.nginx import alternating
    from tests.servers import layer

    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("instances")
        count = int(os.environ["BROWSER_INSTANCES"])
        each = {"BFF_TRUSTED_PROXIES": "1"}
        urls = [stack.enter_context(layer(app_backend.url, folder, **each)).url for _ in range(count)]
        yield stack.enter_context(alternating(urls, folder))


@pytest.fixture(scope="session")
def live_pages(app_backend: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Each page from its own bundle; one after the other is replaced meanwhile, and nobody may notice."""
    needs("nginx")
    from tests.scale.access import unexplained
    from tests.scale.pages import Pages, restarted_in_turn

    pages = Pages(app_backend.url, tmp_path_factory.mktemp("pages"))
    try:
        pages.start()
        with restarted_in_turn(pages, 1.0):
            yield pages.url
        lines = pages.log.follow()
        assert lines and pages.nginx.broken_off() == []
        # An answer that was begun and not sent whole is one whose reader has left: a browser that goes to another page.
        failed = [line for line in unexplained(lines, []) if not line.left]
        assert [line for line in failed if line.status >= 500 or not line.answered] == []
        assert not any(pages.doors.intersection(line.upstreams) for line in lines), "somebody had to wait"
        assert [name for name, bundle in pages.bundles.items() if not bundle.untouched()] == []
    finally:
        pages.stop()
