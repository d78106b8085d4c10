"""Orders and customers, in GraphQL.

What goes wrong is answered with 200 and `errors`. Times are PocketBase's, with a space in them.
"""

from __future__ import annotations

import itertools
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from graphql import GraphQLError, build_schema, graphql_sync

SCHEMA = build_schema("""
    type Query {
      orders(customer: ID!, first: Int = 10): [Order!]!
      order(id: ID!): Order
    }
    type Mutation {
      placeOrder(customer: ID!, lines: [LineInput!]!, payment: ID): Order!
      cancelOrder(id: ID!): Boolean!
      markPaid(id: ID!, event: ID!): Order!
    }
    type Order { id: ID!  placed: String!  status: String!  carrier: String  parcel: String  lines: [Line!]! }
    type Line { product: ID!  count: Int!  price: Float! }
    input LineInput { product: ID!  count: Int!  price: Float! }
    """)


class Orders:
    def __init__(self) -> None:
        self.all: dict[str, dict[str, Any]] = {
            "o1": {
                "id": "o1",
                "customer": "u1",
                "placed": "2026-11-28 23:30:00.000Z",
                "status": "sent",
                "carrier": "north",
                "parcel": "N-100",
                "lines": [
                    {"product": "p1", "count": 3, "price": 2.675},
                    {"product": "p3", "count": 1, "price": 0.1},
                    {"product": "p4", "count": 1, "price": 0.2},
                ],
            },
            "o2": {
                "id": "o2",
                "customer": "u1",
                "placed": "2026-11-29 08:00:00.000Z",
                "status": "sent",
                "carrier": "south",
                "parcel": "S-200",
                "lines": [{"product": "p5", "count": 1, "price": 49.5}],
            },
        }
        self.events: list[str] = []
        self._numbers = itertools.count(3)

    # --- what graphql-core asks of the root value ---------------------------------------------------------------

    def orders(self, _: Any, customer: str, first: int) -> list[dict[str, Any]]:
        return [order for order in self.all.values() if order["customer"] == customer][:first]

    def order(self, _: Any, id: str) -> dict[str, Any] | None:
        return self.all.get(id)

    def placeOrder(
        self, _: Any, customer: str, lines: list[dict[str, Any]], payment: str | None = None
    ) -> dict[str, Any]:
        if not lines:
            raise GraphQLError("an order without lines, of customer " + customer)
        id = f"o{next(self._numbers)}"
        order = {"id": id, "customer": customer, "placed": "2026-11-30 09:00:00.000Z", "lines": lines}
        self.all[id] = order | {"status": "placed", "carrier": None, "parcel": None, "payment": payment}
        return self.all[id]

    def cancelOrder(self, _: Any, id: str) -> bool:
        return self.all.pop(id, None) is not None

    def markPaid(self, _: Any, id: str, event: str) -> dict[str, Any]:
        if id not in self.all:
            raise GraphQLError("no such order")
        self.events.append(event)
        self.all[id]["status"] = "paid"
        return self.all[id]


def orders(state: Orders) -> Blueprint:
    routes = Blueprint("orders", __name__)

    @routes.post("/graphql")
    def graphql() -> ResponseReturnValue:
        asked = request.json
        result = graphql_sync(
            SCHEMA, asked["query"], root_value=state, variable_values=asked.get("variables")
        )
        return jsonify(result.formatted)

    return routes
