"""Signs what a test sends, as the sender of a page with `signed` does."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Literal

from bff import clock
from bff.recipe.model import Signed
from bff.web.signatures import (
    GITHUB,
    SLACK,
    SLACK_TIME,
    STANDARD,
    STANDARD_ID,
    STANDARD_TIME,
    STRIPE,
    key_of,
    mac,
)

MESSAGE = "msg_1"


def sign(
    scheme: Literal["github", "stripe", "slack", "standard", "hmac"],
    secret: str,
    body: bytes,
    *,
    at: float | None = None,
    message: str = MESSAGE,
    header: str = "",
    prefix: str = "",
    encoding: Literal["hex", "base64"] = "hex",
) -> Mapping[str, str]:
    """The headers with which a test sends a body to a page with `signed`; the names are those of a recipe.

    `at` is the time that is signed (seconds since 1970), now unless it is said; `message` the id of Standard Webhooks.
    """
    return signed_headers(Signed(scheme, (), header, prefix, encoding), secret, body, at=at, message=message)


def with_signature(
    signed: Signed, secret: str, body: bytes, headers: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The headers of a request with those of its sender, who signs the id that it has."""
    message = next((text for name, text in headers if name.lower() == STANDARD_ID), MESSAGE)
    made = signed_headers(signed, secret, body, message=message)
    own = {name.lower() for name in made}
    return [*(pair for pair in headers if pair[0].lower() not in own), *made.items()]


def signed_headers(
    signed: Signed, secret: str, body: bytes, *, at: float | None = None, message: str = MESSAGE
) -> Mapping[str, str]:
    """The headers with which the sender of a recipe sends a body."""
    key, time = key_of(signed, secret), str(int(clock.wall() if at is None else at))

    def of(before: str) -> bytes:
        return mac(key, before.encode(), body)

    match signed.scheme:
        case "github":
            return {GITHUB: f"sha256={of('').hex()}"}
        case "stripe":
            return {STRIPE: f"t={time},v1={of(f'{time}.').hex()}"}
        case "slack":
            return {SLACK_TIME: time, SLACK: f"v0={of(f'v0:{time}:').hex()}"}
        case "standard":
            signature = b64encode(of(f"{message}.{time}.")).decode()
            return {STANDARD_ID: message, STANDARD_TIME: time, STANDARD: f"v1,{signature}"}
    made = of("")
    return {
        signed.header: signed.prefix + (made.hex() if signed.encoding == "hex" else b64encode(made).decode())
    }
