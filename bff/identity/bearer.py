"""Bearer JWTs, checked against a JWKS: signature, `alg` that fits the key, `iss`, `aud`, `exp`, `nbf`.

What a token says of its own keys (`jku`, `x5u`, `jwk`, `x5c`) is never looked at.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import jwt
import requests
import urllib3
from msgspec import Struct

from bff import clock, jsontext
from bff.errors import OperatorError
from bff.forks import renew_in_child

MAX_JWKS = 256 * 1024
_CHUNK = 16 * 1024
_FETCH_SECONDS = 3.0
_KEPT = 3600.0
_BETWEEN_FETCHES = 60.0
_ALGORITHMS: Mapping[Any, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}


class BadToken(Exception):
    """A Bearer token that is not accepted; the text says why in general words, never what it holds."""


class KeysUnavailable(Exception):
    """The keys to check a token with cannot be had now."""


class _Key(Struct, frozen=True):
    key: Any
    algorithms: tuple[str, ...]


class KeySet:
    """The keys of a JWKS: given inline, or fetched over https, kept for an hour.

    `verify` is a file or folder of those whose certificates are trusted, None for certifi's list.
    A token with an unknown `kid` fetches again, at most once a minute, so that made-up ones cost nothing.
    """

    def __init__(self, source: str, verify: str | None = None) -> None:
        self.begin_anew()
        renew_in_child(self)
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._keys: dict[str | None, _Key] = {}
        self._verify = verify or True
        self._url = None if source.lstrip().startswith("{") else source
        if self._url is None:
            self._keys = _read_keys(source.encode())
            if not self._keys:
                raise OperatorError("BFF_JWT_JWKS: holds no key for signatures that this app accepts")

    def begin_anew(self) -> None:
        """Has no fetch under way in a child of this process."""
        self._fetching = threading.Lock()

    def get(self, kid: str | None) -> _Key | None:
        """The key of that id; a token without `kid` gets the only key there is."""
        key = self._kept(kid)
        if self._url is None or (key is not None and clock.monotonic() - self._fetched <= _KEPT):
            return key
        # Who has a key goes on with it while another fetches; who has none waits for that one fetch.
        if self._fetching.acquire(blocking=key is None):
            try:
                self._refresh(kid)
            finally:
                self._fetching.release()
        if not self._keys:
            raise KeysUnavailable
        return self._kept(kid)

    def _kept(self, kid: str | None) -> _Key | None:
        keys = self._keys
        return next(iter(keys.values())) if kid is None and len(keys) == 1 else keys.get(kid)

    def _refresh(self, kid: str | None) -> None:
        now = clock.monotonic()
        needed = self._kept(kid) is None or now - self._fetched > _KEPT
        if needed and now - self._tried >= _BETWEEN_FETCHES:
            self._tried = now
            keys = self._fetch(now + _FETCH_SECONDS)
            if keys:
                self._keys, self._fetched = keys, now

    def _fetch(self, until: float) -> dict[str | None, _Key]:
        assert self._url is not None
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self._verify
            try:
                timeout = _FETCH_SECONDS
                with session.get(self._url, timeout=timeout, allow_redirects=False, stream=True) as reply:
                    raw = _read_until(reply.raw, until)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
                return {}
        return _read_keys(raw) if reply.status_code == 200 and len(raw) <= MAX_JWKS else {}


def _read_until(raw: Any, until: float) -> bytes:
    """At most MAX_JWKS bytes and one; raises TimeoutError where they drip."""
    parts = bytearray()
    while len(parts) <= MAX_JWKS:
        part = raw.read1(_CHUNK, decode_content=True)
        if not part:
            break
        parts += part
        if clock.monotonic() > until:
            raise TimeoutError
    return bytes(parts)


def _read_keys(raw: bytes) -> dict[str | None, _Key]:
    """The usable signature keys of a JWKS by `kid`; what cannot be read is left out."""
    try:
        found = jsontext.decode(raw)
    except ValueError:
        return {}
    keys: dict[str | None, _Key] = {}
    for entry in (found.get("keys") if isinstance(found, dict) else None) or ():
        key = _read_key(entry)
        if key is not None:
            keys[entry.get("kid")] = key
    return keys


def _read_key(entry: Any) -> _Key | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    if not all(isinstance(entry.get(name, ""), str) for name in ("kid", "kty", "crv")):
        return None
    kind = entry.get("kty")
    allowed = _ALGORITHMS.get(kind if kind == "RSA" else (kind, entry.get("crv")), ())
    if "alg" in entry:
        allowed = tuple(algorithm for algorithm in allowed if algorithm == entry["alg"])
    if not allowed:
        return None
    try:
        return _Key(jwt.PyJWK(entry, algorithm=allowed[0]).key, allowed)
    except jwt.PyJWTError:
        return None


class BearerCheck(Struct, frozen=True):
    """Checks tokens of one issuer for one audience; `leeway` is in seconds."""

    keys: KeySet
    issuer: str
    audience: str
    leeway: float

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a good token; raises BadToken, or KeysUnavailable when it cannot be checked."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as exc:
            raise BadToken("The Bearer token is no JWT.") from exc
        key = self.keys.get(header.get("kid"))
        if key is None or header.get("alg") not in key.algorithms:
            raise BadToken("The Bearer token is signed with a key that is not accepted here.")
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[header["alg"]],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.leeway,
                # `iat` only tells when: a token is not wrong because the issuer's clock is ahead of this one.
                options={"require": ["exp", "iss", "aud"], "verify_iat": False},
            )
        except jwt.ExpiredSignatureError as exc:
            raise BadToken("The Bearer token has expired.") from exc
        except jwt.PyJWTError as exc:
            raise BadToken("The Bearer token is not valid here.") from exc
        # Python's reader takes more than JSON has: NaN, endless numbers, half characters.
        found: dict[str, Any] = jsontext.decode(json.dumps(claims).encode())
        return found
