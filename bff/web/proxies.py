"""What trusted proxies say of a request: whose it is, and by which scheme and host it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_KEPT = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


class Proxies:
    """Believes so many proxies in front of an app, as werkzeug's ProxyFix does of X-Forwarded-For, -Proto and -Host."""

    def __init__(self, hops: int) -> None:
        self._hops = hops

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """The app behind the proxies."""

        def behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.believe(environ)
            return app(environ, start_response)

        return behind

    def believe(self, environ: WSGIEnvironment) -> None:
        """Put what the proxies say in the place of what the server has seen."""
        environ["werkzeug.proxy_fix.orig"] = {name: environ.get(name) for name in _KEPT}
        if address := self._said(environ.get("HTTP_X_FORWARDED_FOR")):
            environ["REMOTE_ADDR"] = address
        if scheme := self._said(environ.get("HTTP_X_FORWARDED_PROTO")):
            environ["wsgi.url_scheme"] = scheme
        if host := self._said(environ.get("HTTP_X_FORWARDED_HOST")):
            environ["HTTP_HOST"] = environ["SERVER_NAME"] = host
            if ":" in host and not host.endswith("]"):  # which ends an IPv6 address without port
                environ["SERVER_NAME"], environ["SERVER_PORT"] = host.rsplit(":", 1)

    def _said(self, listed: str | None) -> str | None:
        """What the farthest proxy that is believed says."""
        if not listed:
            return None
        if '"' in listed:
            from werkzeug.http import parse_list_header  # nobody quotes an address

            values = parse_list_header(listed)
        else:
            values = [value for part in listed.split(",") if (value := part.strip(" \t"))]
        return values[-self._hops] if len(values) >= self._hops else None
