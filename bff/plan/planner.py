"""Makes the plan of a checked recipe, once at start."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from bff.expressions import compile_tree
from bff.expressions.addresses import with_encoded_holes
from bff.expressions.fields import fields
from bff.expressions.inspect import ANY, Any_, Inspection, Path, inspect, inspect_tree, item_paths
from bff.expressions.paths import Alias, scope_of
from bff.expressions.rooms import PATTERNED, SEALING
from bff.expressions.running import Compiled
from bff.expressions.tree import Constant, Expression, Tree
from bff.expressions.tree import Mapping as MappingTree
from bff.http import CacheTerms, Client, encode_constant
from bff.jsontext import decode_exactly
from bff.plan.holding import Held, HeldType, merged
from bff.plan.model import (
    DONE,
    FALLBACK,
    OK,
    Plan,
    PlannedFail,
    PlannedGiven,
    PlannedGuard,
    PlannedPages,
    PlannedRequest,
    PlannedSession,
    PlannedStep,
    PlannedUntil,
    PlannedValue,
)
from bff.plan.pairs import ComputedPairs
from bff.plan.partial_decoding import ExactDecoder, NarrowDecoder, decoder_of
from bff.plan.promised import promised
from bff.plan.used_paths import (
    followed,
    in_reply,
    mappings_of_reply,
    needs_of_page,
    reached_from,
    read_of_reply,
    used_of_values,
)
from bff.recipe.contracts import Contracts, promise_of
from bff.recipe.graph import Graph, build_graph, deferred_steps, inspect_part, parts
from bff.recipe.keys import RAW
from bff.recipe.model import Fail, Given, Guard, Recipe, Request, Step, SubRecipe, Value
from bff.recipe.needs import ReplyNeed, ReplyNeeds, reply_needs
from bff.recipe.taint import taint_of
from bff.validation import Validator

_SENT = frozenset({"path", "query", "headers", "body", "form", "text", "each", "batch"})
_NEEDY = PATTERNED | SEALING
VISITOR_INPUT = frozenset({"path", "query", "headers", "body"})


def make_plan(
    recipe: Recipe,
    clients: Mapping[str, Client],
    functions: Mapping[str, Callable[..., Any]],
    known_as: Mapping[str, tuple[str, ...]] | None = None,
    contracts: Contracts | None = None,
) -> Plan:
    """Compile a checked recipe; `known_as` are the names of its steps for `invalidates`.

    Replies are held to what the `contracts` of its clients promise, where that is enforced.
    """
    return _Planner(recipe, clients, functions, known_as or {}, contracts or {}).plan()


class _Planner:
    """Compiles one recipe; local to `make_plan`."""

    def __init__(
        self,
        recipe: Recipe,
        clients: Mapping[str, Client],
        functions: Mapping[str, Callable[..., Any]],
        known_as: Mapping[str, tuple[str, ...]],
        contracts: Contracts,
    ) -> None:
        self.contracts = contracts
        self.recipe = recipe
        self.clients = clients
        self.functions = functions
        self.known_as = known_as
        self.taint = taint_of(recipe, clients)
        self.graph: Graph = build_graph(recipe)
        self.names = tuple(step.name for step in recipe.steps)
        self.inspections = {step.name: dict(self._inspect(step)) for step in recipe.steps}
        self.page_trees = [
            inspect_tree(tree) for tree in (recipe.shape, recipe.status, recipe.headers) if tree is not None
        ]
        session = recipe.session
        of_session = () if session is None else (session.user, session.tokens, session.expires)
        self.page_reads = [
            *self.page_trees,
            *(inspect_tree(tree) for tree in of_session if tree is not None),
        ]
        self._values = {step.name for step in recipe.steps if isinstance(step, Value)}
        self.written = self._written()
        self.lists = self._lists()
        self.values_read = self._values_read()
        self.needs = reply_needs(recipe)
        self.used, self.mappings = used_of_values(recipe, self.inspections, self.page_reads)
        self.decoders = {step.name: self._decoder(step) for step in recipe.steps if isinstance(step, Request)}
        self.structs = {
            name: decoder.is_struct()
            for name, decoder in self.decoders.items()
            if isinstance(decoder, NarrowDecoder)
        }

    def plan(self) -> Plan:
        recipe = self.recipe
        deferred = deferred_steps(recipe, self.graph)
        waits_for = {name: frozenset(self.graph.waits_for[name]) for name in self.names}
        return Plan(
            recipe=recipe,
            steps=tuple(self._step(step) for step in recipe.steps),
            waits_for=waits_for,
            followers={
                name: tuple(other for other in self.names if name in waits_for[other]) for name in self.names
            },
            shape=self._compile(recipe.shape, is_written=not (deferred or recipe.format)),
            status=self._compile(recipe.status),
            headers=self._compile(with_encoded_holes(recipe.headers)),
            session=self._session(),
            fields=self._fields(),
            second_sources=self._second_sources(),
            private=bool(self.taint.page),
            deferred=deferred,
            header_names=() if recipe.headers is None else tuple(name for name, _ in recipe.headers.items),
            input_lists=self._input_lists(),
            shows_errors=any(use.name == "errors" for tree in self.page_trees for use in tree.names),
            functions=self._functions(),
            idempotency_key=self._compile(recipe.idempotency_key),
            reads_raw=recipe.signed is not None and self._reads_raw(),
        )

    def _functions(self) -> frozenset[str]:
        """What the page calls of the functions that not every app can give."""
        return _NEEDY & {use.name for part in self._everything for use in part.functions}

    @property
    def _everything(self) -> Iterator[Inspection]:
        """What every part of the recipe reads and calls."""
        yield from (part for parts in self.inspections.values() for part in parts.values())
        yield from self.page_reads
        if self.recipe.idempotency_key is not None:
            yield inspect_tree(self.recipe.idempotency_key)

    # --- compiling -----------------------------------------------------------------------------------------------

    def _compile(
        self,
        tree: Any,
        quotes: Mapping[str, Callable[[str], str]] | None = None,
        *,
        of: Request | None = None,
        reads_body: bool = False,
        is_written: bool = False,
    ) -> Any:
        """The function of a tree; `of` is the step that it is a part of, whose reply it sees where it `reads_body`."""
        if tree is None:
            return None

        def is_struct(path: Path) -> bool:
            return self._is_struct(path, of if reads_body else None)

        scope = scope_of(_bindings(of) if of is not None else {})
        # An undo is rare, and knows other things by the same names.
        is_undo = of is not None and of is not self.recipe.step(of.name)
        known = None if is_undo else is_struct
        return compile_tree(
            tree,
            functions=self.functions,
            quotes=quotes or {},
            is_struct=known,
            scope=scope,
            is_written=is_written,
        )

    def _is_struct(self, path: Path, own: Request | None) -> bool:
        """Whether what is at a path is a part of a reply that is decoded into a struct."""
        if own is not None and path[:2] == ("reply", "body"):
            return own.name in self.structs and self.structs[own.name](path[2:])
        if path[0] not in self.names:
            return False
        step = self.recipe.step(str(path[0]))
        if isinstance(step, Value):
            return self._are_structs(followed(step.value, path[1:]), None)
        if not isinstance(step, Request) or step.name not in self.structs:
            return False
        put_together = (step.each, step.batch, step.key_by, step.pages)
        if len(path) == 1 and any(part is not None for part in put_together):
            return False  # what replies are put together in
        below = in_reply(step, path[1:])
        if step.take is not None:
            return self._are_structs(followed(step.take, below), step)
        return self.structs[step.name](below)

    def _are_structs(self, aliases: Iterable[Alias], own: Request | None) -> bool:
        found = list(aliases)
        return bool(found) and all(
            not (one.wraps or one.tested) and self._is_struct(one.path, own) for one in found
        )

    def _step(self, step: Step) -> PlannedStep:
        match step:
            case Request():
                return self._request(step)
            case Value():
                quotes = self._quotes(self._reader_of(step.name))
                value = self._compile(step.value, quotes)
                given = None if step.given is None else self._given(step, step.given)
                when, lists = self._compile(step.when), self.lists[step.name]
                return PlannedValue(step.name, when, value, lists, self._is_input(step), given)
            case Guard():
                fail = self._fail(step.fail)
                return PlannedGuard(step.name, self._compile(step.when), self._compile(step.require), fail)
            case SubRecipe():
                raise TypeError(f"{step.name}: a recipe is planned once what it holds is in its place")

    def _given(self, step: Value, given: Given) -> PlannedGiven:
        from_input = self._from_input(step, ("value",))
        return PlannedGiven(
            given.part, given.key, given.schema, given.required, Validator(given.schema), from_input
        )

    def _session(self) -> PlannedSession | None:
        session = self.recipe.session
        if session is None:
            return None
        user, tokens, expires = map(self._compile, (session.user, session.tokens, session.expires))
        return PlannedSession(self.recipe.marks.key("session").place, user, tokens, expires, session.ends)

    def _fail(self, fail: Fail) -> PlannedFail:
        status = fail.status if isinstance(fail.status, int) else self._compile(fail.status)
        return PlannedFail(
            status, self._compile(fail.title), self._compile(fail.detail), self._compile(fail.errors)
        )

    def _request(self, step: Request) -> PlannedRequest:
        client = self.clients[step.client]
        clause = step.each or step.batch
        own = self.inspections[step.name]
        reads, reads_into = needs_of_page(step, own, self.values_read[step.name])
        needs = (
            ReplyNeeds()
            if step is not self.recipe.step(step.name)
            else self.needs.get(step.name, ReplyNeeds())
        )
        says = bool(step.needs) and step.needs != "reads"
        compiled = {
            key: self._compile(
                self._sent_headers(step) if key == "headers" else getattr(step, key),
                self._quotes(client),
                of=step,
                reads_body=key == "take",
            )
            for key in (
                "when",
                "query",
                "headers",
                "body",
                "form",
                "text",
                "take",
                "ok",
                "failed",
                "fallback",
            )
        }
        for key in ("query", "form"):
            if isinstance(getattr(step, key), Expression):
                compiled[key] = self._pairs(step, key, compiled[key])
        return PlannedRequest(
            name=step.name,
            client=client,
            method=step.method,
            safe=step.safe,
            each=step.each is not None,
            concurrency=step.concurrency,
            batch_size=None if step.batch is None else step.batch_size,
            key_by=step.key_by,
            timeout=step.timeout,
            retries=step.retries,
            hedge=step.hedge,
            cache=self._cache_terms(step),
            defer=step.defer,
            items=self._compile(clause, self._quotes(client)),
            variable=None if clause is None else clause.variable,
            path_parts=tuple(
                encode_constant(part) if isinstance(part, str) else None for part in step.path.parts
            ),
            constant_query=f"?{encode_constant(step.path.query)}" if step.path.query else "",
            holes=None if _is_constant(step) else self._compile(step.path, self._quotes(client), of=step),
            on_status={code: self._compile(tree, self._quotes(client)) for code, tree in step.on_status},
            lists=self.lists[step.name],
            reply_lists=self._reply_lists(step),
            decode=self.decoders[step.name],
            needs_of_taken=_held(needs.of_taken),
            reads=reads or says,
            reads_into=reads_into or says,
            items_from_input=self._from_input(step, ("each", "batch")),
            path_from_input=self._from_input(step, ("path",)),
            headers_from_input=self._from_input(step, ("headers",)),
            body_from_input=self._from_input(step, ("body", "form", "text"))
            or (self.recipe.passes and step.writes),
            key=True if step.idempotency_key is True else self._compile(step.idempotency_key),
            key_from_input=self._from_input(step, ("idempotency_key",)),
            undo=None if step.undo is None else self._request(step.undo),
            undo_reads_reply=self._undo_reads_reply(step),
            private=bool(self.taint.steps[step.name]),
            known_as=self.known_as.get(step.name, ()),
            takes_body=_reads_body_alone(own["take"]) if "take" in own else False,
            falls_back_on_reply="fallback" in own and "reply" in _roots(own["fallback"]),
            graphql=step.graphql is not None,
            format=None if step.format is None else self.decoders[step.name],
            bodies_seen=frozenset(_bodies_seen(own)),
            joins=step.safe or step.key_by is not None or bool(self.values_read[step.name]),
            repeats=self._repeats(step),
            **compiled,
        )

    def _repeats(self, step: Request) -> PlannedPages | PlannedUntil | None:
        quotes = self._quotes(self.clients[step.client])
        if (pages := step.pages) is not None:
            first = self._compile(pages.first, quotes, of=step)
            following = self._compile(pages.next, quotes, of=step, reads_body=True)
            return PlannedPages(pages.name, first, following, pages.most, pages.stops, pages.within)
        if (until := step.until) is not None:
            return PlannedUntil(self._compile(until.done, quotes), until.every, until.within)
        return None

    def _pairs(self, step: Request, key: str, compiled: Compiled) -> ComputedPairs:
        """The names and values that an expression gives, with whose fault it is where it gives no mapping."""
        is_undo = step is not self.recipe.step(step.name)
        sources = self._flowing(step, (f"undo.{key}" if is_undo else key,))
        from_backend = bool(sources & set(self.names) - self._values)
        return ComputedPairs(compiled, step.name, key, bool(sources & self._inputs), from_backend)

    def _cache_terms(self, step: Request) -> CacheTerms | None:
        cache = step.cache
        if cache is None or step.writes:
            return None
        return CacheTerms(
            ttl=cache.ttl,
            stale_while_revalidate=cache.stale_while_revalidate or 0.0,
            stale_if_error=cache.stale_if_error or 0.0,
            shared=cache.shared,
            private=bool(self.taint.steps[step.name]),
        )

    def _decoder(self, step: Request) -> Any:
        own, name = self.inspections[step.name], step.name
        needs, types = self._held_of(step)
        if step.format is not None:
            from bff.plan.formats import FormatDecoder  # few steps read another format

            return FormatDecoder(step.format, needs, exactly=name in self.written)
        if name in self.written:
            return ExactDecoder(needs, types) if needs or types else decode_exactly
        mappings = mappings_of_reply(step, own, self.mappings[name])
        return decoder_of(read_of_reply(step, own, self.used[name]), mappings, needs, types)

    def _held_of(self, step: Request) -> tuple[tuple[Held, ...], tuple[HeldType, ...]]:
        """What replies of a step are held to: what the page needs of them, and what their backend promises."""
        if self.recipe.passes:
            return (), ()
        needs = _held(self.needs[step.name].of_body)
        promise = promise_of(self.contracts, step)
        if promise is None or not promise.enforced:
            return needs, ()
        # `ok` may look at any of it, and decides by itself.
        read = read_of_reply(replace(step, ok=None), self.inspections[step.name], self.used[step.name])
        of_type, types = promised(promise.type, read)
        return merged((*needs, *of_type)), types

    def _sent_headers(self, step: Request) -> MappingTree | None:
        """The headers of a step, which asks for the format that it reads where nobody says otherwise."""
        client, headers = self.clients[step.client], step.headers
        named = {name.lower() for name, _ in headers.items} if headers is not None else set()
        if step.format is None or "accept" in named or client.says("accept"):
            return headers
        from bff.plan.formats import ACCEPT

        accept = ("Accept", Constant(ACCEPT[step.format.name]))
        return MappingTree((accept, *(() if headers is None else headers.items)))

    @staticmethod
    def _quotes(client: Client | None) -> dict[str, Callable[[str], str]]:
        if client is None:
            return {}
        named = {"quote": client.quote, "quote_like": client.quote_like}
        return {name: quote for name, quote in named.items() if quote is not None}

    def _reader_of(self, value: str) -> Client | None:
        """The client of the first request that reads a value step: its `quote` is what the value means."""
        readers = [step for step in self.recipe.steps if value in self.graph.reads[step.name]]
        for step in readers:
            found = self.clients[step.client] if isinstance(step, Request) else self._reader_of(step.name)
            if found is not None:
                return found
        return None

    # --- what the names lead to ------------------------------------------------------------------------------------

    def _inspect(self, step: Step) -> Iterator[tuple[str, Inspection]]:
        bindings = _bindings(step)
        for key, part in parts(step):
            in_loop = key not in ("when", "each", "batch")
            yield key, inspect_part(part, bindings if in_loop else {})

    def _lists(self) -> dict[str, tuple[Path, ...]]:
        """For each step the places of its value (relative to it) that any expression goes over, or that
        `batch` and `key_by` need as a list."""
        found: dict[str, set[Path]] = {name: set() for name in self.names}
        for path in self._iterated():
            root, *rest = path
            if root in found:
                found[str(root)].add(tuple(rest))
        return {name: tuple(sorted(paths, key=str)) for name, paths in found.items()}

    def _iterated(self) -> Iterator[Path]:
        """Every path that an expression of the recipe goes over."""
        for name, inspections in self.inspections.items():
            step = self.recipe.step(name)
            of_items = isinstance(step, Request) and step.each is not None
            for key, inspection in inspections.items():
                for path, _, _ in inspection.iterates:
                    # The undo of an item knows that item's own value by the step's name.
                    own = of_items and key.startswith("undo.") and path[0] == name
                    yield (name, ANY, *path[1:]) if own else path
        for inspection in self.page_reads:
            yield from (path for path, _, _ in inspection.iterates)

    def _input_lists(self) -> tuple[Path, ...]:
        """The places of the visitor's input that an expression goes over, also by the name of a value."""
        found = {self._origin(path) for path in self._iterated()}
        return tuple(sorted((path for path in found if path[0] in VISITOR_INPUT), key=str))

    def _origin(self, path: Path) -> Path:
        """Where what is at a path comes from, unchanged, through the value steps that only name it."""
        while path[0] in self.names:
            step = self.recipe.step(str(path[0]))
            tree, rest = (step.value if isinstance(step, Value) else None), path[1:]
            while rest and isinstance(tree, MappingTree):
                tree, rest = dict(tree.items).get(str(rest[0])), rest[1:]
            if tree is None or not _is_path(tree):
                break
            (found,) = inspect_tree(tree).reads
            path = (*found, *rest)
        return path

    def _values_read(self) -> dict[str, set[Path]]:
        """For each step the paths below its value that the page reads, also by way of value steps.

        What an undo reads is left out, and what a loop goes over is read as its elements.
        """
        parts = [
            part
            for inspections in self.inspections.values()
            for key, part in inspections.items()
            if not key.startswith("undo.")
        ]
        paths = (
            path
            for part in (*parts, *self.page_reads)
            for path in (*part.reads, *((*gone_over, ANY) for gone_over, _, _ in part.iterates))
        )
        return reached_from(paths, self.recipe)

    def _reply_lists(self, step: Request) -> tuple[Path, ...]:
        own = self.inspections[step.name]
        found = (own[key] for key in ("take", "failed", "pages.next") if key in own)
        paths = (path for part in found for path, _, _ in part.iterates)
        return tuple(sorted({tuple(path[2:]) for path in paths if path[:2] == ("reply", "body")}, key=str))

    def _undo_reads_reply(self, step: Request) -> bool:
        """Whether the undo of a step needs what the reply of the step brought."""
        of_undo = [found for key, found in self.inspections[step.name].items() if key.startswith("undo.")]
        return any(use.name in ("reply", step.name) for found in of_undo for use in found.names)

    def _reads_raw(self) -> bool:
        """Whether anything is made of the body as it came."""
        return any(RAW in _roots(part) for part in self._everything)

    @property
    def _inputs(self) -> frozenset[str]:
        """The names of what the visitor sent."""
        return VISITOR_INPUT if self.recipe.signed is None else VISITOR_INPUT | {RAW}

    def _from_input(self, step: Request | Value, keys: Iterable[str]) -> bool:
        """Whether what the visitor sent can flow into these parts of the step, also through value steps."""
        return bool(self._flowing(step, keys) & self._inputs)

    def _flowing(self, step: Request | Value, keys: Iterable[str]) -> set[str]:
        """The names of all that can flow into these parts of a step, through its loop and value steps, too."""
        found = self.inspections[step.name]
        names = set().union(*(_roots(found[key]) for key in keys if key in found))
        if isinstance(step, Request) and step.cursor in names and "pages.first" in found:
            names |= _roots(found["pages.first"])
        clause = (step.each or step.batch) if isinstance(step, Request) else None
        if clause is not None and clause.variable in names:
            names |= _roots(inspect(clause))
        return self._sources(names)

    def _written(self) -> set[str]:
        """The steps that what a write sends is made of, also through value steps."""
        names: set[str] = set()
        for step in self.recipe.steps:
            if isinstance(step, Request) and step.writes:
                names |= self._sent_from(step)
        return self._sources(names) & (set(self.names) - self._values)

    def _sent_from(self, step: Request) -> set[str]:
        found = self.inspections[step.name]
        return set().union(*(_roots(part) for key, part in found.items() if key in _SENT))

    def _is_input(self, step: Value) -> bool:
        """Whether a value is made of nothing but what the visitor sent."""
        sources = self._sources(_roots(self.inspections[step.name]["value"])) - self._values
        return bool(sources) and sources <= self._inputs

    def _sources(self, names: Iterable[str]) -> set[str]:
        """The names, with those that the value steps among them are made of in their place."""
        found: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name in found:
                continue
            found.add(name)
            if name in self._values:
                queue.extend(root for part in self.inspections[name].values() for root in _roots(part))
        return found

    def _fields(self) -> dict[str, tuple[str, ...]]:
        """For each step the paths of the page that hang on it, directly or through other steps."""
        if self.recipe.shape is None:
            return dict.fromkeys(self.names, ())
        leaves = [(path, self._behind(_own_reads(found))) for path, found in fields(self.recipe.shape)]
        return {name: tuple(path for path, steps in leaves if name in steps) for name in self.names}

    def _behind(self, paths: Iterable[Path]) -> set[str]:
        """The steps that the values at these paths are made of; of a value step only what is at the path."""
        found: set[str] = set()
        waiting, seen = list(paths), set[Path]()
        while waiting:
            path = waiting.pop()
            if path in seen or path[0] not in self.names:
                continue
            seen.add(path)
            step = self.recipe.step(str(path[0]))
            found.add(step.name)
            for key, part in self.inspections[step.name].items():
                if key != "value" and not key.startswith("undo."):
                    waiting.extend(part.reads)
            if isinstance(step, Value):
                waiting.extend(_paths_at(step.value, path[1:]))
        return found

    def _second_sources(self) -> dict[str, frozenset[str]]:
        named = {
            step.name: {use.name for use in inspect(step.when).names}
            for step in self.recipe.steps
            if step.when is not None and not isinstance(step, Guard)  # a guard answers nothing
        }
        return {
            name: frozenset(other for other, names in named.items() if name in names) for name in self.names
        }


