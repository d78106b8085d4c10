"""The pages of a project while it is written: those that can run, and why each other one cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bff.dev.learning import Learner
from bff.dev.sound import Sound, load_sound
from bff.errors import Finding, OperatorError
from bff.plan.model import Plan, Planned
from bff.recipe.model import Recipe, SubRecipe
from bff.settings import Settings
from bff.web.routes import Routes
from bff.web.site import Page, RequireFor, page_of

Route = tuple[str, str]


class Down(Struct, frozen=True):
    """A page that cannot run: method and path, None where nobody knows them, and each cause."""

    name: str
    route: Route | None
    causes: tuple[Finding | str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Each cause as `check` prints it."""
        return tuple(map(str, self.causes))


class Told(Struct, frozen=True):
    """What is told of a load: mistakes and warnings that are new, the pages that are down, whether some came back."""

    new: tuple[Finding | str, ...]
    down: tuple[str, ...]
    mended: bool


class DevPages:
    """Loads the pages of one project again and again; a broken recipe takes down itself and what includes it.

    `down` are the pages that cannot run now, `csp` the app's Content-Security-Policy. What is new is told once, by
    `tell`. What the steps of pages are answered with goes to the `learner`.
    """

    def __init__(self, tell: Callable[[Told], None], learner: Learner | None = None) -> None:
        self.down: Mapping[str, Down] = {}
        self.recipes: Mapping[str, Recipe] = {}
        self.csp = ""
        self._tell = tell
        self._learner = learner
        self._said: frozenset[str] = frozenset()
        self._routes: dict[str, Route] = {}
        self._paths: Mapping[str, Routes[Down]] = {}
        self._lock = threading.Lock()

    def load(
        self,
        root: Path,
        _: Sequence[str] | None,
        settings: Settings,
        environ: Mapping[str, str],
        require_for: RequireFor,
    ) -> tuple[dict[str, Page], Planned]:
        """The pages that can run; raises OperatorError where there is no project."""
        self.csp = settings.csp
        sound = load_sound(root, settings)
        lacking = _lacking(sound, environ, require_for)
        causes: dict[str, tuple[Finding | str, ...]] = {
            **sound.down,
            **{name: tuple(texts) for name, texts in lacking.items()},
        }
        with self._lock:
            before = self.down.keys()
            self._keep(sound, causes)
            is_mended = not before <= self.down.keys()
            self._say(sound.findings, [text for texts in lacking.values() for text in texts], is_mended)
        plans = {name: plan for name, plan in sound.plans.items() if name not in causes}
        if self._learner is not None:
            plans = {
                name: self._learner.watched(plan, sound.project.contracts) for name, plan in plans.items()
            }
        pages = {name: page_of(plan, settings) for name, plan in plans.items()}
        return pages, Planned(plans, sound.project.clients, not causes, documents=sound.project.documents)

    def find(self, method: str, path: str) -> tuple[Down, bool] | None:
        """The page that would answer if it could, and whether its path has no holes."""
        routes = self._paths.get("GET" if method == "HEAD" else method)
        found = None if routes is None else routes.find(path)
        return None if found is None else (found[0], not found[1])

    @property
    def anywhere(self) -> list[Down]:
        """Those of which nobody knows the route."""
        return [down for down in self.down.values() if down.route is None]

    def _keep(self, sound: Sound, causes: Mapping[str, tuple[Finding | str, ...]]) -> None:
        self.recipes = recipes = sound.project.recipes
        self._routes |= {
            name: (recipe.method, recipe.path) for name, recipe in recipes.items() if recipe.path
        }
        # One without a route that others include is a part of these: they tell what is wrong with it.
        parts = {step.recipe for one in recipes.values() for step in one.steps if isinstance(step, SubRecipe)}
        for name, recipe in recipes.items():
            if not recipe.path and "route" not in recipe.marks.keys and "" not in recipe.broken:
                self._routes.pop(name, None)
                parts.add(name)
        down = {
            name: Down(name, self._routes.get(name), found)
            for name, found in causes.items()
            if name in self._routes or name not in parts
        }
        paths: dict[str, list[tuple[str, Down]]] = {}
        for one in down.values():
            if one.route is not None:
                paths.setdefault(one.route[0], []).append((one.route[1], one))
        self.down, self._paths = down, {method: Routes(routes) for method, routes in paths.items()}

    def _say(self, findings: Iterable[Finding], lacking: Iterable[str], is_mended: bool) -> None:
        """Tell what was not said before; one that several pages share is said once."""
        now: dict[str, Finding | str] = {str(finding): finding for finding in findings}
        now |= {text: text for text in lacking}
        new = tuple(one for text, one in now.items() if text not in self._said)
        self._said = frozenset(now)
        if new or is_mended:
            self._tell(Told(new, tuple(sorted(self.down)), is_mended))


def _lacking(sound: Sound, environ: Mapping[str, str], require_for: RequireFor) -> dict[str, list[str]]:
    """What each page that could run lacks in the environment."""
    clients: dict[str, str] = {}
    for name, client in sound.project.clients.items():
        try:
            client.resolve(environ)
        except OperatorError as error:
            clients[name] = str(error)
    found = {name: list(_lacking_of(plan, clients, require_for)) for name, plan in sound.plans.items()}
    return {name: texts for name, texts in found.items() if texts}


def _lacking_of(plan: Plan, clients: Mapping[str, str], require_for: RequireFor) -> Iterable[str]:
    try:
        require_for(plan)
    except OperatorError as error:
        yield str(error)
    asked = {client.name for client in plan.clients}
    yield from (text for name, text in clients.items() if name in asked)
