"""Names, functions and members that an expression may use where it stands."""

from __future__ import annotations

import ast
import inspect as python_inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bff.expressions import habits
from bff.expressions.functions import FUNCTIONS
from bff.expressions.inspect import Use, inspect
from bff.recipe.check.page import Page, Spot, elsewhere, loop_failed
from bff.recipe.keys import PLACE_NAMES, QUOTES, RAW, SCOPE_NAMES
from bff.recipe.model import Guard, Mark, Parameter, Recipe, Request, Schema
from bff.recipe.source import ScalarNode
from bff.text import nearest

_REPLY = ("status", "headers", "body")
_ERROR = ("status", "kind")
_SOMEWHERE = {
    "errors": "the failures of the page are known in shape, status and headers only",
    "reply": "the reply is known in take, ok, failed, on_status, next, done, fallback and undo only; "
    "elsewhere use the step's name",
    "error": "the failure is known in the step's own fallback only",
    "idempotency_key": "it is known in a step with that key only",
    RAW: "the body as it came is known beside 'signed' only; without that, take it as input.body",
}
_ELSEWHERE = {
    **dict.fromkeys(("undefined", "nil", "NaN", "none", "Null", "NULL"), "write null"),
    **dict.fromkeys(("yes", "on", "Yes", "YES"), "write true"),
    **dict.fromkeys(("no", "off", "No", "NO"), "write false"),
    **dict.fromkeys(("request", "req", "params"), "the visitor's input is: path, query, headers, body"),
    **dict.fromkeys(("this", "self"), "names stand alone: a step by its name"),
}

_NO_TEXTS = ("when", "require", "ok")
"""Keys whose expression is true or false."""


def check_names(page: Page) -> None:
    """Say every name, function and member that is not there; a mistake once, however often it is made."""
    if "steps" in page.recipe.marks.keys and not page.recipe.steps:
        # They could not be read at all: every name would be unknown.
        return
    unknown: _Unknown = {}
    for spot in page.spots:
        if loop_failed(spot.step):
            continue
        before = len(page.findings), len(unknown)
        found = inspect(spot.leaf)
        for use in _once(found.names):
            _check_name(page, spot, use, unknown)
        for use in _once(found.functions):
            _check_function(page, spot, use, unknown)
        for use in found.bound:
            _check_bound(page, spot, use)
        if (len(page.findings), len(unknown)) == before and "" not in page.recipe.broken:
            _check_members(page, spot)
    for message, (hint, marks) in unknown.items():
        page.say(marks[0], message, hint + elsewhere(marks))


_Unknown = dict[str, tuple[str, list[Mark]]]
"""What is said of each name that nobody knows, with its cure and where it stands."""


def _once(uses: Iterable[Use]) -> Iterator[Use]:
    seen: set[str] = set()
    for use in uses:
        if use.name not in seen:
            seen.add(use.name)
            yield use


def _check_name(page: Page, spot: Spot, use: Use, unknown: _Unknown) -> None:
    name = use.name
    if name in spot.names or name in spot.unlisted:
        if name == "body" and page.recipe.input.body is None and "" not in page.recipe.broken:
            mark = spot.mark(use.offset, use.length)
            page.say(mark, "this recipe takes no body", "declare it: input.body, a JSON Schema")
        if name == "user" and page.recipe.auth == "none" and "" not in page.recipe.broken:
            hint = "nobody is asked who they are; with auth: optional it is who has signed in, or null"
            known = unknown.setdefault("'user' is always null under auth: none", (hint, []))
            known[1].append(spot.mark(use.offset, use.length))
        return
    mark = spot.mark(use.offset, use.length)
    if isinstance(page.by_name.get(name), Guard):
        page.say(mark, f"'{name}' is a guard and has no value", "a guard lets the page go on or ends it")
    elif name in spot.later:
        page.say(mark, f"the let '{name}' is not known here", "it is known in the lets below it, and in item")
    elif name in page.by_name and spot.step is None and spot.key == "idempotency_key":
        hint = f"the key is worked out before any step runs; here are: {', '.join(spot.names)}"
        page.say(mark, f"'{name}' is a step", hint)
    elif name in _SOMEWHERE:
        page.say(mark, f"'{name}' is not known here", _SOMEWHERE[name])
    elif isinstance(spot.step, Request) and name == spot.step.cursor:
        hint = "it is another for each request: it is known where a request is made and over its reply"
        page.say(mark, f"the cursor '{name}' is not known here", hint)
    elif name in FUNCTIONS or name in page.project.functions.get(page.recipe.name, {}):
        page.say(mark, f"'{name}' is a function", f"call it: {_signature(page, name)}")
    else:
        unknown.setdefault(f"unknown name '{name}'", (_name_hint(spot, use), []))[1].append(mark)


