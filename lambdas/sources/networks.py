"""Networks in CIDR notation, IPv4 and IPv6, and whether an address lies in one of them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def parse(text: str) -> Network:
    """A network, or a single address.

    Raises:
        ValueError: When the text is neither, or has bits beyond its prefix.
    """
    return ip_network(text)


def contain(networks: Iterable[Network], address: str) -> bool:
    """Whether an address lies in any of the networks; what is not an address does not.

    An IPv4 address that comes as IPv6 (``::ffff:192.0.2.1``) counts as the IPv4 address it is.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)
