"""Pieces of the shell that are kept between requests: never somebody else's."""

import re

import pytest

from crm.web.nav import nav
from tests.factories import make_org
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


def shell_of(content: str) -> list[str]:
    """The addresses in sidebar, account menu and phone bar."""
    return re.findall(r'href="(/w/[^"]+)"', content)


def test_shell_of_two_organisations_in_turn_links_to_each_ones_own_pages():
    clients = []
    for _number in range(2):
        org = make_org()
        clients.append((org, client_for(org.member("rep"))))
    for _again in range(2):
        for org, client in clients:
            links = shell_of(client.get(f"/w/{org.slug}/contacts/").content.decode())
            assert len(links) > 8
            assert {link.split("/")[2] for link in links} == {org.slug}


def test_shell_offers_what_the_role_may_create():
    org = make_org()
    rep, reader = client_for(org.member("rep")), client_for(org.member("readonly"))
    for _again in range(2):
        for client, may in ((rep, True), (reader, False)):
            content = client.get(f"/w/{org.slug}/accounts/").content.decode()
            assert ("contacts/new/" in content) is may


def test_shell_shows_each_person_their_own_address():
    org = make_org()
    people = [org.member("rep", email=f"{name}@example.org") for name in ("ada", "bo")]
    for _again in range(2):
        for member in people:
            content = client_for(member).get(f"/w/{org.slug}/contacts/").content.decode()
            assert member.user.email in content
            assert [other for other in people if other != member and other.user.email in content] == []


def test_shell_marks_the_page_that_is_shown():
    org = make_org()
    client = client_for(org.member("rep"))
    for path in ("contacts/", "accounts/", "contacts/"):
        content = client.get(f"/w/{org.slug}/{path}").content.decode()
        marked = set(re.findall(r'href="([^"]+)" aria-current="page"', content))
        assert marked == {f"/w/{org.slug}/{path}"}


def test_shell_has_a_page_that_is_added_later():
    org = make_org()
    client = client_for(org.member("rep"))
    assert "Vessels" not in client.get(f"/w/{org.slug}/contacts/").content.decode()
    nav.add("vessels", "Vessels", "building-2", "account_list", order=90)
    try:
        assert "Vessels" in client.get(f"/w/{org.slug}/contacts/").content.decode()
    finally:
        nav.remove("vessels")
    assert "Vessels" not in client.get(f"/w/{org.slug}/contacts/").content.decode()


def test_sign_out_carries_the_token_of_its_own_request():
    org = make_org()
    clients = [client_for(org.member("rep")) for _number in range(2)]
    tokens = []
    for client in (*clients, clients[0]):
        content = client.get(f"/w/{org.slug}/contacts/").content.decode()
        form = content[content.index('action="/auth/logout/"') :].partition("</form>")[0]
        tokens += re.findall(r'name="csrfmiddlewaretoken" value="(\w{64})"', form)
    assert len(set(tokens)) == 3  # masked anew each time
