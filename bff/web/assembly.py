"""All of an app that needs no Flask: its site, what its pages and every answer have in common, and what is in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bff.errors import OperatorError
from bff.expressions.rooms import PATTERNED
from bff.http import Transport, transport_of
from bff.plan.model import Plan
from bff.settings import Settings, installing
from bff.web.admission import Admission
from bff.web.background import background_of
from bff.web.door import Door, Watch
from bff.web.files import Files
from bff.web.frame import Frame
from bff.web.hosts import serves
from bff.web.identity import Identity
from bff.web.journal import operator, write_to_stdout
from bff.web.observing import calls_of, metrics_of, tracing_of
from bff.web.page import Answerers, Common
from bff.web.problems import is_debugged
from bff.web.proxies import Proxies
from bff.web.rates import Rates
from bff.web.recent_writes import RecentWritesCookie
from bff.web.repeats import Repeats
from bff.web.site import Site, check_certificates, settings_of
from bff.web.stopping import on_stop

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from bff.web.metrics import Metrics


class Assembly(Struct, frozen=True):
    """A loaded site, and all that answers with its pages and files."""

    settings: Settings
    site: Site
    answerers: Answerers
    files: Files
    frame: Frame
    admission: Admission
    metrics: Metrics | None

    def in_front_of(self, dispatch: WSGIApplication, watch: Watch | None) -> WSGIApplication:
        """A dispatch with what stands before it: what trusted proxies say, the count of pages, and the door.

        Without a watch there is no door.
        """
        settings, found = self.settings, dispatch
        if watch is not None:
            is_served = serves(settings.hosts) if settings.hosts else None
            bound = settings.max_request_body
            found = Door(watch, self.files, self.frame, self.admission, is_served, bound).around(found)
        if settings.max_pages:
            found = self.admission.around(found)
        return Proxies(settings.trusted_proxies).around(found) if settings.trusted_proxies else found


def _require_patterns(plan: Plan) -> None:
    """Raises OperatorError where a page has patterns, and nothing here reads them."""
    if plan.functions & PATTERNED and find_spec("re2") is None:
        raise OperatorError(f"{plan.recipe.file} needs the package re2: {installing('re2')}")


def load_site(
    folder: Path, pages: Sequence[str] | None, environ: Mapping[str, str], transport: Transport | None
) -> Assembly:
    """The site of a project's folder, which hears of a stop from now on.

    Raises AuthorError or OperatorError with all that is wrong.
    """
    write_to_stdout()
    settings = Settings.from_environ(environ, settings_of(folder))
    identity, rates = Identity(settings, environ), Rates(settings)

    def require_for(plan: Plan) -> None:
        identity.require_for(plan)
        rates.require_for(plan)
        _require_patterns(plan)
        if plan.recipe.signed is not None:
            from bff.web import signed  # few pages are for who signs

            signed.require_for(plan, settings, environ)

    metrics, tracing = metrics_of(settings, environ), tracing_of(settings, environ)
    asked = transport or transport_of(settings.transport, settings.transport_threads)
    asked = asked if tracing is None else tracing.watch(asked)
    site = Site(folder, pages, settings, environ, require_for, asked, identity, debug=is_debugged())
    if transport is None:
        check_certificates(site, settings, environ)
    written = RecentWritesCookie(site)
    common = Common(
        *(settings, asked, identity, rates, written, Repeats.of(settings)),
        *(background_of(settings, environ), calls_of(metrics), environ, tracing),
    )
    with_steps = settings.server_timing or is_debugged()
    frame = Frame(settings, identity, written, metrics, with_steps=with_steps)
    on_stop(site.stop)
    operator.info("bff: %d pages from %s; %s", len(site.pages), folder, settings.describe())
    files, admission = Files(folder / "public"), Admission(settings.max_pages)
    return Assembly(settings, site, Answerers(common), files, frame, admission, metrics)
