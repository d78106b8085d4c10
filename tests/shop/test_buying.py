"""From the cart to the order: many writes, some of which fail for some rows."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.shop.backends.town import Town


def test_the_cart_adds_up_to_the_cent(ann: FlaskClient) -> None:
    answer = ann.get("/api/cart", headers={"Accept-Language": "de-CH"})
    assert answer.json == {
        "lines": [
            {
                "id": "p1",
                "name": "Grüner Tee",
                "count": 3,
                "price": "2.68",
                "costs": "8.03",
                "exactly": 8.025,
            },
            {"id": "p3", "name": "Tasse", "count": 1, "price": "0.10", "costs": "0.10", "exactly": 0.1},
            {"id": "p4", "name": "Becher", "count": 1, "price": "0.20", "costs": "0.20", "exactly": 0.2},
        ],
        "total": "8.33",
        "gone": 0,
    }


def test_a_stranger_has_no_cart(stranger: FlaskClient) -> None:
    assert stranger.get("/api/cart").status_code == 401


def test_a_line_of_the_cart_is_changed(ann: FlaskClient) -> None:
    assert ann.put("/api/cart/p1", json={"count": 1}).json == {"product": "p1", "count": 1}
    assert ann.get("/api/cart").json["lines"][0]["count"] == 1
    assert ann.put("/api/cart/p99", json={"count": 1}).status_code == 404


def test_a_purchase_waits_for_its_charge_and_empties_the_cart(ann: FlaskClient, town: Town) -> None:
    answer = ann.post("/api/checkout")
    assert (answer.status_code, answer.json) == (
        201,
        {"order": "o3", "placed": "2026-11-30T09:00:00.000Z", "charged": 8.33, "errors": []},
    )
    assert answer.headers["Location"] == "/api/orders/o3"
    [charge] = town.payments.charges.values()
    assert charge["asked"] == 3
    assert town.stock.levels == {"TEA-01": 9, "TEA-02": 0, "CUP-10": 99, "CUP-11": 0, "POT-20": 3}
    assert ann.get("/api/cart").json["lines"] == []
    assert ann.post("/api/checkout").status_code == 409


def test_a_purchase_of_which_a_row_cannot_be_put_aside_says_which_and_gives_the_others_back(
    ann: FlaskClient, town: Town
) -> None:
    ann.put("/api/cart/p4", json={"count": 2})
    answer = ann.post("/api/checkout")
    assert answer.status_code == 409
    assert answer.json["items"] == {"reserved": {"undone": 2, "failed": 1, "failed_at": [2]}}
    assert answer.json["undone"] == ["reserved"]
    assert "not that many" not in answer.text
    assert town.stock.levels["TEA-01"] == 12
    assert list(town.orders.all) == ["o1", "o2"]


def test_a_charge_that_does_not_end_takes_the_order_and_the_stock_back(ann: FlaskClient, town: Town) -> None:
    town.payments.never_done = True
    answer = ann.post("/api/checkout")
    assert (answer.status_code, answer.json["step"], answer.json["failure"]) == (504, "charged", "timeout")
    assert list(town.orders.all) == ["o1", "o2"]
    assert town.stock.levels["TEA-01"] == 12
    assert [charge["refunded"] for charge in town.payments.charges.values()] == [True]
    assert len(ann.get("/api/cart").json["lines"]) == 3


@pytest.mark.parametrize("level", [-1, 5])
def test_levels_are_written_in_chunks_and_what_fails_is_told_row_by_row(
    sam: FlaskClient, town: Town, level: int
) -> None:
    rows = [
        {"sku": "TEA-01", "level": 1},
        {"sku": "TEA-02", "level": 2},
        {"sku": "CUP-10", "level": level},
        {"sku": "POT-20", "level": 4},
    ]
    answer = sam.post("/api/stock", json={"rows": rows})
    assert (town.stock.levels["TEA-01"], town.stock.levels["TEA-02"]) == (1, 2)
    if level < 0:
        assert answer.status_code == 422
        assert answer.json["items"] == {"written": {"done": 3, "failed": 1, "failed_at": [2]}}
        assert town.stock.levels["CUP-10"] == 100
    else:
        assert (answer.status_code, answer.json) == (200, {"written": 4})
        assert town.stock.levels["CUP-10"] == 5


def test_customers_do_not_write_levels(ann: FlaskClient) -> None:
    assert ann.post("/api/stock", json={"rows": [{"sku": "TEA-01", "level": 1}]}).status_code == 403
