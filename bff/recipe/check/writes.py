"""What changes something: where it may stand, what it may be made of, when it may be repeated."""

from __future__ import annotations

import ast

from bff.expressions.tree import Constant, Expression, Mapping, Tree
from bff.recipe.check.page import Page, Spot
from bff.recipe.graph import names_in, required
from bff.recipe.model import Guard, Request, Step, Value


def check_methods(page: Page) -> None:
    """Say what changes something under a route that only reads, and what only such a route may say."""
    recipe = page.recipe
    if not recipe.path:
        return
    if recipe.method != "GET":
        if recipe.cache is not None:
            page.say(recipe.marks.key("cache"), f"'cache' under {recipe.method}", "only GET pages are kept")
        return
    if recipe.input.body is not None:
        # Caches know a page by its address: what a body makes of it would be everybody's.
        hint = "what a GET takes is in path, query and headers; with a body this route is a POST"
        page.say(recipe.marks.key("input.body"), "a body under GET", hint)
    if recipe.session is not None:
        page.say(recipe.marks.key("session"), "a session under GET", "signing in or out is a POST")
    if "invalidates" in recipe.marks.keys:
        page.say(recipe.marks.key("invalidates"), "'invalidates' under GET", "nothing is written here")
    for step in page.requests:
        if step.writes:
            cure = "this route is a POST"
            if step.graphql is not None:
                cure = "a mutation changes something: this route is a POST"
            elif step.method == "POST":
                cure = "if it only reads, say safe: true; else the route is a POST"
            page.say(step.marks.key(step.verb), "a write under GET", cure)


def check_repeats(page: Page) -> None:
    """Say writes that would be sent twice, and undos that nothing can trigger."""
    steps = page.recipe.steps
    for step in page.requests:
        if not step.writes:
            continue
        if step.retries and step.idempotency_key is None:
            page.say(
                step.marks.key("retries"), "retries of a write", "without idempotency_key it may happen twice"
            )
        below = steps[steps.index(step) + 1 :]
        # An item of an each or a chunk of a batch that fails takes those before it along.
        own = [step] if step.each is not None or step.batch is not None else []
        # What can trigger the undo of a part may stand in the page that holds it.
        if step.undo is not None and page.recipe.path and not any(map(_can_fail, [*own, *below])):
            hint = "it runs when a required step below fails, and there is none"
            page.say(step.marks.key("undo"), "an undo that nothing can trigger", hint)


def _can_fail(step: Step) -> bool:
    return required(step) and not isinstance(step, Value)


def check_nulls_written(page: Page) -> None:
    """Say paths and bodies of writes that a failed step with a fallback would make null."""
    for spot in page.spots:
        step = spot.step
        if (
            not isinstance(step, Request)
            or not step.writes
            or spot.key.split(".")[0] not in ("path", "body", "form", "text")
        ):
            continue
        if isinstance(spot.leaf, Expression):
            for source, node in _needed(spot.leaf.node):
                _check_needed(page, spot, step, source, node)


def _needed(node: ast.expr) -> list[tuple[ast.Name, ast.expr]]:
    """The names whose null would show, each with the whole look-up; a choice with another value is no need."""
    if isinstance(node, ast.Attribute | ast.Subscript | ast.Name):
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        return [(root, node)] if isinstance(root, ast.Name) else []
    if isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.List | ast.Dict):
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return [found for child in children for found in _needed(child)]
    return []


def _check_needed(page: Page, spot: Spot, write: Request, root: ast.Name, node: ast.expr) -> None:
    source = page.by_name.get(root.id)
    if root.id in spot.loops or source is None or _answers_for(page, write, root.id):
        return
    keys = _keys(node)
    culprit = _null_source(page, source, keys, set())
    if culprit is None:
        return
    mark = spot.mark_of(node)
    through = "" if culprit == root.id else f" (through {root.id})"
    message = f"a write that needs '{culprit}'{through}, which may fall back to null"
    page.say(
        mark, message, f"make {culprit} required, guard it with require, or write default({root.id}…, …)"
    )


def _answers_for(page: Page, write: Request, name: str) -> bool:
    """Whether the write runs only when somebody has looked at the step: its `when`, or a guard above it."""
    if write.when is not None and name in names_in(write.when):
        return True
    above = page.recipe.steps[: page.recipe.steps.index(write)]
    return any(isinstance(step, Guard) and name in page.graph.reads[step.name] for step in above)


def _keys(node: ast.expr) -> list[str | None]:
    """The keys that a look-up goes down, None for a computed one."""
    keys: list[str | None] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            keys.insert(0, node.attr)
        else:
            value = node.slice.value if isinstance(node.slice, ast.Constant) else None
            keys.insert(0, value if isinstance(value, str) else None)
        node = node.value
    return keys


def _null_source(page: Page, step: Step, keys: list[str | None], seen: set[str]) -> str | None:
    """The step whose fallback makes the value at these keys null, followed through value steps."""
    if step.name in seen:
        return None
    seen.add(step.name)
    if isinstance(step, Request):
        return step.name if step.fallback is not None and _may_be_null(step.fallback, keys) else None
    if isinstance(step, Value):
        tree = _at(step.value, keys)
        for root, node in _needed(tree.node) if isinstance(tree, Expression) else ():
            source = page.by_name.get(root.id)
            found = _null_source(page, source, _keys(node), seen) if source is not None else None
            if found is not None:
                return found
    return None


def _at(tree: Tree, keys: list[str | None]) -> Tree:
    """The part of a tree at these keys, as far down as it is structure."""
    for key in keys:
        if not isinstance(tree, Mapping):
            break
        inner = dict(tree.items).get(key) if key is not None else None
        if inner is None:
            return Constant(None)
        tree = inner
    return tree


def _may_be_null(fallback: Tree, keys: list[str | None]) -> bool:
    """Whether a fallback gives null at these keys, as far as can be seen without running it."""
    if isinstance(fallback, Mapping):
        inner = dict(fallback.items).get(keys[0]) if keys and keys[0] is not None else None
        return bool(keys) and (inner is None or _may_be_null(inner, keys[1:]))
    if isinstance(fallback, Expression):
        if isinstance(fallback.node, ast.Constant):
            return fallback.node.value is None or bool(keys)
        if any(root.id == "reply" for root, _ in _needed(fallback.node)):
            return True  # where none came
        return isinstance(fallback.node, ast.JoinedStr) and bool(keys)
    return bool(keys) or fallback == Constant(None)
