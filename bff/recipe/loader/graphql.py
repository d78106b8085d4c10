"""The GraphQL document of a request: read, and told where it stands.

Servers are no friends of documents with mistakes: each is refused whole, and a page finds that out when it is asked.
So what needs no schema of the backend is looked at here. graphql-core does it, which is loaded where a recipe has a
document, and by nothing that runs a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from bff.errors import Finding
from bff.expressions.parse import parse
from bff.expressions.tree import Constant, Expression, Mapping
from bff.recipe.model import Mark, Operation, Variable
from bff.recipe.source import Node, ScalarNode, Source, mark_of
from bff.recipe.source.text import read_text
from bff.settings import installing
from bff.text import nearest

if TYPE_CHECKING:
    from graphql import DocumentNode, ExecutableDefinitionNode, GraphQLError, OperationDefinitionNode

SUFFIXES = (".graphql", ".gql")
ACCEPTS = "200 <= reply.status < 300 and not reply.body.errors"
"""What a reply to a document is judged by, where its step says nothing else."""
TAKES = "reply.body.data"
_WORD = re.compile(r"\$?\w+|\S")
_OUTSIDE = "name it from the project's folder on: queries/orders.graphql"


class Written(Protocol):
    """A text and the places of its characters."""

    @property
    def text(self) -> str: ...

    def mark(self, offset: int, length: int, /) -> Mark:
        """The mark of so many characters from an offset on."""
        ...


class Document(Struct, frozen=True):
    """A document with the one operation in it."""

    text: str
    operation: Operation

    def body(self, variables: Mapping | None) -> Mapping:
        """What is sent of it."""
        query: tuple[tuple[str, Constant | Mapping], ...] = (("query", Constant(self.text)),)
        return Mapping(query if variables is None else (*query, ("variables", variables)))


class _At(Struct, frozen=True):
    """Where everything stands that the recipe does not write out."""

    place: Mark

    def mark(self, offset: int, length: int) -> Mark:
        return self.place


def implied(text: str, at: Mark) -> Expression:
    """An expression that stands for the key at a place."""
    return parse(text, _At(at))


class DocumentReading:
    """Reads the documents of one recipe; `files` gathers those that it names, whether they are there or not."""

    def __init__(self, root: Path, findings: list[Finding]) -> None:
        self.files: dict[str, None] = {}
        self._root = root
        self._findings = findings
        self._can_read: bool | None = None

    def document(self, node: Node) -> Document | None:
        """The document of a value, which is its text or names a file; None where something is wrong, which is said."""
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            self._say(mark_of(node), "'graphql' takes a document, or a file such as queries/orders.graphql")
            return None
        name = node.text.strip()
        is_file = "{" not in name and name.endswith(SUFFIXES) and "\n" not in name
        written = self._file(node, name) if is_file else _Text(node)
        if written is None or not self._is_there(node):
            return None
        mistakes = list(_mistakes(written.text))
        for mistake in mistakes:
            self._say(written.mark(mistake.start, mistake.length), mistake.message, mistake.hint)
        return None if mistakes else _document_of(written.text)

    def _say(self, mark: Mark, message: str, hint: str = "") -> None:
        self._findings.append(mark.finding(message, hint))

    def _is_there(self, node: ScalarNode) -> bool:
        """Whether there is what reads documents; said once."""
        if self._can_read is None:
            self._can_read = find_spec("graphql") is not None
            if not self._can_read:
                self._say(node.whole, "'graphql' needs the package graphql-core", installing("graphql"))
        return self._can_read

    def _file(self, node: ScalarNode, name: str) -> Source | None:
        path = PurePosixPath(name)
        whole = self._root / path
        if path.is_absolute() or "\\" in name or ":" in name or ".." in path.parts:
            self._say(node.whole, "a document is a file of the project", _OUTSIDE)
            return None
        if not whole.resolve().is_relative_to(self._root):
            self._say(node.whole, f"{name} leads out of the project", "a document is a file of the project")
            return None
        self.files[name] = None
        if not whole.is_file():
            self._say(node.whole, f"no file {name}", self._near(whole))
            return None
        text, findings = read_text(whole, name, "a document")
        self._findings += findings
        return None if text is None else _File(name, text)

    def _near(self, whole: Path) -> str:
        there = [
            found.relative_to(self._root).as_posix()
            for found in sorted(whole.parent.glob("*"))
            if found.suffix in SUFFIXES
        ]
        near = nearest(whole.relative_to(self._root).as_posix(), there)
        return f"did you mean {near}?" if near else f"there are: {', '.join(there)}" if there else _OUTSIDE


class _Text:
    """A document in the recipe itself."""

    def __init__(self, node: ScalarNode) -> None:
        self.text = node.text
        self._node = node

    def mark(self, offset: int, length: int) -> Mark:
        return self._node.mark(offset, length)


class _File(Source):
    """A document in a file of its own."""

    def mark(self, offset: int, length: int) -> Mark:
        return super().mark(offset, offset + length)


# --- what is in a document ------------------------------------------------------------------------------------------


class _Mistake(Struct, frozen=True):
    start: int
    length: int
    message: str
    hint: str = ""


def _mistakes(text: str) -> Iterator[_Mistake]:
    """What is wrong with a document, as far as no schema is needed to tell."""
    from graphql import FragmentDefinitionNode, GraphQLSyntaxError, OperationDefinitionNode, parse

    if not text.strip():
        yield _Mistake(0, 1, "an empty document", "write an operation: query { … }, or mutation { … }")
        return
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        yield _told(text, error)
        return
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    for one in document.definitions:
        if not isinstance(one, OperationDefinitionNode | FragmentDefinitionNode):
            start, stop = _stretch(one)
            yield _Mistake(
                start, stop - start, "a definition of types in a request", "types are the backend's own"
            )
            return
    if not operations:
        yield _Mistake(0, 1, "a document without an operation", "it has one: query { … }, or mutation { … }")
        return
    if len(operations) > 1:
        start, stop = _name_of(operations[1])
        cure = "one request asks one: leave the others out, or give each a file of its own"
        yield _Mistake(start, stop - start, "a second operation in one document", cure)
        return
    if operations[0].operation.value == "subscription":
        start, _ = _stretch(operations[0])
        yield _Mistake(
            start,
            len("subscription"),
            "a subscription",
            "a page asks and is answered once: write a query",
        )
        return
    yield from _unknown_names(text, document, operations[0])


def _unknown_names(
    text: str, document: DocumentNode, operation: OperationDefinitionNode
) -> Iterator[_Mistake]:
    """Variables and fragments that are not there, or that nothing uses, or that are there twice."""
    from graphql import build_schema, validate
    from graphql.validation import (
        KnownFragmentNamesRule,
        NoFragmentCyclesRule,
        NoUndefinedVariablesRule,
        NoUnusedFragmentsRule,
        NoUnusedVariablesRule,
        UniqueArgumentNamesRule,
        UniqueFragmentNamesRule,
        UniqueInputFieldNamesRule,
        UniqueVariableNamesRule,
    )

    rules = (
        *(NoUndefinedVariablesRule, NoUnusedVariablesRule, UniqueVariableNamesRule),
        *(KnownFragmentNamesRule, NoUnusedFragmentsRule, NoFragmentCyclesRule, UniqueFragmentNamesRule),
        *(UniqueArgumentNamesRule, UniqueInputFieldNamesRule),
    )
    schema = build_schema("type Query { any: Int }", assume_valid=True)  # none of the rules looks at it
    declared = [one.variable.name.value for one in operation.variable_definitions or ()]
    found = [_told(text, error) for error in validate(schema, document, rules)]
    undefined, unused = (
        [one for one in found if said in one.message] for said in ("is not defined", "is never used")
    )
    alone = _word_at(text, unused[0]) if len(undefined) == len(unused) == 1 else None
    meant: set[str] = set()
    for at, one in enumerate(found):
        near = (nearest(_word_at(text, one), declared) or alone) if one in undefined else None
        if near:
            meant.add(near)
            found[at] = _Mistake(one.start, one.length, one.message, f"did you mean '${near}'?")
    for one in found:
        if one not in unused or _word_at(text, one) not in meant:
            yield one


def _word_at(text: str, found: _Mistake) -> str:
    return text[found.start : found.start + found.length].removeprefix("$")


def _told(text: str, error: GraphQLError) -> _Mistake:
    """What graphql-core says, at its place."""
    start = min(next(iter(error.positions or ()), 0), len(text))
    word = _WORD.match(text, start)
    message = error.message.removeprefix("Syntax Error: ").rstrip(".").replace("<EOF>", "the end")
    return _Mistake(start, len(word[0]) if word else 1, f"GraphQL: {message[0].lower()}{message[1:]}")


def _stretch(node: ExecutableDefinitionNode | object) -> tuple[int, int]:
    loc = getattr(node, "loc", None)
    return (0, 1) if loc is None else (loc.start, loc.end)


def _name_of(operation: OperationDefinitionNode) -> tuple[int, int]:
    """The stretch of an operation's name, or of its first character."""
    if operation.name is not None:
        return _stretch(operation.name)
    start, _ = _stretch(operation)
    return start, start + 1


def _document_of(text: str) -> Document:
    """The one operation of a document without mistakes."""
    from graphql import NonNullTypeNode, OperationDefinitionNode, parse, print_ast

    [operation] = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    variables = tuple(
        Variable(
            one.variable.name.value,
            print_ast(one.type),
            isinstance(one.type, NonNullTypeNode) and one.default_value is None,
        )
        for one in operation.variable_definitions or ()
    )
    name = operation.name.value if operation.name else ""
    is_mutation = operation.operation.value == "mutation"
    return Document(text, Operation("mutation" if is_mutation else "query", name, variables))
