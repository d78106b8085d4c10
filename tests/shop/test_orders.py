"""Orders in GraphQL, parcels of two carriers, and what both tell by themselves."""

from __future__ import annotations

import json
import time

from flask.testing import FlaskClient

from tests.shop.backends import carriers, payments
from tests.shop.backends.town import Town


def test_orders_are_shown_line_by_line(ann: FlaskClient) -> None:
    answer = ann.get("/api/orders").json
    assert answer["lines"] == [
        {"order": "o1", "placed": "2026-11-28T23:30:00.000Z", "product": "p1", "costs": "8.03"},
        {"order": "o1", "placed": "2026-11-28T23:30:00.000Z", "product": "p3", "costs": "0.10"},
        {"order": "o1", "placed": "2026-11-28T23:30:00.000Z", "product": "p4", "costs": "0.20"},
        {"order": "o2", "placed": "2026-11-29T08:00:00.000Z", "product": "p5", "costs": "49.50"},
    ]
    assert answer["total"] == 57.825


def test_an_order_shows_the_parcel_of_either_carrier_in_the_days_of_the_visitor(ann: FlaskClient) -> None:
    north = ann.get("/api/orders/o1").json
    assert [(event["at"], event["day"], event["time"], event["place"]) for event in north["events"]] == [
        ("2026-11-29T05:15:00.000Z", "2026-11-29", "06:15:00", "Köln"),
        ("2026-11-29T22:40:00.000Z", "2026-11-29", "23:40:00", "Zürich"),
    ]
    assert north["placed"]["date"] == "2026-11-29"
    south = ann.get("/api/orders/o2?zone=Asia/Shanghai").json
    assert [(event["at"], event["day"], event["place"]) for event in south["events"]] == [
        ("2026-11-29T10:00:00.000Z", "2026-11-29", "Lyon"),
        ("2026-11-29T22:00:00.000Z", "2026-11-30", "Genève"),
    ]


def test_an_order_that_is_not_there_is_404(ann: FlaskClient) -> None:
    assert ann.get("/api/orders/o99").status_code == 404


def test_a_parcel_that_its_carrier_does_not_know_is_no_failure(ann: FlaskClient, town: Town) -> None:
    town.orders.all["o2"]["parcel"] = "X-1"
    answer = ann.get("/api/orders/o2")
    assert (answer.status_code, answer.json["events"]) == (200, [])


def test_an_order_is_cancelled_once(ann: FlaskClient) -> None:
    assert ann.delete("/api/orders/o1").status_code == 200
    assert ann.delete("/api/orders/o1").status_code == 404


def test_sales_are_of_the_days_of_the_town(sam: FlaskClient, ann: FlaskClient) -> None:
    assert sam.get("/api/sales").json == [
        {"day": "2026-11-29", "sold": 57.83, "week": "2026-11-22T23:00:00.000Z"}
    ]
    days = sam.get("/api/sales?zone=America/New_York").json
    assert [(one["day"], one["sold"]) for one in days] == [("2026-11-28", 8.33), ("2026-11-29", 49.5)]
    assert ann.get("/api/sales").status_code == 403


def test_either_carrier_says_where_a_parcel_is(stranger: FlaskClient) -> None:
    assert stranger.get("/api/tracking/north/N-100").json == {
        "last": "2026-11-29T22:40:00.000Z",
        "places": ["Köln", "Zürich"],
    }
    assert stranger.get("/api/tracking/south/S-200").json == {
        "last": "2026-11-29T22:00:00.000Z",
        "places": ["Lyon", "Genève"],
    }
    assert stranger.get("/api/tracking/south/S-201").json == {"last": None, "places": []}
    assert stranger.get("/api/tracking/north/X-1").status_code == 400


def test_both_carriers_say_a_price(stranger: FlaskClient) -> None:
    assert stranger.get("/api/shipping?kg=3").json == {"north": 9.9, "south": 7.5, "errors": []}
    assert stranger.get("/api/shipping?kg=30").json == {"north": 19.0, "south": 34.5, "errors": []}


def test_a_receipt_is_read_in_its_charset(ann: FlaskClient, town: Town) -> None:
    ann.post("/api/checkout")
    [id] = town.payments.charges
    assert ann.get(f"/api/charges/{id}/receipt").json == {"lines": [f"RECEIPT {id}", "Thank you — 谢谢"]}


# --- what backends tell by themselves ---------------------------------------------------------------------------------


def paid(event: str, order: str) -> tuple[bytes, dict[str, str]]:
    raw = json.dumps({"id": event, "type": "charge.done", "order": order}).encode()
    signed = payments.signature(raw, int(time.time()))
    return raw, {"Stripe-Signature": signed, "Content-Type": "application/json"}


def test_an_event_of_payments_marks_its_order_once(whole_shop: FlaskClient, town: Town) -> None:
    raw, headers = paid("evt_1", "o1")
    for _ in range(2):
        assert whole_shop.post("/api/hooks/payments", data=raw, headers=headers).json == {"taken": True}
    assert (town.orders.all["o1"]["status"], town.orders.events) == ("paid", ["evt_1"])


def test_an_event_that_somebody_else_signed_or_changed_is_401(whole_shop: FlaskClient, town: Town) -> None:
    raw, headers = paid("evt_1", "o1")
    for sent, named in ((raw.replace(b"o1", b"o2"), headers), (raw, {"Content-Type": "application/json"})):
        answer = whole_shop.post("/api/hooks/payments", data=sent, headers=named)
        assert answer.status_code == 401
    assert town.orders.events == []


def test_news_of_north_are_taken_as_they_were_signed(stranger: FlaskClient) -> None:
    raw = '{"parcel": "N-100",  "time": "2026-11-30T08:00", "ort": "Zürich"}'.encode()
    headers = {"X-North-Signature": carriers.signature(raw), "Content-Type": "application/json"}
    assert stranger.post("/api/hooks/north", data=raw, headers=headers).json == {
        "parcel": "N-100",
        "at": "2026-11-30T07:00:00.000Z",
        "bytes": len(raw.decode()),
    }
