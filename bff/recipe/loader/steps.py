"""The steps of a recipe: which kind each is, and its keys."""

from __future__ import annotations

import dataclasses
import keyword
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

from msgspec.structs import replace

from bff.expressions.parse import parse, parse_path
from bff.expressions.tree import Constant, Expression, Mapping, Tree
from bff.recipe.keys import KEYS, PLACE_NAMES, SCOPE_NAMES, STEP_KINDS, VERBS, key_of
from bff.recipe.loader.formats import read_format
from bff.recipe.loader.graphql import ACCEPTS, TAKES, DocumentReading, implied
from bff.recipe.loader.needed import NEEDED_FORM, Malformed, needed_path
from bff.recipe.loader.reading import Table, kind_of, marks_of
from bff.recipe.loader.repeats import RepeatReading
from bff.recipe.model import (
    Fail,
    Guard,
    Marks,
    Method,
    NeededPath,
    Request,
    Step,
    StepCache,
    SubRecipe,
    Value,
)
from bff.recipe.source import ListNode, MapNode, Node, ScalarNode, mark_of
from bff.text import nearest

_CONSTANTS = ("true", "false", "null")
_KIND_HINT = "a step has one of: client (with a verb), value, require, recipe"


class StepReading(RepeatReading):
    """Reads steps; `broken` gathers the names of those that could not be read whole."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.documents = DocumentReading(root, self.findings)

    def steps(self, node: Node) -> tuple[Step, ...]:
        if not isinstance(node, MapNode):
            self.wrong("steps", node, "a mapping of names to steps")
            return ()
        steps = []
        for key, value in node.items:
            before = len(self.findings)
            self._check_name(key)
            steps.append(self._step(key, value))
            if len(self.findings) > before:
                self.broken.add(key.text)
        return tuple(steps)

    def _check_name(self, key: ScalarNode) -> None:
        name = key.text
        if name in SCOPE_NAMES or name in PLACE_NAMES:
            self.say(
                key.whole, f"a step named '{name}' hides the name that every recipe has", "rename the step"
            )
        elif keyword.iskeyword(name) or name in _CONSTANTS:
            self.say(key.whole, f"a step cannot be named '{name}'", "the word means something in expressions")
        elif not (name.isascii() and name.isidentifier()) or name.startswith("_"):
            safe = _as_identifier(name)
            hint = f"write '{safe}'" if safe else ""
            self.say(key.whole, f"'{name}' is no name for a step: a letter, then letters, digits and _", hint)

    def _step(self, key: ScalarNode, node: Node) -> Step:
        kind = self._kind(key, node)
        if kind is None or not isinstance(node, MapNode):
            return Value(key.text, Constant(None), marks=Marks(key.whole))
        let = next(((name, inner) for name, inner in node.items if name.text == "let"), None)
        if kind == "request" and let is not None:
            self.say(let[0].whole, "'let' in a request", "it stands beside each and item; write a value step")
            node = dataclasses.replace(node, items=tuple(item for item in node.items if item != let))
        found = self.table(node, kind, f"this {kind}", key.whole) or {}
        if kind == "request" and let is not None:
            found["let"] = let
        marks = marks_of(key.whole, found)
        when = self.expression("when", found["when"][1]) if "when" in found else None
        if kind == "request":
            step = self.request(key.text, found, marks, when)
            return step if step.graphql is None else self._judged(step)
        if kind == "value":
            tree = self.tree(found["value"][1]) if "value" in found else Constant(None)
            return Value(key.text, tree, when, marks=marks)
        if kind == "guard":
            return self._guard(key.text, found, marks, when)
        return self._sub_recipe(key.text, found, marks, when)

    def _kind(self, key: ScalarNode, node: Node) -> str | None:
        """The table of keys that a step's own keys ask for; says why if that cannot be told."""
        if not isinstance(node, MapNode):
            self.say(
                mark_of(node) if node.stop > node.start else key.whole, _not_a_step(key, node), _KIND_HINT
            )
            return None
        written = {name.text: name for name, _ in node.items}
        kinds = {kind: name for name, kind in STEP_KINDS.items() if name in written}
        if len(kinds) > 1:
            first, second, *_ = kinds.values()
            self.say(written[second].whole, f"'{first}' and '{second}' in one step", _KIND_HINT)
            return None
        if kinds:
            return next(iter(kinds))
        if any(verb in written for verb in (*VERBS, "graphql")):
            return "request"
        if "fail" in written:
            return "guard"
        known = [name.name for table in ("request", "value", "guard", "sub-recipe") for name in KEYS[table]]
        unknown = next((name for name in written.values() if name.text not in known), None)
        near = nearest(unknown.text, [*STEP_KINDS, *VERBS]) if unknown else None
        if unknown and near:
            self.say(unknown.whole, f"unknown key '{unknown.text}'", f"did you mean '{near}'?  {_KIND_HINT}")
        else:
            self.say(key.whole, f"step '{key.text}' does nothing", _KIND_HINT)
        return None

    # --- requests ------------------------------------------------------------------------------------------------

    def request(self, name: str, found: Table, marks: Marks, when: Expression | None) -> Request:
        """The request of these keys; what is wrong is said and left out."""
        if "graphql" in found:
            return self._of_document(self._request(name, found, marks, when, "post"), found)
        return self._request(name, found, marks, when, self._verb(found, marks))

    def _request(self, name: str, found: Table, marks: Marks, when: Expression | None, verb: str) -> Request:
        path = self.path(verb, found[verb][1]) if verb in found else None
        cache = found["cache"][1] if "cache" in found else None
        key = found["idempotency_key"][1] if "idempotency_key" in found else None
        return Request(
            name=name,
            client=self._optional(found, "client", self.name) or "",
            method=cast(Method, verb.upper()),
            path=path or parse_path("/"),
            query=self._pairs(found, "query"),
            headers=self._trees(found, "headers"),
            body=self.tree(found["body"][1]) if "body" in found else None,
            form=self._pairs(found, "form"),
            text=self._optional(found, "text", self.expression),
            safe=verb == "get" or self._optional(found, "safe", self.boolean) is True,
            when=when,
            each=self._optional(found, "each", self.clause),
            concurrency=self._integer(found, "concurrency") or 8,
            batch=self._optional(found, "batch", self.clause),
            batch_size=self._integer(found, "batch_size") or 50,
            format=read_format(self, found["format"][1]) if "format" in found else None,
            take=self.tree(found["take"][1]) if "take" in found else None,
            key_by=self._optional(found, "key_by", self.field_name),
            needs=self._optional(found, "needs", self.needs),
            fallback=self.tree(found["fallback"][1]) if "fallback" in found else None,
            on_status=self._statuses(found["on_status"][1]) if "on_status" in found else (),
            ok=self._optional(found, "ok", self.expression),
            failed=self._optional(found, "failed", self.expression),
            timeout=self._optional(found, "timeout", self.duration),
            retries=self._integer(found, "retries"),
            hedge=self._optional(found, "hedge", self.duration),
            cache=None if cache is None else self._cache(cache),
            pages=self._optional(found, "pages", self.pages),
            until=self._optional(found, "until", self.until),
            undo=self._undo(name, found, marks) if "undo" in found else None,
            idempotency_key=None if key is None else self._idempotency_key(key),
            defer=self._optional(found, "defer", self.boolean) is True,
            marks=marks,
        )

    def _of_document(self, step: Request, found: Table) -> Request:
        """The request with what its GraphQL document says in place of a verb, a body and their like."""
        marks = step.marks
        verb = next((verb for verb in found if verb in VERBS), None)
        if verb is not None:
            cure = "a document is posted to the client's GraphQL endpoint: Client(graphql=…)"
            self.say(marks.key(verb), f"'graphql' and '{verb}' in one request", cure)
        document = self.documents.document(found["graphql"][1])
        variables = (
            self.trees("variables", found["variables"][1], flat=False) if "variables" in found else None
        )
        stands = {"path": parse_path("/"), "query": None, "form": None}
        if document is None:
            return replace(step, **stands, safe=True, body=None)
        operation = replace(document.operation, judged=step.ok is None)
        safe, body = operation.kind == "query", document.body(variables)
        return replace(step, **stands, safe=safe, body=body, graphql=operation)

    def _verb(self, found: Table, marks: Marks) -> str:
        verbs = [verb for verb in found if verb in VERBS]
        if not verbs:
            self.say(
                marks.name, "a request without a verb", f"one of: {', '.join(VERBS)}, with a path; or graphql"
            )
            return "get"
        if len(verbs) > 1:
            first, second, *_ = verbs
            self.say(marks.key(second), f"'{first}' and '{second}' in one request", "a request has one verb")
        return verbs[0]

    def _optional(self, found: Table, name: str, read: Callable[[str, Node], Any]) -> Any:
        return read(name, found[name][1]) if name in found else None

    def _integer(self, found: Table, name: str) -> int | None:
        return self.integer(key_of("request", name), found[name][1]) if name in found else None

    def _trees(self, found: Table, name: str) -> Mapping | None:
        return self.trees(name, found[name][1], flat=True) if name in found else None

    def _pairs(self, found: Table, name: str) -> Mapping | Expression | None:
        return self.pairs(name, found[name][1]) if name in found else None

    def _statuses(self, node: Node) -> tuple[tuple[int, Tree], ...]:
        if not isinstance(node, MapNode):
            self.wrong("on_status", node, "a mapping of statuses to values")
            return ()
        found = []
        for key, value in node.items:
            if key.text.isascii() and key.text.isdigit() and 200 <= int(key.text[:4]) <= 599:
                found.append((int(key.text), self.tree(value)))
            else:
                self.say(key.whole, f"'{key.text}' is no status", "a number from 200 to 599")
        return tuple(found)

    def needs(self, name: str, node: Node) -> tuple[NeededPath, ...] | Literal["reads"] | None:
        """`reads`, or a list of paths below the step's value; what is wrong with one is said and left out."""
        if isinstance(node, ScalarNode) and node.text == "reads":
            return "reads"
        if not isinstance(node, ListNode):
            text = node.text if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
            self.wrong(name, node, "a list of paths, or reads", f"write - {text} below it" if text else "")
            return None
        found = []
        for item in node.items:
            if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
                self.say(mark_of(item), f"'{name}' holds paths, not {kind_of(item)}", NEEDED_FORM)
                continue
            path = needed_path(item.text)
            if isinstance(path, Malformed):
                mark = item.mark(path.offset, path.length)
                self.say(mark, f"'{item.text}' is no path of '{name}'", path.hint)
            else:
                found.append(path)
        return tuple(found)

    def _cache(self, node: Node) -> StepCache | None:
        if isinstance(node, ScalarNode):
            ttl = self.duration("cache", node)
            return None if ttl is None else StepCache(ttl)
        found = self.table(node, "step cache", "cache") or {}
        return StepCache(
            ttl=self._optional(found, "ttl", self.duration) or 1.0,
            stale_while_revalidate=self._optional(found, "stale_while_revalidate", self.duration),
            stale_if_error=self._optional(found, "stale_if_error", self.duration),
            shared=self._optional(found, "shared", self.boolean) is True,
        )

    def _undo(self, name: str, step: Table, above: Marks) -> Request | None:
        found = self.table(step["undo"][1], "undo", "undo")
        if found is None:
            return None
        if "client" in step and "client" not in found:
            found["client"] = step["client"]
        return self.request(name, found, marks_of(above.key("undo"), found), None)

    @staticmethod
    def _judged(step: Request) -> Request:
        """The step with what the reply to its document is judged by, and what of it is its value."""
        at = step.marks.key("graphql")
        take = implied(TAKES, at) if step.take is None else step.take
        return replace(step, ok=step.ok or implied(ACCEPTS, at), take=take)

    def _idempotency_key(self, node: Node) -> Expression | Literal[True] | None:
        if isinstance(node, ScalarNode) and node.value is True:
            return True
        return self.expression("idempotency_key", node)

    # --- guards and other recipes ----------------------------------------------------------------------------------

    def _guard(self, name: str, found: Table, marks: Marks, when: Expression | None) -> Guard:
        require = self._optional(found, "require", self.expression)
        fail = self._fail(found["fail"][1]) if "fail" in found else None
        return Guard(name, require or parse("false"), fail or Fail(500), when, marks=marks)

    def _fail(self, node: Node) -> Fail | None:
        found = self.table(node, "fail", "fail")
        if found is None:
            return None
        parts = {part: self.tree(found[part][1]) for part in ("title", "detail", "errors") if part in found}
        status = self.status("fail", found["status"][1]) if "status" in found else None
        return Fail(_bare(status) if status is not None else 500, **parts)

    def status(self, table: str, node: Node) -> Expression | Constant | None:
        """A status: a number within the bounds of its key, or an expression."""
        key = key_of(table, "status")
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return self.parsed(parse, node)
        number = self.integer(key, node)
        return None if number is None else Constant(number)

    def _sub_recipe(self, name: str, found: Table, marks: Marks, when: Expression | None) -> SubRecipe:
        recipe = self._optional(found, "recipe", self.name) or ""
        arguments = self.trees("with", found["with"][1], flat=False) if "with" in found else None
        return SubRecipe(name, recipe, arguments or Mapping(()), when, marks=marks)


def _bare(status: Expression | Constant) -> int | Expression:
    if isinstance(status, Expression):
        return status
    assert isinstance(status.value, int)
    return status.value


def _not_a_step(key: ScalarNode, node: Node) -> str:
    return (
        f"step '{key.text}' does nothing" if node.start == node.stop else f"step '{key.text}' is no mapping"
    )


def _as_identifier(name: str) -> str:
    """The nearest name that can be one: dashes and spaces become _."""
    plain = unicodedata.normalize("NFKC", name).replace("-", "_").replace(" ", "_").lstrip("_")
    return plain if plain.isascii() and plain.isidentifier() else ""