def _held(needs: Iterable[ReplyNeed]) -> tuple[Held, ...]:
    """Needs as a run holds replies to them: it goes over lists in places that it looks at in any case."""
    return tuple(
        Held(one.path, one.required, one.nullable, one.form, one.form == "list" and not one.said)
        for one in needs
    )


def _own_reads(found: Inspection) -> set[Path]:
    """What an expression reads by its own names; a loop around it is another field of the page."""
    names = {use.name for use in found.names}
    return {path for path in found.reads if path[0] in names}


def _paths_at(tree: Tree, path: Path) -> Iterable[Path]:
    """What the part of a tree that a path leads to reads."""
    for at, key in enumerate(path):
        if not isinstance(tree, MappingTree):
            found = inspect_tree(tree).reads
            # A tree that is nothing but a path leads on to what is below it.
            return {(*whole, *path[at:]) for whole in found} if _is_path(tree) else found
        inner = dict(tree.items)
        if isinstance(key, str) and key in inner:
            tree = inner[key]
        else:
            return inspect_tree(tree).reads if isinstance(key, Any_) else ()
    return inspect_tree(tree).reads


def _is_path(tree: Tree) -> bool:
    node = tree.node if isinstance(tree, Expression) else None
    while isinstance(node, ast.Attribute) or (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        node = node.value
    return isinstance(node, ast.Name)


def _is_constant(step: Request) -> bool:
    return all(isinstance(part, str) for part in step.path.parts)


def _bindings(step: Step) -> dict[str, Path]:
    """What the loop variable of an `each` stands for, where that is one path; a chunk of a `batch` is computed."""
    clause = step.each if isinstance(step, Request) else None
    paths = () if clause is None else item_paths(clause)
    return {clause.variable: paths[0]} if clause is not None and len(paths) == 1 else {}


def _roots(inspection: Inspection) -> set[str]:
    """The names that an expression reads of, those that its loop variable stands for among them."""
    return {use.name for use in inspection.names} | {str(path[0]) for path in inspection.reads}


_SEEING = {"ok": OK, "fallback": FALLBACK, "until": DONE}


def _bodies_seen(own: Mapping[str, Inspection]) -> Iterator[int]:
    """The statuses whose answer looks at the body of a reply, and what stands for other parts that do."""
    for key, part in own.items():
        kind, _, status = key.partition(".")
        paths = (*part.reads, *(place[0] for place in part.iterates))
        if any(path[:2] in (("reply",), ("reply", "body")) for path in paths):
            if kind == "on_status":
                yield int(status)
            elif kind in _SEEING:
                yield _SEEING[kind]


def _reads_body_alone(take: Inspection) -> bool:
    """Whether a `take` reads nothing of a reply but its body."""
    paths = (*take.reads, *(place[0] for place in take.iterates))
    return all(path[:2] == ("reply", "body") for path in paths if path[:1] == ("reply",))
