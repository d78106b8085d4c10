"""The app that `flask run`, every WSGI server and every function host starts."""

import sys

from bff import create_app
from bff.errors import BffError

try:
    app = create_app()
except BffError as error:
    # For whoever starts it the message is all that matters; where it was raised is not.
    sys.exit(f"The app cannot start: {error}")
