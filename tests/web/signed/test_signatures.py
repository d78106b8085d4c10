"""Signatures of senders: what is signed, what is not, and how that is read."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import Any

import pytest

from bff.recipe.model import Signed
from bff.testing import sign
from bff.web.signatures import TOLERANCE, check_of, key_of
from tests.properties import given, st

NOW = 1_700_000_000
BODY = b'{"id": "evt_1"}'
SCHEMES = ("github", "stripe", "slack", "standard", "hmac")
SECRET = "whsec_" + b64encode(b"a secret of ours").decode()
OTHER = "whsec_" + b64encode(b"another one").decode()


def refused(
    scheme: Any, headers: Any, body: bytes = BODY, *secrets: str, now: float = NOW, header: str = "X-Own"
) -> str:
    signed = Signed(scheme, ("SECRET",), header, "p=", "base64")
    check = check_of(signed, tuple(key_of(signed, secret) for secret in secrets or (SECRET,)))
    lowered = {name.lower(): value for name, value in headers.items()}
    claim = check.claim(lambda name: lowered.get(name.lower(), ""))
    why = check.refuses_head(claim, now)
    if claim is None or why:
        return why
    return check.refuses(claim, body)


def signing(scheme: Any, body: bytes = BODY, secret: str = SECRET, at: float = NOW) -> dict[str, str]:
    return dict(sign(scheme, secret, body, at=at, header="X-Own", prefix="p=", encoding="base64"))


@pytest.mark.parametrize("scheme", SCHEMES)
@given(body=st.binary())
def test_what_is_signed_is_taken_and_one_byte_more_is_not(scheme: str, body: bytes) -> None:
    headers = signing(scheme, body)
    assert refused(scheme, headers, body) == ""
    assert refused(scheme, headers, body + b" ") == "none of the secrets makes its signature"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_secret_is_refused_and_one_of_several_is_enough(scheme: str) -> None:
    headers = signing(scheme)
    assert refused(scheme, headers, BODY, OTHER) == "none of the secrets makes its signature"
    assert refused(scheme, headers, BODY, OTHER, SECRET) == ""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_header_of_a_signature_is_needed(scheme: str) -> None:
    headers = signing(scheme)
    for name in headers:
        rest = {other: value for other, value in headers.items() if other != name}
        assert refused(scheme, rest) == "the headers of a signature are missing or of another form"


@pytest.mark.parametrize("scheme", ["stripe", "slack", "standard"])
@pytest.mark.parametrize(("away", "is_taken"), [(0, True), (TOLERANCE, True), (TOLERANCE + 1, False)])
@pytest.mark.parametrize("side", [-1, 1])
def test_its_time_may_be_five_minutes_away(scheme: str, away: float, is_taken: bool, side: int) -> None:
    why = refused(scheme, signing(scheme), now=NOW + side * away)
    assert (why == "") is is_taken
    assert is_taken or why == "its signature is older than 300 s, or the clocks differ"


def test_of_several_signatures_of_stripe_one_is_enough_and_old_versions_do_not_count() -> None:
    (header,) = signing("stripe").values()
    time, good = header.split(",")
    wrong = "v1=" + "0" * 64
    assert refused("stripe", {"Stripe-Signature": f"{time},{wrong},{good},v0={'1' * 64}"}) == ""
    assert refused("stripe", {"Stripe-Signature": f" {time} , {good} "}) == ""
    old = good.replace("v1=", "v0=")
    assert refused("stripe", {"Stripe-Signature": f"{time},{old}"}).startswith("the headers")


def test_stripes_form_is_its_documented_one() -> None:
    made = hmac.new(b"whsec_test", f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert refused("stripe", {"Stripe-Signature": f"t={NOW},v1={made}"}, BODY, "whsec_test") == ""


def test_of_several_signatures_of_standard_webhooks_one_is_enough() -> None:
    headers = signing("standard")
    good = headers["webhook-signature"]
    wrong = "v1," + b64encode(b"0" * 32).decode()
    assert refused("standard", {**headers, "webhook-signature": f"{wrong} {good} v1a,AAAA"}) == ""
    asymmetric = good.replace("v1,", "v1a,")
    assert refused("standard", {**headers, "webhook-signature": asymmetric}).startswith("the headers")


def test_an_id_of_standard_webhooks_is_signed_too() -> None:
    assert refused("standard", {**signing("standard"), "webhook-id": "msg_2"}).startswith("none")


@pytest.mark.parametrize(
    "text",
    ["", "p=", "p=?", "p= ", "p=AAAA\n", "q=AAAA", "p=AAA", "p=é", "p=AA==AA==", "p=\u2603"],
)
def test_a_signature_of_another_form_is_none(text: str) -> None:
    assert refused("hmac", {"X-Own": text}).startswith("the headers")


@pytest.mark.parametrize("time", ["", "-1", "1e9", "٣", "1" * 13, " 1", "17_00", "x"])
def test_a_time_of_another_form_is_none(time: str) -> None:
    headers = signing("slack")
    assert refused("slack", {**headers, "X-Slack-Request-Timestamp": time}).startswith("the headers")


@given(
    st.sampled_from(SCHEMES), st.text(max_size=200), st.text(max_size=40), st.text(max_size=40), st.binary()
)
def test_nothing_that_anybody_sends_makes_it_fail(
    scheme: str, signature: str, time: str, name: str, body: bytes
) -> None:
    headers = {
        **dict.fromkeys(
            ("x-hub-signature-256", "stripe-signature", "x-slack-signature", "webhook-signature", "x-own"),
            signature,
        ),
        **dict.fromkeys(("x-slack-request-timestamp", "webhook-timestamp"), time),
        "webhook-id": name,
    }
    assert refused(scheme, headers, body) != ""


def test_very_many_signatures_are_not_all_looked_at() -> None:
    (header,) = signing("stripe").values()
    time, good = header.split(",")
    many = ",".join(["v1=" + "0" * 64] * 16)
    assert refused("stripe", {"Stripe-Signature": f"{time},{many},{good}"}).startswith("none")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_?", "whsec_abc", "", "not base64!"])
def test_a_secret_of_standard_webhooks_is_base64(secret: str) -> None:
    with pytest.raises(ValueError):
        key_of(Signed("standard", ("S",)), secret)


def test_a_secret_of_standard_webhooks_may_stand_without_its_prefix() -> None:
    signed = Signed("standard", ("S",))
    assert key_of(signed, SECRET) == key_of(signed, SECRET.removeprefix("whsec_")) == b"a secret of ours"


def test_a_check_shows_nobody_its_keys() -> None:
    assert "ours" not in repr(check_of(Signed("github", ("S",)), (b"ours",)))
