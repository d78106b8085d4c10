"""A recipe as the rest of the engine sees it: read, completed with its defaults, and frozen.

Texts that are expressions are parsed, durations are seconds, and every part knows where it was written.
A key that was not written is None (or its default); a YAML null that was written is `Constant(None)`.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from bff.errors import Finding, Place
from bff.expressions.paths import Path
from bff.expressions.tree import Constant, EachClause, Expression, Mapping, PathTemplate, Tree

Auth = Literal["required", "optional", "none"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
FormatName = Literal["text", "csv", "ndjson", "form"]
Schema = dict[str, Any]


class Mark(Struct, frozen=True):
    """A stretch of a file: its place, the whole source line, and how many characters of the line it takes."""

    place: Place
    source: str = ""
    length: int = 1

    def finding(self, message: str, hint: str = "") -> Finding:
        """The finding that says `message` about this stretch."""
        return Finding(self.place, message, self.source, self.length, hint)


class Origin(Protocol):
    """The `origin` of an expression: knows where each of its characters stands."""

    def mark(self, offset: int, length: int) -> Mark:
        """The mark of `length` characters from `offset` of the text (cut at the end of the first line)."""
        ...


class Marks(Struct, frozen=True):
    """The places of a part: of its name, and of each key and its value (`cache.ttl`, `headers.X-Name`)."""

    name: Mark
    keys: Map[str, Mark] = field(default_factory=dict)
    values: Map[str, Mark] = field(default_factory=dict)

    def key(self, name: str) -> Mark:
        """Where the key is written; the part's own name when it is not."""
        return self.keys.get(name, self.name)

    def value(self, name: str) -> Mark:
        """Where the value of the key is written; the part's own name when it is not."""
        return self.values.get(name, self.name)


class Placed(Struct, frozen=True, kw_only=True):
    """What knows where it is written."""

    marks: Marks


class Parameter(Struct, frozen=True):
    """One path, query or header parameter; `schema` is its JSON Schema without `required`."""

    name: str
    schema: Schema
    required: bool = False


class Input(Struct, frozen=True):
    """What a page takes; `path` holds every parameter of the route in its order, undeclared ones as texts."""

    path: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    body: Schema | None = None

    @property
    def body_required(self) -> bool:
        """Whether a request without a body is refused: always where a body is declared."""
        return self.body is not None


class StepCache(Struct, frozen=True):
    """How long the reply of a read is kept, in seconds."""

    ttl: float
    stale_while_revalidate: float | None = None
    stale_if_error: float | None = None
    shared: bool = False


class PageCache(Struct, frozen=True):
    """What a browser (`max_age`) and a CDN (`shared_max_age`) may do with the page, in seconds."""

    max_age: float
    shared_max_age: float | None = None
    stale_while_revalidate: float | None = None


class Pages(Struct, frozen=True):
    """How a read goes through all pages of a list.

    `next` gives the cursor of the next request, which the step knows as `name`, or without a name its address. More
    than `most` requests fail the step, or the list `stops` there; all of them have the seconds `within`.
    """

    next: Expression
    name: str | None = None
    first: Expression | None = None
    most: int = 20
    stops: bool = False
    within: float | None = None


class Until(Struct, frozen=True):
    """How a read is asked again until it is `done`: `every` so many seconds, for no longer than `within`."""

    done: Expression
    every: float
    within: float


class NeededPath(Struct, frozen=True):
    """What a step needs of each reply: a path below its value, `nullable` after how many of its keys."""

    path: Path
    nullable: frozenset[int] = frozenset()


class Variable(Struct, frozen=True):
    """A variable of a GraphQL operation: its type as written, and whether it must be given."""

    name: str
    type: str
    required: bool


class Operation(Struct, frozen=True):
    """The operation of a request's GraphQL document; one that is `judged` fails with any `errors` of its reply."""

    kind: Literal["query", "mutation"]
    name: str = ""
    variables: tuple[Variable, ...] = ()
    judged: bool = True

    @property
    def title(self) -> str:
        """The operation as people name it."""
        return f"{self.kind} {self.name}".rstrip()


class BodyFormat(Struct, frozen=True):
    """What the body of a reply is read as in place of JSON; all but the name is of csv alone.

    `header` are the names of the columns where no row of the body says them; without a `quote` nothing stands around
    cells.
    """

    name: FormatName
    delimiter: str = ","
    quote: str | None = '"'
    header: tuple[str, ...] = ()