def _name_hint(spot: Spot, use: Use) -> str:
    here = f"here are: {', '.join(spot.names)}"
    near = nearest(use.name, [*spot.names, *spot.unlisted])
    if near:
        return f"did you mean '{near}'?  {here}"
    if use.name in _ELSEWHERE:
        return f"{_ELSEWHERE[use.name]}; {here}"
    origin = spot.leaf.origin
    if (
        not isinstance(origin, ScalarNode)
        or origin.text != use.name
        or spot.key in _NO_TEXTS
        or use.name in _own_loops(spot)
    ):
        return here
    if origin.style in ("'", '"'):
        return f"YAML takes the quotes away; a text is written \"'{use.name}'\"; {here}"
    return f'a text is written f"{use.name}"; {here}'


def _own_loops(spot: Spot) -> list[str]:
    """The loop variables of the step, known in others of its keys."""
    step = spot.step
    clauses = (step.each, step.batch) if isinstance(step, Request) else ()
    return [clause.variable for clause in clauses if clause is not None]


def _signature(page: Page, name: str) -> str:
    if name in FUNCTIONS:
        return FUNCTIONS[name].signature
    return name + _told(python_inspect.signature(page.project.functions[page.recipe.name][name]))


class _LeftOut:
    def __repr__(self) -> str:
        return "…"


def _told(signature: python_inspect.Signature) -> str:
    """A signature as it is written, without defaults that may hold what the module has read, such as a secret."""
    shown = [
        parameter
        if parameter.default is parameter.empty or isinstance(parameter.default, int | float | None)
        else parameter.replace(default=_LeftOut())
        for parameter in signature.parameters.values()
    ]
    return str(signature.replace(parameters=shown))


def _check_bound(page: Page, spot: Spot, use: Use) -> None:
    """A loop variable hides nothing: one word means one thing in an expression."""
    what = hidden_by(page, spot, use.name)
    if what:
        mark = spot.mark(use.offset, use.length)
        page.say(mark, f"the loop variable '{use.name}' hides {what}", "give it another name")


def hidden_by(page: Page, spot: Spot, name: str) -> str:
    """What a loop variable or let of a name hides where it stands; '' for nothing."""
    if any(let.name == name for let in spot.lets):
        return "the let around it"
    if name in spot.loops:
        return "the loop variable around it"
    if name in page.by_name:
        return f"the step '{name}'"
    if name in spot.names or name in (*SCOPE_NAMES, *PLACE_NAMES):
        return f"the name '{name}' that every recipe has"
    return ""


# --- functions ---------------------------------------------------------------------------------------------------


def _check_function(page: Page, spot: Spot, use: Use, unknown: _Unknown) -> None:
    own = page.project.functions.get(page.recipe.name, {})
    mark = spot.mark(use.offset, use.length)
    if use.name in own:
        _check_arguments(page, spot, use.name, own[use.name])
    elif use.name in QUOTES:
        _check_quote(page, spot, use)
    elif use.name in FUNCTIONS or "" in page.project.unusable:
        return
    elif use.name in page.by_name:
        page.say(mark, f"'{use.name}' is a step, not a function", f"look a key up by {use.name}['key']")
    elif use.name in spot.names:
        page.say(mark, f"'{use.name}' is no function", f"look a key up by {use.name}['key']")
    else:
        hint = _function_hint(use.name, [*own, *FUNCTIONS])
        unknown.setdefault(f"unknown function '{use.name}'", (hint, []))[1].append(mark)


