"""Replies of good backends for one page: made from what the recipe reads, until every step is asked."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bff.expressions import Evaluation
from bff.expressions.inspect import ANY, Path
from bff.expressions.tree import Each, EachClause, Expression, PathTemplate, Sequence
from bff.expressions.tree import Mapping as MappingTree
from bff.graph import Part, parts
from bff.plan import PlannedRequest
from bff.recipe import Recipe
from bff.testing.demands import Demand, ReplyDemand, demands, origins_in, step_of
from bff.testing.model import Forecast, Times, chunks, forecast
from bff.testing.pagefile import PageFile
from bff.testing.samples import GivenInput, sample_input
from bff.testing.upstream import Upstream
from bff.validation import prune
from bff.web.site import Page

Variable = tuple[str, Path]
"""A step (or `user`, `query`) and the path in its reply (or value) of something that can be chosen."""

_ROWS = 2
_LARGEST_POOL = 60
_MOST_TRIES = 3_000
_FOREVER = Times(1e9, {})
_ALWAYS_TRIED: tuple[Any, ...] = (3, True, "2026-11-23 08:00:00.000Z", None, False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A visitor's request and what the backends answer, with what the page makes of it.

    `broken` are the steps that must fail for others to be asked (a second source), each with its upstream.
    """

    request: GivenInput
    scope: Mapping[str, Any]
    replies: Mapping[str, Upstream]
    good: Forecast
    broken: Mapping[str, Upstream] = field(default_factory=dict)

    def predict(self, page: Page, times: Times, faults: Mapping[str, Upstream]) -> Forecast:
        """What the page answers when some steps' backends do something else."""
        upstream = {**self.replies, **self.broken, **faults}
        return forecast(page.plan, self.scope, upstream, Evaluation(), times)


