"""What an exception below means for a request; the only place that knows."""

from __future__ import annotations

import logging
import traceback

from bff.errors import Reason
from bff.http.faults import BadReplyError, reason_of
from bff.http.messages import Broken

operator = logging.getLogger("bff.http")


def broken_by(error: Exception, client: str, *, sent: bool, late: Reason, cut: Reason) -> Broken:
    """Why there is no reply; `late` is the reason where time was up, `cut` where the connection ended."""
    if isinstance(error, TimeoutError):
        return Broken("timeout", sent=sent, reason=late)
    reason = reason_of(error)
    if reason == "cut-short":
        reason = cut
    elif not isinstance(error, OSError | BadReplyError):
        reason = "internal"
        name, frame = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
        operator.error("client %s: %s at %s:%s", client, name, frame.filename, frame.lineno)
    return Broken("refused", sent=sent, reason=reason)
