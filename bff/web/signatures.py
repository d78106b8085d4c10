"""How senders sign what they send: an HMAC-SHA256 over the body as it came, each in a header of its own.

GitHub: the body. Stripe: the time, a dot, the body. Slack: `v0:`, the time, a colon, the body. Standard Webhooks: an
id, the time and the body, with dots between. Every other sender: the body, written as the recipe says.
"""

from __future__ import annotations

import binascii
import hmac
from collections.abc import Callable, Iterator
from itertools import islice

from msgspec import Struct

from bff.recipe.model import Signed

TOLERANCE = 300.0
"""Seconds that the time of a signature may be away from ours, to either side."""
GITHUB = "X-Hub-Signature-256"
STRIPE = "Stripe-Signature"
SLACK, SLACK_TIME = "X-Slack-Signature", "X-Slack-Request-Timestamp"
STANDARD, STANDARD_ID, STANDARD_TIME = "webhook-signature", "webhook-id", "webhook-timestamp"
STANDARD_SECRET = "whsec_"
DIGEST = "sha256"

_MOST_SIGNATURES = 16
_LONGEST_TIME = 12

Header = Callable[[str], str]
"""Gives a header by its name, '' for one that is not there."""


class Claim(Struct, frozen=True):
    """What a request says of its signature: what is signed `before` its body, and the signatures that it brings.

    `sent` is the time that is signed too (seconds since 1970), None where the sender signs none.
    """

    signatures: tuple[bytes, ...]
    before: bytes = b""
    sent: int | None = None


class SignatureCheck(Struct, frozen=True):
    """Checks requests by the keys that their sender may have signed with; it shows nobody these."""

    claim: Callable[[Header], Claim | None]
    keys: tuple[bytes, ...]

    __repr__ = object.__repr__

    def refuses_head(self, found: Claim | None, now: float) -> str:
        """Why a request is refused whatever its body is, for the operator; '' where it is not."""
        if found is None:
            return "the headers of a signature are missing or of another form"
        if found.sent is not None and abs(now - found.sent) > TOLERANCE:
            return f"its signature is older than {TOLERANCE:.0f} s, or the clocks differ"
        return ""

    def refuses(self, found: Claim, body: bytes) -> str:
        """Why a body is refused, for the operator; '' where it is signed. How long it takes tells nothing of a key."""
        made = [mac(key, found.before, body) for key in self.keys]
        same = [hmac.compare_digest(one, given) for one in made for given in found.signatures]
        return "" if any(same) else "none of the secrets makes its signature"


def check_of(signed: Signed, keys: tuple[bytes, ...]) -> SignatureCheck:
    """What checks the signatures of a recipe's sender by these keys."""
    if signed.scheme == "hmac":
        return SignatureCheck(
            lambda header: _plain(header(signed.header), signed.prefix, signed.encoding), keys
        )
    return SignatureCheck(_CLAIMS[signed.scheme], keys)


def mac(key: bytes, before: bytes, body: bytes) -> bytes:
    """The signature of a body."""
    made = hmac.new(key, before, DIGEST)
    made.update(body)
    return made.digest()


def key_of(signed: Signed, secret: str) -> bytes:
    """The key of a secret; raises ValueError for one that cannot be its sender's."""
    if signed.scheme != "standard":
        return secret.encode()
    key = binascii.a2b_base64(secret.removeprefix(STANDARD_SECRET), strict_mode=True)
    if not key:
        raise ValueError
    return key


# --- what each sender's headers say; None for what is none -------------------------------------------------------


def _plain(text: str, prefix: str, encoding: str) -> Claim | None:
    if not text.startswith(prefix):
        return None
    found = _of_hex(text[len(prefix) :]) if encoding == "hex" else _of_base64(text[len(prefix) :])
    return Claim((found,)) if found else None


def _github(header: Header) -> Claim | None:
    return _plain(header(GITHUB), "sha256=", "hex")


def _stripe(header: Header) -> Claim | None:
    pairs = [part.strip().partition("=")[::2] for part in header(STRIPE).split(",")]
    time = next((value for name, value in pairs if name == "t"), "")
    signatures = _read(_of_hex, (value for name, value in pairs if name == "v1"))
    return _timed(signatures, time, f"{time}.")


def _slack(header: Header) -> Claim | None:
    found, time = _plain(header(SLACK), "v0=", "hex"), header(SLACK_TIME)
    return None if found is None else _timed(found.signatures, time, f"v0:{time}:")


def _standard(header: Header) -> Claim | None:
    name, time = header(STANDARD_ID), header(STANDARD_TIME)
    pairs = [part.partition(",")[::2] for part in header(STANDARD).split(" ")]
    signatures = _read(_of_base64, (value for version, value in pairs if version == "v1"))
    return _timed(signatures, time, f"{name}.{time}.") if name else None


_CLAIMS: dict[str, Callable[[Header], Claim | None]] = {
    "github": _github,
    "stripe": _stripe,
    "slack": _slack,
    "standard": _standard,
}


def _timed(signatures: tuple[bytes, ...], time: str, before: str) -> Claim | None:
    """A claim with a time; WSGI has the bytes of headers as characters."""
    if not signatures or not (time.isascii() and time.isdigit()) or len(time) > _LONGEST_TIME:
        return None
    return Claim(signatures, before.encode("latin-1", "replace"), int(time))


def _read(read: Callable[[str], bytes], texts: Iterator[str]) -> tuple[bytes, ...]:
    return tuple(found for text in islice(texts, _MOST_SIGNATURES) if (found := read(text)))


def _of_hex(text: str) -> bytes:
    """The bytes of a signature; none where it is written in another way."""
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return b""


def _of_base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""
