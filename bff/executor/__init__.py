"""The executor: runs the plan of a page over HTTP calls and gives results. Knows no web framework."""

from bff.executor.draft import draft_scope
from bff.executor.idempotency import KeySource, once
from bff.executor.results import Results, StepTrace, Terms
from bff.executor.run import PageRun
from bff.executor.undo import DEADLINE as UNDO_DEADLINE
from bff.executor.writes import Writes

__all__ = [
    "UNDO_DEADLINE",
    "KeySource",
    "PageRun",
    "Results",
    "StepTrace",
    "Terms",
    "Writes",
    "draft_scope",
    "once",
]
