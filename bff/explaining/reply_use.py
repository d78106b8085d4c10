"""What of each reply a page uses: the paths that its decoder reads, and what else is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bff.explaining.subject import Subject
from bff.explaining.words import paths_text, tree_text
from bff.expressions.inspect import Inspection, Path, inspect_tree, item_paths
from bff.plan.model import PlannedRequest
from bff.plan.partial_decoding import NarrowDecoder
from bff.plan.used_paths import read_of_reply, used_of_values
from bff.recipe.graph import inspect_part, parts
from bff.recipe.model import BodyFormat, Request, Step


def reply_rows(subject: Subject) -> Iterator[tuple[str, str]]:
    """Each request with what the page uses of its reply."""
    used = used_paths(subject)
    for step in subject.plan.requests:
        told = [_of_body(subject, step, used[step.name]), *_beside_body(subject, step)]
        yield step.name, "; ".join(told)


def used_paths(subject: Subject) -> Mapping[str, tuple[Path, ...]]:
    """The paths below the body of each request's reply that a page uses, `()` for the whole.

    The decoder of a plan has them too, but for a reply of which a write is made: that is decoded whole.
    """
    recipe = subject.recipe
    inspections = {step.name: _inspections(step) for step in recipe.steps}
    used, _ = used_of_values(recipe, inspections, [inspect_tree(tree) for tree in subject.answer_trees])
    return {
        step.name: tuple(sorted(set(read_of_reply(step, inspections[step.name], used[step.name])), key=str))
        for step in recipe.steps
        if isinstance(step, Request)
    }


def _inspections(step: Step) -> Mapping[str, Inspection]:
    """What each part of a step reads, the loop variable of an `each` standing for what it goes over."""
    clause = step.each if isinstance(step, Request) else None
    paths = () if clause is None else item_paths(clause)
    bindings = {clause.variable: paths[0]} if clause is not None and len(paths) == 1 else {}
    return {
        key: inspect_part(part, {} if key in ("when", "each", "batch") else bindings)
        for key, part in parts(step)
    }


def _of_body(subject: Subject, step: PlannedRequest, paths: tuple[Path, ...]) -> str:
    if subject.recipe.passes:
        return "all of it goes through unread"
    if not step.reads:
        is_json = subject.written(step).format is None
        return "nothing of its body, which need not be JSON" if is_json else "nothing of its body"
    format_ = subject.written(step).format
    if format_ is not None:
        return f"{format_text(format_)}: {'all of it' if () in paths else paths_text(paths) or 'that it is that'}"
    exactly = (
        ""
        if isinstance(step.decode, NarrowDecoder)
        else " (decoded whole and exactly: a write is made of it)"
    )
    if () in paths:
        return f"the whole body{exactly}{_why_whole(subject, step, bool(exactly))}"
    return f"{paths_text(paths) or 'that there is one'}{exactly}"


def _why_whole(subject: Subject, step: PlannedRequest, told: bool) -> str:
    operation = subject.written(step).graphql
    if operation is not None and operation.judged:
        return f": any errors of the {operation.title} fail the step"
    if step.failed is not None and step.ok is None:
        return "" if told else ": failed may look at any of it"
    return ": ok may look at any of it" if step.ok is not None and not told else ""


def format_text(one: BodyFormat) -> str:
    """A format with the options that are not the usual ones."""
    options = [] if one.delimiter == "," else [f"{one.delimiter!r} between cells"]
    if one.quote != '"':
        options.append("no quotes" if one.quote is None else f"{one.quote} around cells")
    if one.header:
        options.append(f"no header row, but {', '.join(one.header)}")
    return f"{one.name} ({'; '.join(options)})" if options else one.name


def _beside_body(subject: Subject, step: PlannedRequest) -> Iterator[str]:
    """What of status and headers the recipe reads."""
    written = subject.written(step)
    trees = [tree for tree in (written.take, written.ok) if tree is not None]
    trees += [tree for _, tree in written.on_status]
    trees += [] if written.pages is None else [written.pages.next]
    trees += [] if written.until is None else [written.until.done]
    found = {path[1:] for tree in trees for path in inspect_tree(tree).reads if path[0] == "reply"}
    beside = sorted((path for path in found if path[:1] in (("status",), ("headers",))), key=str)
    if written.needs == "reads":
        yield "all that is read for certain must be there"
    elif written.needs is not None:
        needed = tuple(sorted((one.path for one in written.needs), key=str))
        yield f"{paths_text(needed)} must be there" if needed else "nothing must be there"
    if written.graphql is not None and written.graphql.judged:
        beside = [path for path in beside if path != ("status",)]  # that is not the recipe's own look
    if beside:
        yield f"and its {paths_text(beside)}"
    if written.failed is not None:
        yield f"failed tells the items that were not done: {tree_text(written.failed)}"
    if written.pages is not None:
        yield f"{tree_text(written.pages.next)} is the page that follows"
    if written.until is not None:
        yield f"the last where {tree_text(written.until.done)}"
    if written.on_status:
        yield f"{', '.join(str(status) for status, _ in written.on_status)} is an answer"
