"""A visitor's repeated write gets the first answer again; what is remembered stands in the state store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bff.errors import PageError
from bff.executor import UNDO_DEADLINE
from bff.identity import Visitor
from bff.identity.origin import SAFE_METHODS
from bff.problems import problem
from bff.settings import Settings
from bff.state import Claim, KeptAnswer, RepeatStore, StateUnavailable
from bff.web.answer import Answer
from bff.web.headers import value_of
from bff.web.journal import Journal
from bff.web.live import LiveBody
from bff.web.problems import problem_answer
from bff.web.request import PageRequest

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
MARGIN = 5.0
"""Seconds beyond a page's deadline and its undos after which a request that never ended is taken for lost."""

_KEY = "HTTP_IDEMPOTENCY_KEY"
_LONGEST = 255
_OWN_HEADERS = frozenset({"content-length", "date", "set-cookie"})
# What a later try may get another answer to: sign in again, come back later.
_PASSING = frozenset({401, 429})


def visitors_key(request: PageRequest) -> str | None:
    """The Idempotency-Key of a request that may write; raises PageError 400 for one that cannot be a key."""
    key: str | None = request.environ.get(_KEY)
    if key is None or request.method in SAFE_METHODS:
        return None
    if not 1 <= len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        wrong = {
            "pointer": f"#/headers/{KEY_HEADER}",
            "detail": f"is not 1 to {_LONGEST} printable characters",
        }
        raise problem("invalid-input", "One value is not as this page takes them.", errors=[wrong])
    return key


class Repeats:
    """Runs each request of a visitor once for its key."""

    def __init__(self, store: RepeatStore) -> None:
        self._store = store

    @classmethod
    def of(cls, settings: Settings) -> Repeats | None:
        """None without a store."""
        return cls(RepeatStore(settings.state_url, settings.session_keys)) if settings.state_url else None

    def once(
        self,
        route: str,
        deadline: float,
        visitor: Visitor,
        key: str,
        request: PageRequest,
        journal: Journal,
        make: Callable[[], Answer],
        named: str = KEY_HEADER,
        *,
        by_key_alone: bool = False,
    ) -> Answer:
        """The answer of `make`, or the one that the same request got before. Problems call the key as it is `named`.

        With `by_key_alone` a body may be another each time: what sends the same news again may write them anew.
        Raises PageError 409 while that one runs, 422 if it was another request, 503 if that cannot be known.
        """
        claim = self._claim(
            [visitor.mark.hex(), route, key],
            [request.full_path, *(() if by_key_alone else (request.media_type, request.body()))],
            deadline + UNDO_DEADLINE + MARGIN,
            named,
        )
        if isinstance(claim, Answer):
            journal.repeated = True
            return claim
        try:
            answer = make()
        except PageError as error:
            self._end(claim, problem_answer(error, journal.request_id))
            raise
        except BaseException:
            self._release(claim)
            raise
        self._end(claim, answer)
        return answer

    def _claim(self, who: list[str], what: list[str | bytes], seconds: float, named: str) -> Claim | Answer:
        try:
            found = self._store.claim(who, what, seconds)
        except StateUnavailable as exc:
            detail = "It is not known whether this was done before, so it was not done now."
            raise problem("state-unavailable", detail, headers={"Retry-After": "1"}, log=str(exc)) from exc
        if isinstance(found, Claim):
            return found
        if not found.is_same:
            raise problem("repeat-differs", f"This {named} came with another request before.")
        if found.answer is None:
            detail = f"The first request with this {named} has not ended yet."
            raise problem("repeat-running", detail, headers={"Retry-After": "1"})
        kept = found.answer
        length = ("Content-Length", str(len(kept.body)))
        return Answer(kept.status, [*kept.headers, (REPLAYED_HEADER, "true"), length], kept.body)

    def _end(self, claim: Claim, answer: Answer) -> None:
        """Keep an answer that stands; after any other, a repeat runs."""
        passing = answer.status >= 500 or answer.status in _PASSING
        if passing or value_of(answer.headers, "set-cookie") is not None or isinstance(answer.body, LiveBody):
            self._release(claim)
            return
        headers = tuple(pair for pair in answer.headers if pair[0].lower() not in _OWN_HEADERS)
        with suppress(StateUnavailable):  # it is logged; what was done is done, and the visitor is told so
            self._store.keep(claim, KeptAnswer(answer.status, headers, answer.body))

    def _release(self, claim: Claim) -> None:
        with suppress(StateUnavailable):  # it is logged; the claim ends by itself
            self._store.release(claim)
