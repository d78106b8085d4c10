"""Every key that a recipe may hold, declared once.

The loader allows exactly these, and the JSON Schema is made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "boolean",
    "character",  # a text of one character
    "choice",  # one of `choices`
    "client",  # the name of a module in clients/
    "columns",  # a list of fields, or titles with the field of each
    "document",  # of GraphQL: its text, or a file of the project
    "duration",  # 300ms, 2s, 5m, 1h
    "expression",
    "file name",  # {hole} holds an expression
    "format",  # the name of a format
    "header",  # true, or a list of names
    "integer",  # from `minimum` to `maximum`
    "list clause",  # ids in list
    "loop clause",  # x in list if condition
    "loop clauses",  # one of them, or a list of at most three
    "name",  # a plain name: of a field, of a recipe
    "names",  # a list of plain names
    "needs",  # a list of paths below a value, or `reads`
    "object",  # a mapping with the keys of the table `table`
    "header name",
    "parameters",  # a name -> its JSON Schema
    "path",  # a path of a backend; {hole} holds an expression
    "rate",  # 10/min
    "route",  # GET /api/things/{id}
    "schema",  # a JSON Schema
    "statuses",  # an HTTP status -> a tree
    "steps",
    "text",
    "tree",  # mappings and lists are structure, texts are expressions
    "trees",  # a mapping of trees
    "variables",  # the name of an environment variable, or a list of them
    "trees or expression",  # a mapping of trees, or one expression that gives a mapping
]


@dataclass(frozen=True, slots=True)
class Key:
    """One key: how its value is written, and what it is for.

    `also` lists plain values allowed beside `kind` (`true` for idempotency_key); `table` names the keys of an
    object, `short` the kind of its short form (`cache: 60s`).
    """

    name: str
    kind: Kind
    doc: str
    default: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0
    also: tuple[bool | int | None, ...] = ()
    table: str = ""
    short: Kind | None = None


VERBS = ("get", "post", "put", "patch", "delete")
STEP_KINDS = {"client": "request", "value": "value", "require": "guard", "recipe": "sub-recipe"}

SCOPE_NAMES = ("path", "query", "headers", "body", "user")
"""The names that every expression may use."""
PLACE_NAMES = ("errors", "reply", "error", "idempotency_key")
"""The names that are known in some places only; a step cannot take them either."""
RAW = "raw"
"""The body as it came, which is known in a page with `signed` alone; elsewhere a step may be called so."""
QUOTES = ("quote", "quote_like")
"""The functions that a client brings along."""

_WHEN = Key("when", "expression", "Skip this step if false; its value is then null.")

_RECIPE = (
    Key(
        "route", "route", "METHOD and path of the page, parameters as {id}; a part of other recipes has none."
    ),
    Key("summary", "text", "One line for people: what this page is."),
    Key(
        "auth",
        "choice",
        "Who may ask: signed-in visitors, anybody with or without a sign-in, or no identity at all.",
        default="required",
        choices=("required", "optional", "none"),
    ),
    Key("deadline", "duration", "The time that the whole page may take.", default="3s"),
    Key("input", "object", "What the page takes; checked before anything is called.", table="input"),
    Key("steps", "steps", "The requests, values and guards of the page, by name."),
    Key("shape", "tree", "The answer: a tree of expressions.", default="null"),
    Key(
        "format",
        "object",
        "What the shape is written as in place of JSON.",
        default="JSON",
        table="page format",
    ),
    Key(
        "status",
        "expression",
        "The status of the answer: a number or an expression.",
        default="200",
        also=(200,),
        minimum=200,
        maximum=599,
    ),
    Key("headers", "trees", "Headers of the answer; null leaves one out."),
    Key(
        "cache",
        "object",
        "How long browsers (and with shared_max_age a CDN) may keep the page.",
        table="page cache",
        short="duration",
    ),
    Key(
        "session",
        "object",
        "Signs the visitor in by setting the session cookie; null signs out.",
        table="session",
        also=(None,),
    ),
    Key("rate_limit", "rate", "How often one visitor may ask: 10/s, 10/min, 10/h."),
    Key(
        "signed",
        "object",
        "How the sender signs the body as it came; beside auth: none, checked before all else.",
        table="signed",
    ),
    Key(
        "idempotency_key",
        "expression",
        "What tells one request of the sender from others: a repeat gets the first answer. Wants signed.",
    ),
    Key(
        "invalidates",
        "names",
        "The kept steps that the writes here make old, in place of every private one: recipe or recipe.step.",
    ),
    Key(
        "deploy",
        "object",
        "Memory, concurrency and instances of the page's function.",
        table="deploy",
    ),
    Key(
        "pass",
        "boolean",
        "Hand the body of the page's one request through unparsed, both ways.",
        default="false",
    ),
)

_INPUT = (
    Key("path", "parameters", "Path parameters: a name and its JSON Schema; text without one."),
    Key("query", "parameters", "Query parameters: a name and its JSON Schema; text is coerced to its type."),
    Key("headers", "parameters", "Headers: a name and its JSON Schema."),
    Key("body", "schema", "JSON Schema of the request's body; members it does not list are dropped."),
)

_UNDO = (
    Key("client", "client", "The backend that is asked; by default the step's own."),
    *(
        Key(verb, "path", f"Send {verb.upper()} to this path; {{hole}} holds an expression.")
        for verb in VERBS
    ),
    Key(
        "query",
        "trees or expression",
        "Query parameters, or an expression that gives them; null is left out, a list repeats the name.",
    ),
    Key("headers", "trees", "Headers to send; null is left out."),
    Key("body", "tree", "Sent as JSON."),
    Key("form", "trees or expression", "Sent form-encoded, in place of a body."),
    Key(
        "graphql",
        "document",
        "A GraphQL document in place of a verb and body: its text, or a file such as queries/orders.graphql.",
    ),
    Key("variables", "trees", "The variables of the graphql document."),
    Key("text", "expression", "A text, sent as it is, in place of a body."),
)

_REQUEST = (
    Key("client", "client", "The backend that is asked: the name of a module in clients/.", required=True),
    *_UNDO[1:],
    Key(
        "safe",
        "boolean",
        "This POST only reads: no barrier, may be retried and cached.",
        default="true for get, else false",
    ),
    _WHEN,
    Key(
        "each", "loop clause", "One request per item, side by side, results in order: x in list if condition."
    ),
    Key(
        "concurrency",
        "integer",
        "How many requests of an each run at a time.",
        default="8",
        minimum=1,
        maximum=64,
    ),
    Key(
        "batch",
        "list clause",
        "One request per chunk of a list without null and doubles: ids in list. Writes: one after the other.",
    ),
    Key(
        "batch_size",
        "integer",
        "How many items a chunk of a batch holds.",
        default="50",
        minimum=1,
        maximum=1000,
    ),
    Key(
        "format",
        "object",
        "What the body of a reply is read as; csv: {…} has options.",
        default="JSON",
        table="format",
        short="format",
    ),
    Key(
        "take",
        "tree",
        "What of the reply is the step's value; reply has status, headers and body.",
        "reply.body",
    ),
    Key("key_by", "name", "Turn the resulting list into a mapping by this field, such as id or owner.id."),
    Key(
        "needs",
        "needs",
        "Paths below the value that each reply must have, ? for what may be null; reads for all that is read.",
        default="what the page reads through or goes over",
    ),
    Key(
        "fallback",
        "tree",
        "The value when the step fails; without it a failure ends the page. Sees error and reply, null if none came.",
    ),
    Key(
        "on_status",
        "statuses",
        "Upstream statuses that are an answer, each with its value (a tree over reply).",
    ),
    Key("ok", "expression", "Decides over reply what is a success.", default="a status of 2xx"),
    Key("failed", "expression", "The items of a chunk that a reply to a batch of writes says were not done."),
    Key("timeout", "duration", "The time that this step may take.", default="the client's"),
    Key("retries", "integer", "How often a failed try is repeated.", default="the client's", maximum=10),
    Key("hedge", "duration", "Send a second copy of a read when the first is this late."),
    Key(
        "cache",
        "object",
        "Keep the reply of this read for so long.",
        table="step cache",
        short="duration",
    ),
    Key(
        "pages",
        "object",
        "Go through all pages of a list: this read once for each, their items joined.",
        table="pages",
    ),
    Key(
        "until",
        "object",
        "Ask this read again until it is done.",
        table="until",
    ),
    Key(
        "undo",
        "object",
        "The request that takes this write back when a later step fails.",
        table="undo",
    ),
    Key(
        "idempotency_key",
        "expression",
        "Makes this write safe to repeat; true takes the visitor's Idempotency-Key.",
        also=(True,),
    ),
    Key(
        "defer",
        "boolean",
        "Where a page is asked for in lines, send this part after the rest; needs a fallback.",
        default="false",
    ),
)

FORMATS = ("text", "csv", "ndjson", "form")
"""What the body of a reply can be read as in place of JSON."""

_FORMAT = (
    Key("csv", "object", "A list of objects, whose cells are texts; short rows have null.", table="csv"),
)

_CSV = (
    Key("delimiter", "character", "What stands between cells.", default=","),
    Key("quote", "character", "What stands around cells; null for nothing.", default='"', also=(None,)),
    Key(
        "header",
        "header",
        "The first row names the columns, or the names where it does not.",
        default="true",
        also=(True,),
    ),
)

_PAGE_FORMAT = (Key("csv", "object", "A table: the shape is a list of objects.", table="page csv"),)

_PAGE_CSV = (
    Key(
        "columns",
        "columns",
        "The fields of a row in their order, or a mapping of titles to fields.",
        required=True,
    ),
    Key("file", "file name", "What a browser saves it as; {hole} holds an expression."),
    Key(
        "partial",
        "boolean",
        "Rows may be missing where a step has fallen back; X-Page-Partial then says so.",
        default="false",
    ),
)

_VALUE = (Key("value", "tree", "A named intermediate result.", required=True), _WHEN)

_GUARD = (
    Key("require", "expression", "Ends the page unless this is exactly true.", required=True),
    Key("fail", "object", "The problem that the page ends with.", required=True, table="fail"),
    _WHEN,
)

_FAIL = (
    Key(
        "status",
        "expression",
        "The status of the problem: a number or an expression.",
        required=True,
        also=(400,),
        minimum=400,
        maximum=599,
    ),
    Key("title", "tree", "A short title for people."),
    Key("detail", "tree", "What is wrong, for people."),
    Key("errors", "tree", "A list of {pointer, detail}."),
)

_SUB_RECIPE = (
    Key("recipe", "name", "Another recipe, whose steps join this page.", required=True),
    Key("with", "trees", "The input of that recipe: path, query, headers and body."),
    _WHEN,
)

_STEP_CACHE = (
    Key("ttl", "duration", "How long the reply is fresh.", required=True),
    Key(
        "stale_while_revalidate",
        "duration",
        "How long after that an old reply serves while a new one is read.",
    ),
    Key("stale_if_error", "duration", "How long after its ttl an old reply serves when the backend fails."),
    Key(
        "shared",
        "boolean",
        "For what is the same for everybody: pages that miss it at the same time make one request.",
        default="false",
    ),
)

_PAGES = (
    Key("as", "name", "What the cursor is called in this step; without it next gives an address."),
    Key("first", "expression", "The cursor of the first request.", default="null"),
    Key(
        "next",
        "expression",
        "Over reply: the next cursor, or the next address; null, '' or false ends the list.",
        required=True,
    ),
    Key(
        "most",
        "integer",
        "How many requests there may be.",
        default="20",
        minimum=2,
        maximum=1000,
    ),
    Key(
        "then",
        "choice",
        "Where there are more pages: fail, or stop with those that are there and say so.",
        default="fail",
        choices=("fail", "stop"),
    ),
    Key("within", "duration", "The time that all requests together may take.", default="the page's deadline"),
)

_UNTIL = (
    Key("done", "expression", "Over reply: whether this is the last request.", required=True),
    Key("every", "duration", "How long to wait before asking again.", required=True),
    Key("within", "duration", "The time that all of it may take.", required=True),
)

_PAGE_CACHE = (
    Key("max_age", "duration", "How long a browser may keep the page.", required=True),
    Key("shared_max_age", "duration", "How long a CDN may keep the page."),
    Key("stale_while_revalidate", "duration", "How long the page may be shown while a new one is fetched."),
)

_SESSION = (
    Key("user", "tree", "What the name user holds from now on."),
    Key("tokens", "trees", "The visitor's tokens, by the client that sends them on."),
    Key("expires", "expression", "When the session ends: seconds since 1970 or ISO 8601."),
)

SCHEMES = ("github", "stripe", "slack", "standard", "hmac")

_SIGNED = (
    Key("scheme", "choice", "Who signs, or hmac for any other header.", required=True, choices=SCHEMES),
    Key(
        "secret",
        "variables",
        "The environment variable with the secret; a list while one takes another's place.",
        required=True,
    ),
    Key("header", "header name", "With scheme: hmac the header that holds the signature."),
    Key("prefix", "text", "With scheme: hmac what stands before the signature."),
    Key(
        "encoding",
        "choice",
        "With scheme: hmac how the signature is written.",
        default="hex",
        choices=("hex", "base64"),
    ),
)

_DEPLOY = (
    Key("memory", "integer", "MiB of the page's function.", minimum=64, maximum=32_768),
    Key("concurrency", "integer", "Requests that one instance takes at a time.", minimum=1, maximum=1000),
    Key("min_instances", "integer", "Instances that are kept warm.", default="0", maximum=1000),
)

_EACH = (
    Key(
        "each",
        "loop clauses",
        "x in list if condition; or a list of at most three, of which later ones see the names before them.",
        required=True,
    ),
    Key("let", "trees", "Names for values, worked out once for each x: they see x and the names above them."),
    Key("item", "tree", "What each x becomes.", required=True),
)

KEYS: Mapping[str, tuple[Key, ...]] = {
    "recipe": _RECIPE,
    "input": _INPUT,
    "request": _REQUEST,
    "value": _VALUE,
    "guard": _GUARD,
    "sub-recipe": _SUB_RECIPE,
    "undo": _UNDO,
    "format": _FORMAT,
    "csv": _CSV,
    "page format": _PAGE_FORMAT,
    "page csv": _PAGE_CSV,
    "fail": _FAIL,
    "step cache": _STEP_CACHE,
    "pages": _PAGES,
    "until": _UNTIL,
    "page cache": _PAGE_CACHE,
    "session": _SESSION,
    "signed": _SIGNED,
    "deploy": _DEPLOY,
    "each": _EACH,
}


def key_of(table: str, name: str) -> Key:
    """The declaration of a key; KeyError when the table has none of that name."""
    for key in KEYS[table]:
        if key.name == name:
            return key
    raise KeyError(f"{table}: {name}")
