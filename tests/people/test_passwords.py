"""Resetting and changing passwords, and changing the address."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from crm.models import Session, User
from tests.factories import PASSWORD, make_org, make_user
from tests.people.flows import comparable, last_mail, link_of, sign_in, sign_up, visitor
from tests.support.web import client_for, session_for

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "a quite different sentence"


def ask(client, email):
    return client.post("/auth/password/", {"email": email})


def test_reset_leads_by_the_mail_to_a_new_password_and_ends_every_session():
    user = make_user("Maya Okafor", "maya@fjord.example")
    session_for(user)
    client = visitor()
    answer = ask(client, "maya@fjord.example")
    assert answer["Location"] == "/auth/password/sent/"
    assert client.get("/auth/password/sent/").status_code == 200

    answer = client.get(link_of(last_mail("maya@fjord.example")))
    form = answer["Location"]
    assert form.endswith("-set-password/")  # the key is not in the address of the page
    assert client.get(form).status_code == 200
    answer = client.post(form, {"password1": NEW})
    assert answer["Location"] == "/auth/password/changed/"

    assert Session.objects.filter(user=user).count() == 0
    assert sign_in(visitor(), user.email).status_code == 422
    assert sign_in(visitor(), user.email, NEW)["Location"] == "/orgs/"
    assert "was changed" in last_mail("maya@fjord.example").subject
    assert "198.51.100.7" in last_mail("maya@fjord.example").body


def test_reset_link_works_once():
    make_user("Maya Okafor", "maya@fjord.example")
    client = visitor()
    ask(client, "maya@fjord.example")
    path = link_of(last_mail("maya@fjord.example"))
    client.post(client.get(path)["Location"], {"password1": NEW})
    again = visitor().get(path)
    assert again.status_code == 200
    assert "no longer works" in again.content.decode()


def test_reset_with_a_weak_password_changes_nothing():
    user = make_user("Maya Okafor", "maya@fjord.example")
    before = user.password
    client = visitor()
    ask(client, "maya@fjord.example")
    assert client.post(client.get(link_of(mail.outbox[-1]))["Location"], {"password1": "short"}).status_code == 422
    user.refresh_from_db()
    assert user.password == before


def test_reset_for_an_unknown_address_looks_the_same():
    make_user("Maya Okafor", "maya@fjord.example")
    known, unknown = visitor(), visitor()
    assert comparable(ask(known, "maya@fjord.example")) == comparable(ask(unknown, "nobody@fjord.example"))
    assert comparable(known.get("/auth/password/sent/")) == comparable(unknown.get("/auth/password/sent/"))
    assert [m.to for m in mail.outbox] == [["maya@fjord.example"], ["nobody@fjord.example"]]
    assert link_of(last_mail("nobody@fjord.example")) == "/auth/signup/"
    assert User.objects.count() == 1


def test_reset_takes_an_address_over_from_somebody_who_never_verified_it():
    sign_up(visitor(), name="Squatter", email="maya@fjord.example")
    client = visitor()
    sign_up(client, email="maya@fjord.example")
    assert "account already" in last_mail("maya@fjord.example").subject
    ask(client, "maya@fjord.example")
    client.post(client.get(link_of(last_mail("maya@fjord.example")))["Location"], {"password1": NEW})
    assert sign_in(visitor(), "maya@fjord.example").status_code == 422  # the squatter's password
    assert sign_in(visitor(), "maya@fjord.example", NEW)["Location"] == "/auth/confirm/"


@pytest.mark.parametrize("host", ["evil.example", "testserver:99"])
def test_links_never_come_from_the_host_header(host, settings):
    settings.ALLOWED_HOSTS = ["*"]
    make_user("Maya Okafor", "maya@fjord.example")
    client = visitor()
    client.post("/auth/password/", {"email": "maya@fjord.example"}, headers={"host": host})
    client.post("/auth/password/", {"email": "nobody@fjord.example"}, headers={"host": host})
    for message in mail.outbox:
        assert link_of(message)
        assert host not in message.body + message.alternatives[0].content + message.subject


def test_change_of_password_signs_out_every_other_browser():
    org = make_org()
    member = org.member("rep")
    here, there = client_for(member), client_for(member)
    page = f"/w/{org.slug}/settings/profile/"
    answer = here.post(page + "password/", {"current": PASSWORD, "new": NEW})
    assert answer["Location"] == page
    assert here.get(page).status_code == 200
    assert "/auth/login/" in there.get(page)["Location"]
    assert Session.objects.filter(user=member.user).count() == 1
    assert "was changed" in last_mail(member.user.email).subject


@pytest.mark.parametrize(("current", "new", "field"), [("wrong", NEW, "current"), (PASSWORD, "short", "new")])
def test_change_of_password_refused_changes_nothing(current, new, field):
    org = make_org()
    member = org.member("rep")
    here, there = client_for(member), client_for(member)
    page = f"/w/{org.slug}/settings/profile/"
    answer = here.post(page + "password/", {"current": current, "new": new})
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert there.get(page).status_code == 200
    assert mail.outbox == []


def test_change_of_password_is_not_guessed_without_end():
    org = make_org()
    member = org.member("rep")
    client, page = client_for(member), f"/w/{org.slug}/settings/profile/password/"
    answers = [client.post(page, {"current": f"guess {n}", "new": NEW}).status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    assert client.post(page, {"current": PASSWORD, "new": NEW}).status_code == 429


def test_change_of_address_holds_once_the_new_one_is_verified():
    org = make_org()
    member = org.member("rep", email="maya@fjord.example")
    client, page = client_for(member), f"/w/{org.slug}/settings/profile/"
    assert client.post(page + "address/", {"email": "Maya@new.example", "password": PASSWORD})["Location"] == page
    assert "maya@new.example" in client.get(page).content.decode()
    user = User.objects.get(id=member.user_id)
    assert user.email == "maya@fjord.example"

    assert client.post(link_of(last_mail("maya@new.example"))).status_code == 302
    user.refresh_from_db()
    assert user.email == "maya@new.example"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("maya@new.example", True, True)]
    assert "was changed" in last_mail("maya@fjord.example").subject
    assert sign_in(visitor(), "maya@fjord.example").status_code == 422
    assert sign_in(visitor(), "maya@new.example")["Location"] == "/orgs/"


def test_change_of_address_needs_the_password():
    org = make_org()
    member = org.member("rep", email="maya@fjord.example")
    client, page = client_for(member), f"/w/{org.slug}/settings/profile/"
    assert client.post(page + "address/", {"email": "maya@new.example", "password": "wrong"}).status_code == 422
    assert EmailAddress.objects.count() == 1
    assert mail.outbox == []


def test_change_of_address_taken_back_leaves_a_dead_link():
    org = make_org()
    member = org.member("rep", email="maya@fjord.example")
    client, page = client_for(member), f"/w/{org.slug}/settings/profile/"
    client.post(page + "address/", {"email": "maya@new.example", "password": PASSWORD})
    path = link_of(last_mail("maya@new.example"))
    client.delete(page + "address/")
    assert client.post(path).status_code == 404
    assert User.objects.get(id=member.user_id).email == "maya@fjord.example"


def test_change_to_the_address_of_somebody_else_looks_the_same_and_does_nothing():
    org = make_org()
    member, other = org.member("rep", email="maya@fjord.example"), org.member("rep", email="jonas@fjord.example")
    page = f"/w/{org.slug}/settings/profile/"
    client = client_for(member)
    free = client.post(page + "address/", {"email": "free@fjord.example", "password": PASSWORD})
    free_page = client.get(page).content.decode()
    taken = client.post(page + "address/", {"email": "jonas@fjord.example", "password": PASSWORD})
    taken_page = client.get(page).content.decode()
    assert (free.status_code, free["Location"]) == (taken.status_code, taken["Location"])
    assert free_page.replace("free@", "jonas@").count("jonas@fjord.example") == taken_page.count("jonas@fjord.example")
    assert "account already" in last_mail("jonas@fjord.example").subject
    assert User.objects.get(id=other.user_id).email == "jonas@fjord.example"


def test_verified_address_is_taken_from_who_signed_up_with_it_and_never_verified():
    sign_up(visitor(), name="Squatter", email="maya@new.example")
    org = make_org()
    member = org.member("rep", email="maya@fjord.example")
    client, page = client_for(member), f"/w/{org.slug}/settings/profile/"
    client.post(page + "address/", {"email": "maya@new.example", "password": PASSWORD})
    assert client.post(link_of(last_mail("maya@new.example"))).status_code == 302
    assert User.objects.get(email="maya@new.example").id == member.user_id
    squatter = User.objects.exclude(id=member.user_id).get()
    assert not squatter.is_active
    assert squatter.email.endswith("@released.invalid")
