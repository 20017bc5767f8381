"""Which network addresses the server may be sent to by somebody else's URL (server-side request forgery)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CLOSED_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
# Of IPv6 only global unicast is open, without protocol assignments (Teredo among them), documentation and 6to4, whose
# addresses carry an IPv4 one that a relay would reach.
_OPEN_6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_6 = [ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet: not private, loopback, link-local, reserved, nor one of these
    in IPv6's clothes."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


class AllowList:
    """What may be reached although it is not public: `host`, `host:port`, `address:port` or `network/prefix`."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._networks: list[Network] = []
        self._hosts: set[tuple[str, int | None]] = set()
        for entry in entries:
            text = entry.strip().lower()
            if "/" in text:
                self._networks.append(ipaddress.ip_network(text, strict=False))
            elif text:
                self._hosts.add(_host_and_port(text))

    def admits_host(self, host: str, port: int) -> bool:
        """Whether a URL's host and port are named."""
        return (host.lower(), port) in self._hosts or (host.lower(), None) in self._hosts

    def admits_address(self, address: Address) -> bool:
        """Whether an address lies in one of the networks."""
        return any(address in network for network in self._networks if network.version == address.version)


def _host_and_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else None
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return host, int(port)
    return text, None
