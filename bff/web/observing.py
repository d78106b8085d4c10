"""Who watches an app: metrics and tracing, each imported only where it is asked for."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from bff.errors import OperatorError
from bff.http import Calls
from bff.settings import Settings, installing

if TYPE_CHECKING:
    from bff.http.counted import Counting
    from bff.web.metrics import Metrics
    from bff.web.tracing import Tracing

counting: ContextVar[Counting | None] = ContextVar("counting", default=None)
"""Who counts the calls of the apps that are made from now on, in place of their metrics: `bff dev` does."""
_ASKS_FOR_TRACES = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)


def metrics_of(settings: Settings, environ: Mapping[str, str]) -> Metrics | None:
    """The metrics that `BFF_METRICS` asks for; raises OperatorError where workers cannot be counted together."""
    if not settings.metrics:
        return None
    folder = environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and not os.path.isdir(folder):  # each page would stumble over it
        raise OperatorError("PROMETHEUS_MULTIPROC_DIR: there is no such folder")
    from bff.web.metrics import Metrics

    return Metrics(environ)


def calls_of(metrics: Metrics | None) -> Callable[..., Calls]:
    """What makes the calls of a page, which are counted where there are metrics."""
    counts = counting.get() or metrics
    if counts is None:
        return Calls
    from bff.http.counted import CountedCalls

    return partial(CountedCalls, counts)


def tracing_of(settings: Settings, environ: Mapping[str, str]) -> Tracing | None:
    """The tracing that `BFF_TRACING` or the variables of OpenTelemetry ask for, where its API is installed."""
    asked = any(environ.get(name, "none") not in ("", "none") for name in _ASKS_FOR_TRACES)
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not (settings.tracing or asked):
        return None
    if importlib.util.find_spec("opentelemetry") is None:
        if settings.tracing:
            raise OperatorError(f"BFF_TRACING=1 needs OpenTelemetry: {installing('opentelemetry')}")
        return None
    from bff.web.tracing import Tracing

    return Tracing(trusted=settings.trusted_proxies > 0)
