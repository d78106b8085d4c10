"""Charges.

Who asks shows a token, in a header of its own, that is given for a name and a password. A charge is taken in with 202
and is done some questions later. Times are seconds since 1970.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

NAME, PASSWORD = "shop", "password-of-the-shop"
SECRET = "whsec_of_the_payments"
QUESTIONS = 2
"""How often a charge is still pending."""


class Payments:
    def __init__(self) -> None:
        self.charges: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.never_done = False
        self._numbers = itertools.count(1)

    def token(self) -> str:
        token = f"token-{next(self._numbers)}"
        self.tokens.add(token)
        return token

    def charge(self, amount: float, order: str) -> dict[str, Any]:
        id = f"c{next(self._numbers)}"
        self.charges[id] = {"id": id, "amount": amount, "order": order, "asked": 0, "refunded": False}
        return self.charges[id]


def signature(raw: bytes, moment: int, secret: str = SECRET) -> str:
    """The header Stripe-Signature of an event."""
    found = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return f"t={moment},v1={found}"


def payments(state: Payments) -> Blueprint:
    routes = Blueprint("payments", __name__)

    @routes.before_request
    def knows_the_token() -> ResponseReturnValue | None:
        if request.path.endswith("/token"):
            return None
        if request.headers.get("X-Access-Token") not in state.tokens:
            return jsonify(error="invalid_token"), 401
        return None

    @routes.post("/token")
    def token() -> ResponseReturnValue:
        known = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {known}":
            return jsonify(error="invalid_client"), 401
        assert request.form["grant_type"] == "client_credentials"
        return jsonify(access_token=state.token(), token_type="Bearer", expires_in=60)

    @routes.post("/charges")
    def charge() -> ResponseReturnValue:
        made = state.charge(request.json["amount"], request.json["order"])
        return jsonify(id=made["id"], state="pending"), 202, {"Retry-After": "0"}

    @routes.get("/charges/<id>")
    def charged(id: str) -> ResponseReturnValue:
        found = state.charges.get(id)
        if found is None:
            return jsonify(error="unknown"), 404
        found["asked"] += 1
        done = found["asked"] > QUESTIONS and not state.never_done
        answer = {"id": id, "state": "done" if done else "pending", "created": 1_796_000_000}
        return jsonify(answer | ({"amount": found["amount"]} if done else {}))

    @routes.post("/charges/<id>/refunds")
    def refund(id: str) -> ResponseReturnValue:
        state.charges[id]["refunded"] = True
        return jsonify(id=id), 201

    @routes.get("/charges/<id>/receipt")
    def receipt(id: str) -> ResponseReturnValue:
        """A text, as it was always sent."""
        text = f"RECEIPT {id}\r\nThank you — 谢谢\r\n"
        return Response(
            text.encode("utf-16"),
            mimetype="text/plain",
            headers={"Content-Type": "text/plain; charset=utf-16"},
        )

    return routes
