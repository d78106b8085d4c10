"""Pages whose sender signs: what stands beside `signed`, and what wants it."""

from __future__ import annotations

from collections.abc import Iterator

from bff.expressions.inspect import inspect
from bff.recipe.check.page import Page
from bff.recipe.keys import RAW
from bff.recipe.model import Mark, Recipe, Signed

_SIGNATURES = {
    "github": "X-Hub-Signature-256",
    "stripe": "Stripe-Signature",
    "slack": "X-Slack-Signature",
    "standard": "webhook-signature",
}
_OF_HMAC = ("header", "prefix", "encoding")


def check_signed(page: Page) -> None:
    """Say what a page that checks signatures cannot be, and what only such a page can have."""
    for mark, message, hint in _mistakes(page.recipe):
        page.say(mark, message, hint)


def _mistakes(recipe: Recipe) -> Iterator[tuple[Mark, str, str]]:
    keys, signed = recipe.marks.keys, recipe.signed
    if "idempotency_key" in keys and "signed" not in keys and recipe.path:
        hint = (
            "it would give anybody the answer of another; a visitor's own key is the header Idempotency-Key"
        )
        yield keys["idempotency_key"], "'idempotency_key' of a page without 'signed'", hint
    key = recipe.idempotency_key
    if key is not None and recipe.path and not inspect(key).names:
        hint = "name what tells one request from others and a repeat has too, such as body.id"
        yield recipe.marks.value("idempotency_key"), "'idempotency_key' reads nothing of the request", hint
    if "signed" not in keys or not recipe.path:
        return  # in a part it is a mistake of its own
    mark = keys["signed"]
    if recipe.method == "GET":
        yield mark, "'signed' under GET", "a GET has no body to sign; webhooks are sent with POST"
    if recipe.auth != "none":
        hint = "write auth: none; the signature says who asks"
        yield keys.get("auth", mark), f"'signed' beside auth: {recipe.auth}", hint
    if recipe.passes:
        hint = "a body goes up before its signature could be checked"
        yield mark, "'signed' beside 'pass'", hint
    for step in recipe.steps:
        if step.name == RAW:
            hint = "beside 'signed' it is the body as it came; rename the step"
            yield step.marks.name, "a step named 'raw' hides the name that a signed page has", hint
    if signed is not None:
        yield from _of_scheme(recipe, signed)


def _of_scheme(recipe: Recipe, signed: Signed) -> Iterator[tuple[Mark, str, str]]:
    keys = recipe.marks.keys
    if signed.scheme == "hmac":
        if "signed.header" not in keys:
            hint = "the header that holds the signature, such as X-Shopify-Hmac-Sha256"
            yield recipe.marks.value("signed.scheme"), "scheme: hmac without a 'header'", hint
        return
    for name in _OF_HMAC:
        if f"signed.{name}" in keys:
            where = _SIGNATURES[signed.scheme]
            hint = f"{signed.scheme} signs in {where}; '{name}' is for scheme: hmac"
            yield keys[f"signed.{name}"], f"'{name}' beside scheme: {signed.scheme}", hint
