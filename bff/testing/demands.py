"""What a recipe reads of each backend's reply: its access paths, followed through `take`, values and loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bff.expressions.inspect import ANY, Inspection, Path, aliases_of, inspect, inspect_tree, item_aliases
from bff.expressions.paths import Alias, Aliases
from bff.expressions.tree import Constant, Each, EachClause, Expression, Sequence, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.recipe.graph import inspect_part, parts
from bff.recipe.model import Recipe, Request, Step, Value

_REPLY = "reply of "


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

    `is_read` says whether that is anything of the body, `reads_into` whether it is something in it, `ok` aside.
    `rows` are the paths in the body of the list that a `batch` joins; `keys` the paths of the field that tells
    its rows apart.
    """

    body: Demand = field(default_factory=Demand)
    headers: set[str] = field(default_factory=set)
    rows: tuple[Path, ...] = ()
    keys: tuple[Path, ...] = ()
    is_read: bool = False
    reads_into: bool = False


def demands(recipe: Recipe) -> dict[str, ReplyDemand]:
    """By step name what the recipe reads of its replies; the user's members stand under `user`."""
    return _Reading(recipe).demands()


class Follower:
    """Follows a path from a step's value to the replies and inputs that it is made of.

    With `exact`, only to those that are the same value, and not a part of one that the recipe builds.
    """

    def __init__(self, recipe: Recipe, *, exact: bool = False) -> None:
        self._exact = exact
        self._steps: Mapping[str, Step] = {step.name: step for step in recipe.steps}

    def origins(self, path: Path) -> frozenset[Path]:
        """The paths, in replies (`reply of step`, `body`, …) and inputs, that a path of a scope stands for."""
        root, *rest = path
        step = self._steps.get(str(root))
        if isinstance(step, Value):
            return self._of_tree(step.value, tuple(rest), {})
        if isinstance(step, Request):
            return self._of_request(step, tuple(rest))
        return frozenset({path})

    def of_aliases(self, aliases: Aliases, rest: Path = ()) -> frozenset[Path]:
        """The origins of what an expression stands for, further down at `rest`."""
        found: set[Path] = set()
        for alias in aliases:
            for key in rest:
                alias = alias.at(key)
            if not (alias.wraps and self._exact):
                found |= self.origins(alias.path)
        return frozenset(found)

    def _of_request(self, step: Request, rest: Path) -> frozenset[Path]:
        if step.each is not None:
            if self._exact and not rest:
                return frozenset()
            rest = rest[1:]
        elif step.key_by is not None and rest:
            rest = (ANY, *rest[1:])
        if step.take is None:
            return frozenset({(_REPLY + step.name, "body", *rest)})
        return self._of_tree(step.take, rest, self.scope_of(step))

    def scope_of(self, step: Step) -> dict[str, Aliases]:
        """What the names of a request's own stand for: its reply, and the item of its `each`."""
        scope: dict[str, Aliases] = {}
        if isinstance(step, Request):
            scope["reply"] = frozenset({Alias((_REPLY + step.name,))})
            if step.each is not None:
                scope[step.each.variable] = item_aliases(step.each, {})
        return scope

    def _of_tree(self, tree: Tree, rest: Path, scope: Mapping[str, Aliases]) -> frozenset[Path]:
        if self._exact and not rest and not isinstance(tree, Expression):
            return frozenset()
        match tree:
            case Expression():
                return self.of_aliases(aliases_of(tree.node, scope), rest)
            case MappingTree():
                chosen = [value for key, value in tree.items if not rest or rest[0] is ANY or rest[0] == key]
                return frozenset().union(*(self._of_tree(value, rest[1:], scope) for value in chosen))
            case Sequence():
                return frozenset().union(*(self._of_tree(value, rest[1:], scope) for value in tree.items))
            case Each():
                inner = {**scope, tree.clause.variable: item_aliases(tree.clause, scope)}
                return self._of_tree(tree.item, rest[1:], inner)
        assert isinstance(tree, Constant)
        return frozenset()


