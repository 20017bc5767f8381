"""Domains, numbers and addresses as they are written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.lib.domains import company_domains, email_domain, is_free_mail, normalize_domain, registrable_domain
from contacts.lib.domains import website_domain as site
from contacts.lib.emails import clean_email
from crm.lib.phones import dialled, normalize_phone, readable_phone, region_of


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Halden.example", "halden.example"),
        ("https://www.halden.example:8443/path?q#x", "halden.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("halden.example.", "halden.example"),
        ("localhost", ""),
        ("192.0.2.7", ""),
        ("[::1]", ""),
        ("a..b", ""),
        ("-a.example", ""),
        ("x" * 64 + ".example", ""),
        ("two words.example", ""),
        ("", ""),
    ],
)
def test_normalize_domain(text, domain):
    assert normalize_domain(text) == domain


@given(st.text(max_size=40))
def test_normalize_domain_never_fails_and_is_stable(text):
    once = normalize_domain(text)
    assert normalize_domain(once) == once


@pytest.mark.parametrize(
    ("host", "registered"),
    [
        ("mail.halden.co.uk", "halden.co.uk"),
        ("halden.co.uk", "halden.co.uk"),
        ("co.uk", ""),
        ("a.b.halden.example", "halden.example"),
        ("shop.github.io", "shop.github.io"),
        ("nonsense", ""),
    ],
)
def test_registrable_domain(host, registered):
    assert registrable_domain(host) == registered


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.uk", "web.de", "sub.gmx.net", "outlook.com", "proton.me"])
def test_free_mail(domain):
    assert is_free_mail(domain) is True


@pytest.mark.parametrize("domain", ["halden.example", "gmailer.example", "web.example"])
def test_company_mail(domain):
    assert is_free_mail(domain) is False


def test_company_domains_come_as_written_and_as_registered():
    addresses = ("a@mail.halden.co.uk", "b@gmail.com", "c@brenner.example", "no address")
    assert company_domains(addresses) == ("mail.halden.co.uk", "halden.co.uk", "brenner.example")


def test_email_domain_of_no_address_is_empty():
    assert (email_domain("a@B.example"), email_domain("halden.example"), email_domain("a@")) == ("b.example", "", "")


@pytest.mark.parametrize(
    ("address", "domain"),
    [("https://shop.halden.com/x", "halden.com"), ("facebook.com/halden", ""), ("gmail.com", ""), ("", "")],
)
def test_website_domain(address, domain):
    assert site(address) == domain


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ines@Halden.Example ", "Ines@halden.example"),
        ("a+b@halden.example", "a+b@halden.example"),
        ("ines@localhost", None),
        ("ines", None),
        ("", None),
        ("a b@halden.example", None),
        (f"{'x' * 250}@halden.example", None),
    ],
)
def test_clean_email(text, address):
    assert clean_email(text) == address


@pytest.mark.parametrize(
    ("text", "region", "stored", "shown"),
    [
        ("010 555 0142", "NL", "+31105550142", "+31 10 555 0142"),
        ("0031 10 555 0142", "NL", "+31105550142", "+31 10 555 0142"),
        ("+1 (415) 555-2671", "", "+14155552671", "+1 415-555-2671"),
        ("+1 415 555 2671 ext. 12", "", "+14155552671 x12", "+1 415-555-2671 x12"),
        ("010 555 0142", "", "010 555 0142", "010 555 0142"),
        ("ask  Noor", "NL", "ask Noor", "ask Noor"),
        ("12", "NL", "12", "12"),
    ],
)
def test_phones(text, region, stored, shown):
    assert normalize_phone(text, region) == stored
    assert readable_phone(stored) == shown
    assert normalize_phone(shown, region) == stored


@pytest.mark.parametrize(
    ("stored", "link"),
    [
        ("+31105550142", "+31105550142"),
        ("+14155552671 x7", "+14155552671"),
        ("010 555 0142", "0105550142"),
        ("ask", ""),
    ],
)
def test_dialled(stored, link):
    assert dialled(stored) == link


@pytest.mark.parametrize(
    ("locale", "zone", "region"),
    [
        ("en", "Europe/Amsterdam", "NL"),
        ("de-CH", "UTC", "CH"),
        ("de-CH", "Europe/Berlin", "DE"),
        ("de", "UTC", "DE"),
        ("en", "UTC", "US"),
        ("", "UTC", ""),
        ("xx", "Nowhere/City", ""),
    ],
)
def test_region_of(locale, zone, region):
    assert region_of(locale, zone) == region
