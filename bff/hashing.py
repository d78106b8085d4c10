"""BLAKE2 without OpenSSL: `hashlib` loads that as it is imported, which takes 2 ms of each process's start."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ModuleNotFoundError:  # a Python that leaves all of it to OpenSSL
    from hashlib import blake2b

__all__ = ["blake2b"]
