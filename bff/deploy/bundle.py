"""What pages need to run, whatever the host: their compiled form, modules, the engine, dependencies and environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bff.deploy.binaries import stripped
from bff.deploy.engine_pack import packed
from bff.deploy.imports import engine_files, imported_from, project_files
from bff.deploy.packages import OPTIONAL, REST, group_of, needless, used_files, wants_keys
from bff.deploy.pins import FILE as PINS
from bff.deploy.pins import Pins, distributions_of, file_of
from bff.deploy.python import Python
from bff.deploy.wheels import NEWER_ALONE, Wheels
from bff.errors import OperatorError
from bff.http import Client
from bff.plan.compiled import FILE, CompiledPages, compile_pages
from bff.plan.model import Plan, Planned
from bff.plan.planning import plan_folder
from bff.text import meant

ENVIRONMENT = ".env.example"
STATE = "BFF_STATE_URL"
_OF_A_WHOLE_PROJECT = ("wsgi.py",)


class Need(Struct, frozen=True):
    """What a target's bundles hold beside the pages and the engine.

    `adapters` are distributions pinned in adapters.txt; with `serves` the bundle starts by `python -m bff serve`.
    Without `vendored` it has no dependencies in it, only a requirements.txt of them. With `installed` the host
    installs the adapters by itself, and a requirements.txt says which; `site` is the folder of the bundle where the
    host looks for packages, where that is not its top. `metrics` is for hosts whose processes live long enough to
    be counted in. A `lean` bundle has bytecode in place of sources and nothing for debuggers; the project's own
    modules, and what those alone import, stay as they are. Under the Python of `old_glibc` the host's glibc is as old
    as `wheels.GLIBC`.
    """

    adapters: tuple[str, ...] = ()
    serves: bool = False
    vendored: bool = True
    installed: bool = False
    site: str = ""
    metrics: bool = True
    lean: bool = False
    old_glibc: str = ""


class Bundle(Struct, frozen=True):
    """The files of some pages by path: their own, and those of each package that they need.

    `variables` are what they take from the environment, with the defaults that the project gives, None where there
    is none; `stand_ins` are texts of them with which the pages start where their environment is not. `settings` are
    those that it was told of, and `groups` says what each package is there for; `project_settings` are the texts of
    those that the project has.
    """

    plans: Mapping[str, Plan]
    own: Mapping[str, bytes]
    packages: Mapping[str, Mapping[str, bytes]]
    variables: Mapping[str, str | None]
    stand_ins: Mapping[str, str]
    settings: frozenset[str] = frozenset()
    groups: Mapping[str, str] = {}
    project_settings: Mapping[str, str] = {}

    @property
    def pages(self) -> tuple[str, ...]:
        return tuple(self.plans)

    @property
    def files(self) -> dict[str, bytes]:
        found = dict(self.own)
        for files in self.packages.values():
            found |= files
        return found


class Bundler:
    """Makes the bundles of one project for one Python and machine; what they share is got once.

    `settings` are variables that the host will set, whose packages go along where pages have a use for them.
    """

    def __init__(self, root: Path, python: Python, arch: str, settings: Collection[str] = ()) -> None:
        """Raises AuthorError or OperatorError with all that is wrong with the project's recipes."""
        self._settings = frozenset(settings)
        self.root = root.resolve()
        self.python = python
        self._planned = plan_folder(self.root)
        self._arch = arch
        self._wheels: Wheels | None = None
        self._packed: dict[tuple[str, bool, int], Mapping[str, bytes]] = {}

    @property
    def pages(self) -> tuple[str, ...]:
        return tuple(self._planned.plans)

    def public(self) -> dict[str, bytes]:
        """The files of `public/` by path."""
        folder = self.root / "public"
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in files}

    def bundle(self, pages: Sequence[str] | None, need: Need, *, with_public: bool = False) -> Bundle:
        """The bundle of some pages, also with the files of `public/`, or of all with what else the project serves."""
        planned = self._of(pages)
        compiled, modules = page_files(self.root, planned, self.python)
        engine = engine_files(serves=need.serves)
        variables = _variables(planned)
        of_engine = packed(engine, self.python) if need.lean else self.python.with_bytecode(engine)
        own = {FILE: compiled.content, **of_engine, **self.python.with_bytecode(modules)}
        own[ENVIRONMENT] = _environment(planned, variables)
        if planned.whole or with_public:
            own |= self.public()
        packages: dict[str, dict[str, bytes]] = {}
        groups: dict[str, str] = {}
        if need.vendored:
            without = needless(
                planned.plans.values(),
                compiled,
                self._settings,
                counts=need.metrics,
                serves=need.serves,
            )
            packages, groups = self._packages(
                imported_from(engine), imported_from(modules), frozenset(without), need
            )
            if need.installed:
                own[PINS] = self._wheels_here().pins_of(need.adapters).encode()
        else:
            own[PINS] = file_of(self.root).read_bytes()
        stand_ins = {name: text for client in _clients(planned) for name, text in client.stand_ins.items()}
        stand_ins |= stand_ins_of(planned.plans.values())
        settings, texts = self._settings, planned.settings
        return Bundle(planned.plans, own, packages, variables, stand_ins, settings, groups, texts)

    def _of(self, pages: Sequence[str] | None) -> Planned:
        if pages is None:
            return self._planned
        plans = self._planned.plans
        for page in pages:
            if page not in plans:
                cure = meant(page, plans)
                raise OperatorError(
                    f"no recipe orchestrations/{page}.yaml; {cure}there are: {', '.join(sorted(plans))}"
                )
        # The names as the plans have them: which strings are one object shows in the bytes of a pickle.
        named = {page: plan for page, plan in plans.items() if page in pages}
        return Planned(named, self._planned.clients, False, self._planned.settings)

    def _packages(
        self, of_engine: set[str], of_project: set[str], needless: frozenset[str], need: Need
    ) -> tuple[dict[str, dict[str, bytes]], dict[str, str]]:
        """The files of distributions with bytecode, and the group of each: what engine, project and adapters import.

        What the project imports, and what that needs, is whole. A project need not pin what the engine can do
        without, as opentelemetry.
        """
        wheels = self._wheels_here()
        whole = wheels.files(distributions_of(of_project))
        names = {name for name in distributions_of(of_engine) if wheels.pins.has(name)} | set(need.adapters)
        base = wheels.files(names - OPTIONAL, OPTIONAL)
        found = {**wheels.files(names, needless - whole.keys()), **whole}
        if need.old_glibc == self.python.version and (newer := NEWER_ALONE & found.keys()):
            raise OperatorError(
                f"no wheels for Python {self.python.version} of this host: {', '.join(sorted(newer))} needs a newer "
                "glibc; build with --python 3.12"
            )
        groups = {name: group_of(name, base) for name in sorted(found)}
        inside = f"{need.site}/" if need.site else ""
        packages = {}
        for name, group in groups.items():
            files = found[name] if name in whole else used_files(name, found[name])
            made = self._made(name, files, lean=need.lean and not (name in whole and group == REST))
            packages[name] = {f"{inside}{path}": file for path, file in made.items()}
        return packages, groups

    def _made(self, name: str, files: Mapping[str, bytes], *, lean: bool) -> Mapping[str, bytes]:
        """The files of a distribution as they go into bundles; what several of these have is made once."""
        key = name, lean, len(files)
        if key not in self._packed:
            native = {path: stripped(file) for path, file in files.items()} if lean else files
            compiled = self.python.as_bytecode if lean else self.python.with_bytecode
            self._packed[key] = compiled(native)
        return self._packed[key]

    def _wheels_here(self) -> Wheels:
        if self._wheels is None:
            pins = Pins(self.root, self.python.version, self._arch)
            self._wheels = Wheels(pins, self.python.version, self._arch)
        return self._wheels


