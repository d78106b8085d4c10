"""Who may sign in, and what lies in their carts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue


class Accounts:
    def __init__(self) -> None:
        self.carts: dict[str, dict[str, int]] = {"u1": {"p1": 3, "p3": 1, "p4": 1}, "u2": {}}


PEOPLE: dict[str, dict[str, Any]] = {
    "ann@example.com": {"id": "u1", "name": "Ann", "role": "customer", "token": "token-of-ann"},
    "sam@example.com": {"id": "u2", "name": "Sam", "role": "staff", "token": "token-of-sam"},
}
PASSWORD = "a long password"


def accounts(state: Accounts) -> Blueprint:
    routes = Blueprint("accounts", __name__)

    def who() -> str | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return next((person["id"] for person in PEOPLE.values() if person["token"] == token), None)

    @routes.post("/login")
    def login() -> ResponseReturnValue:
        person = PEOPLE.get(request.form["email"])
        if person is None or request.form["password"] != PASSWORD:
            return jsonify(error="no such person or password"), 401
        return jsonify(person)

    @routes.get("/cart")
    def cart() -> ResponseReturnValue:
        id = who()
        if id is None:
            return jsonify(error="sign in"), 401
        return jsonify(
            lines=[{"product": product, "count": count} for product, count in state.carts[id].items()]
        )

    @routes.put("/cart/<product>")
    def put(product: str) -> ResponseReturnValue:
        id = who()
        if id is None:
            return jsonify(error="sign in"), 401
        count = request.json["count"]
        if count:
            state.carts[id][product] = count
        else:
            state.carts[id].pop(product, None)
        return jsonify(product=product, count=count)

    @routes.delete("/cart")
    def empty() -> ResponseReturnValue:
        id = who()
        if id is None:
            return jsonify(error="sign in"), 401
        state.carts[id].clear()
        return "", 204

    return routes
