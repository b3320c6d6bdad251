"""Which names a browser may call the server by.

Enters: the Host header of a request. Leaves: whether it is taken. Must not know: frameworks.

A page from elsewhere can let its own name lead to this machine, and then read what it finds (DNS rebinding).
Its requests carry that name; requests to an address as a number, or to localhost, carry no name of anybody's.
"""

from __future__ import annotations

import ipaddress
import re

HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(?::[0-9]{1,5})?")


def is_loopback(name: str) -> bool:
    """Whether a name or address is this machine to itself."""
    if name.lower() == "localhost":
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_taken(header: str, bound: str) -> bool:
    """Whether a Host header names the server that listens at `bound`: on loopback by loopback, elsewhere by
    an address or the name that it was told."""
    match = HOST.fullmatch(header)
    if match is None:
        return False
    name = match["name"]
    if is_loopback(bound):
        return is_loopback(name)
    return is_loopback(name) or _address(name) is not None or name.lower() == bound.lower()


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
