"""What is there, and what is put aside.

Asked for by SKUs with commas between; levels are texts. Many are written in one request, which is answered with 207
and an outcome for each. Wants a key in a header.
"""

from __future__ import annotations

import itertools
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

KEY = "key-of-the-stock"


class Stock:
    def __init__(self) -> None:
        self.levels = {"TEA-01": 12, "TEA-02": 0, "CUP-10": 100, "CUP-11": 1, "POT-20": 3}
        self.reserved: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    def change(self, sku: str, level: int) -> dict[str, Any]:
        if sku not in self.levels:
            return {"sku": sku, "status": 404, "error": {"message": "no such article in stock"}}
        if level < 0:
            return {"sku": sku, "status": 422, "error": {"message": "less than nothing"}}
        self.levels[sku] = level
        return {"sku": sku, "status": 200}

    def reserve(self, sku: str, count: int) -> dict[str, Any]:
        if self.levels.get(sku, 0) < count:
            return {"sku": sku, "status": 409, "error": {"message": "not that many"}}
        self.levels[sku] -= count
        id = f"r{next(self._numbers)}"
        self.reserved[id] = {"sku": sku, "count": count}
        return {"sku": sku, "status": 201, "id": id}


def stock(state: Stock) -> Blueprint:
    routes = Blueprint("stock", __name__)

    @routes.before_request
    def knows_the_key() -> ResponseReturnValue | None:
        if request.headers.get("X-Stock-Key") != KEY:
            return jsonify(message="who are you?"), 403
        return None

    @routes.get("/levels")
    def levels() -> ResponseReturnValue:
        wanted = request.args["skus"].split(",")
        return jsonify(
            [{"sku": sku, "level": str(state.levels[sku])} for sku in wanted if sku in state.levels]
        )

    @routes.post("/levels")
    def change() -> ResponseReturnValue:
        return jsonify(results=[state.change(row["sku"], row["level"]) for row in request.json["rows"]]), 207

    @routes.post("/reservations")
    def reserve() -> ResponseReturnValue:
        return jsonify(results=[state.reserve(row["sku"], row["count"]) for row in request.json["rows"]]), 207

    @routes.post("/releases")
    def release() -> ResponseReturnValue:
        for id in request.json["ids"]:
            put_aside = state.reserved.pop(id)
            state.levels[put_aside["sku"]] += put_aside["count"]
        return "", 204

    return routes
