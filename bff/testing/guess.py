"""Replies of good backends for one page: made from what the recipe reads, until every step is asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any

from bff.executor.results import StepTrace
from bff.expressions import Evaluation
from bff.expressions.inspect import Path, inspect_tree
from bff.expressions.values import to_text
from bff.plan.model import PlannedRequest
from bff.recipe.graph import inspect_part, parts
from bff.testing.demands import Demand, ReplyDemand, demands, origins
from bff.testing.encodings import MEDIA_TYPES, as_format
from bff.testing.formats import reply_in
from bff.testing.held import HeldReply
from bff.testing.mentions import constants, counted, looked_up
from bff.testing.pagefile import PageFile
from bff.testing.places import at, with_values
from bff.testing.replies import Builder
from bff.testing.samples import sample_input, texts
from bff.testing.scenario import Scenario, Variable, scope_of, score, with_chosen
from bff.testing.trial import Stage
from bff.testing.upstream import PICTURE, Upstream
from bff.web.site import Page

_LARGEST_POOL = 60
_MOST_TRIES = 3_000
_KEYS = {
    "when": ("when",),
    "require": ("require",),
    "ok": ("ok", "failed"),
    "failed": ("failed",),
    "reply": ("failed",),
    "next": ("pages.next",),
    "done": ("until.done",),
    "request": ("each", "batch", "path", "idempotency_key"),
}
"""The keys of a recipe that make each condition of a step."""
_MANY = 1_000_000
_LONGEST = 1_001
"""The elements of a list that is made to see whether it is asked for more."""
_SAYING_MORE = ("3", str(_MANY), '<?page=2>; rel="next"')
"""What headers say that tell whether there is more of a list."""
_ALWAYS_TRIED: tuple[Any, ...] = (3, True, "2026-11-23 08:00:00.000Z", None, False)


class Guess:
    """Chooses values for what a page reads, so that guards hold, steps are asked and fields are not empty."""

    def __init__(self, page: Page, file: PageFile) -> None:
        self.page = page
        self._file = file
        self._recipe = page.recipe
        self.demands = demands(page.plan)
        self._stage = Stage(page.plan)
        self._requests = page.plan.requests
        self._held = {step.name: HeldReply(step) for step in self._requests}
        self._chosen: dict[Variable, Any] = {}
        self._tries = 0
        self._pool = self._make_pool()
        self._numbers = frozenset(counted(page.recipe))
        self._times = frozenset(self._until())
        self.usual = self._search()

    def reaching(self, step: str) -> Scenario | None:
        """A scenario in which a step is asked; None when none is found."""
        if step in self.usual.good.asked:
            return self.usual
        return self._by_failing(step) or self._by_choosing(step) or self._by_refusing(step)

    def going_on(self, step: PlannedRequest, scenario: Scenario) -> tuple[Upstream, StepTrace] | None:
        """A reply of a step after each of which it is asked again, and how that goes; None where none is found."""
        stage, good = Stage(self.page.plan, endless=True), scenario.replies[step.name]
        others = {**scenario.replies, **scenario.broken}
        requests = scenario.good.traces[step.name].requests
        for tried in self._not_ending(step, good):
            trace = stage.run(scenario.scope, {**others, step.name: tried}).traces.get(step.name)
            if trace is None or trace.failure is None:
                continue
            if trace.requests > requests or trace.failure.reason == "not-done":
                return tried, trace
        return None

    def _not_ending(self, step: PlannedRequest, good: Upstream) -> Iterator[Upstream]:
        """Replies of a step with other values of what says whether there is more, or the one that its file says."""
        if (said := self.said(step, "endless")) is not None:
            yield said
            return
        origins = self._origins(step.name, "next") | self._origins(step.name, "done")
        variables = self._in_body(step.name, origins)
        chosen = {name: value for name, value in self._chosen.items() if name not in variables}
        if step.name not in self._file.replies:
            yield self._reply(step, chosen, None)
        if headers := self._headers_of_next(step.name):
            for value in _SAYING_MORE:
                yield replace(good, headers={**good.headers, **dict.fromkeys(headers, value)})
        if (step.name, "status") in origins:
            for status in {202, *(one for one in self._pool if type(one) is int and 200 <= one < 300)}:
                yield replace(good, status=status)
        more = {variable: self._of_other_size(good.body, variable[1]) for variable in variables}
        for values in self._combinations(variables, more):
            body = with_values(good.body, values)
            yield replace(good, body=body if step.format is None else as_format(body, step.format.format))

    def _of_other_size(self, body: Any, path: Path) -> list[Any]:
        """What is at a path of a body: no elements, or more of them by the recipe's numbers, or a high number."""
        found = at(body, path)
        if not isinstance(found, list):
            return [_MANY]
        sizes = sorted({1, *(size for one in self._pool if type(one) is int for size in (one, one + 1))})
        longer = [size for size in sizes if len(found) < size <= _LONGEST]
        return [[], *(((found or [{}]) * size)[:size] for size in longer)]

    def said(self, step: PlannedRequest, fault: str) -> Upstream | None:
        """What the page's file says that a step is answered in a fault."""
        found = self._file.fault(step.name, fault)
        return found if found is None or step.format is None else reply_in(step.format.format, found)

    def is_left_out(self, step: str) -> bool:
        """Whether nothing that a visitor or a backend says can have this step asked: its `when` is constant."""
        return (step, "when") in self.usual.good.unmet and not self._origins(step, "when")

    def bodies(self, step: PlannedRequest, key: str, good: Any, more: Sequence[Any]) -> Iterator[Any]:
        """Bodies of a step's replies with other values, these `more` among them, where a key of it looks."""
        if step.name in self._file.replies:
            variables = self._in_body(step.name, self._origins(step.name, key))
        else:
            variables = self._variables(step.name, key)
        for values in self._combinations(variables, dict.fromkeys(variables, more)):
            if step.name in self._file.replies:
                yield with_values(good, values)
            else:
                yield self._reply(step, self._chosen | values, None).body

    # --- searching ---------------------------------------------------------------------------------------------------

    def _search(self) -> Scenario:
        best = self._scenario(self._chosen)
        for step, key in list(best.good.unmet):
            best = self._meet(best, step, key)
        for step, key in [unmet for unmet in best.good.unmet if unmet[1] != "when"]:
            best = self._meet(best, step, key)
        return self._enrich(best)

    def _meet(self, best: Scenario, step: str, key: str) -> Scenario:
        """The best scenario after a search for values with which a condition holds."""
        variables = self._variables(step, key)
        no_rows: list[Any] = [[]] if key == "next" else []  # they end some lists
        for values in self._combinations(variables, dict.fromkeys(variables, no_rows)):
            tried = self._scenario(self._chosen | values)
            if score(tried) > score(best):
                best = tried
                self._chosen |= values
                if (step, key) not in best.good.unmet:
                    break
        return best

    def _enrich(self, best: Scenario) -> Scenario:
        """The scenario with values of other kinds where fewer fields of the page are empty then."""
        for variable in self._leaves():
            for value in self._candidates(variable):
                if value is None or self._chosen.get(variable) == value:
                    continue
                tried = self._scenario(self._chosen | {variable: value})
                if score(tried) > score(best):
                    best = tried
                    self._chosen[variable] = value
        return best

    def _by_failing(self, step: str) -> Scenario | None:
        for other in self._requests:
            statuses = [500, *other.on_status] if other.fallback is not None else list(other.on_status)
            for status in statuses:
                broken = {other.name: Upstream(status, body={"message": "failed on purpose"})}
                good = self._stage.run(self.usual.scope, {**self.usual.replies, **broken})
                if other.name != step and step in good.asked:
                    return replace(self.usual, broken=broken, good=good)
        return None

    def _by_choosing(self, step: str) -> Scenario | None:
        for key in ("when", "request"):
            for values in self._combinations(self._variables(step, key)):
                tried = self._scenario(self._chosen | values)
                if step in tried.good.asked and tried.good.problem is None:
                    return tried
        return None

    def _by_refusing(self, step: str) -> Scenario | None:
        """A scenario in which another step's `ok` takes an error for an answer."""
        for other in (other for other in self._requests if other.ok is not None and other.name != step):
            variables = self._variables(other.name, "ok")
            for values in self._combinations(variables):
                tried = self._scenario(self._chosen | values)
                reply = replace(tried.replies[other.name], status=400)
                for refusal in (reply, replace(reply, body=self._words_of(other.name, variables, values))):
                    good = self._stage.run(tried.scope, {**tried.replies, other.name: refusal})
                    if step in good.asked and good.problem is None:
                        return replace(tried, broken={other.name: refusal}, good=good)
        return None

    def _words_of(self, step: str, variables: list[Variable], values: Mapping[Variable, Any]) -> Any:
        """The body of an error that has nothing but what is looked at to tell which one it is."""
        body = Demand()
        for source, path in variables:
            if source == step:
                body.at(path)
        chosen = {path: value for (source, path), value in values.items() if source == step}
        return Builder(step, chosen, frozenset(), frozenset()).build(body)

    def _combinations(
        self, variables: list[Variable], more: Mapping[Variable, Sequence[Any]] = MappingProxyType({})
    ) -> Iterator[dict[Variable, Any]]:
        """Values for up to three variables at once, the fewest changes first; of one it tries `more` first."""
        self._tries = 0
        for count in range(1, min(3, len(variables)) + 1):
            for chosen in itertools.combinations(variables, count):
                for values in itertools.product(
                    *([*more.get(one, ()), *self._candidates(one)] for one in chosen)
                ):
                    self._tries += 1
                    if self._tries > _MOST_TRIES:
                        return
                    yield dict(zip(chosen, values, strict=True))

    # --- what can be chosen ------------------------------------------------------------------------------------------

    def _variables(self, step: str, key: str) -> list[Variable]:
        """What a condition of a step is made of and can be chosen."""
        origins = self._origins(step, key)
        return sorted({variable for origin in origins for variable in self._choices(origin)}, key=str)

    def _origins(self, step: str, key: str) -> set[Path]:
        """The paths in replies and inputs that a condition of a step is made of."""
        found = self._recipe.step(step)
        return {
            origin
            for name, part in parts(found)
            if name in _KEYS[key]
            for path in inspect_part(part).reads
            for origin in origins(self._recipe, found, path)
        }

    @staticmethod
    def _in_body(step: str, origins: Iterable[Path]) -> list[Variable]:
        """The places in the bodies of a step's replies that these are."""
        return sorted({(step, path[2:]) for path in origins if path[:2] == (step, "body")}, key=str)

    def _choices(self, origin: Path) -> list[Variable]:
        source = str(origin[0])
        if source in ("query", "path", "headers", "body"):
            given = self._file.request.get(source, {})
            is_open = isinstance(given, Mapping) and len(origin) == 2 and origin[1] not in given
            return [(source, origin[1:])] if is_open else []
        chosen = source in self.demands and source != "user" and source not in self._file.replies
        is_part = len(origin) > 2 or self._is_asked_again
        return [(source, origin[2:])] if chosen and origin[1:2] == ("body",) and is_part else []

    def _leaves(self) -> list[Variable]:
        return [
            (name, path)
            for name, demand in self.demands.items()
            if name != "user" and name not in self._file.replies
            for path in _leaves(demand.body)
            if path
        ]

    def _candidates(self, variable: Variable) -> list[Any]:
        source, path = variable
        if source in ("query", "path", "headers", "body"):
            return _of_schema(self._schema(source, str(path[0])))
        return [value for value in self._pool if self._held[source].fits(path, value)]

    @property
    def _is_asked_again(self) -> bool:
        return any(step.repeats is not None for step in self._requests)

    def _headers_of_next(self, step: str) -> set[str]:
        """The headers of a step's replies that say whether there is more of its list."""
        origins = self._origins(step, "next") if self._is_asked_again else ()
        return {str(path[2]) for path in origins if path[:2] == (step, "headers") and len(path) > 2}

    def _until(self) -> Iterator[str]:
        """The members of replies that say until when a session lasts."""
        session = self._recipe.session
        if session is not None and session.expires is not None:
            for path in inspect_tree(session.expires).reads:
                for origin in origins(self._recipe, None, path):
                    if origin[0] in self.demands and isinstance(origin[-1], str):
                        yield origin[-1]

    def _schema(self, source: str, name: str) -> Mapping[str, Any]:
        declared = self._recipe.input
        if source == "body":
            found: Mapping[str, Any] = (declared.body or {}).get("properties", {}).get(name, {})
            return found
        parameters = {"path": declared.path, "query": declared.query, "headers": declared.headers}[source]
        return next((parameter.schema for parameter in parameters if parameter.name == name), {})

    def _make_pool(self) -> list[Any]:
        request = sample_input(self._recipe, self._file.request)
        given = [*request.path.values(), *request.query.values()]
        if isinstance(request.body, dict):
            given.extend(request.body.values())
        given.extend(value for value in self._user().values())
        pool = [
            *_ALWAYS_TRIED,
            *([""] if self._is_asked_again else ()),  # a cursor that ends a list
            *(value for value in given if isinstance(value, str | int)),
            *constants(self._recipe),
        ]
        pool += sorted(set(looked_up(self._recipe)) - set(_keys(self.demands.values())))
        return list({repr(value): value for value in pool}.values())[:_LARGEST_POOL]

    # --- making replies ----------------------------------------------------------------------------------------------

    def _user(self) -> dict[str, Any]:
        if self._recipe.auth == "none":
            return {}
        read = Builder("user", {}, frozenset(), frozenset()).build(self.demands["user"].body)
        user: dict[str, Any] = {
            "name": "Visitor",
            **(read if isinstance(read, dict) else {}),
            "id": "visitor-1",
        }
        return user | dict(self._file.user)

    def _scenario(self, chosen: Mapping[Variable, Any]) -> Scenario:
        request = with_chosen(sample_input(self._recipe, self._file.request), chosen)
        scope = scope_of(self.page, request, self._user() or None)
        replies: dict[str, Upstream] = {}
        for step in self._requests:
            replies[step.name] = self._reply(step, chosen, None)
        good = self._stage.run(scope, replies)
        for step in self._requests:  # once more, now that it is known what the batches ask for
            if step.batch_size is not None and step.name in good.asked and step.items is not None:
                asked = {to_text(item): item for item in step.items(good.scope, Evaluation())}
                replies[step.name] = self._reply(step, chosen, [item for text, item in asked.items() if text])
                good = self._stage.run(scope, replies)
        return Scenario(request, scope, replies, good)

    def _reply(self, step: PlannedRequest, chosen: Mapping[Variable, Any], ids: list[Any] | None) -> Upstream:
        given = self._file.replies.get(step.name)
        if given is not None:
            return given if step.format is None else reply_in(step.format.format, given)
        if self._recipe.passes:
            return Upstream(200, {"content-type": "image/png"}, PICTURE)
        demand = self.demands[step.name]
        values = {path: value for (source, path), value in chosen.items() if source == step.name}
        held = self._held[step.name]
        builder = Builder(step.name, values, self._numbers, self._times, held, demand.rows, demand.keys, ids)
        unsaid = {"content-type", *self._headers_of_next(step.name)}  # so that the first page is the last
        headers = {name: "3" for name in demand.headers if name not in unsaid}
        if step.format is not None:
            form = step.format.format
            headers["content-type"] = MEDIA_TYPES[form.name]
            return Upstream(200, headers, as_format(builder.build(demand.body), form), format=form)
        return Upstream(200, {**headers, "content-type": "application/json"}, builder.build(demand.body))


def _of_schema(schema: Mapping[str, Any]) -> list[Any]:
    if schema.get("enum"):
        return list(schema["enum"])
    if schema.get("type") == "boolean":
        return [True, False]
    return list(islice(texts(schema), 1)) if schema.get("type") == "string" else []


def _leaves(demand: Demand, path: Path = ()) -> Iterator[Path]:
    if not demand.members and not demand.is_list:
        yield path
    for key, inner in demand.members.items():
        yield from _leaves(inner, (*path, key))  # type: ignore[arg-type]


def _keys(found: Iterable[ReplyDemand]) -> Iterator[str]:
    for demand in found:
        yield from (key for path in _leaves(demand.body) for key in path if isinstance(key, str))
