"""One page: straight down (visitor, input, run), straight up (shape, answer). What can be known is bound at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from bff import clock
from bff.errors import PageError
from bff.executor import KeySource, PageRun, PassingRun, Results, RunContext
from bff.expressions import Evaluation
from bff.expressions.rooms import SEALS
from bff.http import BackgroundReads, Calls, Limits, Transport
from bff.identity import ANYBODY, Visitor
from bff.identity.origin import SAFE_METHODS
from bff.identity.recent_writes import NO_RECENT_WRITES
from bff.plan.model import Plan
from bff.recipe.model import Signed
from bff.settings import Settings
from bff.web.answer import Answer, Answers, encoder_of
from bff.web.cors import CorsNames
from bff.web.identity import Identity
from bff.web.input import Scope
from bff.web.journal import Journal, said_of
from bff.web.lines import PageLines, answer_in_lines, asks_for_lines, lines_of
from bff.web.live import LiveBody
from bff.web.rates import Rates
from bff.web.recent_writes import RecentWritesCookie
from bff.web.repeats import Repeats, visitors_key
from bff.web.request import PageRequest
from bff.web.site import Page

if TYPE_CHECKING:
    from bff.identity.seals import Seals
    from bff.web.tracing import Tracing

Run: TypeAlias = Callable[[PageRequest, Journal, Visitor, Scope, str | None], Answer]
"""Runs a page for a request whose visitor and input are known; the text is the key that it has."""


class Common(Struct, frozen=True):
    """What is the same for all pages of an app."""

    settings: Settings
    transport: Transport
    identity: Identity
    rates: Rates
    written: RecentWritesCookie
    repeats: Repeats | None
    background: BackgroundReads
    calls: Callable[..., Calls]
    environ: Mapping[str, str]
    tracing: Tracing | None

    @property
    def limits(self) -> Limits:
        """The bounds of a page's calls."""
        settings = self.settings
        return Limits(
            max_requests=settings.max_requests,
            max_reply=settings.max_reply,
            max_replies=settings.max_replies,
            max_depth=settings.max_depth,
        )


