"""What a page that hands a body through may hold: nothing that would have to read it."""

from __future__ import annotations

from collections.abc import Iterator

from bff.expressions.inspect import inspect
from bff.recipe.check.page import Page
from bff.recipe.model import Mark, Request, Step, SubRecipe

_UNPARSED = "the body goes through unparsed"
_OF_THE_PAGE = {
    "shape": ("a shape beside 'pass'", _UNPARSED),
    "format": ("a format beside 'pass'", _UNPARSED),
    "status": ("'status' beside 'pass'", "the answer has the status of the backend's reply"),
    "session": ("a session beside 'pass'", "signing in needs a reply that is read: another page"),
    "input.body": ("a schema of the body beside 'pass'", "it goes through unparsed: the backend checks it"),
}
_OF_THE_REQUEST = {
    "body": ("a body of its own", "the visitor's body is what goes through"),
    "form": ("a form of its own", "the visitor's body is what goes through"),
    "graphql": ("a GraphQL document", "the visitor's body is what goes through"),
    "text": ("a text of its own", "the visitor's body is what goes through"),
    "safe": ("'safe'", "a body that has been sent cannot be sent again; leave it out"),
    "when": ("'when'", "without the request there is no answer; write a guard above it"),
    "each": ("'each'", "one request answers the page"),
    "concurrency": ("'concurrency'", "one request answers the page"),
    "batch": ("'batch'", "one request answers the page"),
    "batch_size": ("'batch_size'", "one request answers the page"),
    "format": ("'format'", f"there is no value: {_UNPARSED}"),
    "take": ("'take'", f"there is no value: {_UNPARSED}"),
    "key_by": ("'key_by'", f"there is no value: {_UNPARSED}"),
    "needs": ("'needs'", f"it would read the reply; {_UNPARSED}"),
    "failed": ("'failed'", "one request answers the page"),
    "ok": ("'ok'", f"it would read the reply; {_UNPARSED}"),
    "on_status": ("'on_status'", "an answer is what the backend sends; other statuses are problems"),
    "fallback": ("'fallback'", "nothing can stand in for a body; the visitor gets a problem"),
    "cache": ("'cache'", "a stream is not kept here; the cache of the page is the browser's"),
    "hedge": ("'hedge'", "two streams would be one too many"),
    "pages": ("'pages'", f"it would read the replies; {_UNPARSED}"),
    "until": ("'until'", f"it would read the replies; {_UNPARSED}"),
    "undo": ("'undo'", "nothing stands below that could fail"),
}


def check_pass(page: Page) -> None:
    """Say what a page that hands a body through cannot have."""
    if not page.recipe.passes:
        return
    for mark, message, hint in _mistakes(page):
        page.say(mark, message, hint)


def _mistakes(page: Page) -> Iterator[tuple[Mark, str, str]]:
    recipe = page.recipe
    requests = [step for step in recipe.steps if isinstance(step, Request)]
    if not requests and not any(isinstance(step, SubRecipe) for step in recipe.steps):
        yield recipe.marks.key("pass"), "'pass' without its one request", "the page is that request's answer"
    for key, (message, hint) in _OF_THE_PAGE.items():
        # Under GET a body is a mistake of its own: none goes up.
        if key in recipe.marks.keys and (key != "input.body" or recipe.method != "GET"):
            yield recipe.marks.key(key), message, hint
    for further in requests[1:]:
        hint = "the page is the answer of one; what else is needed makes another page"
        yield further.marks.name, "a second request beside 'pass'", hint
    for step in recipe.steps:
        if isinstance(step, SubRecipe):
            yield step.marks.name, "another recipe beside 'pass'", "only values and guards may stand here"
    if len(requests) == 1 and requests[0].name not in recipe.broken:
        yield from _of_request(page, requests[0])


def _of_request(page: Page, step: Request) -> Iterator[tuple[Mark, str, str]]:
    recipe = page.recipe
    for key, (what, hint) in _OF_THE_REQUEST.items():
        if key in step.marks.keys:
            yield step.marks.key(key), f"{what} in a request that hands a body through", hint
    if step.writes and step.retries:
        hint = "a body that has been sent cannot be sent again"
        yield step.marks.key("retries"), "retries of a request that hands a body through", hint
    if step.method == "GET" and recipe.path and recipe.method != "GET":
        hint = f"the route is a GET, or the request a {recipe.method.lower()}"
        yield step.marks.key("get"), f"a get under {recipe.method} takes no body along", hint
    yield from _below(recipe.steps, step)
    for spot in page.spots:
        for use in inspect(spot.leaf).names:
            if use.name == step.name and spot.key != "shape" and not spot.key.startswith("shape."):
                message = f"the reply of '{step.name}' cannot be read"
                yield spot.mark(use.offset, use.length), message, _UNPARSED


def _below(steps: tuple[Step, ...], request: Request) -> Iterator[tuple[Mark, str, str]]:
    for step in steps[steps.index(request) + 1 :]:
        if not isinstance(step, Request | SubRecipe):
            hint = f"write it above '{request.name}'"
            yield step.marks.name, f"'{step.name}' below the request that answers the page", hint
