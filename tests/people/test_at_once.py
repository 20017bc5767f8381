"""What is taken away is gone at the next request, in every process: nothing about people is cached."""

import json
import subprocess
import sys
import time

import pytest

from crm.actions import members, organizations, profile
from crm.enums import Visibility
from crm.models import Organization, Session
from crm.web.sessions import SessionStore
from tests.factories import make_org
from tests.support.cluster import ROOT
from tests.support.web import client_for, session_for

pytestmark = pytest.mark.django_db(transaction=True)

# A second process of the application, with its own connection: it answers one request for each line it reads.
OTHER_PROCESS = """
import json, os, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
clients = {}
for line in sys.stdin:
    session, path = json.loads(line)
    if session not in clients:
        clients[session] = Client(raise_request_exception=False)
        clients[session].cookies[settings.SESSION_COOKIE_NAME] = session
    answer = clients[session].get(path)
    print("ANSWER", answer.status_code, flush=True)
"""


class Elsewhere:
    """Another process of the application."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER_PROCESS], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def status(self, session: str, path: str) -> int:
        self.process.stdin.write(json.dumps([session, path]) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("ANSWER"):
                return int(line.split()[1])
        raise AssertionError("The other process ended.")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def elsewhere():
    other = Elsewhere()
    yield other
    other.close()


@pytest.fixture
def org():
    return make_org("Fjord Robotics")


def timed(elsewhere, session, path):
    began = time.monotonic()
    status = elsewhere.status(session, path)
    assert time.monotonic() - began < 1
    return status


def test_revoked_session_is_over_elsewhere(org, elsewhere):
    member = org.member("rep")
    session, page = session_for(member.user), f"/w/{org.slug}/settings/profile/"
    assert elsewhere.status(session, page) == 200
    profile.end_sessions(member.user)
    assert timed(elsewhere, session, page) == 302


def test_deactivated_member_is_out_elsewhere(org, elsewhere):
    member = org.member("rep")
    session, page = session_for(member.user), f"/w/{org.slug}/settings/profile/"
    assert elsewhere.status(session, page) == 200
    with org.system() as system:
        members.deactivate_member(member.id, acting=system)
    assert timed(elsewhere, session, page) == 404
    with org.system() as system:
        members.reactivate_member(member.id, acting=system)
    assert timed(elsewhere, session, page) == 200


def test_changed_role_holds_elsewhere(org, elsewhere):
    org.member("admin")
    member = org.member("admin")
    session, page = session_for(member.user), f"/w/{org.slug}/settings/users/"
    assert elsewhere.status(session, page) == 200
    with org.system() as system:
        members.change_role(member.id, "rep", acting=system)
    assert timed(elsewhere, session, page) == 403
    with org.system() as system:
        members.change_role(member.id, "admin", acting=system)
    assert timed(elsewhere, session, page) == 200


def test_changed_password_ends_sessions_elsewhere(org, elsewhere):
    member = org.member("rep")
    session, page = session_for(member.user), f"/w/{org.slug}/settings/profile/"
    assert elsewhere.status(session, page) == 200
    member.user.set_password("a quite different sentence")
    member.user.save()  # without ending sessions: the hash in the session no longer fits
    assert timed(elsewhere, session, page) == 302


def test_person_who_is_switched_off_is_out_elsewhere(org, elsewhere):
    member = org.member("rep")
    session, page = session_for(member.user), f"/w/{org.slug}/settings/profile/"
    assert elsewhere.status(session, page) == 200
    member.user.is_active = False
    member.user.save()
    assert timed(elsewhere, session, page) == 302


def test_session_is_revoked_from_the_profile(org):
    member = org.member("rep")
    here, there = client_for(member), client_for(member)
    page = f"/w/{org.slug}/settings/profile/"
    html = here.get(page).content.decode()
    key = there.cookies["keel_session"].value
    assert key not in html  # the page names sessions without giving their secret away
    assert here.cookies["keel_session"].value not in html
    (link,) = [
        part.split('"')[0]
        for part in html.split('hx-delete="')
        if "/sessions/" in part and len(part.split('"')[0]) > len(page) + 20
    ]
    assert here.delete(link).status_code == 302
    assert there.get(page).status_code == 302
    assert here.get(page).status_code == 200
    assert here.delete(link).status_code == 404


def test_all_other_sessions_are_revoked_from_the_profile(org):
    member = org.member("rep")
    here, *others = (client_for(member) for _ in range(3))
    page = f"/w/{org.slug}/settings/profile/"
    assert here.delete(page + "sessions/").status_code == 302
    assert here.get(page).status_code == 200
    assert [other.get(page).status_code for other in others] == [302, 302]


def test_session_of_somebody_else_cannot_be_revoked(org):
    member, other = org.member("rep"), org.member("rep")
    mine, theirs = client_for(member), client_for(other)
    page = f"/w/{org.slug}/settings/profile/"
    html = theirs.get(page).content.decode()
    theirs_too = client_for(other)
    html = theirs.get(page).content.decode()
    link = next(
        part.split('"')[0]
        for part in html.split('hx-delete="')
        if "/sessions/" in part and part.split('"')[0] != page + "sessions/"
    )
    assert mine.delete(link).status_code == 404
    assert theirs_too.get(page).status_code == 200


def test_visibility_of_the_organisation_holds_at_the_next_request(org):
    admin, rep = org.member("admin"), org.member("rep")
    before = org.actor(rep)
    with org.acting(admin) as actor:
        organization = Organization.objects.get(id=org.id)
        organizations.change_settings(
            organizations.OrganizationSettings(organization.name, "Europe/Oslo", "NOK", 4, Visibility.ALL_READ, True),
            acting=actor,
        )
    assert (before.read, org.actor(rep).read) == ("own", "all")


def test_a_session_holds_what_its_own_text_says_and_nothing_of_another_reading():
    client = client_for(make_org("Skagen Sails").member("rep"))
    key = client.cookies["keel_session"].value
    first, second = SessionStore(key), SessionStore(key)
    first["list"] = ["mine"]
    first["list"].append("changed")
    assert second.get("list") is None
    text = Session.objects.get(session_key=key).session_data
    read, again = SessionStore().decode(text), SessionStore().decode(text)
    read["_auth_user_id"] = "somebody else"
    assert again["_auth_user_id"] == SessionStore().decode(text)["_auth_user_id"] != "somebody else"
    assert SessionStore().decode(text[:-1] + ("a" if text[-1] != "a" else "b")) == {}
