"""One file of orchestrations/ as a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from bff.errors import Finding
from bff.expressions.tree import Constant, Expression
from bff.recipe.keys import key_of
from bff.recipe.loader.formats import read_table, with_file
from bff.recipe.loader.reading import Table, marks_of
from bff.recipe.loader.routes import Route, read_route
from bff.recipe.loader.schemas import SchemaReading
from bff.recipe.loader.signing import read_signed
from bff.recipe.loader.steps import StepReading
from bff.recipe.model import Auth, Deploy, Input, PageCache, Parameter, Recipe, Session
from bff.recipe.source import MapNode, Node, ScalarNode, mark_of, read_nodes, read_source
from bff.text import nearest

_TEXT: dict[str, Any] = {"type": "string"}


def load_recipe(path: Path, root: Path) -> tuple[Recipe | None, list[Finding]]:
    """The recipe of a file below `root`, and everything wrong with it.

    A recipe with findings still holds what could be read, so that the rest of it can be checked; it is None
    when the file is no YAML mapping.
    """
    file = path.relative_to(root).as_posix()
    source, findings = read_source(path, file)
    if source is None:
        return None, findings
    node, findings = read_nodes(source)
    if isinstance(node, MapNode) and node.items:
        reading = _RecipeReading(path.stem, file, root)
        recipe = reading.recipe(node, whole=not findings)
        # What YAML could not give is no second mistake.
        places = {finding.place for finding in findings}
        return recipe, [*findings, *(found for found in reading.findings if found.place not in places)]
    if not findings:
        empty = node is None or isinstance(node, MapNode) or (isinstance(node, ScalarNode) and not node.text)
        message = "an empty recipe" if empty or node is None else "a recipe is a mapping of keys"
        mark = mark_of(node) if node is not None and not empty else source.mark(0, 1)
        findings = [mark.finding(message, "it begins with its route: GET /api/name")]
    return None, findings


class _RecipeReading(StepReading):
    """Reads one recipe."""

    def __init__(self, name: str, file: str, root: Path) -> None:
        super().__init__(root)
        self.name_of_recipe = name
        self.file = file

    def recipe(self, node: MapNode, whole: bool) -> Recipe:
        """The recipe of a mapping; `whole` says that nothing of the file was left out before."""
        start = node.items[0][0].whole
        found = self.table(node, "recipe", "a recipe", start) or {}
        marks = marks_of(start, found)
        route = self._route(found)
        table, file = read_table(self, found["format"][1]) if "format" in found else (None, None)
        headers = self.trees("headers", found["headers"][1], flat=True) if "headers" in found else None
        page = Recipe(
            name=self.name_of_recipe,
            file=self.file,
            method=route.method,
            path=route.path,
            summary=self._optional(found, "summary", self.text) or "",
            auth=self._auth(found),
            input=self._input(found, route),
            deadline=self._optional(found, "deadline", self.duration) or 3.0,
            shape=self.tree(found["shape"][1]) if "shape" in found else None,
            format=table,
            status=self._page_status(found),
            headers=headers if file is None else with_file(headers, file),
            cache=self._page_cache(found["cache"][1]) if "cache" in found else None,
            session=self._session(found["session"][1]) if "session" in found else None,
            rate_limit=self._optional(found, "rate_limit", self.rate),
            signed=read_signed(self, found["signed"][1]) if "signed" in found else None,
            idempotency_key=self._optional(found, "idempotency_key", self.expression),
            invalidates=self._optional(found, "invalidates", self.references) or (),
            deploy=self._deploy(found["deploy"][1]) if "deploy" in found else None,
            passes=self._optional(found, "pass", self.boolean) is True,
            marks=marks,
        )
        if self.findings or not whole:
            self.broken.add("")
        steps = self.steps(found["steps"][1]) if "steps" in found else ()
        documents = tuple(self.documents.files)
        return replace(page, steps=steps, broken=frozenset(self.broken), documents=documents)

    def _route(self, found: Table) -> Route:
        route = None
        if "route" in found:
            node = found["route"][1]
            if isinstance(node, ScalarNode) and isinstance(node.value, str):
                route = read_route(self, node)
            else:
                self.wrong("route", node, "METHOD /path", "for example: GET /api/todos/{id}")
        return route or Route("POST", "", ())

    def _auth(self, found: Table) -> Auth:
        key = key_of("recipe", "auth")
        return cast(Auth, (self.choice(key, found["auth"][1]) if "auth" in found else None) or key.default)

    def _input(self, found: Table, route: Route) -> Input:
        """The declared input, with every path parameter of the route in its order; a part declares its own."""
        given = SchemaReading(self).input(found["input"][1]) if "input" in found else Input()
        declared = {parameter.name: parameter for parameter in given.path}
        if "route" not in found:
            return given
        names = [name for name, _ in route.parameters]
        for name in declared if route.path else ():
            if name not in names:
                near = nearest(name, names)
                meant = f"did you mean '{near}'?  " if near else ""
                hint = f"{meant}the route has: {', '.join(names) or 'no parameters'}"
                key = _key_below(found["input"][1], ["path", name])
                self.say(key.whole, f"'{name}' is no parameter of the route", hint)
        path = tuple(declared.get(name) or Parameter(name, dict(_TEXT), required=True) for name in names)
        return replace(given, path=path)

    def _page_status(self, found: Table) -> Expression | Constant:
        status = self.status("recipe", found["status"][1]) if "status" in found else None
        return status or Constant(200)

    def _page_cache(self, node: Node) -> PageCache | None:
        if isinstance(node, ScalarNode):
            age = self.duration("cache", node, zero=True)
            return None if age is None else PageCache(age)
        found = self.table(node, "page cache", "cache")
        if found is None:
            return None
        ages = {name: self.duration(name, value, zero=True) for name, (_, value) in found.items()}
        return PageCache(ages.pop("max_age", None) or 0.0, **ages)

    def _session(self, node: Node) -> Session | None:
        if isinstance(node, ScalarNode) and node.value is None:
            return Session(ends=True)
        found = self.table(node, "session", "session")
        if found is None:
            return None
        return Session(
            user=self.tree(found["user"][1]) if "user" in found else None,
            tokens=self.trees("tokens", found["tokens"][1], flat=False) if "tokens" in found else None,
            expires=self._optional(found, "expires", self.expression),
        )

    def _deploy(self, node: Node) -> Deploy | None:
        found = self.table(node, "deploy", "deploy")
        if found is None:
            return None
        return Deploy(
            **{name: self.integer(key_of("deploy", name), value) for name, (_, value) in found.items()}
        )


def _key_below(node: Node, path: list[str]) -> ScalarNode:
    """The key at a path of keys that were written."""
    for name in path[:-1]:
        assert isinstance(node, MapNode)
        node = next(value for key, value in node.items if key.text == name)
    assert isinstance(node, MapNode)
    return next(key for key, _ in node.items if key.text == path[-1])