def page_files(root: Path, planned: Planned, python: Python) -> tuple[CompiledPages, dict[str, bytes]]:
    """Pages in compiled form, and the project's own modules that they need, by path."""
    compiled = compile_pages(planned, python.encode, python.head)
    modules = [
        *(f"clients/{name}.py" for name in compiled.clients),
        *(f"orchestrations/{name}.py" for name in compiled.functions),
        *(name for name in _OF_A_WHOLE_PROJECT if planned.whole and (root / name).is_file()),
    ]
    return compiled, project_files(root, modules)


def _variables(planned: Planned) -> dict[str, str | None]:
    """What the pages take from the environment: variables of their clients, keys of sessions, secrets of senders."""
    found: dict[str, str | None] = {}
    for client in _clients(planned):
        found |= {read.variable: read.default for read in client.variables}
    if any(map(wants_keys, planned.plans.values())):
        found["BFF_SESSION_KEYS"] = None
    for recipe in (plan.recipe for plan in planned.plans.values()):
        found |= dict.fromkeys(recipe.signed.secrets if recipe.signed is not None else ())
        if recipe.idempotency_key is not None:
            found |= dict.fromkeys((STATE, "BFF_SESSION_KEYS"))
    return found


def stand_ins_of(plans: Iterable[Plan]) -> dict[str, str]:
    """Texts by variable with which pages whose senders sign can start where their environment is not."""
    found: dict[str, str] = {}
    for recipe in (plan.recipe for plan in plans):
        found |= {} if recipe.signed is None else recipe.signed.stand_ins
        if recipe.idempotency_key is not None:
            found[STATE] = "redis://127.0.0.1:6379/0"
    return found


def _clients(planned: Planned) -> list[Client]:
    """The clients that the pages ask, of a whole project all, by name."""
    found = {client.name: client for plan in planned.plans.values() for client in plan.clients}
    if planned.whole:
        found |= planned.clients
    return [client for _, client in sorted(found.items())]


def _environment(planned: Planned, variables: Mapping[str, str | None]) -> bytes:
    lines = [f"# What {_who_takes(planned.plans)} from the environment; what has a default may be left out."]
    lines += [
        f"{name}=" if default is None else f"# {name}={default}"
        for name, default in sorted(variables.items())
    ]
    return "\n".join([*lines, ""]).encode()


def _who_takes(pages: Iterable[str]) -> str:
    found = list(pages)
    return f"{found[0]} takes" if len(found) == 1 else "these pages take"
