"""The network that a visitor is counted by: the same however their address is written."""

from __future__ import annotations

import ipaddress

import pytest

from bff.web.network import UNKNOWN, network_of
from tests.properties import given, st


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4000", "192.0.2.7"),
        ("192.0.2.7:", "192.0.2.7"),
        ("192.0.2.7:_port", "192.0.2.7"),
        (" 192.0.2.7\t", "192.0.2.7"),
        ("[192.0.2.7]:80", "192.0.2.7"),
        ('"192.0.2.7:47011"', "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:0db8:0001:0002::0.0.0.1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]:4000", "2001:db8:1:2::/64"),
        ('"[2001:db8:1:2::7]:4711"', "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("[fe80::1%25eth0]:80", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:c000:207]:80", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("2002:c000:207:1::9", "192.0.2.7"),
        ("[2002:c000:207:ffff::9]:4000", "192.0.2.7"),
        ("::1", "::/64"),
        ("", UNKNOWN),
        ("unix", UNKNOWN),
        ("unknown", UNKNOWN),
        ("unknown:80", UNKNOWN),
        ("_gazonk", UNKNOWN),
        ("_gazonk:_port", UNKNOWN),
        ("[]:80", UNKNOWN),
        ("[2001:db8::1", UNKNOWN),
        ("2001:db8::1]:80", UNKNOWN),
        ("192.0.2.300", UNKNOWN),
        ("192.000.002.007", UNKNOWN),
        ("192.0.2.7, 192.0.2.8", UNKNOWN),
        ("1" * 5000, UNKNOWN),
    ],
)
def test_one_visitor_is_one_network_however_it_is_written(written: str, network: str) -> None:
    assert network_of(written) == network


@given(st.ip_addresses(v=6), st.integers(0, 65535), st.sampled_from(["", "%eth0"]))
def test_port_brackets_and_zone_make_no_other_network(
    address: ipaddress.IPv6Address, port: int, zone: str
) -> None:
    plain = network_of(str(address))
    assert plain != UNKNOWN
    assert network_of(f"[{address}{zone}]:{port}") == network_of(f"{address.exploded}{zone}") == plain


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_unknown(text: str) -> None:
    found = network_of(text)
    assert found == UNKNOWN or ipaddress.ip_network(found)