class PageAnswerer:
    """Answers the requests for one page."""

    def __init__(self, page: Page, common: Common) -> None:
        plan, recipe = page.plan, page.recipe
        self.page = page
        self.name, self.route, self.method = recipe.name, f"{recipe.method} {recipe.path}", recipe.method
        self.passes, self.invalidates = recipe.passes, recipe.invalidates
        self._deadline = recipe.deadline
        self._plan, self._common, self._settings = plan, common, common.settings
        self._answers = _answers_of(plan, common.settings)
        self._visitor = common.identity.asker_of(plan)
        self._count = common.rates.counter_of(recipe)
        self._written = common.written.reader_of(plan)
        self._is_keyed = recipe.method not in SAFE_METHODS
        self._has_keys = any(step.key is not None or step.undo is not None for step in plan.requests)
        # A body that goes through is neither kept nor compared: its key goes to the backend alone.
        self._repeats = None if recipe.passes else common.repeats
        self._has_lines = bool(plan.parts) and plan.shape is not None
        self._run: Run = self._hand_through if recipe.passes else self._make
        if recipe.signed is not None:
            self._sign(recipe.signed)
        seals = common.identity.seals_of(plan)
        if seals is not None:  # first of all: a sender's key may hold what was sealed
            self._run = partial(self._sealing, seals, self._run)
        self._encode, self._limits = encoder_of(common.settings), common.limits
        self.said = said_of(self.name, self.route, self.method)

    def _sign(self, signed: Signed) -> None:
        """Have the signature of each request checked, and repeats answered as the first time."""
        from bff.web.signed import checked, signed_run  # few pages are for who signs

        common, settings = self._common, self._settings
        self._count = checked(signed, common.environ, settings.body_timeout, self._count)
        self._run = signed_run(self._plan, settings, common.repeats, self.route, self._run)

    def cors_for(self, _: str | None) -> CorsNames | None:
        """The names of headers that a page of another origin may read and send."""
        return self.page.cors

    def begin(self, journal: Journal) -> None:
        """Note in the journal of a request that it is for this page."""
        journal.page, journal.route = self.name, self.route
        journal.invalidates = self.invalidates

    def answer(self, request: PageRequest, path: Mapping[str, str], journal: Journal) -> Answer:
        """Raises PageError; the journal knows how far it came."""
        visitor = ANYBODY if self._visitor is None else self._visitor(request)
        if self._count is not None:
            self._count(visitor, request)
        scope = self.page.reader.read(request, path, journal.begun + self._deadline)
        scope["user"] = visitor.user
        key = visitors_key(request) if self._is_keyed else None
        repeats = self._repeats
        if repeats is None or key is None or not visitor.mark:
            return self._run(request, journal, visitor, scope, key)
        return repeats.once(
            *(self.route, self._deadline, visitor, key, request, journal),
            lambda: self._run(request, journal, visitor, scope, key),
        )

    def _sealing(
        self,
        seals: Seals,
        run: Callable[..., Answer],
        request: PageRequest,
        journal: Journal,
        visitor: Visitor,
        scope: Scope,
        key: str | None,
    ) -> Answer:
        """Run a page whose expressions seal something for its visitor."""
        scope[SEALS] = seals.of(visitor)
        return run(request, journal, visitor, scope, key)

    # --- the run -------------------------------------------------------------------------------------------------

    def _make(
        self, request: PageRequest, journal: Journal, visitor: Visitor, scope: Scope, key: str | None
    ) -> Answer:
        """Run the page."""
        evaluation, calls, context = self._begin(request, journal, visitor, key)
        run = PageRun(self._plan, scope, calls, evaluation, context)
        journal.traces, journal.writes = run.traces, run.writes
        # Such a page writes nothing; what is remembered for repeats is whole.
        is_kept = self._repeats is not None and key is not None and visitor.mark
        if self._has_lines and not is_kept and asks_for_lines(request):
            return self._in_lines(request, journal, run, calls, evaluation)
        return self._in_one(request, journal, run, calls, evaluation)

    def _begin(
        self, request: PageRequest, journal: Journal, visitor: Visitor, key: str | None
    ) -> tuple[Evaluation, Calls, RunContext]:
        """What a run is given beside the plan and the input."""
        settings, common = self._settings, self._common
        deadline = journal.begun + self._deadline
        now = clock.now()
        evaluation = Evaluation(settings.max_work, settings.max_memory, now, deadline)
        calls = common.calls(common.transport, deadline, self._limits, journal.request_id, common.background)
        context = RunContext(
            deadline,
            self._encode,
            visitor,
            settings.max_each,
            self._keys(request, visitor, key) if self._has_keys else KeySource(),
            lambda until: Evaluation(settings.max_work, settings.max_memory, now, until),
            NO_RECENT_WRITES if self._written is None else self._written(request),
            request.forwarded() if self._plan.tells_the_way else (),
        )
        return evaluation, calls, context

    def _keys(self, request: PageRequest, visitor: Visitor, key: str | None) -> KeySource:
        """Where the keys of this request's writes come from.

        Nobody can tell whose key one is that came without a sign-in, so it is not believed.
        """
        return KeySource(visitor.mark, f"{request.method} {request.path}", key if visitor.mark else None)

    def _in_one(
        self, request: PageRequest, journal: Journal, run: PageRun, calls: Calls, evaluation: Evaluation
    ) -> Answer:
        """Run the whole page and answer; where it cannot be answered, what it has written is taken back."""
        try:
            try:
                results = run.run()
            finally:
                calls.close()
            journal.partial, journal.stale = results.partial, results.stale
            answer = self._answers.whole(request, results, evaluation)
            if self._plan.session is not None:
                self._set_session(answer, request, results, evaluation)
        except Exception as error:
            run.take_back()
            if isinstance(error, PageError):
                run.writes.add_to(error)
            raise
        return answer

    def _in_lines(
        self, request: PageRequest, journal: Journal, run: PageRun, calls: Calls, evaluation: Evaluation
    ) -> Answer:
        """Run the page as far as its first line; the server asks for the others."""
        plan, settings = self._plan, self._settings
        under_way = ExitStack()
        under_way.callback(calls.close)
        try:
            parts = under_way.enter_context(closing(run.parts()))
            first = next(parts)
            journal.partial, journal.stale = first.partial, first.stale
            status, headers = self._answers.head(first, evaluation)
            drafts = Evaluation(settings.max_work, settings.max_memory, evaluation.now, evaluation.deadline)
            lines = PageLines(plan, evaluation, drafts, settings)
            body = LiveBody(lines_of(first, parts, lines, journal), under_way.close)
            answer = answer_in_lines(status, headers, body)
            answer.headers += self._answers.vary
            if plan.session is not None:
                self._set_session(answer, request, first, evaluation)
        except BaseException:
            under_way.close()
            raise
        journal.cut = request.method != "HEAD"  # until its last line is made
        return answer

    def _hand_through(
        self, request: PageRequest, journal: Journal, visitor: Visitor, scope: Scope, key: str | None
    ) -> Answer:
        """Answer with the body that the page's one request brings; it takes as long as it takes."""
        from bff.web.passing import answer_with, sent_by  # few pages hand something through

        evaluation, calls, context = self._begin(request, journal, visitor, key)
        sent = sent_by(request, self._settings, context.deadline, is_get=self.method == "GET")
        run = PassingRun(sent, self._plan, scope, calls, evaluation, context)
        journal.traces, journal.writes = run.traces, run.writes
        try:
            results = run.run()
        except PageError as error:
            run.writes.add_to(error)
            raise
        finally:
            calls.close()
        try:
            _, headers = self._answers.head(results, evaluation)
            answer = answer_with(run.passed, headers, request, journal)
        except BaseException:
            run.passed.close()
            raise
        answer.headers += self._answers.vary
        return answer

    def _set_session(
        self, answer: Answer, request: PageRequest, results: Results, evaluation: Evaluation
    ) -> None:
        """Sign in or out where the recipe says so and the page went well."""
        session = self._plan.session
        if session is None or answer.status >= 400:
            return
        identity = self._common.identity
        if session.ends:
            identity.sign_out(answer.headers, request)
            return
        parts = {"user": session.user, "tokens": session.tokens, "expires": session.expires}
        found = {
            name: None if compute is None else compute(results.scope, evaluation)
            for name, compute in parts.items()
        }
        identity.sign_in(answer.headers, request, session, found)


def _answers_of(plan: Plan, settings: Settings) -> Answers:
    """What makes the answers of a page, in the format that its recipe says."""
    if plan.recipe.format is None:
        return Answers(plan, settings)
    from bff.web.tables import TableAnswers  # few pages are tables

    return TableAnswers(plan, settings)


class TracedPage(PageAnswerer):
    """A page with a span around each of its answers."""

    def answer(self, request: PageRequest, path: Mapping[str, str], journal: Journal) -> Answer:
        tracing, make = self._common.tracing, super().answer
        assert tracing is not None, "else nobody makes one"
        return tracing.page(self.route, request, journal, lambda: make(request, path, journal))


class Answerers:
    """Gives what answers for each page of an app, made once; anew where the page was."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._kind = PageAnswerer if common.tracing is None else TracedPage
        self._made: dict[str, PageAnswerer] = {}

    def of(self, page: Page) -> PageAnswerer:
        """What answers for a page."""
        name = page.recipe.name
        made = self._made.get(name)
        if made is None or made.page is not page:
            made = self._made[name] = self._kind(page, self._common)
        return made
