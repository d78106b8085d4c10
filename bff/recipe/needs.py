"""What the replies of a step must have, so that a page is no page of empties.

A page needs what it reads through or goes over: without `found.items` there is no `found.items[0].title`. A step may
say more with `needs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bff.expressions.demands import Demands, Origins, item_of, path_at
from bff.expressions.paths import ANY, Path
from bff.recipe.graph import parts
from bff.recipe.model import NeededPath, Recipe, Request, Step, Value

Form: TypeAlias = Literal["any", "list", "object"]

_BODY = ("reply", "body")
_ASKING = ("pages.next", "until.done")
"""What of a step only asks whether there is more."""
_BESIDE = ("when", "each", "batch")
"""What of a step is worked out before there is a loop variable."""


class Need(Struct, frozen=True):
    """What must hold at a path below a step's value (after `take`, before `key_by`, of each reply).

    Wherever the value around it is there, the last key of the path is, too; () is the value itself. What is there may
    be null where the need is `nullable`, and is of the `form` where it is not null. One that is `listed` stands in the
    step's list of `needs`; any other follows from what the page reads.
    """

    path: Path
    nullable: bool = True
    form: Form = "any"
    listed: bool = False


class ReplyNeed(Struct, frozen=True):
    """What must hold at a path below a body or a value; a key that is not `required` may be absent.

    One that is `said` stands in the recipe: what the page goes over is held to be a list elsewhere.
    """

    path: Path
    required: bool = True
    nullable: bool = True
    form: Form = "any"
    said: bool = False


class ReplyNeeds(Struct, frozen=True):
    """What must hold below the body of each reply of a step, and below what a computed `take` makes of it.

    `of_value` says the same of the value as far as the recipe can be sure of it.
    """

    of_body: tuple[ReplyNeed, ...] = ()
    of_taken: tuple[ReplyNeed, ...] = ()
    of_value: tuple[ReplyNeed, ...] = ()


def needs_of(recipe: Recipe) -> Mapping[str, tuple[Need, ...]]:
    """What each request step of a recipe needs of its replies."""
    listed = {step.name: _listed(step) for step in recipe.steps if isinstance(step, Request)}
    return {
        name: tuple(
            Need(one.path, one.nullable, one.form, one.path in listed[name])
            for one in needs.of_value
            if one.required
        )
        for name, needs in reply_needs(recipe).items()
    }


def _listed(step: Request) -> set[Path]:
    """The paths of a step's list of needs, and those on the way there."""
    return {one.path for one in _said(step)}


def reply_needs(recipe: Recipe) -> Mapping[str, ReplyNeeds]:
    """What each request step of a recipe needs, where it is looked at."""
    if recipe.passes:
        return {}
    found = _Found(recipe)
    return {step.name: found.of(step) for step in recipe.steps if isinstance(step, Request)}


class _Found:
    """What all expressions of a recipe take for granted, by the step whose replies it is about."""

    def __init__(self, recipe: Recipe) -> None:
        self._steps = {step.name: step for step in recipe.steps}
        self._page = Demands()
        self._takes: dict[str, Demands] = {}
        for step in recipe.steps:
            self._add_step(step)
        session = recipe.session
        of_session = () if session is None else (session.user, session.tokens, session.expires)
        for tree in (recipe.shape, recipe.status, recipe.headers, *of_session):
            if tree is not None:
                self._page.add(tree, {}, asks=False, spared=False)

    def _add_step(self, step: Step) -> None:
        self._takes[step.name] = own = Demands()
        clause = (step.each or step.batch) if isinstance(step, Request) else None
        origins = _origins(step)
        for key, part in parts(step):
            if key.startswith("undo.") or key in _ASKING:  # it knows other things, or only asks what there is
                continue
            spared = (
                key == "fallback" or key.startswith("on_status.") or (step.when is not None and key != "when")
            )
            demands = own if key in ("take", "ok", "failed") else self._page
            inner = {} if key in _BESIDE or clause is None else origins
            demands.add(
                part, inner, asks=key in ("when", "ok", "require"), spared=spared and demands is not own
            )

    def of(self, step: Request) -> ReplyNeeds:
        if step.needs == ():
            return ReplyNeeds()
        own = self._takes[step.name]
        asked = set(self._at_body(step, self._of_step(step, self._page.asked))) | _in_body(own.asked)
        of_body = [*_demanded(own, asked, _in_body)]
        of_value: list[ReplyNeed] = []
        row = () if step.each is not None and step.pages is None else (ANY,)
        rows = [ReplyNeed(row, form="object")] if step.key_by is not None else []
        for one in (*rows, *_demanded(self._page, set(), lambda paths: self._of_step(step, paths))):
            path = body_path(step, one.path)
            if path is not None:
                found = _unless_asked(one, path in asked)
                of_value.append(found)
                of_body.append(replace(found, path=path))
        of_page = self._of_step(step, self._page.asked)
        said = (*_reads(step, self._of_step(step, self._page.read), of_page), *_said(step))
        base = body_path(step, ())
        if base is None or ANY in base:  # of one element that is chosen, others say nothing
            return ReplyNeeds(_merged(of_body), _merged(said), _merged((*of_value, *said)))
        below = [replace(one, path=(*base, *one.path)) for one in said]
        if any(not one.path and not one.nullable for one in said):
            below += [
                ReplyNeed(base[:at], nullable=False, form="object", said=True) for at in range(len(base))
            ]
        return ReplyNeeds(_merged((*of_body, *below)), (), _merged((*of_value, *said)))

    def _of_step(self, step: Request, paths: Iterable[Path]) -> set[Path]:
        """Those of some paths that lead into the value of a step, below that of each reply."""
        found = (self._origin(path) for path in paths)
        own = (path[1:] for path in found if path is not None and path[0] == step.name)
        return {path for one in own if (path := _of_reply(step, one)) is not None}

    def _origin(self, path: Path) -> Path | None:
        """Where what is at a path comes from, through the value steps on the way."""
        seen: set[str] = set()
        while isinstance(step := self._steps.get(str(path[0])), Value):
            found = None if step.when is not None or step.name in seen else path_at(step.value, path[1:], {})
            if found is None:
                return None
            seen.add(step.name)
            path = found
        return path

    def _at_body(self, step: Request, paths: Iterable[Path]) -> Iterator[Path]:
        return (found for path in paths if (found := body_path(step, path)) is not None)