class Guess:
    """Chooses values for what a page reads, so that guards hold, steps are asked and fields are not empty."""

    def __init__(self, page: Page, file: PageFile) -> None:
        self.page = page
        self._file = file
        self._recipe = page.recipe
        self._demands = demands(page.recipe)
        self._requests = [step for step in page.plan.steps if isinstance(step, PlannedRequest)]
        self._chosen: dict[Variable, Any] = {}
        self._tries = 0
        self._pool = self._make_pool()
        self._numbers = frozenset(_counted(page.recipe))
        self.usual = self._search()

    def reaching(self, step: str) -> Scenario | None:
        """A scenario in which a step is asked; None when none is found."""
        if step in self.usual.good.asked:
            return self.usual
        return self._by_failing(step) or self._by_choosing(step) or self._by_refusing(step)

    def is_left_out(self, step: str) -> bool:
        """Whether nothing that a visitor or a backend says can have this step asked: its `when` is constant."""
        return (step, "when") in self.usual.good.unmet and not self._origins(step, "when")

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
        for values in self._combinations(self._variables(step, key)):
            tried = self._scenario(self._chosen | values)
            if _score(tried) > _score(best):
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
                if _score(tried) > _score(best):
                    best = tried
                    self._chosen[variable] = value
        return best

    def _by_failing(self, step: str) -> Scenario | None:
        for other in self._requests:
            statuses = [500, *other.on_status] if other.fallback is not None else list(other.on_status)
            for status in statuses:
                broken = {other.name: Upstream(status, body={"message": "failed on purpose"})}
                good = self.usual.predict(self.page, _times(self.page), broken)
                if other.name != step and step in good.asked:
                    return replace(self.usual, broken=broken, good=good)
        return None

    def _by_choosing(self, step: str) -> Scenario | None:
        for key in ("when", "items", "path"):
            for values in self._combinations(self._variables(step, key)):
                tried = self._scenario(self._chosen | values)
                if step in tried.good.asked and not tried.good.endings:
                    return tried
        return None

    def _by_refusing(self, step: str) -> Scenario | None:
        """A scenario in which another step's `ok` takes an error for an answer."""
        for other in (other for other in self._requests if other.ok is not None and other.name != step):
            for values in self._combinations(self._variables(other.name, "ok")):
                tried = self._scenario(self._chosen | values)
                broken = {other.name: replace(tried.replies[other.name], status=400)}
                good = tried.predict(self.page, _times(self.page), broken)
                if step in good.asked and not good.endings:
                    return replace(tried, broken=broken, good=good)
        return None

    def _combinations(self, variables: list[Variable]) -> Iterator[dict[Variable, Any]]:
        """Values for up to three variables at once, the fewest changes first."""
        self._tries = 0
        for count in range(1, min(3, len(variables)) + 1):
            for chosen in itertools.combinations(variables, count):
                for values in itertools.product(*map(self._candidates, chosen)):
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
        wanted = {
            "items": ("each", "batch"), "require": ("require",), "when": ("when",), "path": ("path",), "ok": ("ok",),
        }[key]  # fmt: skip
        origins: set[Path] = set()
        for name, part in parts(found):
            if name in wanted:
                pieces = part.holes if isinstance(part, PathTemplate) else (part,)
                for piece in pieces:
                    origins |= origins_in(self._recipe, None if name == "when" else found, piece)
        return origins

    def _choices(self, origin: Path) -> list[Variable]:
        source = step_of(origin)
        if source is None:
            root = str(origin[0])
            known = root in ("query", "path", "body") and root not in self._file.request
            return [(root, origin[1:])] if known and len(origin) == 2 else []
        if source in self._file.replies or origin[1:2] != ("body",) or len(origin) < 3:
            return []
        return [(source, origin[2:])]

    def _leaves(self) -> list[Variable]:
        return [
            (name, path)
            for name, demand in self._demands.items()
            if name != "user" and name not in self._file.replies
            for path in _leaves(demand.body)
            if path
        ]

    def _candidates(self, variable: Variable) -> list[Any]:
        source, path = variable
        if source in ("query", "path", "body"):
            return _of_schema(self._schema(source, str(path[0])))
        return self._pool

    def _schema(self, source: str, name: str) -> Mapping[str, Any]:
        declared = self._recipe.input
        if source == "body":
            found: Mapping[str, Any] = (declared.body or {}).get("properties", {}).get(name, {})
            return found
        parameters = declared.path if source == "path" else declared.query
        return next((parameter.schema for parameter in parameters if parameter.name == name), {})

    def _make_pool(self) -> list[Any]:
        request = sample_input(self._recipe, self._file.request)
        given = [*request.path.values(), *request.query.values()]
        if isinstance(request.body, dict):
            given.extend(request.body.values())
        given.extend(value for value in self._user().values())
        written = [
            node.value
            for node in _nodes(self._recipe)
            if isinstance(node, ast.Constant) and isinstance(node.value, str | int) and node.value != ""
        ]
        pool = [*_ALWAYS_TRIED, *(value for value in given if isinstance(value, str | int)), *written]
        pool += sorted(set(_looked_up(self._recipe)) - set(_keys(self._demands.values())))
        return list({repr(value): value for value in pool}.values())[:_LARGEST_POOL]

    # --- making replies ----------------------------------------------------------------------------------------------

    def _user(self) -> dict[str, Any]:
        if self._recipe.auth == "none":
            return {}
        read = _Builder("user", {}, frozenset()).build(self._demands["user"].body)
        user: dict[str, Any] = {
            "name": "Visitor",
            **(read if isinstance(read, dict) else {}),
            "id": "visitor-1",
        }
        return user | dict(self._file.user)

    def _scenario(self, chosen: Mapping[Variable, Any]) -> Scenario:
        request = _with_chosen(sample_input(self._recipe, self._file.request), chosen)
        scope = _scope(self.page, request, self._user() or None)
        replies: dict[str, Upstream] = {}
        for step in self._requests:
            replies[step.name] = self._reply(step, chosen, None)
        good = forecast(self.page.plan, scope, replies, Evaluation(), _times(self.page))
        for step in self._requests:  # once more, now that it is known what the batches ask for
            if step.step.batch is not None and step.name in good.asked and step.items is not None:
                asked = step.items(good.scope, Evaluation())
                replies[step.name] = self._reply(step, chosen, next(iter(chunks(asked, len(asked) + 1)), []))
                good = forecast(self.page.plan, scope, replies, Evaluation(), _times(self.page))
        return Scenario(request, scope, replies, good)

    def _reply(self, step: PlannedRequest, chosen: Mapping[Variable, Any], ids: list[Any] | None) -> Upstream:
        given = self._file.replies.get(step.name)
        if given is not None:
            return given
        demand = self._demands[step.name]
        values = {path: value for (source, path), value in chosen.items() if source == step.name}
        builder = _Builder(step.name, values, self._numbers, demand.rows, demand.keys, ids)
        headers = {name: "3" for name in demand.headers if name != "content-type"}
        return Upstream(200, {**headers, "content-type": "application/json"}, builder.build(demand.body))


