"""What went wrong between here and a backend, as one word of a closed set."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Final

from bff.errors import Reason

_UNREACHABLE: Final = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
_CERTIFICATES: Final[Mapping[int, Reason]] = {  # X509_V_ERR_…
    2: "certificate-untrusted",
    9: "certificate-not-yet-valid",
    10: "certificate-expired",
    18: "certificate-untrusted",
    19: "certificate-untrusted",
    20: "certificate-untrusted",
    21: "certificate-untrusted",
    62: "certificate-name",
    64: "certificate-name",
}


class BadReplyError(Exception):
    """A reply that breaks the protocol or its bounds; the message tells which rule, never what was sent."""

    def __init__(self, rule: str, reason: Reason = "not-http") -> None:
        self.reason = reason
        super().__init__(rule)


class UnreadableFileError(OSError):
    """What a client's `verify` or `cert` names cannot be read."""


def reason_of(error: BaseException) -> Reason:
    """Why an exchange broke, where that was no time-out; empty for an error that says nothing of it."""
    match error:
        case BadReplyError():
            return error.reason
        case UnreadableFileError():
            return "verify-file"
        case socket.gaierror():
            return "look-up"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionError():  # reset, aborted, a broken pipe
            return "cut-short"
        case OSError() if error.errno in _UNREACHABLE:
            return "unreachable"
        case OSError():
            return _reason_of_tls(error)
    return ""


def _reason_of_tls(error: OSError) -> Reason:
    """Why TLS broke; empty for another error."""
    import ssl  # which plain HTTP does without, as long as nothing breaks

    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATES.get(error.verify_code, "certificate")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "cut-short"
        case ssl.SSLError():
            return "tls"
    return ""
