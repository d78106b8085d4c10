"""Who a request comes from: the session cookie or a Bearer token, and whether it may act for them.

Sets and clears the cookie as a recipe's `session` says.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from bff import clock
from bff.certificates import authorities
from bff.errors import OperatorError, PageError
from bff.expressions.rooms import SEALING
from bff.hashing import blake2b
from bff.identity import ANYBODY, Session, SessionSeal, SessionTooLarge, Visitor
from bff.identity.origin import SAFE_METHODS, passes
from bff.identity.recent_writes import RecentWritesSeal
from bff.identity.session import MAX_COOKIE, NotYet, expiry_of
from bff.plan.model import Plan, PlannedSession
from bff.problems import problem
from bff.recipe.model import Auth
from bff.settings import Settings
from bff.web.cookies import Cookie
from bff.web.headers import Headers, put, take_out
from bff.web.request import PageRequest

if TYPE_CHECKING:
    from bff.identity.bearer import BearerCheck
    from bff.identity.seals import Seals

COOKIE = Cookie("__Host-bff", "bff-session")
_TOKEN = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_log = logging.getLogger("bff")


class Identity:
    """Tells who asks; made once at start. `written` seals what visitors wrote, where there are keys to do it."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._keys = settings.session_keys
        self._development = environ.get("FLASK_RUN_FROM_CLI") == "true"
        self._seal = (
            SessionSeal(settings.session_keys, settings.session_ttl) if settings.session_keys else None
        )
        self._bearer = _bearer_check(settings, environ)
        self.written = RecentWritesSeal(settings.session_keys) if settings.session_keys else None

    def require_for(self, plan: Plan) -> None:
        """Raises OperatorError where a page needs what the settings lack; the development server makes itself a key."""
        recipe = plan.recipe
        needs_keys = recipe.session is not None or bool(plan.functions & SEALING)
        if self._seal is not None or (recipe.auth == "none" and not needs_keys):
            return
        if self._bearer is not None and not needs_keys:
            return
        if not self._development:
            raise OperatorError(
                f"BFF_SESSION_KEYS is not set, and {recipe.file} needs it; make a key with: python -c "
                '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            )
        from cryptography.fernet import Fernet

        _log.warning("bff: BFF_SESSION_KEYS is not set; sessions last as long as this development server")
        self._keys = keys = (Fernet.generate_key().decode(),)
        self._seal = SessionSeal(keys, self._settings.session_ttl)
        self.written = RecentWritesSeal(keys)

    def asker_of(self, plan: Plan) -> Callable[[PageRequest], Visitor] | None:
        """What tells who asks for a page, as its `auth` wants to know; None where that is anybody.

        It raises PageError 401, or 403 for a request that comes from another site.
        """
        auth, signs_in = plan.recipe.auth, plan.recipe.session is not None
        if plan.recipe.method not in SAFE_METHODS:
            return partial(self._of_writing, auth=auth, signs_in=signs_in)
        return None if auth == "none" else partial(self._of_reading, auth)

    def seals_of(self, plan: Plan) -> Seals | None:
        """What seals for a page; None where it does not seal."""
        if not plan.functions & SEALING:
            return None
        from bff.identity.seals import Seals  # few pages seal

        return Seals(self._keys, plan.recipe.name)

    def of(self, request: PageRequest, auth: Auth) -> Visitor:
        """Who asks; raises PageError 401, or 403 from another site."""
        if request.method not in SAFE_METHODS:
            return self._of_writing(request, auth=auth, signs_in=False)
        return self._of_reading(auth, request)

    def _of_writing(self, request: PageRequest, *, auth: Auth, signs_in: bool) -> Visitor:
        self._refuse_other_sites(request, signs_in=signs_in)
        return ANYBODY if auth == "none" else self._of_reading(auth, request)

    def _of_reading(self, auth: Auth, request: PageRequest) -> Visitor:
        environ = request.environ
        found = self._of_bearer(request) if "HTTP_AUTHORIZATION" in environ else None
        if found is None and (sent := environ.get("HTTP_COOKIE")):
            is_plain = environ["wsgi.url_scheme"] not in ("https", "wss")
            value = COOKIE.in_plain[sent] if is_plain else COOKIE.in_secure[sent]
            if value is not None and self._seal is not None:
                try:
                    found = self._seal.visitor_of(value, clock.wall())
                    request.has_stale_cookie = found is None
                except NotYet:  # it stays: where the clock is right it is good
                    pass
        if found is None and auth == "required":
            raise problem(
                "unauthorized",
                "Sign in to see this page.",
                headers={"WWW-Authenticate": "Bearer"} if self._bearer is not None else {},
            )
        return found or ANYBODY

    def _refuse_other_sites(self, request: PageRequest, *, signs_in: bool) -> None:
        environ = request.environ
        if not passes(
            method=request.method,
            signs_in=signs_in,
            has_cookie=COOKIE.value(request) is not None,
            has_bearer=_bearer_token(request) is not None,
            fetch_site=environ.get("HTTP_SEC_FETCH_SITE"),
            origin=environ.get("HTTP_ORIGIN"),
            own=f"{request.scheme}://{request.host}",
            allowed=self._settings.origins,
        ):
            raise problem("other-site", "This request comes from another site.")

    def _of_bearer(self, request: PageRequest) -> Visitor | None:
        token = _bearer_token(request)
        if token is None:
            return None
        if self._bearer is None:
            raise problem("unauthorized", "Bearer tokens are not taken here.")
        from bff.identity.bearer import BadToken, KeysUnavailable

        try:
            claims = self._bearer.claims(token)
        except BadToken as exc:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise problem("unauthorized", str(exc), headers=challenge) from exc
        except KeysUnavailable as exc:
            raise problem("backend-unavailable", "Bearer tokens cannot be checked now.") from exc
        return Visitor(claims, bearer=token, mark=_mark_of(self._seal, claims))

    # --- the cookie ----------------------------------------------------------------------------------------------

    def sign_in(
        self, headers: Headers, request: PageRequest, planned: PlannedSession, found: Mapping[str, Any]
    ) -> None:
        """Set the cookie that a recipe's computed session asks for; raises PageError where it cannot be one."""
        assert self._seal is not None, "require_for has seen to it"
        where = f"{planned.place}: session"
        tokens = {name: token for name, token in (found["tokens"] or {}).items() if token is not None}
        now = clock.wall()
        if not all(isinstance(token, str) and _TOKEN.fullmatch(token) for token in tokens.values()):
            raise _internal(f"{where}: a token is no text that a header can carry")
        # What a recipe says and is null must not become the longest time there is.
        said = planned.expires is None or found["expires"] is not None
        expires = expiry_of(found["expires"], tokens, now, self._settings.session_ttl) if said else None
        if expires is None or expires <= now:
            raise _internal(f"{where}: 'expires' is no time to come (seconds since 1970, or ISO 8601)")
        try:
            value = self._seal.seal(Session(found["user"], tokens, expires), now)
            _set_cookie(headers, request, value, int(min(expires - now, self._settings.session_ttl)))
        except SessionTooLarge as exc:
            raise _internal(f"{where}: {exc}") from exc

    def sign_out(self, headers: Headers, request: PageRequest) -> None:
        """Take the cookie away."""
        _set_cookie(headers, request, "", 0)


def _bearer_check(settings: Settings, environ: Mapping[str, str]) -> BearerCheck | None:
    if not settings.jwt_jwks:
        return None
    from bff.identity.bearer import BearerCheck, KeySet  # only where Bearer tokens are taken

    return BearerCheck(
        KeySet(settings.jwt_jwks, authorities(environ)),
        settings.jwt_issuer,
        settings.jwt_audience,
        settings.jwt_leeway,
    )


def _mark_of(seal: SessionSeal | None, claims: Mapping[str, Any]) -> bytes:
    # Without a subject nothing but the whole token tells one visitor from the other.
    who = [claims.get("iss"), claims["sub"]] if claims.get("sub") else [dict(claims)]
    if seal is not None:
        return seal.mark(who)
    return blake2b(repr(who).encode(), digest_size=16).digest()


def has_only_bearer(request: PageRequest) -> bool:
    """Whether a request says who it is from with a Bearer token alone: no browser, which would keep a cookie."""
    return _bearer_token(request) is not None and COOKIE.value(request) is None


def _bearer_token(request: PageRequest) -> str | None:
    kind, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _set_cookie(headers: Headers, request: PageRequest, value: str, max_age: int) -> None:
    cookie = COOKIE.header(request, value, max_age)
    if len(cookie) > MAX_COOKIE:
        raise SessionTooLarge(
            f"the cookie would take {len(cookie)} bytes, browsers keep {MAX_COOKIE}: put less into it"
        )
    headers.append(("Set-Cookie", cookie))
    put(headers, "Cache-Control", "no-store")
    take_out(headers, "etag")


def _internal(log: str) -> PageError:
    return problem("internal", "This page could not be made.", log=log)
