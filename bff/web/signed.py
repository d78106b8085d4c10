"""Pages whose sender signs: the signature before all else, `raw` among the names, the first answer for a repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bff import clock
from bff.errors import OperatorError, PageError
from bff.expressions import Evaluation
from bff.expressions.values import to_text
from bff.identity import Visitor
from bff.plan.model import Plan
from bff.problems import problem
from bff.recipe.keys import RAW
from bff.recipe.model import Signed
from bff.settings import Settings
from bff.web.answer import Answer
from bff.web.body import whole_body
from bff.web.input import Scope
from bff.web.journal import Journal, operator
from bff.web.problems import is_debugged
from bff.web.repeats import Repeats
from bff.web.request import PageRequest
from bff.web.signatures import STANDARD_SECRET, SignatureCheck, check_of, key_of

Count: TypeAlias = Callable[[Visitor, PageRequest], None]
Run: TypeAlias = Callable[[PageRequest, Journal, Visitor, Scope, str | None], Answer]

SENDER = Visitor(mark=b"who has signed")
"""Who sends what is signed: whoever has the secret. Their key is theirs, as a visitor's is who has signed in."""


def require_for(plan: Plan, settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises OperatorError where a page's secrets or its store are not there, in one line for each.

    While somebody develops, repeats may run again.
    """
    recipe, problems = plan.recipe, []
    if recipe.signed is not None:
        problems += _problems_of(recipe.signed, recipe.file, environ)
    if recipe.idempotency_key is not None and not settings.state_url:
        lacking = f"BFF_STATE_URL is not set, and {recipe.file} needs it: idempotency_key keeps answers there"
        if environ.get("FLASK_RUN_FROM_CLI") != "true" and not is_debugged():
            problems.append(lacking)
        else:
            operator.warning("bff: %s; while developing, repeats run again", lacking)
    if problems:
        raise OperatorError("\n".join(problems))


def _problems_of(signed: Signed, file: str, environ: Mapping[str, str]) -> list[str]:
    """What is wrong with the secrets; never a part of one."""
    found = []
    for name in signed.secrets:
        if not environ.get(name):
            found.append(
                f"the environment variable {name} is not set, and {file} needs it: a secret of signed"
            )
            continue
        try:
            key_of(signed, environ[name])
        except ValueError:
            form = f"{STANDARD_SECRET} and base64, as Standard Webhooks writes it"
            found.append(
                f"the environment variable {name} is no secret of signed in {file}: it must be {form}"
            )
    return found


def checked(signed: Signed, environ: Mapping[str, str], timeout: float, count: Count | None) -> Count:
    """What checks the signature of a request, and then counts it. Raises PageError 401 for one that is not signed.

    `timeout` bounds each wait for the body, which is read as far as the app takes one.
    """
    check = check_of(signed, tuple(key_of(signed, environ[name]) for name in signed.secrets))

    def count_signed(visitor: Visitor, request: PageRequest) -> None:
        _refuse_unsigned(check, request, timeout)
        if count is not None:
            count(visitor, request)

    return count_signed


def _refuse_unsigned(check: SignatureCheck, request: PageRequest, timeout: float) -> None:
    claim = check.claim(request.header)
    why = check.refuses_head(claim, clock.wall())
    if claim is not None and not why:
        why = check.refuses(claim, whole_body(request, timeout))
    if why:
        raise problem("unsigned", "This page is for who signs what they send.", log=why)


def signed_run(plan: Plan, settings: Settings, repeats: Repeats | None, route: str, run: Run) -> Run:
    """The run of a page for its sender: with the body in time, with `raw`, and once for each key of theirs."""
    key_of_request, deadline = plan.idempotency_key, plan.recipe.deadline
    reads_raw = plan.reads_raw

    def run_signed(
        request: PageRequest, journal: Journal, visitor: Visitor, scope: Scope, key: str | None
    ) -> Answer:
        until = journal.begun + deadline
        if clock.monotonic() > until:
            raise problem("upload-too-slow", "The body was not read in time.")
        if reads_raw:
            scope[RAW] = _text_of(request)
        if key_of_request is None:
            return run(request, journal, visitor, scope, key)
        evaluation = Evaluation(settings.max_work, settings.max_memory, clock.now(), until)
        own = to_text(key_of_request(scope, evaluation))
        if not own:
            raise _without_key()
        if repeats is None:
            return run(request, journal, SENDER, scope, own)
        return repeats.once(
            *(route, deadline, SENDER, own, request, journal),
            lambda: run(request, journal, SENDER, scope, own),
            named="idempotency_key",
            by_key_alone=True,
        )

    return run_signed


def _text_of(request: PageRequest) -> str:
    try:
        return request.body().decode()
    except UnicodeDecodeError as error:
        raise problem("malformed-body", "The body is not text in UTF-8.") from error


def _without_key() -> PageError:
    return problem("invalid-input", "Nothing in this request tells it from others: its key is empty.")
