"""What a kind of host is to `build`: how its functions begin, what routes pages to them, what it can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from bff.deploy.bundle import Bundle, Need
from bff.deploy.layers import Layer, each_once
from bff.executor.undo import DEADLINE as UNDO_TIME
from bff.plan.model import Plan

SITE = "site"
"""The function of a whole project that stands beside those of its pages."""

INDEX = "public/index.html"
"""The page that an app in the browser begins with."""

_MARGIN = 1.0


class Function(Struct, frozen=True):
    """One function: the pages in it, and their bundle. `name` is its folder, and what the host calls it.

    Where there are `layers`, its packages are in these.
    """

    name: str
    bundle: Bundle
    layers: tuple[Layer, ...] = ()

    @property
    def plans(self) -> Mapping[str, Plan]:
        return self.bundle.plans

    @property
    def files(self) -> Mapping[str, bytes]:
        """What is in its folder."""
        return self.bundle.own if self.layers else self.bundle.files

    @property
    def has_files(self) -> bool:
        """Whether the files of `public/` are in it, with which it answers every path."""
        return INDEX in self.bundle.own

    @property
    def timeout(self) -> float:
        """Seconds: the longest deadline of its pages, what taking writes back may add, and a second."""
        return max(_longest(plan) for plan in self.plans.values()) + _MARGIN

    def most(self, name: str, default: int) -> int:
        """The largest `memory` (MiB), `concurrency` or `min_instances` that its pages' `deploy` name, or a default."""
        named = (getattr(plan.recipe.deploy, name, None) for plan in self.plans.values())
        return max((value for value in named if value is not None), default=default)

    def least(self, name: str, default: int) -> int:
        """The smallest of them, likewise: for what must hold for every page of a group, as `concurrency`."""
        named = (getattr(plan.recipe.deploy, name, None) for plan in self.plans.values())
        return min((value for value in named if value is not None), default=default)


def _longest(plan: Plan) -> float:
    undoes = any(request.undo is not None for request in plan.requests)
    return plan.recipe.deadline + (UNDO_TIME if undoes else 0.0)


class Project(Struct, frozen=True):
    """All that one build makes, for the manifest that stands beside its functions.

    `whole` says that these are all pages of the project; `public` are its files then, by their path. `suffix` is
    what the functions' places end with: nothing for folders, `.zip` for archives.
    """

    name: str
    functions: Sequence[Function]
    python: str
    arch: str
    whole: bool
    public: Mapping[str, bytes]
    suffix: str

    @property
    def settings(self) -> Mapping[str, str]:
        """The texts of the settings that the project has."""
        return self.functions[0].bundle.project_settings

    @property
    def layers(self) -> list[Layer]:
        """The layers of all functions, each once."""
        return each_once(layer for function in self.functions for layer in function.layers)

    @property
    def has_front(self) -> bool:
        """Whether its one function has the files too, so that every path leads there."""
        return len(self.functions) == 1 and self.functions[0].has_files


def _nothing(_: Project) -> dict[str, bytes]:
    return {}


class Target(Struct, frozen=True):
    """A kind of host.

    `entry` gives the files of a function beside its bundle, `manifests` those beside the functions' folders; `starts`
    is the module that the host imports. A `resident` host keeps its processes and sends them many requests at a time;
    a host that is not runs one request per process at a time, and stops it in between. `streams` says that answers
    reach the visitor as they are written, `deploys` which keys of a recipe's `deploy` the manifests hand on.
    `alone` targets make one folder of all pages; the others a folder for each function, and those with a `site` one
    more of the whole project, for what no page answers. Functions of a `layered` host share their packages in layers,
    where there are several functions. `max_mb` (MiB) is what the host takes unpacked, `max_file` (bytes) the largest
    file that fits into one answer, `max_seconds` how long it waits for a function; None without a bound.
    """

    name: str
    about: str
    starts: str
    entry: Callable[[Function], dict[str, bytes]]
    manifests: Callable[[Project], dict[str, bytes]] = _nothing
    need: Need = Need()
    resident: bool = True
    streams: bool = True
    deploys: frozenset[str] = frozenset()
    alone: bool = False
    site: bool = False
    layered: bool = False
    max_mb: int | None = None
    max_file: int | None = None
    max_seconds: int | None = None
