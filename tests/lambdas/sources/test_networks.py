"""Networks: IPv4 and IPv6, and addresses that are neither."""

from __future__ import annotations

import pytest

from lambdas.sources.networks import contain, parse

_NETWORKS = [parse("192.0.2.0/28"), parse("198.51.100.7"), parse("2001:db8::/48")]


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.2.15", True),
        ("192.0.2.16", False),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("::ffff:192.0.2.1", True),
        ("2001:db8::1", True),
        ("2001:db8:1::1", False),
        ("", False),
        ("192.0.2.1, 203.0.113.9", False),
        ("192.0.2.01", False),
    ],
)
def test_addresses(address: str, inside: bool) -> None:
    """An address is inside or not, in either family; what is not an address is outside."""
    assert contain(_NETWORKS, address) is inside


@pytest.mark.parametrize("text", ["", "x", "192.0.2.1/24", "192.0.2.0/33", "2001:db8::1/32"])
def test_what_is_not_a_network(text: str) -> None:
    """Anything else, and addresses with bits beyond their prefix, can't be parsed."""
    with pytest.raises(ValueError, match=r".|^$"):
        parse(text)
