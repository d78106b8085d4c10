"""The pages of one app as they are now: loaded, checked and planned from its project folder."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from bff.certificates import problem_of_authorities
from bff.errors import AuthorError, OperatorError
from bff.http import Client, Sender, Transport
from bff.modules import project_modules
from bff.plan.compiled import BELONGS_TOGETHER, FILE, read_pages, read_settings
from bff.plan.model import Plan, Planned
from bff.recipe.model import Recipe
from bff.settings import Settings
from bff.web.cors import CorsNames
from bff.web.identity import Identity
from bff.web.input import InputReader
from bff.web.journal import operator

Stamp = tuple[tuple[str, int, int], ...]
_FOLLOWED = {
    "orchestrations": ("*.yaml", "*.yml", "*.py"),
    "clients": ("*.py", "**/*.yaml", "**/*.yml", "**/*.json"),  # schemas may stand below
}
RequireFor: TypeAlias = Callable[[Plan], None]
"""Raises OperatorError where a page needs what the settings lack."""


class Page(Struct, frozen=True):
    """One recipe, ready to answer; `cors` is what other origins may read and send, where any is listed."""

    recipe: Recipe
    plan: Plan
    reader: InputReader
    cors: CorsNames | None = None


def has_pages(folder: Path) -> bool:
    """Whether a folder is that of a project: with recipes, or with their compiled form."""
    return (folder / "orchestrations").is_dir() or (folder / FILE).is_file()


def _planned(root: Path, pages: Sequence[str] | None, settings: Settings) -> Planned:
    """The plans of a folder: of its recipes, and of what was compiled only where there are none to be older than."""
    if _is_built(root):
        return read_pages(root, pages)
    with _recipes_wanted(root):
        from bff.plan.planning import plan_folder  # what reads and checks recipes
    return plan_folder(root, pages, settings)


def settings_of(root: Path) -> Mapping[str, str]:
    """The texts of the settings that a folder's project has, likewise."""
    if _is_built(root):
        return read_settings(root)
    with _recipes_wanted(root):
        from bff.plan.planning import settings_of
    return settings_of(root)


def _is_built(root: Path) -> bool:
    return not any((root / "orchestrations").glob("*.yaml")) and (root / FILE).is_file()


@contextmanager
def _recipes_wanted(root: Path) -> Iterator[None]:
    """Raises OperatorError where what reads recipes is not there, since the folder is to have none."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "bff.plan.planning":
            raise
        raise OperatorError(f"{root / FILE} is missing: {BELONGS_TOGETHER}") from None


def load_pages(
    root: Path,
    pages: Sequence[str] | None,
    settings: Settings,
    environ: Mapping[str, str],
    require_for: RequireFor,
) -> tuple[dict[str, Page], Planned]:
    """The pages of a project, and what they are made of; raises AuthorError or OperatorError with all that is wrong."""
    planned = _planned(root, pages, settings)
    lacking = _lacking(planned.plans.values(), require_for)
    try:
        _resolve_clients(planned.clients, planned.plans.values(), environ)
    except OperatorError as error:
        lacking.append(str(error))
    if lacking:
        raise OperatorError("\n".join(lacking))
    return {name: page_of(plan, settings) for name, plan in planned.plans.items()}, planned


def _lacking(plans: Iterable[Plan], require_for: RequireFor) -> list[str]:
    """What pages need and the environment lacks, in a line for each: with the first page that needs it."""
    found: dict[str, str] = {}
    for plan in plans:
        try:
            require_for(plan)
        except OperatorError as error:
            for line in str(error).splitlines():
                found.setdefault(line.partition(", and ")[0], line)
    return list(found.values())


def page_of(plan: Plan, settings: Settings) -> Page:
    """The page of a plan."""
    recipe = plan.recipe
    reader = InputReader.of(recipe, settings.max_depth, settings.body_timeout, plan.input_lists)
    return Page(recipe, plan, reader, CorsNames.of(plan) if settings.origins else None)


LoadPages: TypeAlias = Callable[
    [Path, Sequence[str] | None, Settings, Mapping[str, str], RequireFor], tuple[dict[str, Page], Planned]
]
loading: ContextVar[LoadPages] = ContextVar("loading", default=load_pages)
"""How the sites that are made from now on load their pages; `bff dev` has a way of its own."""


def _resolve_clients(
    clients: Mapping[str, Client], plans: Iterable[Plan], environ: Mapping[str, str]
) -> None:
    """Read every client's environment; raises OperatorError with all that is missing for the pages.

    What only a view by hand may ask for says itself what it misses, when it is asked.
    """
    asked = {client.name for plan in plans for client in plan.clients}
    problems: list[str] = []
    for client in clients.values():
        try:
            client.resolve(environ)
        except OperatorError as error:
            if client.name in asked:
                problems.append(str(error))
    if problems:
        raise OperatorError("; ".join(problems))


def check_certificates(site: Site, settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises OperatorError where a file is not there that a certificate is judged by, or that is shown as one."""
    problems: list[str] = []
    if settings.jwt_jwks.startswith("https:") and (problem := problem_of_authorities(environ)):
        problems.append(f"BFF_JWT_JWKS: {problem}")
    asked = {client.name for page in site.pages.values() for client in page.plan.clients}
    for name in sorted(asked & site.clients.keys()):
        try:
            site.clients[name].check_files()
        except OperatorError as error:
            problems.append(str(error))
    if problems:
        raise OperatorError("; ".join(problems))


