"""Products and categories.

Lists come in envelopes, two a page: products by a cursor, categories by the address of the next page, which names a
host that only the catalogue knows. Several products are asked for by ids with commas between. Prices are decimals, the
id of a category is 7 here and 7.0 there, and who is not known is answered in HTML.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

PER_PAGE = 2

PRODUCTS: list[dict[str, Any]] = [
    {
        "id": "p1",
        "sku": "TEA-01",
        "name": {"en": "Green tea", "de": "Grüner Tee"},
        "price": 2.675,
        "category": 7,
    },
    {"id": "p2", "sku": "TEA-02", "name": {"en": "Oolong", "de": "Oolong"}, "price": 19.99, "category": 7.0},
    {"id": "p3", "sku": "CUP-10", "name": {"en": "Cup", "de": "Tasse"}, "price": 0.1, "category": 9},
    {
        "id": "p4",
        "sku": "CUP-11",
        "name": {"en": "Mug & saucer", "de": "Becher"},
        "price": 0.2,
        "category": 9,
    },
    {"id": "p5", "sku": "POT-20", "name": {"en": "Pot", "de": "Kanne"}, "price": 49.5, "category": 12},
]
CATEGORIES: list[dict[str, Any]] = [
    {"id": 7.0, "title": "Tea", "parent": None},
    {"id": 9, "title": "Cups", "parent": 12},
    {"id": 12, "title": "Ware", "parent": None},
]

catalogue = Blueprint("catalogue", __name__)


@catalogue.get("/products")
def products() -> ResponseReturnValue:
    """Some by id, in another order and without those that are gone; else a page of all, or of those that match."""
    ids = request.args.get("ids")
    if ids is not None:
        wanted = ids.split(",")
        return jsonify(data=[product for product in PRODUCTS if product["id"] in wanted][::-1])
    text = request.args.get("q", "").lower()
    found = [product for product in PRODUCTS if text in str(product["name"]["en"]).lower()]
    start = int(request.args.get("cursor", "c0")[1:])
    stop = start + PER_PAGE
    return jsonify(
        data=found[start:stop],
        meta={"next_cursor": f"c{stop}" if stop < len(found) else None, "total": len(found)},
    )


@catalogue.get("/products/<id>")
def product(id: str) -> ResponseReturnValue:
    found = [product for product in PRODUCTS if product["id"] == id]
    if not found:
        return Response("<h1>Not found</h1>", 404, mimetype="text/html")
    return jsonify(data=found[0])


@catalogue.get("/products/<id>/reviews")
def reviews(id: str) -> ResponseReturnValue:
    rows = [
        {"stars": 5, "text": "Fine, see order #1042", "written": "2026-11-28T23:30:00+08:00"},
        {"stars": 3, "text": "Late", "written": "2026-11-28 16:00:00.000Z"},
    ]
    return jsonify(data=rows if id == "p1" else [])


@catalogue.get("/categories")
def categories() -> ResponseReturnValue:
    """A page; `next` is an address on a host that nobody else can ask."""
    page = int(request.args.get("page", "1"))
    rows = CATEGORIES[(page - 1) * PER_PAGE : page * PER_PAGE]
    more = page * PER_PAGE < len(CATEGORIES)
    following = f"http://catalogue.internal:9{request.path}?page={page + 1}" if more else None
    return jsonify(data=rows, links={"next": following})
