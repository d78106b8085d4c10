"""What is the same for all requests of a step is chosen before the first of them."""

from __future__ import annotations

from typing import Any

import pytest

from bff.http import CacheTerms, Client, Route, SocketTransport, Way
from tests.http.calling import ByHand, calls_on

LATER = Client("http://people.test", timeout="5s", retries=2)


def way(method: str = "GET", transport: Any = None, **terms: Any) -> Way:
    return calls_on(transport or ByHand()).way(LATER, method, **terms)


def test_what_a_step_leaves_open_is_its_client_s() -> None:
    assert (way().timeout, way().retries) == (5.0, 2)
    assert (way(timeout=1.0).timeout, way(retries=0).retries) == (1.0, 0)


@pytest.mark.parametrize(
    ("terms", "layers"),
    [
        ({}, ["Sparing", "Bounds"]),
        ({"repeatable": True}, ["Sparing", "Bounds", "Retry"]),
        ({"repeatable": True, "retries": 0}, ["Sparing", "Bounds"]),
        ({"hedge": 0.1, "cache": CacheTerms(1.0)}, ["Sparing", "Bounds"]),
        ({"safe": True}, ["Sparing", "Bounds", "Retry"]),
        ({"safe": True, "retries": 0}, ["Sparing", "Bounds"]),
        ({"safe": True, "hedge": 0.1}, ["Sparing", "Hedge", "Bounds", "Retry"]),
        ({"safe": True, "cache": CacheTerms(1.0)}, ["Sparing", "Confirming", "Bounds", "Retry"]),
        (
            {"safe": True, "hedge": 0.1, "cache": CacheTerms(1.0)},
            ["Sparing", "Hedge", "Confirming", "Bounds", "Retry"],
        ),
    ],
)
def test_it_has_the_layers_that_its_step_declares(terms: dict[str, Any], layers: list[str]) -> None:
    assert [layer.__name__ for layer in way(**terms).layers] == layers


def test_a_read_of_the_same_terms_is_of_the_same_kind() -> None:
    assert way(safe=True).kind == way(safe=True, timeout=5.0, retries=2).kind
    others: list[dict[str, Any]] = [{"timeout": 1.0}, {"retries": 0}, {"hedge": 0.1}, {"method": "HEAD"}]
    for other in others:
        assert way(safe=True).kind != way(**{"safe": True, **other}).kind


def test_only_sockets_have_wires_and_only_for_what_they_can_do() -> None:
    transport = SocketTransport()
    try:
        assert isinstance(way(transport=transport, on_wires=True), Route)
        assert type(way(transport=transport)) is Way
        assert type(way(on_wires=True)) is Way
        certified = Client("https://people.test", cert="/a.pem")
        assert type(calls_on(transport).way(certified, "GET", on_wires=True)) is Way  # type: ignore[arg-type]
    finally:
        transport.close()