class _Reading:
    """Collects what all expressions of one recipe read."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._follower = Follower(recipe)
        self._same = Follower(recipe, exact=True)
        self._found: dict[str, Demand] = {}
        self._read: set[str] = set()
        self._entered: set[str] = set()

    def demands(self) -> dict[str, ReplyDemand]:
        for key, inspection, scope in self._inspections():
            for path in inspection.reads:
                for origin in self._origins(self._follower, path, scope):
                    self._found.setdefault(str(origin[0]), Demand()).at(origin[1:])
                    self._note(key, origin, within=len(origin) > 2)
            for path, _, _ in inspection.iterates:
                for origin in self._origins(self._same, path, scope):
                    self._found.setdefault(str(origin[0]), Demand()).at(origin[1:]).is_list = True
                    self._note(key, origin, within=True)
        requests = [step for step in self._recipe.steps if isinstance(step, Request)]
        user = ReplyDemand(self._found.get("user", Demand()))
        return {"user": user} | {step.name: self._of_step(step) for step in requests}

    def _note(self, key: str, origin: Path, *, within: bool) -> None:
        """Note that a body is read; what an undo reads is not asked for before it runs."""
        if origin[1:2] == ("body",) and not key.startswith("undo."):
            self._read.add(str(origin[0]))
            if within and key != "ok":
                self._entered.add(str(origin[0]))

    def _of_step(self, step: Request) -> ReplyDemand:
        rows: tuple[Path, ...] = ()
        keys: tuple[Path, ...] = ()
        body = self._found.get(_REPLY + step.name, Demand()).members.get("body", Demand())
        # With `each` a reply is one row.
        if step.batch is not None or (step.key_by is not None and step.each is None):
            rows = tuple(dict.fromkeys(map(_up_to_element, self._below(step, (ANY,)))))
            for path in rows:
                body.at(path[:-1]).is_list = True
        if step.key_by is not None:
            keys = self._below(step, (ANY, step.key_by))
            for path in keys:
                body.at(path)
        elif step.batch is not None:
            keys = tuple((*path, "id") for path in rows if "id" in body.at(path).members)
        is_read = bool(rows or keys) or _REPLY + step.name in self._read
        headers = self._found.get(_REPLY + step.name, Demand()).members.get("headers", Demand())
        entered = bool(rows or keys) or _REPLY + step.name in self._entered
        return ReplyDemand(body, {str(name) for name in headers.members}, rows, keys, is_read, entered)

    def _below(self, step: Request, rest: Path) -> tuple[Path, ...]:
        origins = self._follower.origins((step.name, *rest))
        return tuple(
            path[2:] for path in sorted(origins, key=str) if path[:2] == (_REPLY + step.name, "body")
        )

    @staticmethod
    def _origins(follower: Follower, path: Path, scope: Mapping[str, Aliases]) -> frozenset[Path]:
        root, *rest = path
        if root in scope:
            return follower.of_aliases(scope[str(root)], tuple(rest))
        return follower.origins(path)

    def _inspections(self) -> Iterator[tuple[str, Inspection, Mapping[str, Aliases]]]:
        for step in self._recipe.steps:
            scope = self._follower.scope_of(step)
            for key, part in parts(step):
                if key.startswith("undo."):
                    yield key, inspect_part(part), scope | _own_item(step)
                elif not key.startswith("on_status"):  # read of another reply than the good one
                    yield key, inspect_part(part), {} if key in ("when", "each", "batch") else scope
        recipe = self._recipe
        session = recipe.session
        of_session = () if session is None else (session.user, session.tokens, session.expires)
        for tree in (recipe.shape, recipe.status, recipe.headers, *of_session):
            if tree is not None:
                yield "", inspect_tree(tree), {}


def _own_item(step: Step) -> dict[str, Aliases]:
    """What the name of a step with `each` stands for in its undo: the value of the one item."""
    with_each = isinstance(step, Request) and step.each is not None
    return {step.name: frozenset({Alias((step.name, ANY))})} if with_each else {}


def _up_to_element(path: Path) -> Path:
    """A path as far as the element of the first list in it."""
    return path[: path.index(ANY) + 1] if ANY in path else path


def origins_in(recipe: Recipe, step: Step | None, part: Expression | EachClause | Tree) -> frozenset[Path]:
    """The paths in replies and inputs that a part of a step (or of the page) is made of."""
    follower = Follower(recipe)
    scope = {} if step is None else follower.scope_of(step)
    found: set[Path] = set()
    inspection = inspect(part) if isinstance(part, EachClause) else inspect_tree(part)
    for path in inspection.reads:
        root, *rest = path
        found |= (
            follower.of_aliases(scope[str(root)], tuple(rest)) if root in scope else follower.origins(path)
        )
    return frozenset(found)


def step_of(origin: Path) -> str | None:
    """The step whose reply a path is in, None for a path of an input."""
    root = str(origin[0])
    return root.removeprefix(_REPLY) if root.startswith(_REPLY) else None
