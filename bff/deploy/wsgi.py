"""A folder for any WSGI server: `wsgi:app`."""

from __future__ import annotations

from bff.deploy.bundle import Need
from bff.deploy.target import Function, Target

STARTED_BY = "wsgi.py"
_APP = b'''"""The app of the pages beside it, for any WSGI server: `wsgi:app`. Written by `python -m bff build`."""

import gc
import os
import sys

gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at

from bff.errors import BffError
from bff.web.alone import open_door

try:
    app = open_door(os.path.dirname(os.path.abspath(__file__)))
except BffError as error:
    sys.exit(f"The app cannot start: {error}")
gc.freeze()
gc.enable()
'''


def entry(function: Function) -> dict[str, bytes]:
    """The module that servers start; a whole project has its own, which may add views."""
    return {} if STARTED_BY in function.bundle.own else {STARTED_BY: _APP}


TARGET = Target(
    name="wsgi",
    about="any WSGI server, with the dependencies that it installs",
    starts="wsgi",
    entry=entry,
    need=Need(serves=True, vendored=False),
    alone=True,
)
