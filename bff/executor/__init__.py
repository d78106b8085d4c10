"""The executor: runs the plan of a page over HTTP calls and gives results. Knows no web framework."""

from bff.executor.results import Results, StepTrace, Terms, Writes
from bff.executor.run import PageRun

__all__ = ["PageRun", "Results", "StepTrace", "Terms", "Writes"]
