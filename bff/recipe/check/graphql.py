"""GraphQL documents: what may stand beside one, and the variables that it is given."""

from __future__ import annotations

import ast
from typing import Any

from bff.expressions.tree import Constant, Expression, Mapping, Sequence, Tree
from bff.recipe.check.page import Page, elsewhere
from bff.recipe.model import Mark, Operation, Request, Variable
from bff.text import nearest

_BESIDE = {
    "body": "what is sent beside the document stands under variables",
    "form": "what is sent beside the document stands under variables",
    "text": "what is sent beside the document stands under variables",
    "format": "what answers a document is JSON: leave it out",
    "query": "the document stands under graphql, and what it is given under variables",
    "safe": "the document says it: a query reads, a mutation writes",
}
_LISTS = {"pages": "joins lists", "batch": "joins lists", "key_by": "takes a list"}
"""Keys that take the value of each reply for a list, and what they do with it."""
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_NO_CONSTANT = object()


def check_documents(page: Page) -> None:
    """Say what a document rules out beside it, and variables that do not fit its operation."""
    at_twice: dict[str, list[Mark]] = {}
    for step in page.requests:
        for request in (step, step.undo):
            if request is None:
                continue
            if request.graphql is None:
                if "variables" in request.marks.keys:
                    mark = request.marks.key("variables")
                    page.say(mark, "'variables' has no effect here", "it goes with graphql")
                continue
            for key, hint in _BESIDE.items():
                if key in request.marks.keys:
                    page.say(request.marks.key(key), f"'{key}' beside a GraphQL document", hint)
            if request is not step and request.graphql.kind == "query":
                mark = request.marks.key("graphql")
                page.say(mark, "an undo that only reads", "what takes a write back is a mutation")
            if request is step and (key := _joining(step)):
                message = f"the data of a document is a mapping, and '{key}' {_LISTS[key]}"
                hint = "say which list of it, as in take: reply.body.data.orders.nodes"
                page.say(request.marks.key("graphql"), message, hint)
            _check_variables(page, request, request.graphql)
            if _ends_twice(page, request):
                at_twice.setdefault(request.client, []).append(request.marks.key("graphql"))
    for name, marks in at_twice.items():
        message = f"the base_url of client '{name}' has the endpoint in it already"
        cure = "take /graphql from base_url, or say where it is below: Client(graphql=…)"
        page.say(marks[0], message, cure + elsewhere(marks))


def _joining(step: Request) -> str:
    """The key that takes all data of a document for a list; '' where none does."""
    written = step.marks.keys
    if "take" in written:
        return ""
    found = [key for key in _LISTS if key in written]
    if not step.safe:  # its chunks are joined for a reader alone
        found = [key for key in found if key != "batch"]
    if "each" in written:  # the list that is keyed is that of the items
        found = [key for key in found if key != "key_by"]
    return found[0] if found else ""


def _ends_twice(page: Page, request: Request) -> bool:
    """Whether a document would be posted to /graphql/graphql."""
    client = page.project.clients.get(request.client)
    return client is not None and client.graphql == "/graphql" and client.base_path.endswith("/graphql")


def _check_variables(page: Page, request: Request, operation: Operation) -> None:
    given = _given(request)
    declared = {one.name: one for one in operation.variables}
    missing = {one.name: one for one in operation.variables if one.required and one.name not in given}
    unknown = [name for name in given if name not in declared]
    for name in unknown:
        near = _meant(name, list(declared), list(missing) if len(unknown) == 1 else [])
        missing.pop(near, None)
        mark = request.marks.key(f"variables.{name}")
        page.say(mark, f"the {operation.title} declares no variable '{name}'", _known(near, declared))
    for name in (name for name in given if name in declared):
        _check_constant(page, request, declared[name], given[name])
    if missing:
        names = ", ".join(f"${one.name}: {one.type}" for one in missing.values())
        mark = request.marks.key("variables" if "variables" in request.marks.keys else "graphql")
        cure = f"write under variables: {', '.join(f'{name}: …' for name in missing)}"
        page.say(mark, f"the {operation.title} needs {names}", cure)


def _meant(name: str, declared: list[str], missing: list[str]) -> str:
    """The variable that was meant by a name; '' where nobody can tell. Of one that lacks alone it is that."""
    bare = name.removeprefix("$")
    return bare if bare in declared else nearest(name, declared) or (missing[0] if len(missing) == 1 else "")


def _given(request: Request) -> dict[str, Tree]:
    body = dict(request.body.items) if isinstance(request.body, Mapping) else {}
    variables = body.get("variables")
    return dict(variables.items) if isinstance(variables, Mapping) else {}


def _known(near: str, declared: dict[str, Variable]) -> str:
    if not declared:
        return "it declares none: write them behind its name, query($id: ID!)"
    meant = f"did you mean '{near}'?  " if near else ""
    return f"{meant}it declares: {', '.join(declared)}"


# --- constants ------------------------------------------------------------------------------------------------------


def _check_constant(page: Page, request: Request, variable: Variable, tree: Tree) -> None:
    """Say a constant that can never be of the type of its variable."""
    value = _constant(tree)
    if value is _NO_CONSTANT or _fits(value, variable.type):
        return
    mark = request.marks.value(f"variables.{variable.name}")
    message = f"${variable.name} is {variable.type}, and this is {_word(value)}"
    page.say(mark, message, _cure(value, tree, variable.type))


def _cure(value: Any, tree: Tree, wanted: str) -> str:
    wants_text = wanted.strip("[]!") in ("ID", "String")
    if value is None:
        return "what may be null has a type without '!'"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'a text is written f"{text}"' if isinstance(tree, Constant) and wants_text else ""


def _constant(tree: Tree) -> Any:
    """The value of a tree without anything that is computed."""
    if isinstance(tree, Constant):
        return tree.value
    if isinstance(tree, Expression):
        return _constant_of(tree.node)
    if isinstance(tree, Sequence):
        values = [_constant(item) for item in tree.items]
        return _NO_CONSTANT if any(value is _NO_CONSTANT for value in values) else values
    return _NO_CONSTANT


def _constant_of(node: ast.expr) -> Any:
    if isinstance(node, ast.JoinedStr):
        parts = [_constant_of(part) for part in node.values]
        return "".join(parts) if all(isinstance(part, str) for part in parts) else _NO_CONSTANT
    return node.value if isinstance(node, ast.Constant) else _NO_CONSTANT


def _fits(value: Any, written: str) -> bool:
    """Whether a constant may be of a type; of one that only the backend knows anything may."""
    if value is None:
        return not written.endswith("!")
    written = written.removesuffix("!")
    if written.startswith("["):
        items = value if isinstance(value, list) else [value]  # one alone is a list of it
        return all(_fits(item, written[1:-1]) for item in items)
    if isinstance(value, list):
        return False
    return _fits_scalar(value, written)


def _fits_scalar(value: Any, name: str) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "Int":
            return is_number and value == int(value) and _SMALLEST <= value <= _LARGEST
        case "Float":
            return is_number
        case "ID":
            return isinstance(value, str) or (is_number and isinstance(value, int))
        case "String":
            return isinstance(value, str)
        case "Boolean":
            return isinstance(value, bool)
    return True


def _word(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a text"
    return "a list"
