"""All of an app that needs no Flask: its site, and what its pages and every answer have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from bff.http import Transport, transport_of
from bff.plan.model import Plan
from bff.settings import Settings
from bff.web.admission import Admission
from bff.web.background import background_of
from bff.web.frame import Frame
from bff.web.identity import Identity
from bff.web.observing import calls_of, metrics_of, tracing_of
from bff.web.page import Common
from bff.web.problems import is_debugged
from bff.web.rates import Rates
from bff.web.recent_writes import RecentWritesCookie
from bff.web.repeats import Repeats
from bff.web.site import Site, check_certificates

if TYPE_CHECKING:
    from bff.web.metrics import Metrics


class Assembly(Struct, frozen=True):
    """A loaded site, and all that answers with its pages."""

    settings: Settings
    site: Site
    common: Common
    frame: Frame
    admission: Admission
    metrics: Metrics | None


def load_site(
    folder: Path, pages: Sequence[str] | None, environ: Mapping[str, str], transport: Transport | None
) -> Assembly:
    """The site of a project's folder; raises AuthorError or OperatorError with all that is wrong."""
    settings = Settings.from_environ(environ)
    identity, rates = Identity(settings, environ), Rates(settings)

    def require_for(plan: Plan) -> None:
        identity.require_for(plan)
        rates.require_for(plan)

    metrics, tracing = metrics_of(settings, environ), tracing_of(settings, environ)
    asked = transport or transport_of(settings.transport, settings.transport_threads)
    asked = asked if tracing is None else tracing.watch(asked)
    site = Site(folder, pages, settings, environ, require_for, asked, identity, debug=is_debugged())
    if transport is None:
        check_certificates(site, settings, environ)
    written = RecentWritesCookie(site)
    common = Common(
        *(settings, asked, identity, rates, written, Repeats.of(settings)),
        *(background_of(settings, environ), calls_of(metrics), tracing),
    )
    with_steps = settings.server_timing or is_debugged()
    frame = Frame(settings, identity, written, metrics, with_steps=with_steps)
    return Assembly(settings, site, common, frame, Admission(settings.max_pages), metrics)
