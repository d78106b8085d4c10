"""Makes the plan of a checked recipe, once at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from bff.expressions import compile_tree
from bff.expressions.addresses import with_encoded_holes
from bff.expressions.inspect import Inspection, Path
from bff.expressions.paths import Alias, scope_of
from bff.expressions.rooms import PATTERNED, SEALING
from bff.expressions.running import Compiled
from bff.expressions.tree import Constant, Expression
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
from bff.plan.origins import Origins, bindings_of, roots_of
from bff.plan.pairs import ComputedPairs
from bff.plan.partial_decoding import ExactDecoder, NarrowDecoder, decoder_of
from bff.plan.promised import promised
from bff.plan.used_paths import (
    followed,
    in_reply,
    mappings_of_reply,
    needs_of_page,
    read_of_reply,
    used_of_values,
)
from bff.recipe.contracts import Contracts, is_never_nothing, promise_of
from bff.recipe.graph import Graph, build_graph, deferred_steps
from bff.recipe.model import Fail, Given, Guard, Recipe, Request, Step, SubRecipe, Value
from bff.recipe.needs import ReplyNeed, ReplyNeeds, reply_needs
from bff.recipe.taint import taint_of
from bff.validation import Validator

_SENT = frozenset({"path", "query", "headers", "body", "form", "text", "each", "batch"})
_NEEDY = PATTERNED | SEALING


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
        self.origins = Origins(recipe)
        self.inspections = self.origins.inspections
        page_reads = self.origins.page_reads
        self.written = self.origins.written()
        self.lists = self.origins.lists()
        self.values_read = self.origins.values_read()
        self.needs = reply_needs(recipe)
        self.used, self.mappings = used_of_values(recipe, self.inspections, page_reads)
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
            fields=self.origins.fields(),
            second_sources=self.origins.second_sources(),
            private=bool(self.taint.page),
            deferred=deferred,
            header_names=() if recipe.headers is None else tuple(name for name, _ in recipe.headers.items),
            input_lists=self.origins.input_lists(),
            shows_errors=any(use.name == "errors" for tree in self.origins.page_trees for use in tree.names),
            functions=self._functions(),
            idempotency_key=self._compile(recipe.idempotency_key),
            reads_raw=recipe.signed is not None and self.origins.reads_raw(),
        )

    def _functions(self) -> frozenset[str]:
        """What the page calls of the functions that not every app can give."""
        return _NEEDY & {use.name for part in self.origins.everything for use in part.functions}

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

        scope = scope_of(bindings_of(of) if of is not None else {})
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
                return PlannedValue(step.name, when, value, lists, self.origins.is_input(step), given)
            case Guard():
                fail = self._fail(step.fail)
                return PlannedGuard(step.name, self._compile(step.when), self._compile(step.require), fail)
            case SubRecipe():
                raise TypeError(f"{step.name}: a recipe is planned once what it holds is in its place")

    def _given(self, step: Value, given: Given) -> PlannedGiven:
        from_input = self.origins.from_input(step, ("value",))
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
            reply_lists=self.origins.reply_lists(step),
            decode=self.decoders[step.name],
            needs_of_taken=_held(needs.of_taken),
            reads=reads or says,
            reads_into=reads_into or says or (reads and is_never_nothing(self.contracts, step)),
            items_from_input=self.origins.from_input(step, ("each", "batch")),
            path_from_input=self.origins.from_input(step, ("path",)),
            headers_from_input=self.origins.from_input(step, ("headers",)),
            body_from_input=self.origins.from_input(step, ("body", "form", "text"))
            or (self.recipe.passes and step.writes),
            key=True if step.idempotency_key is True else self._compile(step.idempotency_key),
            key_from_input=self.origins.from_input(step, ("idempotency_key",)),
            undo=None if step.undo is None else self._request(step.undo),
            undo_reads_reply=self.origins.undo_reads_reply(step),
            private=bool(self.taint.steps[step.name]),
            known_as=self.known_as.get(step.name, ()),
            takes_body=_reads_body_alone(own["take"]) if "take" in own else False,
            falls_back_on_reply="fallback" in own and "reply" in roots_of(own["fallback"]),
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
        keys = (f"undo.{key}" if is_undo else key,)
        from_input, from_backend = self.origins.from_input(step, keys), self.origins.from_backend(step, keys)
        return ComputedPairs(compiled, step.name, key, from_input, from_backend)

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


def _held(needs: Iterable[ReplyNeed]) -> tuple[Held, ...]:
    """Needs as a run holds replies to them: it goes over lists in places that it looks at in any case."""
    return tuple(
        Held(one.path, one.required, one.nullable, one.form, one.form == "list" and not one.said)
        for one in needs
    )


def _is_constant(step: Request) -> bool:
    return all(isinstance(part, str) for part in step.path.parts)


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
