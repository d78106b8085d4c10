"""What a visitor could steer by input: what a filter says, where an address leads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from bff.expressions.addresses import as_it_is, encoded, holds_address, keys_of, root_name
from bff.expressions.flows import flows
from bff.expressions.tree import EachClause, Expression, Tree
from bff.http import Client
from bff.recipe.check.computed import behind, named
from bff.recipe.check.page import NOWHERE, Page, Spot, leaves
from bff.recipe.keys import QUOTES, RAW
from bff.recipe.model import Request, Step

_INPUT = ("path", "query", "headers", "body")

# --- filter languages --------------------------------------------------------------------------------------------


def check_filters(page: Page) -> None:
    """Say what flows into a filter of a backend without being quoted."""
    for step in page.requests:
        for request in (step, step.undo):
            client = None if request is None else page.client(request)
            if request is not None and client is not None and client.filters:
                _check_filters_of(page, request, client)


def _check_filters_of(page: Page, request: Request, client: Client) -> None:
    for key in ("query", "form", "body"):
        tree = getattr(request, key)
        for name, part, at, whole in (
            () if tree is None else named(page, tree, _spot_of(request, key), client.filters)
        ):
            if name is None:
                if key != "body" or not (request.writes or _is_list(request, part)):
                    _say_unknown(page, client, key, part, at)
            elif name in client.filters and whole:
                _say_whole(page, client, name, part, at)
            elif name in client.filters:
                for spot in leaves(part, at):
                    if not spot.is_let:
                        _check_filter(page, request, client, name, spot, set())


def _is_list(request: Request, part: Tree) -> bool:
    """Whether a body is certainly a list, which has no names."""
    node = part.node if isinstance(part, Expression) else None
    if isinstance(node, ast.Name):
        return request.batch is not None and node.id == request.batch.variable
    return isinstance(node, ast.List | ast.ListComp)


def _spot_of(request: Request, key: str) -> Spot:
    clauses = (request.each, request.batch)
    loops = tuple(clause.variable for clause in clauses if clause is not None)
    return Spot(request, key, NOWHERE, (), loops)


def _say_unknown(page: Page, client: Client, key: str, part: Tree, at: Spot) -> None:
    """Say an expression that may give any name, a filter's too; what a write sends whole is a record, no query."""
    filters = ", ".join(sorted(client.filters))
    message = f"the names of this {key} are not known, and {client.name} has filters: {filters}"
    hint = "write them out: {'name': value}; or take those that you mean: pick(x, 'name')"
    _say(page, part, at, message, hint)


def _say_whole(page: Page, client: Client, name: str, part: Tree, at: Spot) -> None:
    """Say a mapping that has a filter which nobody quotes."""
    written = part.written if isinstance(part, Expression) else "this"
    hint = f"write it out: {{'{name}': …}}, made of constants and quote(…)"
    _say(page, part, at, f"'{written}' flows unquoted into the {name} of {client.name}", hint)


def _say(page: Page, part: Tree, at: Spot, message: str, hint: str) -> None:
    if isinstance(part, Expression):
        page.say(replace(at, leaf=part).mark(part.offset, part.length), message, hint)


def _quotes(client: Client) -> list[str]:
    return [quote for quote in QUOTES if getattr(client, quote) is not None]


def _check_filter(page: Page, step: Request, client: Client, name: str, spot: Spot, seen: set[int]) -> None:
    if isinstance(spot.leaf, EachClause):
        return
    quotes = _quotes(client)
    for flow in flows(spot.leaf, quotes):
        root = flow.text.split(".")[0].split("[")[0]
        found = behind(page, spot, root)
        if found is not None:
            part, at = found
            if id(part) not in seen:
                seen.add(id(part))
                for below in leaves(part, at):
                    if not below.is_let:
                        _check_filter(page, step, client, name, below, seen)
            continue
        message = f"'{flow.text}' flows unquoted into the {name} of {client.name}"
        cure = (
            f"write {quotes[0]}({flow.text})" if quotes else f"clients/{client.name}.py needs Client(quote=…)"
        )
        page.say(spot.mark(flow.offset, flow.length), message, cure)


# --- addresses ---------------------------------------------------------------------------------------------------


def check_redirects(page: Page) -> None:
    """Say input that stands in an address of the answer where it is not percent-encoded."""
    headers = page.recipe.headers
    for name, tree in headers.items if headers is not None else ():
        if holds_address(name) and name.lower() != "location":  # which has a rule of its own
            for spot in leaves(encoded(name, tree), Spot(None, "headers", NOWHERE, ())):
                _check_address(page, name, spot)


def _check_address(page: Page, header: str, spot: Spot) -> None:
    for node in _as_they_are(spot.leaf):
        found = _input_behind(page, node, set())
        if found:
            through = "" if found == root_name(node) else f" (through {root_name(node)})"
            mark = spot.mark_of(node)
            message = f"{found} of the visitor{through} can choose where {header} leads"
            hint = 'write it into a hole behind a path of your own: f"/todos/{url_encode(path.id)}"'
            page.say(mark, message, hint)


def _as_they_are(leaf: Expression | EachClause) -> Iterator[ast.expr]:
    return as_it_is(leaf.node if isinstance(leaf, Expression) else leaf.source.node)


def _input_behind(page: Page, node: ast.expr, seen: set[tuple[str, str]]) -> str:
    """The name of the input that a look-up may give a part of, '' if it gives none."""
    name, member = root_name(node), ".".join(keys_of(node))
    if name in _INPUT or (name == RAW and page.recipe.signed is not None):
        return name
    step = page.by_name.get(name)
    if step is None or (name, member) in seen:
        return ""
    seen.add((name, member))
    for spot in page.spots:
        if spot.step is step and _makes(spot.key, member):
            for inner in _as_they_are(spot.leaf):
                found = _input_behind(page, inner, seen) or _item_of_input(page, step, inner, seen)
                if found:
                    return found
    return ""


def _makes(key: str, member: str) -> bool:
    """Whether what stands under a key of a step is a part of that member of its value."""
    top, _, below = key.partition(".")
    if top not in ("value", "take", "fallback"):
        return top == "on_status"
    return (
        not below
        or not member
        or f"{below}.".startswith(f"{member}.")
        or f"{member}.".startswith(f"{below}.")
    )


def _item_of_input(page: Page, step: Step, node: ast.expr, seen: set[tuple[str, str]]) -> str:
    """The same of the list that a step goes over, where the node is an item of it, and of a cursor's first value."""
    if isinstance(step, Request) and step.pages is not None and root_name(node) == step.cursor:
        first = [] if step.pages.first is None else as_it_is(step.pages.first.node)
        return next(filter(None, (_input_behind(page, source, seen) for source in first)), "")
    clause = (step.each or step.batch) if isinstance(step, Request) else None
    if clause is None or root_name(node) != clause.variable:
        return ""
    found = (_input_behind(page, source, seen) for source in as_it_is(clause.source.node))
    return next(filter(None, found), "")
