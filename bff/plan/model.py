"""A recipe as it runs: every tree compiled, every step knowing what it waits for. Frozen, made by the planner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from bff.errors import Place
from bff.expressions import Evaluation
from bff.expressions.paths import Path
from bff.expressions.running import Compiled
from bff.http import CacheTerms, Client
from bff.plan.holding import Held
from bff.plan.partial_decoding import Decode
from bff.recipe.model import Method, Recipe, Schema
from bff.validation import Validator

if TYPE_CHECKING:
    from bff.plan.formats import FormatDecoder

OK, FALLBACK, DONE = 0, 1, 2
"""What stands among statuses for parts of a step that see replies of any."""

Compute = Callable[[Mapping[str, Any], Evaluation], Any]


class PlannedPages(Struct, frozen=True):
    """How a step goes through all pages of a list; `name` is its cursor's, None where `next` gives addresses.

    `within` is in seconds, None for all that the page has.
    """

    name: str | None
    first: Compute | None
    next: Compute
    most: int
    stops: bool
    within: float | None


class PlannedUntil(Struct, frozen=True):
    """How a step is asked again until it is done; times are in seconds."""

    done: Compute
    every: float
    within: float


class PlannedRequest(Struct, frozen=True, dict=True):
    """A request step, or the undo of one, which has its name; computed parts are None where the recipe has none.

    `path_parts` are the encoded constant parts, None where a hole's value goes; `constant_query` has its `?`.
    `lists` and `reply_lists` are the places of its value and of its reply that the recipe goes over: what is
    there must be a list or null. `needs_of_taken` is what a computed `take` must give. `…_from_input` say whether a
    value of the visitor can be the cause. `decode` reads of a reply's body what the page uses, and holds it to what
    the page needs. `reads` says whether the page reads the body at all, `reads_into` whether it reads something that
    is in it. `key` is its idempotency key, True for the visitor's own; `undo` takes it back. A `private` one is made
    of something of the visitor; `known_as` are the names by which a recipe's `invalidates` may mean it. Its `take`
    reads nothing of a reply but
    the body where it `takes_body`; its `fallback` reads the reply that failed where it `falls_back_on_reply`.
    A `graphql` one posts a document: its reply may hold data and errors. One that `repeats` is asked several times for
    one value.
    A body that is no JSON is read as its `format` says. `bodies_seen` are the statuses whose `on_status` sees the body
    of a reply, `OK`, `DONE` and `FALLBACK` among them where these do.
    Of a batch of writes `failed` gives the items that were not done, and one whose value nobody reads joins nothing.
    """

    name: str
    client: Client
    method: Method
    safe: bool
    each: bool
    concurrency: int
    batch_size: int | None
    key_by: str | None
    timeout: float | None
    retries: int | None
    hedge: float | None
    cache: CacheTerms | None
    defer: bool
    when: Compute | None
    items: Compute | None
    variable: str | None
    path_parts: tuple[str | None, ...]
    constant_query: str
    holes: Compute | None
    query: Compute | None
    headers: Compute | None
    body: Compute | None
    form: Compute | None
    take: Compute | None
    on_status: Mapping[int, Compute]
    ok: Compute | None
    fallback: Compute | None
    lists: tuple[Path, ...]
    reply_lists: tuple[Path, ...]
    needs_of_taken: tuple[Held, ...]
    decode: Decode
    reads: bool
    reads_into: bool
    items_from_input: bool
    path_from_input: bool
    headers_from_input: bool
    body_from_input: bool
    key: Compute | Literal[True] | None
    key_from_input: bool
    undo: PlannedRequest | None
    undo_reads_reply: bool
    private: bool
    known_as: tuple[str, ...]
    takes_body: bool = False
    falls_back_on_reply: bool = False
    graphql: bool = False
    text: Compute | None = None
    format: FormatDecoder | None = None
    bodies_seen: frozenset[int] = frozenset()
    failed: Compute | None = None
    joins: bool = True
    repeats: PlannedPages | PlannedUntil | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return not self.safe

    @cached_property
    def constant_path(self) -> str | None:
        """The path with its constant query, where it is the same for every request."""
        return None if self.holes is not None else "".join(map(str, self.path_parts)) + self.constant_query

    @property
    def forwards_token(self) -> bool:
        return self.client.forwards_token


class PlannedGiven(Struct, frozen=True):
    """How a value that a part of the page is given is checked; `from_input`: the visitor may be the cause.

    `key` is where it stands in the input of recipe `part`: `query.page`, or `body`.
    """

    part: str
    key: str
    schema: Schema
    required: bool
    validator: Validator
    from_input: bool


class PlannedValue(Struct, frozen=True):
    """A value step; with `given` one that goes into a part of the page, and must be what that takes.

    One that is `from_input` is made of nothing but what the visitor sent.
    """

    name: str
    when: Compute | None
    value: Compute
    lists: tuple[Path, ...]
    from_input: bool
    given: PlannedGiven | None = None


class PlannedFail(Struct, frozen=True):
    """The problem of a guard, its parts compiled."""

    status: int | Compute
    title: Compute | None
    detail: Compute | None
    errors: Compute | None


class PlannedGuard(Struct, frozen=True):
    """A guard step."""

    name: str
    when: Compute | None
    require: Compute
    fail: PlannedFail


class PlannedSession(Struct, frozen=True):
    """What a sign-in puts into the session cookie; with `ends` a sign-out, and the rest is None.

    `place` is where the recipe says so.
    """

    place: Place

    user: Compute | None
    tokens: Compute | None
    expires: Compute | None
    ends: bool


PlannedStep = PlannedRequest | PlannedValue | PlannedGuard


class Plan(Struct, frozen=True, dict=True):
    """One page, ready to run.

    `steps` are in the order written; `waits_for` and `followers` are by step name; `fields` are the paths of
    the page that hang on a step; `second_sources` the steps that name a step in their `when`. A `private` page
    is not the same for everybody. `deferred` are the steps that a page in lines does not wait for: those that say
    `defer` and those that read one. `header_names` are those of `headers`, `input_lists` the places of the visitor's
    input that the recipe goes over; `shows_errors` says whether the answer is made of `errors`. `functions` are those
    of the library that it calls and that not every app can give. `idempotency_key` tells one request of a sender who
    signs from others; `reads_raw` says whether anything is made of the body as it came.
    """

    recipe: Recipe
    steps: tuple[PlannedStep, ...]
    waits_for: Mapping[str, frozenset[str]]
    followers: Mapping[str, tuple[str, ...]]
    shape: Compiled | None
    status: Compute
    headers: Compute | None
    session: PlannedSession | None
    fields: Mapping[str, tuple[str, ...]]
    second_sources: Mapping[str, frozenset[str]]
    private: bool
    deferred: frozenset[str] = frozenset()
    header_names: tuple[str, ...] = ()
    input_lists: tuple[Path, ...] = ()
    shows_errors: bool = True
    functions: frozenset[str] = frozenset()
    idempotency_key: Compute | None = None
    reads_raw: bool = False

    @cached_property
    def requests(self) -> tuple[PlannedRequest, ...]:
        """The steps that ask a backend, in the order written."""
        return tuple(step for step in self.steps if isinstance(step, PlannedRequest))

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The requests that may come after the rest of the page, in the order written."""
        return tuple(step.name for step in self.requests if step.name in self.deferred)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each step stands."""
        return {step.name: at for at, step in enumerate(self.steps)}

    @cached_property
    def awaits(self) -> Mapping[str, int]:
        """How many steps each step waits for."""
        return {step.name: len(self.waits_for[step.name]) for step in self.steps}

    @cached_property
    def clients(self) -> tuple[Client, ...]:
        """The clients that this page asks, each once, those of undos among them."""
        undos = [step.undo for step in self.requests if step.undo is not None]
        return tuple({request.client.name: request.client for request in [*self.requests, *undos]}.values())

    @cached_property
    def tells_the_way(self) -> bool:
        """Whether a backend of this page is told by which way its visitor came."""
        return any(client.forwarded_headers for client in self.clients)


class Planned(Struct, frozen=True):
    """The pages of a project by name, and its clients; one that is not `whole` is of some of its pages only.

    `settings` are the texts of those that the project has, `documents` the files of GraphQL that its recipes name.
    """

    plans: Mapping[str, Plan]
    clients: Mapping[str, Client]
    whole: bool
    settings: Mapping[str, str] = {}
    documents: tuple[str, ...] = ()
