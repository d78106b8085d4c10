"""What a reply means to its step: whether it lacks what that needs, or says that some of its items were not done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bff.errors import PageError
from bff.executor.bulk import NotOfChunk, chunks_of, failed_of
from bff.expressions import Evaluation
from bff.expressions.paths import ANY, Path
from bff.plan.model import PlannedPages, PlannedRequest
from bff.recipe.needs import Need
from bff.testing.held import HeldReply
from bff.testing.upstream import Upstream

PARTLY = 207

Failed = dict[int, int | None]


def breaks(step: PlannedRequest, reply: Upstream, needs: Iterable[Need], scope: Mapping[str, Any]) -> bool:
    """Whether a success of a step is not what it is held to, or has no list where its recipe goes over one."""
    value = reply.body
    if HeldReply(step).refuses(value) or any(_is_no_list(value, path) for path in step.reply_lists):
        return True
    if step.take is not None:
        seen = {"status": reply.status, "headers": reply.headers, "body": value}
        try:
            value = step.take({**scope, "reply": seen}, Evaluation())
        except (PageError, KeyError):  # it is made of the item of an `each`
            return False
    lists = [path[1:] for path in step.lists if path[:1] == (ANY,)] if step.each else [*step.lists]
    joins = step.batch_size is not None and step.joins
    are_joined = not step.each and (joins or step.key_by is not None)
    rows = [()] if are_joined or isinstance(step.repeats, PlannedPages) else []
    return any(_is_no_list(value, path) for path in (*rows, *lists)) or any(
        _lacks(value, need.path, need) for need in needs
    )


def chunks_in(step: PlannedRequest, scope: Mapping[str, Any]) -> list[list[Any]]:
    """The chunks that a bulk write of these values sends."""
    assert step.items is not None and step.batch_size is not None
    return chunks_of(step.items(scope, Evaluation()), step.batch_size)[0]


def items_failed(step: PlannedRequest, scope: Mapping[str, Any], body: Any, chunk: list[Any]) -> Failed:
    """The places of a chunk that `failed` of a bulk write names, each with its status where that is told."""
    assert step.failed is not None and step.variable is not None
    reply = {"status": PARTLY, "headers": {}, "body": body}
    try:
        given = step.failed({**scope, step.variable: chunk, "reply": reply}, Evaluation())
        return failed_of(given, chunk, Evaluation())
    except (PageError, NotOfChunk, KeyError):  # it is no reply of this backend; or made of a key
        return {}


def _is_no_list(value: Any, path: Path) -> bool:
    if not path:
        return value is not None and not isinstance(value, list)
    key, *rest = path
    return any(_is_no_list(inner, tuple(rest)) for inner in _at(value, key))


def _lacks(value: Any, path: Path, need: Need) -> bool:
    if not path:
        return not need.nullable if value is None else not _has_form(value, need.form)
    key, *rest = path
    is_last = not rest and key is not ANY and value is not None
    if is_last and not (isinstance(value, dict) and key in value):
        return True  # what is around it is there, else that is another need
    return any(_lacks(inner, tuple(rest), need) for inner in _at(value, key))


def _at(value: Any, key: object) -> Iterable[Any]:
    """The values at a key, which are all where it stands for each."""
    if key is ANY:
        return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value[key]] if isinstance(value, dict) and key in value else ()


def _has_form(value: Any, form: str) -> bool:
    return form == "any" or isinstance(value, list if form == "list" else dict)
