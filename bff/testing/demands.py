"""What a recipe reads of each backend's reply: its access paths, followed through `take`, values and loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bff.expressions.inspect import ANY, Path, inspect_tree, item_aliases
from bff.expressions.paths import Alias, Aliases, field_path
from bff.plan.model import Plan
from bff.plan.used_paths import followed, in_reply
from bff.recipe.graph import inspect_part, parts
from bff.recipe.model import Recipe, Request, Step, Value

_BODY = ("reply", "body")


@dataclass(slots=True)
class Demand:
    """What is read at one place of a JSON value: `members` by key, ANY for each element."""

    members: dict[object, Demand] = field(default_factory=dict)
    is_list: bool = False

    def at(self, path: Iterable[object]) -> Demand:
        """The demand below a path, made where it is not there yet."""
        found = self
        for key in path:
            found = found.members.setdefault(key, Demand())
        return found


@dataclass(frozen=True, slots=True)
class ReplyDemand:
    """What a recipe reads of one step's replies.

    `rows` are the paths in the body of the list that a `batch` joins; `keys` the paths of the field that tells
    its rows apart.
    """

    body: Demand = field(default_factory=Demand)
    headers: set[str] = field(default_factory=set)
    rows: tuple[Path, ...] = ()
    keys: tuple[Path, ...] = ()


def demands(plan: Plan) -> dict[str, ReplyDemand]:
    """By step name what the recipe reads of its replies; the user's members stand under `user`."""
    recipe = plan.recipe
    found = {step.name: ReplyDemand() for step in plan.requests} | {"user": ReplyDemand()}
    reads = {origin for step, path in _reads(recipe) for origin in origins(recipe, step, path)}
    for root, *rest in sorted(reads, key=str):  # a set has another order each time
        if root in found and (root == "user" or rest[:1] == ["body"]):
            found[str(root)].body.at(rest if root == "user" else rest[1:])
        elif root in found and rest[:1] == ["headers"]:
            found[str(root)].headers.update(str(name) for name in rest[1:2])
    for planned in plan.requests:
        demand, step = found[planned.name], recipe.step(planned.name)
        assert isinstance(step, Request)
        of_value = [path for path in planned.lists if path or not planned.each]
        lists = {*planned.reply_lists, *(same for path in of_value for same in _same_in_body(step, path))}
        for path in sorted(lists, key=str):
            demand.body.at(path).is_list = True
        for need in getattr(planned.decode, "needs", ()):
            demand.body.at(need.path)
        found[planned.name] = _with_rows(step, demand) if planned.joins else demand
    return found


def _with_rows(step: Request, demand: ReplyDemand) -> ReplyDemand:
    """The demand with the list that a `batch` or `key_by` needs, and what tells its rows apart."""
    if step.batch is None and step.key_by is None and step.pages is None:
        return demand
    body = demand.body
    of_rows: set[Path] = set()
    if step.each is None or step.pages is not None:  # with `each` alone a reply is one row
        row: Path = (ANY,) if step.each is None else (ANY, ANY)
        of_rows = {_up_to_element(path) for path in _in_body(step, row)}
    rows = tuple(sorted(of_rows, key=str))
    for path in rows:
        body.at(path[:-1]).is_list = True
    if step.key_by is not None:
        keys = tuple(sorted(_in_body(step, (ANY, *field_path(step.key_by))), key=str))
        for path in keys:
            body.at(path)
    else:
        keys = tuple((*path, "id") for path in rows if "id" in body.at(path).members)
    return ReplyDemand(body, demand.headers, rows, keys)


def origins(recipe: Recipe, step: Step | None, path: Path) -> Iterator[Path]:
    """The paths that one in a part of a step (None: of the page) stands for: `STEP.body.…`, `user.…`, `query.…`."""
    root, *rest = path
    if step is not None and root in (own := _own_names(step)):
        for alias in own[str(root)]:
            yield from origins(recipe, step, _below(alias, rest))
    elif root == "reply" and step is not None:
        yield (step.name, *rest)
    elif root not in {other.name for other in recipe.steps}:
        yield path
    elif isinstance(maker := recipe.step(str(root)), Value):
        for alias in followed(maker.value, tuple(rest)):
            yield from origins(recipe, None, alias.path)
    elif isinstance(maker, Request):
        yield from ((maker.name, *path[1:]) for path in _in_reply(maker, tuple(rest)))


def _in_reply(step: Request, rest: Path) -> Iterator[Path]:
    """What a path below the value of a step stands for in its reply."""
    below = in_reply(step, rest)
    if step.take is None:
        yield (*_BODY, *below)
    else:
        yield from (alias.path for alias in followed(step.take, below) if alias.path[0] == "reply")


def _in_body(step: Request, rest: Path) -> Iterator[Path]:
    yield from (path[2:] for path in _in_reply(step, rest) if path[:2] == _BODY)


def _same_in_body(step: Request, rest: Path) -> Iterator[Path]:
    """The paths in the body of the very value at a path of the step's value, not of parts that it is made of."""
    below = in_reply(step, rest)
    if step.take is None:
        yield below
        return
    for alias in followed(step.take, below):
        if not alias.wraps and alias.path[:2] == _BODY:
            yield alias.path[2:]


def _below(alias: Alias, rest: Iterable[object]) -> Path:
    for key in rest:
        alias = alias.at(key)  # type: ignore[arg-type]
    return alias.path


def _own_names(step: Step) -> Mapping[str, Aliases]:
    """What the names stand for that only a step's own parts know: the item of its `each`."""
    if not isinstance(step, Request) or step.each is None:
        return {}
    return {step.each.variable: item_aliases(step.each, {})}


def _reads(recipe: Recipe) -> Iterator[tuple[Step | None, Path]]:
    """The paths that a recipe reads, each with the step that it stands in (None: the page)."""
    for step in recipe.steps:
        for key, part in parts(step):
            if key.startswith("on_status"):
                continue  # it is read of another reply than the good one
            of_item = key.startswith("undo.") and isinstance(step, Request) and step.each is not None
            for path in inspect_part(part).reads:
                if key == "fallback" and path[0] == "reply":
                    continue  # of one that failed
                is_own = of_item and path[0] == step.name  # the value of the one item
                yield step, (path[0], ANY, *path[1:]) if is_own else path
    session = recipe.session
    of_session = () if session is None else (session.user, session.tokens, session.expires)
    for tree in (recipe.shape, recipe.status, recipe.headers, *of_session):
        if tree is not None:
            yield from ((None, path) for path in inspect_tree(tree).reads)


def _up_to_element(path: Path) -> Path:
    """A path as far as the element of the first list in it."""
    return path[: path.index(ANY) + 1] if ANY in path else path