def body_path(step: Request, path: Path) -> Path | None:
    """What a path below the value of each reply plainly stands for below its body; None where `take` computes it."""
    if step.take is None:
        return path
    found = path_at(step.take, path, _origins(step))
    return found[2:] if found is not None and found[:2] == _BODY else None


def _origins(step: Step) -> Origins:
    """What the loop variable of a step stands for; a chunk of a batch is computed."""
    if not isinstance(step, Request):
        return {}
    if step.each is not None:
        return {step.each.variable: item_of(step.each, {})}
    return {} if step.batch is None else {step.batch.variable: None}


def _of_reply(step: Request, path: Path) -> Path | None:
    """A path below the value of a step as one below that of each reply; None for what replies are put together in."""
    if step.key_by is not None:
        if not path:
            return None
        path = (ANY, *path[1:])
    if step.each is not None:
        return path[1:] if path and path[0] is ANY else None
    return path if path or step.batch is None else None


def _in_body(paths: Iterable[Path]) -> set[Path]:
    return {path[2:] for path in paths if path[:2] == _BODY}


def _demanded(
    demands: Demands, asked: set[Path], below: Callable[[set[Path]], set[Path]]
) -> Iterator[ReplyNeed]:
    """What is demanded at the paths that `below` finds among those of some expressions."""
    forms: tuple[tuple[set[Path], Form], ...] = (
        (demands.objects, "object"),
        (demands.entered, "any"),
        (demands.lists, "list"),
    )
    for paths, form in forms:
        for path in sorted(below(paths), key=str):
            yield _unless_asked(ReplyNeed(path, form=form), path in asked)


def _unless_asked(need: ReplyNeed, is_asked: bool) -> ReplyNeed:
    """A need of what the page may ask about: then it may be absent, or null where the recipe says that it is there."""
    has_key = bool(need.path) and need.path[-1] is not ANY
    required = need.said or not (is_asked and has_key)
    return replace(need, required=required, nullable=need.nullable or is_asked)


def _reads(step: Request, read: Iterable[Path], asked: set[Path]) -> Iterator[ReplyNeed]:
    """What a step says with `needs: reads`: what is read is there, as is all that is around it."""
    if step.needs == "reads":
        read = list(read)
        objects = {path[:at] for path in read for at, key in enumerate(path) if key is not ANY}
        around = {path[:at] for path in read for at in range(len(path) + 1)}
        for path in sorted(around, key=str):
            form: Form = "object" if path in objects else "any"
            yield _unless_asked(ReplyNeed(path, nullable=False, form=form, said=True), path in asked)


def _said(step: Request) -> tuple[ReplyNeed, ...]:
    """What a step says with a list of `needs`: every key on the way is needed, too."""
    needs = [] if step.needs is None or step.needs == "reads" else step.needs
    return _merged(one for needed in needs for one in _on_the_way(needed))


def _on_the_way(needed: NeededPath) -> Iterator[ReplyNeed]:
    for at in range(len(needed.path) + 1):
        following = needed.path[at : at + 1]
        form: Form = "any" if not following else "list" if following[0] is ANY else "object"
        yield ReplyNeed(needed.path[:at], nullable=at in needed.nullable, form=form, said=True)


def _merged(needs: Iterable[ReplyNeed]) -> tuple[ReplyNeed, ...]:
    """One need for each path, those of what is around it before it."""
    found: dict[Path, ReplyNeed] = {}
    for one in needs:
        other = found.get(one.path, one)
        forms = {one.form, other.form} - {"any"}
        found[one.path] = ReplyNeed(
            one.path,
            one.required or other.required,
            one.nullable and other.nullable,
            forms.pop() if len(forms) == 1 else "any",
            one.said or other.said,
        )
    return tuple(sorted(found.values(), key=lambda one: (len(one.path), str(one.path))))
