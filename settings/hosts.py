"""Hosts that no delivery should go to: those that mean the function itself or its network."""

from __future__ import annotations

import ipaddress
import socket

# Source: RFC 6890 for the special-purpose networks; EC2 user guide, "Instance metadata and user
# data" (fd00:ec2::254), and ECS developer guide, "Task metadata endpoint" (169.254.170.2).
_NAMES = frozenset({"localhost", "metadata.google.internal", "instance-data.ec2.internal"})
# Source: RFC 1918 and RFC 4193.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_METADATA = ipaddress.ip_address("fd00:ec2::254")


def is_internal(host: str) -> bool:
    """Whether a host is a loopback, link-local or metadata address, in whatever spelling.

    A name that resolves to such an address looks like any other until it is resolved.

    Args:
        host: a name or address in lower case, IPv6 without brackets.
    """
    host = host.rstrip(".")
    if host in _NAMES or host.endswith(".localhost"):
        return True
    address = _address(host)
    if address is None:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    special = address.is_loopback or address.is_link_local or address.is_unspecified
    return special or address == _METADATA


def is_private(host: str) -> bool:
    """Whether a host is an address that only a network of one's own leads to.

    Args:
        host: a name or address in lower case, IPv6 without brackets.
    """
    address = _address(host)
    return address is not None and any(address in network for network in _PRIVATE)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # As connections read it: 2852039166, 0xa9fea9fe and 169.254.43518 are one address.
        return ipaddress.ip_address(socket.inet_aton(host))
    except OSError:
        return None
