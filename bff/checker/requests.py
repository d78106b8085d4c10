"""What the keys of a request may be together, and which clients and headers there are."""

from __future__ import annotations

from bff.checker.page import Page
from bff.expressions.tree import Mapping
from bff.http import FORBIDDEN_REQUEST_HEADERS, FORBIDDEN_RESPONSE_HEADERS, check_header
from bff.recipe import Marks, Request, SubRecipe
from bff.text import nearest

# Answers of the layer itself; a recipe that wrote them would undo what they are for.
_OWN_RESPONSE_HEADERS = {
    "cache-control": "write cache: 60s",
    "expires": "write cache: 60s",
    "pragma": "write cache: 60s",
    "etag": "the layer makes it",
    "last-modified": "the layer makes an ETag",
    "vary": "the layer makes it",
    "content-type": "a page is application/json",
    "server-timing": "the layer makes it",
}
_VISITORS_TOKENS = {"authorization", "cookie", "proxy-authorization"}


def check_clients(page: Page) -> None:
    """Say the clients that there are not."""
    clients = page.project.clients
    for step in page.recipe.steps:
        if not isinstance(step, Request):
            continue
        for request in (step, step.undo):
            if (
                request is None
                or not request.client
                or request.client in page.project.unusable | clients.keys()
            ):
                continue
            near = nearest(request.client, clients)
            meant = f"did you mean '{near}'?  " if near else ""
            there = f"there are: {', '.join(clients)}" if clients else f"write clients/{request.client}.py"
            page.say(request.marks.value("client"), f"unknown client '{request.client}'", meant + there)


def check_keys(page: Page) -> None:
    """Say keys that contradict each other or have no effect."""
    for step in page.requests:
        for key, message, hint in _contradictions(step):
            page.say(step.marks.key(key), message, hint)
        if step.undo is not None:
            for key, message, hint in _bodies(step.undo):
                page.say(step.undo.marks.key(key), message, hint)


def _contradictions(step: Request) -> list[tuple[str, str, str]]:
    """Key, message and cure of each contradiction in a request."""
    found = _bodies(step)
    written = step.marks.keys
    if "safe" in written and step.method != "POST":
        found.append(
            ("safe", f"'safe' stands with post, not with {step.method.lower()}", "a get is always safe")
        )
    if step.each is not None and step.batch is not None:
        found.append(("batch", "'each' and 'batch' in one request", "one request per item, or one per chunk"))
    if "concurrency" in written and "each" not in written and "batch" not in written:
        found.append(("concurrency", "'concurrency' has no effect here", "it goes with each or batch"))
    if "batch_size" in written and "batch" not in written:
        found.append(("batch_size", "'batch_size' has no effect here", "it goes with batch"))
    if step.writes:
        cure = (
            "a POST that only reads says safe: true"
            if step.method == "POST"
            else "only reads may be repeated"
        )
        found += [(key, f"'{key}' on a write", cure) for key in ("batch", "cache", "hedge") if key in written]
        if step.defer:
            found.append(("defer", "'defer' on a write", cure))
    else:
        keys = ("undo", "idempotency_key")
        found += [
            (key, f"'{key}' on a read", "it is for requests that write") for key in keys if key in written
        ]
    if step.defer and step.required:
        found.append(("defer", "'defer' without a fallback", "write fallback: null"))
    return found


def _bodies(step: Request) -> list[tuple[str, str, str]]:
    found = []
    if step.body is not None and step.form is not None:
        found.append(("form", "'body' and 'form' in one request", "one body: JSON or a form"))
    if step.method == "GET":
        keys = [key for key in ("body", "form") if getattr(step, key) is not None]
        found += [(key, f"a get sends no {key}", "write query, or post with safe: true") for key in keys]
    return found


def check_times(page: Page) -> None:
    """Say time-outs that the page's own deadline cuts off."""
    deadline = page.recipe.deadline
    for step in page.requests:
        client = page.client(step)
        if step.timeout is not None and step.timeout > deadline:
            written = "deadline" in page.recipe.marks.keys
            hint = f"the page's deadline is {_seconds(deadline)}" + ("" if written else ", the default")
            page.say(step.marks.value("timeout"), f"a timeout of {_seconds(step.timeout)}", hint)
        limit = step.timeout or (client.timeout if client is not None else deadline)
        if step.hedge is not None and step.hedge >= min(limit, deadline):
            hint = f"the step ends after {_seconds(min(limit, deadline))}"
            page.say(step.marks.value("hedge"), "a hedge that would never be sent", hint)


