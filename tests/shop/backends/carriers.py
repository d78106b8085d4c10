"""Two carriers, who agree on nothing.

North answers in CSV with semicolons, in Latin-1, with times of its own town. South answers in lines of JSON with the
times of HTTP, and says prices as a form. Neither knows a parcel of the other.
"""

from __future__ import annotations

import hashlib
import hmac

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

SECRET = "secret-of-north"
EVENTS = {
    "N-100": [
        ("2026-11-29T06:15", "Köln", "taken in"),
        ("2026-11-29T23:40", "Zürich", "on its way"),
    ],
    "S-200": [
        ("Sun, 29 Nov 2026 10:00:00 GMT", "Lyon", "taken in"),
        ("Sun, 29 Nov 2026 22:00:00 GMT", "Genève", "on its way"),
    ],
}

north, south = Blueprint("north", __name__), Blueprint("south", __name__)


def signature(raw: bytes, secret: str = SECRET) -> str:
    """What North writes into X-North-Signature."""
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


@north.get("/tracking.csv")
def tracking() -> ResponseReturnValue:
    rows = ["parcel;time;place;what"]
    for parcel in request.args["parcels"].split(","):
        if parcel.startswith("N-"):
            rows += [f'{parcel};{time};"{place}";{what}' for time, place, what in EVENTS.get(parcel, [])]
    raw = "\r\n".join(rows).encode("latin-1")
    return Response(raw, headers={"Content-Type": "text/csv; charset=iso-8859-1"})


@north.get("/price-list.csv")
def price_list() -> ResponseReturnValue:
    """As a spreadsheet writes it, with a mark in front and a short row at the end."""
    raw = "\ufeffkg;price;remark\r\n1;4.90;up to 1 kg\r\n5;9.90;=HYPERLINK(1)\r\n31.5;19.00\r\n".encode()
    return Response(raw, headers={"Content-Type": "text/csv"})


@south.get("/parcels/<parcel>/events")
def events(parcel: str) -> ResponseReturnValue:
    if not parcel.startswith("S-"):
        return jsonify(code="PARCEL_UNKNOWN"), 400
    lines = [
        f'{{"at": "{time}", "place": "{place}", "what": "{what}"}}'
        for time, place, what in EVENTS.get(parcel, [])
    ]
    return Response("\n".join(lines), mimetype="application/x-ndjson")


@south.post("/quotes")
def quote() -> ResponseReturnValue:
    """A price for a weight, both as a form."""
    weight = float(request.form["weight"])
    return Response(
        f"price={4.5 + weight}&currency=EUR&note=a+b", mimetype="application/x-www-form-urlencoded"
    )
