"""A folder for any WSGI server: `wsgi:app`."""

from __future__ import annotations

from bff.deploy.bundle import Bundle

STARTED_BY = "wsgi.py"
_APP = b'''"""The app of the pages beside it, for any WSGI server: `wsgi:app`. Written by `python -m bff build`."""

import gc
import sys

gc.disable()  # while modules are imported there is nothing to collect, and more and more to look at

from bff import create_app
from bff.errors import BffError

try:
    app = create_app()
except BffError as error:
    sys.exit(f"The app cannot start: {error}")
gc.freeze()
gc.enable()
'''


def files(bundle: Bundle) -> dict[str, bytes]:
    """The bundle's files and the module that servers start: of a whole project its own, which may add views."""
    return {STARTED_BY: _APP} | dict(bundle.files)
