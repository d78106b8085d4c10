"""Whose certificates are trusted, as the environment says it: the same for sockets, requests and the keys of tokens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Name a file of authorities or a folder of them, in the place of certifi's list; the first that is set counts."""
NOT_THERE: Final = "there is no such file or folder"


def naming_variable(environ: Mapping[str, str]) -> str | None:
    """The variable that says whose certificates are trusted, None where none does."""
    return next((name for name in VARIABLES if environ.get(name)), None)


def authorities(environ: Mapping[str, str]) -> str | None:
    """The file or folder of those who are trusted; None for certifi's list."""
    name = naming_variable(environ)
    return None if name is None else environ[name]


def problem_of_authorities(environ: Mapping[str, str]) -> str | None:
    """What is wrong with what the environment names, None if nothing is."""
    name = naming_variable(environ)
    return None if name is None or os.path.exists(environ[name]) else f"{name}: {NOT_THERE}"