def _seconds(seconds: float) -> str:
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


# --- headers -----------------------------------------------------------------------------------------------------


def check_headers(page: Page) -> None:
    """Say the names of headers that a recipe may not send, set or read."""
    for step in page.requests:
        client = page.client(step)
        own = client.auth_header if client is not None else None
        for request in (step, step.undo):
            if request is not None:
                _check_request_headers(page, request.headers, request.marks, own)
    _check_answer_headers(page)
    for parameter in page.recipe.input.headers:
        if parameter.name.lower() in _VISITORS_TOKENS:
            mark = page.recipe.marks.key(f"input.headers.{parameter.name}")
            page.say(mark, f"a recipe cannot read the header '{parameter.name}'", "auth says who may ask")
        else:
            _check_form(page, parameter.name, page.recipe.marks, f"input.headers.{parameter.name}")


def _check_request_headers(page: Page, headers: Mapping | None, marks: Marks, own: str | None) -> None:
    for name, _ in headers.items if headers is not None else ():
        mark = marks.key(f"headers.{name}")
        lower = name.lower()
        if lower == own or lower == "authorization":
            page.say(mark, f"a recipe cannot send the header '{name}'", "it is the client's: Client(auth=…)")
        elif lower in FORBIDDEN_REQUEST_HEADERS:
            page.say(mark, f"a recipe cannot send the header '{name}'", "the layer makes it")
        else:
            _check_form(page, name, marks, f"headers.{name}")


def _check_answer_headers(page: Page) -> None:
    headers = page.recipe.headers
    for name, _ in headers.items if headers is not None else ():
        mark = page.recipe.marks.key(f"headers.{name}")
        lower = name.lower()
        if lower in _OWN_RESPONSE_HEADERS:
            page.say(mark, f"a recipe cannot set the header '{name}'", _OWN_RESPONSE_HEADERS[lower])
        elif lower in FORBIDDEN_RESPONSE_HEADERS:
            page.say(mark, f"a recipe cannot set the header '{name}'", "it is a matter of the whole app")
        else:
            _check_form(page, name, page.recipe.marks, f"headers.{name}")


def _check_form(page: Page, name: str, marks: Marks, key: str) -> None:
    try:
        check_header(name, "")
    except ValueError as error:
        page.say(marks.key(key), str(error), "letters, digits and -")


# --- other recipes -----------------------------------------------------------------------------------------------


def check_references(page: Page) -> None:
    """Say recipes and steps that are named and are not there."""
    recipes = page.project.recipes
    for step in page.whole_steps:
        if isinstance(step, SubRecipe) and step.recipe not in recipes:
            near = nearest(step.recipe, recipes)
            meant = f"did you mean '{near}'?  " if near else ""
            mark = step.marks.value("recipe")
            page.say(mark, f"unknown recipe '{step.recipe}'", f"{meant}there are: {', '.join(recipes)}")
        elif isinstance(step, SubRecipe) and step.recipe == page.recipe.name:
            page.say(step.marks.value("recipe"), f"recipe '{step.recipe}' holds itself", "name another one")
    for reference in page.recipe.invalidates:
        _check_reference(page, reference)


def _check_reference(page: Page, reference: str) -> None:
    recipes = page.project.recipes
    name, _, step = reference.partition(".")
    mark = page.recipe.marks.value("invalidates")
    if name not in recipes:
        near = nearest(name, recipes)
        meant = f"did you mean '{near}'?  " if near else ""
        page.say(mark, f"unknown recipe '{name}'", f"{meant}there are: {', '.join(recipes)}")
    elif step:
        steps = [other.name for other in recipes[name].steps]
        near = nearest(step, steps)
        meant = f"did you mean '{near}'?  " if near else ""
        if step not in steps:
            page.say(mark, f"recipe '{name}' has no step '{step}'", f"{meant}it has: {', '.join(steps)}")