@dataclass(frozen=True, slots=True)
class _Builder:
    """Makes a value of a demand: lists of two, texts that tell where they stand, and what was chosen for a path."""

    source: str
    chosen: Mapping[Path, Any]
    numbers: frozenset[str]
    rows: tuple[Path, ...] = ()
    keys: tuple[Path, ...] = ()
    ids: list[Any] | None = None

    def build(self, demand: Demand, path: Path = (), number: int = 1) -> Any:
        """The value at a path; `number` counts the elements of the list around it."""
        if path in self.chosen and path:
            return self.chosen[path]
        members = demand.members
        if demand.is_list or set(members) == {ANY}:
            inner = members.get(ANY, Demand())
            count = len(self.ids) if self.ids is not None and (*path, ANY) in self.rows else _ROWS
            return [self.build(inner, (*path, ANY), at) for at in range(1, count + 1)]
        named = {str(key): inner for key, inner in members.items() if key is not ANY}
        if named:
            return {key: self.build(inner, (*path, key), number) for key, inner in named.items()}
        if path in self.keys and self.ids is not None and number <= len(self.ids):
            return self.ids[number - 1]
        return self._leaf(path, number)

    def _leaf(self, path: Path, number: int) -> Any:
        names = [part for part in path if isinstance(part, str)]
        if not path:
            return {"id": "id-1", "name": f"{self.source}-name-1"}
        if names and names[-1] == "id":
            return f"id-{number}"  # the same everywhere, so that rows of different backends meet
        if names and names[-1] in self.numbers:
            return number + 1
        return f"{self.source}-{'-'.join(names[-1:]) or 'text'}-{number}"


def _times(page: Page) -> Times:
    return Times(1e9, dict.fromkeys((step.name for step in page.plan.steps), 1.0))


def _score(scenario: Scenario) -> tuple[int, int, int]:
    good = scenario.good
    conditions = -sum(1 for _, key in good.unmet if key != "when")
    ends = 0 if good.endings else 1
    return ends, len(good.asked) + conditions, 0 if good.endings else _filled(good.body)


def _filled(value: Any) -> int:
    """How many values in a page say something."""
    if isinstance(value, dict):
        return sum(map(_filled, value.values()))
    if isinstance(value, list):
        return sum(map(_filled, value))
    return 1 if value else 0


def _leaves(demand: Demand, path: Path = ()) -> Iterator[Path]:
    if not demand.members and not demand.is_list:
        yield path
    for key, inner in demand.members.items():
        yield from _leaves(inner, (*path, key))  # type: ignore[arg-type]


def _of_schema(schema: Mapping[str, Any]) -> list[Any]:
    if schema.get("enum"):
        return list(schema["enum"])
    return [True, False] if schema.get("type") == "boolean" else []


def _with_chosen(request: GivenInput, chosen: Mapping[Variable, Any]) -> GivenInput:
    for (source, path), value in chosen.items():
        if source in ("query", "path", "body") and len(path) == 1:
            part = getattr(request, source)
            if isinstance(part, Mapping):
                request = replace(request, **{source: {**part, str(path[0]): value}})
    return request


def wire_texts(value: Any) -> list[str]:
    """The texts that a value of a path, query or header is sent as."""
    if isinstance(value, list):
        return [text for element in value for text in wire_texts(element)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [] if value is None else [str(value)]


def _scope(page: Page, request: GivenInput, user: Any) -> dict[str, Any]:
    """What the page's expressions see of a request."""
    reader = page.reader
    body = request.body
    if reader.body is not None:
        body = prune(reader.body.schema, body, reader.body.schema)
    return {
        "path": {name: str(value) for name, value in request.path.items()}
        | reader.path.read(lambda name: wire_texts(request.path.get(name)), []),
        "query": reader.query.read(lambda name: wire_texts(request.query.get(name)), []),
        "headers": reader.headers.read(lambda name: wire_texts(request.headers.get(name)), []),
        "body": body if reader.body is not None else None,
        "user": user,
    }


_COUNTING = frozenset({"sum", "min", "max", "round", "abs", "int", "float", "range"})


def _counted(recipe: Recipe) -> Iterator[str]:
    """The names of members that the recipe counts with."""
    for node in _nodes(recipe):
        counts = isinstance(node, ast.Call) and getattr(node.func, "id", "") in _COUNTING
        if counts or (isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add)):
            yield from (inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute))


def _looked_up(recipe: Recipe) -> Iterator[str]:
    """The names of members that the recipe reads of anything: values, where it reads a group or an index."""
    yield from (node.attr for node in _nodes(recipe) if isinstance(node, ast.Attribute))


def _keys(found: Iterable[ReplyDemand]) -> Iterator[str]:
    for demand in found:
        yield from (key for path in _leaves(demand.body) for key in path if isinstance(key, str))


def _nodes(recipe: Recipe) -> Iterator[ast.AST]:
    trees = [part for step in recipe.steps for _, part in parts(step)]
    for part in [*trees, *(tree for tree in (recipe.shape, recipe.status) if tree is not None)]:
        for expression in _expressions(part):
            yield from ast.walk(expression.node)


def _expressions(part: Part) -> Iterator[Expression]:
    match part:
        case Expression():
            yield part
        case EachClause(source=source, condition=condition):
            yield source
            if condition is not None:
                yield condition
        case PathTemplate():
            yield from part.holes
        case MappingTree(items=items):
            for _, tree in items:
                yield from _expressions(tree)
        case Sequence(items=trees):
            for tree in trees:
                yield from _expressions(tree)
        case Each(clause=clause, item=item):
            yield from _expressions(clause)
            yield from _expressions(item)