class Request(Placed, frozen=True):
    """A step that asks a backend; also the `undo` of a step (then `name` is that step's).

    One with a `graphql` document posts that, with what the document implies for `body`, `safe`, `ok` and `take`.
    """

    name: str
    client: str
    method: Method
    path: PathTemplate
    query: Mapping | Expression | None = None
    headers: Mapping | None = None
    body: Tree | None = None
    form: Mapping | Expression | None = None
    text: Expression | None = None
    safe: bool = False
    when: Expression | None = None
    each: EachClause | None = None
    concurrency: int = 8
    batch: EachClause | None = None
    batch_size: int = 50
    format: BodyFormat | None = None
    take: Tree | None = None
    key_by: str | None = None
    needs: tuple[NeededPath, ...] | Literal["reads"] | None = None
    fallback: Tree | None = None
    on_status: tuple[tuple[int, Tree], ...] = ()
    ok: Expression | None = None
    failed: Expression | None = None
    timeout: float | None = None
    retries: int | None = None
    hedge: float | None = None
    cache: StepCache | None = None
    pages: Pages | None = None
    until: Until | None = None
    undo: Request | None = None
    idempotency_key: Expression | Literal[True] | None = None
    defer: bool = False
    graphql: Operation | None = None

    @property
    def writes(self) -> bool:
        """Whether this request changes something: runs in the order written, is never repeated unasked."""
        return not self.safe

    @property
    def cursor(self) -> str | None:
        """The name that holds another value for each page of its list, if there is one."""
        return None if self.pages is None else self.pages.name

    @property
    def required(self) -> bool:
        """Whether its failure ends the page."""
        return self.fallback is None

    @property
    def verb(self) -> str:
        """The key that says what it does."""
        return self.method.lower() if self.graphql is None else "graphql"


class Given(Struct, frozen=True):
    """What the input of recipe `part` says of a value that it is given; `key` is `query.page`, or `body`."""

    part: str
    key: str
    schema: Schema
    required: bool


class Value(Placed, frozen=True):
    """A named intermediate result; with `given` one that a recipe within the page takes as its input."""

    name: str
    value: Tree
    when: Expression | None = None
    given: Given | None = None


class Fail(Struct, frozen=True):
    """The problem that a guard ends the page with; texts and errors are trees."""

    status: int | Expression
    title: Tree | None = None
    detail: Tree | None = None
    errors: Tree | None = None


class Guard(Placed, frozen=True):
    """Ends the page with `fail` unless `require` is exactly true."""

    name: str
    require: Expression
    fail: Fail
    when: Expression | None = None


class SubRecipe(Placed, frozen=True):
    """Another recipe whose steps join this page; `arguments` hold path, query, headers and body for it."""

    name: str
    recipe: str
    arguments: Mapping
    when: Expression | None = None


Step = Request | Value | Guard | SubRecipe


class Table(Struct, frozen=True):
    """A page that is written as CSV: `columns` are a title and the field of a row, in order.

    With a `file` the header `Content-Disposition` of the recipe is the name that browsers save it by. Rows may be
    missing where it may be `partial`.
    """

    columns: tuple[tuple[str, str], ...]
    file: bool = False
    partial: bool = False


class Session(Struct, frozen=True):
    """Signs the visitor in; with `ends` it signs out and the rest is None."""

    user: Tree | None = None
    tokens: Mapping | None = None
    expires: Expression | Constant | None = None
    ends: bool = False


class RateLimit(Struct, frozen=True):
    """`count` requests of one visitor in each `period` seconds."""

    count: int
    period: float


_NOBODYS_SECRET = "whsec_c2VjcmV0LW9mLW5vYm9keQ=="
"""One that every scheme takes."""


class Signed(Struct, frozen=True):
    """How a sender signs the body as it came; `secrets` are the environment variables that hold one each.

    `header`, `prefix` and `encoding` are those of the scheme `hmac`.
    """

    scheme: Literal["github", "stripe", "slack", "standard", "hmac"]
    secrets: tuple[str, ...]
    header: str = ""
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"

    @property
    def stand_ins(self) -> dict[str, str]:
        """Texts by variable with which a page can start, and be asked in tests, where its environment is not."""
        return dict.fromkeys(self.secrets, _NOBODYS_SECRET)


class Deploy(Struct, frozen=True):
    """What the page's own function asks of its host; memory in MiB."""

    memory: int | None = None
    concurrency: int | None = None
    min_instances: int | None = None


class Recipe(Placed, frozen=True):
    """One page: `name` is the file's stem, `file` its path as printed, `path` the route as written.

    Without a route (`path` is '') it is no page of its own, only a part of others.
    `broken` names the steps that could not be read whole, and holds `''` when another part could not; such a
    recipe is only good for finding more mistakes in it. `documents` are the files of GraphQL that it names.
    """

    name: str
    file: str
    method: Method
    path: str
    summary: str = ""
    auth: Auth = "required"
    input: Input = field(default_factory=Input)
    deadline: float = 3.0
    steps: tuple[Step, ...] = ()
    shape: Tree | None = None
    format: Table | None = None
    status: Expression | Constant = field(default_factory=lambda: Constant(200))
    headers: Mapping | None = None
    cache: PageCache | None = None
    session: Session | None = None
    rate_limit: RateLimit | None = None
    signed: Signed | None = None
    idempotency_key: Expression | None = None
    invalidates: tuple[str, ...] = ()
    deploy: Deploy | None = None
    passes: bool = False
    broken: frozenset[str] = frozenset()
    documents: tuple[str, ...] = ()

    def step(self, name: str) -> Step:
        """The step of that name; KeyError when there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)
