"""Bearer tokens: only what the JWKS signed, for us, now."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bff.errors import OperatorError
from bff.identity import bearer
from bff.identity.bearer import BadToken, BearerCheck, KeySet, KeysUnavailable
from tests.clock import Clock

URL = "https://login.test/jwks"
RSA_KEY = rsa.generate_private_key(65537, 2048)
FOREIGN = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str | None, **more: object) -> dict[str, Any]:
    algorithm = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    maker = next(found for kind, found in algorithm.items() if isinstance(key, kind))
    entry: dict[str, Any] = json.loads(maker.to_jwk(key.public_key()))
    return entry | ({} if kid is None else {"kid": kid}) | more


JWKS = json.dumps({"keys": [jwk(RSA_KEY, "r"), jwk(EC_KEY, "e"), jwk(ED_KEY, "d")]})
GOOD: Mapping[str, Any] = {"iss": "https://login.test", "aud": "todos", "sub": "u7"}


def token(
    key: Any = RSA_KEY, alg: str = "RS256", kid: str | None = "r", headers: Any = None, **claims: Any
) -> str:
    body = {**GOOD, "exp": time.time() + 60, **claims}
    found = {name: value for name, value in body.items() if value is not ...}
    return jwt.encode(
        found, key, algorithm=alg, headers={**({} if kid is None else {"kid": kid}), **(headers or {})}
    )


def check(source: str = JWKS, leeway: float = 0.0) -> BearerCheck:
    return BearerCheck(KeySet(source), "https://login.test", "todos", leeway)


@pytest.mark.parametrize(
    ("key", "alg", "kid"),
    [(RSA_KEY, "RS256", "r"), (RSA_KEY, "PS512", "r"), (EC_KEY, "ES256", "e"), (ED_KEY, "EdDSA", "d")],
)
def test_a_good_token_gives_its_claims(key: Any, alg: str, kid: str) -> None:
    assert check().claims(token(key, alg, kid))["sub"] == "u7"


def hs256_with_public_key() -> str:
    """The classic confusion: the public key as the secret of an HMAC."""
    pem = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    import hashlib
    import hmac

    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "kid": "r"}) + b"." + part({**GOOD, "exp": time.time() + 60})
    digest = hmac.new(pem, signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


NOT_VALID = "The Bearer token is not valid here."
NOT_OUR_KEY = "The Bearer token is signed with a key that is not accepted here."


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: token(exp=time.time() - 1), "The Bearer token has expired."),
        (lambda: token(nbf=time.time() + 60), NOT_VALID),
        (lambda: token(aud="others"), NOT_VALID),
        (lambda: token(iss="https://other.test"), NOT_VALID),
        (lambda: token(exp=...), NOT_VALID),
        (lambda: token(aud=...), NOT_VALID),
        (lambda: token(iss=...), NOT_VALID),
        (lambda: token(FOREIGN), NOT_VALID),
        (lambda: token(kid="unknown"), NOT_OUR_KEY),
        (lambda: token(kid=None), NOT_OUR_KEY),
        (lambda: token(EC_KEY, "ES256", "r"), NOT_OUR_KEY),
        (lambda: token(RSA_KEY, "RS256", "e"), NOT_OUR_KEY),
        (lambda: jwt.encode({**GOOD, "exp": time.time() + 60}, None, algorithm="none"), NOT_OUR_KEY),
        (hs256_with_public_key, NOT_OUR_KEY),
        (lambda: token(FOREIGN, headers={"jwk": jwk(FOREIGN, "x")}), NOT_VALID),
        (lambda: token(FOREIGN, kid="x", headers={"jku": "https://evil.test/jwks"}), NOT_OUR_KEY),
        (lambda: token(FOREIGN, kid="x", headers={"x5u": "https://evil.test/cert"}), NOT_OUR_KEY),
        (lambda: "", "The Bearer token is no JWT."),
        (lambda: "a.b.c", "The Bearer token is no JWT."),
        (lambda: token() + "x", "The Bearer token is no JWT."),
    ],
)
def test_a_bad_token_is_refused_in_general_words(made: Any, why: str) -> None:
    with pytest.raises(BadToken) as raised:
        check().claims(made())
    assert str(raised.value) == why


def test_clocks_may_differ_by_the_leeway() -> None:
    assert check(leeway=30).claims(token(exp=time.time() - 5))["sub"] == "u7"
    assert check(leeway=30).claims(token(nbf=time.time() + 5))["sub"] == "u7"


def test_a_token_of_an_issuer_whose_clock_is_ahead_is_good() -> None:
    assert check().claims(token(iat=time.time() + 3600))["sub"] == "u7"


def test_a_key_with_an_algorithm_takes_no_other() -> None:
    only = check(json.dumps({"keys": [jwk(RSA_KEY, "r", alg="RS512")]}))
    assert only.claims(token(alg="RS512"))["sub"] == "u7"
    with pytest.raises(BadToken):
        only.claims(token(alg="RS256"))


def test_keys_that_are_not_for_signatures_are_not_used() -> None:
    with pytest.raises(OperatorError) as raised:
        KeySet(
            json.dumps({"keys": [jwk(RSA_KEY, "r", use="enc"), {"kty": "oct", "k": "c2VjcmV0", "kid": "o"}]})
        )
    assert str(raised.value) == "BFF_JWT_JWKS: holds no key for signatures that this app accepts"


@responses.activate
def test_keys_are_fetched_once_for_many_tokens() -> None:
    responses.get(URL, body=JWKS)
    found = check(URL)
    for _ in range(5):
        found.claims(token())
    assert len(responses.calls) == 1


@responses.activate
def test_unknown_keys_fetch_again_at_most_once_a_minute(clock: Clock) -> None:
    responses.get(URL, body=JWKS)
    found = check(URL)
    found.claims(token())
    for _ in range(10):
        with pytest.raises(BadToken):
            found.claims(token(kid="made-up"))
    assert len(responses.calls) == 1  # the first fetch was less than a minute ago
    clock.go_on(61)
    for _ in range(10):
        with pytest.raises(BadToken):
            found.claims(token(kid="made-up"))
    assert len(responses.calls) == 2


@responses.activate
def test_old_keys_stay_when_new_ones_cannot_be_had(clock: Clock) -> None:
    responses.get(URL, body=JWKS)
    responses.get(URL, status=500)
    found = check(URL)
    found.claims(token())
    clock.go_on(4000)
    assert found.claims(token())["sub"] == "u7"
    assert len(responses.calls) == 2


@responses.activate
@pytest.mark.parametrize(
    "answer",
    [{"status": 500}, {"body": "<html>"}, {"body": "{}"}, {"status": 302, "headers": {"Location": "/x"}}],
)
def test_without_keys_a_token_cannot_be_checked(answer: dict[str, Any]) -> None:
    responses.get(URL, **answer)
    found = check(URL)
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            found.claims(token())
    assert len(responses.calls) == 1


def test_who_has_a_known_key_does_not_wait_for_a_fetch() -> None:
    fetching, go_on = threading.Event(), threading.Event()

    def slow(_: Any) -> tuple[int, dict[str, str], str]:
        if fetched:
            fetching.set()
            assert go_on.wait(20)
        fetched.append(1)
        return 200, {}, JWKS

    fetched: list[int] = []
    with responses.RequestsMock() as backend:
        backend.add_callback("GET", URL, slow)
        keys = KeySet(URL)
        assert keys.get("r")
        keys._tried = float("-inf")  # as a minute later
        stranger = threading.Thread(target=keys.get, args=("made-up",))
        stranger.start()
        assert fetching.wait(20)
        assert keys.get("e")
        go_on.set()
        stranger.join()
    assert len(fetched) == 2


def test_keys_that_drip_in_are_not_waited_for() -> None:
    class Drip:
        def read1(self, _: int, *, decode_content: bool) -> bytes:
            assert decode_content
            return b" "

    with pytest.raises(TimeoutError):
        bearer._read_until(Drip(), time.monotonic() - 1)


@pytest.mark.parametrize("wrong", [{"kid": ["r"]}, {"kty": ["RSA"]}, {"crv": {}}])
def test_an_entry_of_another_form_is_left_out(wrong: dict[str, Any]) -> None:
    jwks = json.dumps({"keys": [jwk(RSA_KEY, "x") | wrong, jwk(RSA_KEY, "r")]})
    assert check(jwks).claims(token())["sub"] == "u7"


def test_claims_are_plain_json() -> None:
    claims = check().claims(token(large=2**80, half="\ud800", none=float("nan")))
    assert (claims["large"], claims["half"], claims["none"]) == (2**80, "\ufffd", None)