def _loads_for_another() -> bool:
    """Whether this is the process of `flask run` that only starts another one again and again, which tells the same."""
    reloads = os.environ.get("FLASK_RUN_FROM_CLI") == "true" and "--no-reload" not in sys.argv
    return reloads and os.environ.get("WERKZEUG_RUN_MAIN") != "true"


class Site:
    """Holds the pages and clients; under the debugger a changed project takes effect on the next request.

    One that is not `whole` is of some pages only, and cannot tell what the others of its project keep.
    A view by hand finds a client at `app.extensions["bff"].clients["todos"]`.
    """

    def __init__(
        self,
        root: Path,
        pages: Sequence[str] | None,
        settings: Settings,
        environ: Mapping[str, str],
        require_for: RequireFor,
        transport: Transport,
        identity: Identity,
        *,
        debug: bool,
    ) -> None:
        self.root = root
        self.identity = identity
        self.stopping = False
        self.whole = True
        self.follows_files = debug
        self.pages: dict[str, Page] = {}
        self.clients: Mapping[str, Client] = {}
        self.broken: AuthorError | OperatorError | None = None
        self.body_seconds: Callable[[Mapping[str, Any]], float | None] | None = None
        self._wanted = pages
        self._settings = settings
        self._environ = environ
        self._require_for = require_for
        self._transport = transport
        self._sender = Sender(transport)
        self._load_pages = loading.get()
        self._lock = threading.Lock()
        self._loaded = False
        self._documents: tuple[str, ...] = ()
        self._stamp = self._stamp_now()
        self._load()

    @property
    def body_timeout(self) -> float:
        """The longest wait for a body's next byte, in seconds."""
        return self._settings.body_timeout

    @property
    def ready(self) -> bool:
        return self.broken is None and not self.stopping

    def cors_of(self, name: str) -> CorsNames | None:
        """What other origins may read of a page and send to it; None for what is no page."""
        page = self.pages.get(name)
        return None if page is None else page.cors

    def stop(self) -> None:
        """From now on the app says that it is not ready; what it is asked it still answers."""
        self.stopping = True

    def refresh(self) -> bool:
        """Load the project again if a file of it changed; says whether it did. Only under the debugger."""
        if not self.follows_files:
            return False
        with self._lock:
            stamp = self._stamp_now()
            if stamp == self._stamp:
                return False
            self._stamp = stamp  # documents that are new to it are in the next one, and loaded once more
            self._load()
            return True

    def _load(self) -> None:
        try:
            self.pages, planned = self._load_pages(
                self.root, self._wanted, self._settings, self._environ, self._require_for
            )
            self.clients, self.whole = planned.clients, planned.whole
            self._documents = planned.documents
            for client in self.clients.values():
                client.sender = self._sender
            self.broken = None
        except (AuthorError, OperatorError) as error:
            # What a changed recipe lacks in the environment is shown as well: the pages of before are not its pages.
            # At the start it is the operator's, who is there to see it.
            if not self.follows_files or (isinstance(error, OperatorError) and not self._loaded):
                raise
            if isinstance(error, AuthorError):
                self._documents = error.documents
            self.broken = error
            if not _loads_for_another():
                operator.error("The recipes need a look:\n%s", error)
        self._loaded = True

    def _stamp_now(self) -> Stamp:
        if not self.follows_files:
            return ()
        files = [
            path
            for folder, patterns in _FOLLOWED.items()
            for pattern in patterns
            for path in (self.root / folder).glob(pattern)
        ]
        # What these import may stand anywhere in the project.
        files += (Path(str(module.__file__)) for module in project_modules(self.root))
        files += (self.root / name for name in self._documents)
        stamps = []
        for path in sorted(set(files)):
            with suppress(FileNotFoundError):  # an editor took it away in this moment
                stat = path.stat()
                stamps.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(stamps)
