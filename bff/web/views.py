"""The view of a page: straight down (input, run), straight up (shape, answer)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from datetime import datetime

from flask import Response, g

from bff import clock
from bff.errors import PageError
from bff.executor import KeySource, PageRun, PassingRun, Results, Terms
from bff.expressions import Evaluation
from bff.http import Behind, Calls, Limits, Transport
from bff.identity.written import NOTHING_WRITTEN
from bff.settings import Settings
from bff.turns import TURNS
from bff.web.answer import encode_bounded, make_answer, make_head, respond, varies_with
from bff.web.asked import Asked, forwarded_of, this_request
from bff.web.identity import Identity
from bff.web.lines import PageLines, asks_for_lines, lines_of, respond_in_lines
from bff.web.live import LiveBody
from bff.web.passing import answer_with, sent_by
from bff.web.rates import Rates
from bff.web.repeats import Repeats, visitors_key
from bff.web.site import Page
from bff.web.written import OwnWrites


class PageView:
    """Answers requests for pages; holds only what is the same for all of them."""

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        identity: Identity,
        rates: Rates,
        repeats: Repeats | None = None,
        calls: Callable[..., Calls] = Calls,
        behind: Behind | None = None,
        written: OwnWrites | None = None,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._identity = identity
        self._rates = rates
        self._repeats = repeats
        self._calls = calls
        self._behind = behind
        self._written = written
        self._encode = functools.partial(encode_bounded, settings=settings)
        self._limits = Limits(
            max_requests=settings.max_requests,
            max_reply=settings.max_reply,
            max_replies=settings.max_replies,
            max_depth=settings.max_depth,
        )

    def __call__(self, page: Page, path: Mapping[str, str]) -> Response:
        """Raises PageError; the journal of the request knows how far it came."""
        request, journal = this_request(), g.journal
        recipe = page.recipe
        journal.page, journal.route = recipe.name, f"{recipe.method} {recipe.path}"
        visitor = self._identity.visitor(request, page.plan)
        self._rates.count(recipe, visitor, request)
        given = page.reader.read(request, path, journal.begun + recipe.deadline)
        key = visitors_key(request)
        asked = Asked(request, journal, page, visitor, given, key)
        if self._repeats is None or key is None or not visitor.mark or recipe.passes:
            # A body that goes through is neither kept nor compared: its key goes to the backend alone.
            return self._make(asked, in_lines=asks_for_lines(request, page.plan))
        return self._repeats.once(page, visitor, key, lambda: self._make(asked))

    def _make(self, asked: Asked, *, in_lines: bool = False) -> Response:
        """Run the page, in turns with others but where its body goes through: that takes as long as it takes."""
        page, given, journal = asked.page, asked.given, asked.journal
        scope = {
            "path": given.path,
            "query": given.query,
            "headers": given.headers,
            "body": given.body,
            "user": asked.visitor.user,
        }
        deadline = journal.begun + page.recipe.deadline
        evaluation = self._evaluation(clock.now(), deadline)
        calls = self._calls(self._transport, deadline, self._limits, journal.request_id, self._behind)
        terms = Terms(
            deadline,
            self._encode,
            asked.visitor,
            self._settings.max_each,
            _keys(asked),
            lambda until: self._evaluation(evaluation.now, until),
            NOTHING_WRITTEN if self._written is None else self._written.of(asked.request, page.plan),
            forwarded_of(asked.request) if page.plan.tells_the_way else (),
        )
        if page.recipe.passes:
            sent = sent_by(asked.request, page.recipe, self._settings, deadline)
            passing = PassingRun(sent, page.plan, scope, calls, evaluation, terms)
            return self._hand_through(asked, passing, evaluation)
        run = PageRun(page.plan, scope, calls, evaluation, terms)
        journal.traces, journal.writes = run.traces, run.writes
        if in_lines:  # such a page writes nothing
            return TURNS.within(lambda: self._in_lines(asked, run, calls, evaluation))
        return TURNS.within(lambda: self._in_one(asked, run, calls, evaluation))

    def _in_one(self, asked: Asked, run: PageRun, calls: Calls, evaluation: Evaluation) -> Response:
        """Run the whole page and answer; where it cannot be answered, what it has written is taken back."""
        journal, plan = asked.journal, asked.page.plan
        try:
            with closing(calls):
                results = run.run()
            journal.partial, journal.stale = results.partial, results.stale
            answer = make_answer(plan, results, evaluation, self._settings)
            response = respond(asked.request, plan, answer)
            self._set_session(response, asked, results, evaluation)
        except Exception as error:
            run.take_back()
            if isinstance(error, PageError):
                run.writes.add_to(error)
            raise
        return response

    def _hand_through(self, asked: Asked, run: PassingRun, evaluation: Evaluation) -> Response:
        """Answer with the body that the page's one request brings."""
        journal, plan = asked.journal, asked.page.plan
        journal.traces, journal.writes = run.traces, run.writes
        try:
            results = run.run()
        except PageError as error:
            run.writes.add_to(error)
            raise
        try:
            headers = make_head(plan, results, evaluation).headers
            response = answer_with(run.passed, headers, asked.request, journal)
        except BaseException:
            run.passed.close()
            raise
        response.vary.update(varies_with(plan))
        return response

    def _in_lines(self, asked: Asked, run: PageRun, calls: Calls, evaluation: Evaluation) -> Response:
        """Run the page as far as its first line; the server asks for the others."""
        journal, plan = asked.journal, asked.page.plan
        under_way = ExitStack()
        under_way.callback(calls.close)
        try:
            parts = under_way.enter_context(closing(run.parts()))
            first = next(parts)
            journal.partial, journal.stale = first.partial, first.stale
            head = make_head(plan, first, evaluation)
            drafts = self._evaluation(evaluation.now, evaluation.deadline)
            lines = PageLines(plan, evaluation, drafts, self._settings)
            body = LiveBody(lines_of(first, parts, lines, journal), under_way.close)
            response = respond_in_lines(asked.request, plan, head, body)
            self._set_session(response, asked, first, evaluation)
        except BaseException:
            under_way.close()
            raise
        journal.cut = asked.request.method != "HEAD"  # until its last line is made
        return response

    def _evaluation(self, now: datetime, deadline: float) -> Evaluation:
        return Evaluation(self._settings.max_work, self._settings.max_memory, now, deadline)

    def _set_session(
        self, response: Response, asked: Asked, results: Results, evaluation: Evaluation
    ) -> None:
        """Sign in or out where the recipe says so and the page went well."""
        plan = asked.page.plan
        session = plan.session
        if session is None or response.status_code >= 400:
            return
        if session.ends:
            self._identity.sign_out(response, asked.request)
            return
        parts = {"user": session.user, "tokens": session.tokens, "expires": session.expires}
        found = {
            name: None if compute is None else compute(results.scope, evaluation)
            for name, compute in parts.items()
        }
        self._identity.sign_in(response, asked.request, session, found)


def _keys(asked: Asked) -> KeySource:
    """Where the keys of this request's writes come from.

    Nobody can tell whose key one is that came without a sign-in, so it is not believed.
    """
    visitor, request = asked.visitor, asked.request
    given = asked.key if visitor.mark else None
    return KeySource(visitor.mark, f"{request.method} {request.path}", given)
