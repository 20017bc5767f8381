"""Internet domains: how they are written down, and which one a company registered."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

import tldextract

from contacts.lib.freemail import FREE_MAIL, FREE_MAIL_FAMILIES

# The list of public suffixes that the library brings: nothing is downloaded and nothing is written to a cache.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
MAX = 253  # characters of a domain name


@lru_cache(maxsize=4096)
def normalize_domain(text: str) -> str:
    """The host that a domain or web address names: lower case, punycode, without "www.". "" when there is none."""
    text = text.strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        host = host.rstrip(".").encode("idna").decode("ascii") if host else ""
    except ValueError:  # UnicodeError is one: a label that is empty or too long
        return ""
    host = host.removeprefix("www.")
    labels = host.split(".")
    if len(labels) < 2 or len(host) > MAX or not all(_LABEL.fullmatch(label) for label in labels) or _is_address(host):
        return ""
    return host


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str:
    """The part of a host that somebody registered: "halden.co.uk" of "mail.halden.co.uk". "" for a public suffix."""
    host = normalize_domain(host)
    if not host:
        return ""
    parts = _suffixes(host)
    if parts.suffix:
        return f"{parts.domain}.{parts.suffix}" if parts.domain else ""
    # An unlisted top level has one label, by the list's own default rule.
    return ".".join(host.split(".")[-2:])


def email_domain(address: str) -> str:
    """The domain of an e-mail address, normalised; "" for anything else."""
    _local, at, domain = address.rpartition("@")
    return normalize_domain(domain) if at else ""


@lru_cache(maxsize=4096)
def is_free_mail(domain: str) -> bool:
    """Whether anybody gets an address at a domain, so that it says nothing about where its owner works."""
    registered = registrable_domain(domain)
    return registered in FREE_MAIL or domain in FREE_MAIL or registered.partition(".")[0] in FREE_MAIL_FAMILIES


def company_domains(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The domains that may name a company's account, most telling first: as written, then as registered."""
    found: dict[str, None] = {}
    for address in addresses:
        domain = email_domain(address)
        if domain and not is_free_mail(domain):
            found[domain] = None
            if registered := registrable_domain(domain):
                found[registered] = None
    return tuple(found)


# Sites on which companies keep a page beside others': the host is not theirs.
SHARED_SITES = frozenset(
    """
etsy.com facebook.com fb.com github.com gitlab.com google.com goo.gl instagram.com linkedin.com linktr.ee medium.com
pinterest.com t.me threads.net tiktok.com twitter.com vimeo.com x.com xing.com yelp.com youtube.com
""".split()  # noqa: SIM905 -- reads better than a list of quoted strings
)


def website_domain(address: str) -> str:
    """The domain that a web address says a company owns; "" for a page on somebody else's site."""
    registered = registrable_domain(address)
    return "" if registered in SHARED_SITES or is_free_mail(registered) else registered


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
