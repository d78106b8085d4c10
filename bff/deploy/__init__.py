"""Where built pages go: one module for each kind of host, and its line in `TARGETS`.

A target is a function of a bundle that gives all files of the folder, by path; only the command writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bff.deploy import wsgi
from bff.deploy.bundle import Bundle, bundle_of

__all__ = ["TARGETS", "Bundle", "Target", "bundle_of"]

Target: TypeAlias = Callable[[Bundle], dict[str, bytes]]

TARGETS: Mapping[str, Target] = {
    "wsgi": wsgi.files,
}