def _function_hint(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    meant = habits.FUNCTIONS.get(name) or (f"did you mean '{near}'?" if near else "")
    if meant:
        return f"{meant}; functions of your own stand in orchestrations/functions.py"
    return f"write it in orchestrations/functions.py; there are: {', '.join(sorted(known))}"


def _check_quote(page: Page, spot: Spot, use: Use) -> None:
    """`quote` is the client's of the step, or of the steps that read a value."""
    mark = spot.mark(use.offset, use.length)
    clients = sorted(page.quoting_clients(spot.step, spot.key))
    if not clients:
        page.say(mark, f"'{use.name}' has no client here", "it quotes a text for the filter of a request")
    elif len(clients) > 1:
        named = " and ".join(clients)
        page.say(mark, f"whose '{use.name}'?", f"{named} read this value; make one value for each")
    elif clients[0] in page.project.clients and getattr(page.project.clients[clients[0]], use.name) is None:
        hint = f"Client({use.name}=…) says how its filters quote a text"
        page.say(mark, f"client '{clients[0]}' has no {use.name}", hint)


def _check_arguments(page: Page, spot: Spot, name: str, function: Callable[..., Any]) -> None:
    signature = python_inspect.signature(function)
    for node in spot.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            try:
                signature.bind(*node.args)
            except TypeError as error:
                mark = spot.mark_of(node)
                page.say(mark, f"{name}: {error}", f"it is {name}{_told(signature)}")


# --- members -----------------------------------------------------------------------------------------------------


def _check_members(page: Page, spot: Spot) -> None:
    """Say the keys of input, reply and error that can never be there."""
    seen: set[tuple[str, str]] = set()
    for node in spot.nodes:
        _check_header_of_reply(page, spot, node)
        member = _member(node)
        if member is None or member[:2] in seen or member[0] in spot.loops:
            continue
        seen.add(member[:2])
        root, key, offset = member
        known = _members(page.recipe, root)
        if known is not None and key not in known:
            _say_member(page, spot, root, key, offset, known)


def _check_header_of_reply(page: Page, spot: Spot, node: ast.expr) -> None:
    """Headers of a reply are looked up as they are kept: with their names in lower case."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or "reply" in spot.loops:
        return
    owner = node.value
    if not isinstance(owner, ast.Attribute) or owner.attr != "headers":
        return
    if not isinstance(owner.value, ast.Name) or owner.value.id != "reply":
        return
    key = node.attr if isinstance(node, ast.Attribute) else _text_of(node.slice)
    if key != key.lower():
        end = node.end_col_offset or 0
        mark = spot.mark(node.col_offset, end - node.col_offset)
        page.say(
            mark, "the headers of a reply have names in lower case", f"write reply.headers['{key.lower()}']"
        )


def _text_of(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _member(node: ast.expr) -> tuple[str, str, int] | None:
    """Root, key and the key's offset of `root.key` and `root['key']`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr, (node.end_col_offset or 0) - len(node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return node.value.id, key.value, key.col_offset + 1
    return None


def _members(recipe: Recipe, root: str) -> tuple[str, ...] | None:
    """The keys that a name can have; None where any can be."""
    declared: dict[str, tuple[Parameter, ...]] = {
        "path": recipe.input.path,
        "query": recipe.input.query,
        "headers": recipe.input.headers,
    }
    if root in declared:
        return tuple(parameter.name for parameter in declared[root])
    if root == "body":
        return _listed(recipe.input.body)
    return {"reply": _REPLY, "error": _ERROR}.get(root)


def members_of_input(recipe: Recipe, name: str) -> tuple[str, ...] | None:
    """The keys that a name of the visitor's input can have; None for other names, and where any can be."""
    return _members(recipe, name) if name in ("path", "query", "headers", "body") else None


def _listed(schema: Schema | None) -> tuple[str, ...] | None:
    """The members of an object schema that drops or refuses all others."""
    if not schema or "properties" not in schema or schema.get("additionalProperties") not in (None, False):
        return None
    silent = ("allOf", "anyOf", "oneOf", "$ref", "patternProperties", "if")
    return None if any(key in schema for key in silent) else tuple(schema["properties"])


_NOT_DECLARED = {
    "path": "write it into the route: {…}",
    **dict.fromkeys(("query", "headers"), "it would always be null; declare it"),
}
_MEMBER = {
    "path": ("the route has no parameter", "it has"),
    "query": ("input.query declares no", "declared are"),
    "headers": ("input.headers declares no", "declared are"),
    "body": ("input.body lists no", "it lists"),
    "reply": ("a reply has no", "it has"),
    "error": ("an error has no", "it has"),
}


def _say_member(page: Page, spot: Spot, root: str, key: str, offset: int, known: tuple[str, ...]) -> None:
    message, label = _MEMBER[root]
    near = nearest(key, known)
    meant = f"did you mean '{near}'?  " if near else ""
    if root == "reply" and not near:
        meant = f"did you mean reply.body.{key}?  "
    hint = f"{meant}{label}: {', '.join(known)}" if known else _NOT_DECLARED.get(root, "it lists nothing")
    page.say(spot.mark(offset, len(key)), f"{message} '{key}'", hint)
