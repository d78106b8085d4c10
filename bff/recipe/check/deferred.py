"""Parts that come after the rest of a page: nothing that is sent before them may need them."""

from __future__ import annotations

from bff.expressions.inspect import Use, inspect
from bff.recipe.check.page import Page, Spot
from bff.recipe.graph import deferred_steps
from bff.recipe.model import Guard, Request, Step


def check_deferred(page: Page) -> None:
    """Say what needs a deferred step before it is there, and where no step can be deferred."""
    deferred = [step for step in page.requests if step.defer]
    if not deferred:
        return
    if any(step.writes for step in page.requests):
        for step in (step for step in deferred if not step.writes):  # of a write that is said elsewhere
            hint = "a page that writes is answered when all is done: leave defer out"
            page.say(step.marks.key("defer"), "'defer' in a recipe that writes", hint)
        return
    if page.recipe.passes:
        hint = "there is no page that could come before it: leave defer out"
        page.say(deferred[0].marks.key("defer"), "'defer' beside 'pass'", hint)
        return
    late = deferred_steps(page.recipe, page.graph)
    for spot in page.spots:
        what = _sent_before(spot)
        if what:
            for use in inspect(spot.leaf).names:
                if use.name in late and use.name not in spot.loops:
                    _say_needed(page, spot, use, what)
                elif use.name == "errors" and spot.step is None:
                    _say_errors(page, spot, use, what, deferred[0].name)


def _sent_before(spot: Spot) -> str:
    """What an expression is for, where that cannot wait for a deferred step."""
    step = spot.step
    if step is None:
        top = spot.key.partition(".")[0]
        return {"status": "the status", "headers": "a header", "session": "the session"}.get(top, "")
    if isinstance(step, Guard):
        return "a guard"
    return "a required request" if _is_required(step) else ""


def _is_required(step: Step) -> bool:
    return isinstance(step, Request) and step.required


def _say_needed(page: Page, spot: Spot, use: Use, what: str) -> None:
    source = _source(page, use.name)
    through = "" if source == use.name else f" (through {use.name})"
    message = f"{what} needs '{source}'{through}, which comes after the rest of the page"
    hint = f"take defer from {source}"
    if spot.step is not None and _is_required(spot.step):
        hint += f", or give {spot.step.name} a fallback"
    page.say(spot.mark(use.offset, use.length), message, hint)


def _say_errors(page: Page, spot: Spot, use: Use, what: str, source: str) -> None:
    message = f"{what} needs errors, and '{source}' may add one after it is sent"
    page.say(
        spot.mark(use.offset, use.length), message, f"take defer from {source}, or leave errors out here"
    )


def _source(page: Page, name: str) -> str:
    """The step that says `defer` and that this one waits for, the first as written."""
    behind = page.graph.upstream(name)
    return next(step.name for step in page.requests if step.defer and step.name in behind)
