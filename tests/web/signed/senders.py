"""What senders publish of their signatures, and pages that take them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Example(Struct, frozen=True):
    """A request as a sender's own documentation shows it; `at` is when it was sent."""

    signed: str
    secret: str
    body: bytes
    headers: Mapping[str, str]
    at: float = 1_700_000_000.0
    kind: str = "application/json"


_SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
EXAMPLES = {
    # docs.github.com: Validating webhook deliveries, "Testing the webhook payload validation"
    "github": Example(
        "scheme: github",
        "It's a Secret to Everybody",
        b"Hello, World!",
        {
            "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        },
        kind="text/plain",
    ),
    # api.slack.com: Verifying requests from Slack, "A recipe for security"
    "slack": Example(
        "scheme: slack",
        "8f742231b10e8888abcd99yyyzzz85a5",
        _SLACK_BODY,
        {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        1531420618.0,
        "application/x-www-form-urlencoded",
    ),
    # standardwebhooks.com: the test vector of its libraries
    "standard": Example(
        "scheme: standard",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        1614265330.0,
    ),
    # RFC 4231, test case 2, in a header of one's own; Stripe publishes a form and no example
    "hmac": Example(
        "scheme: hmac, header: X-Own, prefix: 'v=', encoding: hex",
        "Jefe",
        b"what do ya want for nothing?",
        {"X-Own": "v=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        kind="text/plain",
    ),
    "hmac in base64": Example(
        "scheme: hmac, header: X-Shopify-Hmac-Sha256, encoding: base64",
        "Jefe",
        b"what do ya want for nothing?",
        {"X-Shopify-Hmac-Sha256": "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
        kind="text/plain",
    ),
}


def page(signed: str, more: str = "shape: raw", secret: str = "SECRET") -> str:
    """A page for who signs so."""
    return f"route: POST /hook\nauth: none\nsigned: {{{signed}, secret: {secret}}}\n{more}\n"
