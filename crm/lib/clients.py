"""Where a request came from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def client_ip(meta: Mapping[str, Any]) -> str:
    """The address of the client, from a request's META; "" when it is unknown.

    It is REMOTE_ADDR. Where that is one of ours (TRUSTED_PROXIES), X-Forwarded-For is read from the right, and the
    first hop that is not ours counts: what stands further left could be written by anybody.
    """
    hop = _address(str(meta.get("REMOTE_ADDR", "")))
    if hop is None:
        return ""
    trusted = [ipaddress.ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]
    forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    while _is_ours(hop, trusted) and forwarded:
        further = _address(forwarded.pop())
        if further is None:
            break
        hop = further
    return str(hop)


def client_network(ip: str) -> str:
    """What one person can hold: the address itself, and of IPv6 the /64 that a household is given."""
    address = _address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return ip


def describe_agent(user_agent: str) -> str:
    """A browser's User-Agent as people say it: "Firefox on Linux"; "" when it says nothing known."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system


def _is_ours(hop: Address, trusted: list[Network]) -> bool:
    return any(hop in network for network in trusted if network.version == hop.version)


def _address(text: str) -> Address | None:
    text = text.strip()
    # A hop may carry its port: "203.0.113.9:4711" or "[2001:db8::1]:4711".
    with_port = re.fullmatch(r"\[(.+)\](?::\d+)?|([^:]+):\d+", text)
    if with_port:
        text = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
