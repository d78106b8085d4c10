"""What a certificate must be: the same that requests asks of it."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import requests  # noqa: F401  whole before any part, as everywhere: threads that load both ways would meet halves
from requests.adapters import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context


@lru_cache(64)
def context_for(verify: bool | str) -> ssl.SSLContext:
    """The rules for a client's `verify`: True for certifi's authorities, a file or folder of others, False for none.

    Raises OSError where there is no such file.
    """
    if verify is False:
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
        context.check_hostname = False
    else:
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
        authorities = DEFAULT_CA_BUNDLE_PATH if verify is True else verify
        if os.path.isdir(authorities):
            context.load_verify_locations(capath=authorities)
        else:
            context.load_verify_locations(cafile=authorities)
        context.check_hostname = True
    context.options &= ~ssl.OP_NO_TICKET  # below TLS 1.3 most servers know nobody again without one
    context.set_alpn_protocols(["http/1.1"])
    return context
