"""Invitations: once, for a week, for whoever holds the address."""

import time
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from crm.actions import invitations
from crm.enums import Role
from crm.events.relay import deliver_due
from crm.lib import ratelimit, tokens
from crm.models import Invitation, Membership, Session, Team, TeamMember, Token, User
from tests.factories import PASSWORD, make_org, make_user
from tests.people.flows import invite, last_mail, link_of, run_jobs, sign_in, sign_up, visitor
from tests.support.web import client_for, session_for

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@fjord.example"
JOIN = {"name": "Ana Sá", "password": PASSWORD}


@pytest.fixture
def org():
    return make_org("Fjord Robotics")


@pytest.fixture
def admin(org):
    return org.member("admin", name="Lena Aalto")


def members(org):
    with org.system():
        return sorted(Membership.objects.values_list("user__email", "role", "active"))


def state(org):
    """Everything that an invitation could change."""
    with org.system():
        return (
            list(Membership.objects.order_by("id").values()),
            list(TeamMember.objects.order_by("id").values()),
            list(Invitation.objects.order_by("id").values()),
            list(Token.objects.order_by("id").values()),
            list(User.objects.order_by("id").values()),
            list(EmailAddress.objects.order_by("id").values()),
        )


def test_somebody_new_joins_with_role_and_teams(org, admin):
    nordics = org.team("Nordics")
    invite(org, admin, ANA, role="manager", teams=(nordics,))
    message = last_mail(ANA)
    assert message.subject == "Lena Aalto invites you to Fjord Robotics"
    assert "Manager" in message.body
    client, path = visitor(), link_of(message)
    page = client.get(path)
    assert "Fjord Robotics" in page.content.decode()
    assert ANA in page.content.decode()

    answer = client.post(path, JOIN)
    assert answer["Location"] == f"/w/{org.slug}/"
    assert client.get(f"/w/{org.slug}/settings/profile/").status_code == 200  # signed in
    user = User.objects.get(email=ANA)
    assert user.name == "Ana Sá"
    assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary")) == [
        (ANA, True, True)
    ]
    with org.system():
        member = Membership.objects.get(user=user)
        assert (member.role, member.active) == (Role.MANAGER, True)
        assert [row.team for row in member.team_members.all()] == [nordics]
    assert sign_in(visitor(), ANA)["Location"] == "/orgs/"


def test_link_works_once(org, admin):
    invite(org, admin, ANA)
    path = link_of(last_mail(ANA))
    visitor().post(path, JOIN)
    before = state(org)
    for method in ("get", "post"):
        answer = getattr(visitor(), method)(path, {"name": "Mallory", "password": "another long password"})
        assert answer.status_code == 404
        assert "Fjord" not in answer.content.decode()
        assert ANA not in answer.content.decode()
    assert state(org) == before


def test_link_is_good_for_seven_days(org, admin):
    invite(org, admin, ANA)
    path = link_of(last_mail(ANA))
    with org.system():
        token = Token.objects.get()
        assert abs(token.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
        Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    before = state(org)
    assert visitor().post(path, JOIN).status_code == 404
    assert state(org) == before


@pytest.mark.parametrize("secret", ["x", "A" * 43, "%00", "..%2f"])
def test_guessed_link_opens_nothing(secret):
    answer = visitor().get(f"/auth/invitation/{secret}/")
    assert answer.status_code == 404


def test_database_holds_no_secret(org, admin):
    invite(org, admin, ANA)
    secret = link_of(last_mail(ANA)).split("/")[-2]
    with org.system():
        assert bytes(Token.objects.get().digest) == tokens.digest_of(secret)
        assert secret not in str(state(org))


def test_person_with_an_account_signs_in_and_joins(org, admin):
    user = make_user("Ana Sá", ANA)
    invite(org, admin, ANA)
    client, path = visitor(), link_of(last_mail(ANA))
    page = client.get(path).content.decode()
    assert 'type="password"' not in page
    before = state(org)
    assert client.post(path, JOIN).status_code == 200  # the same page: nobody becomes a member without signing in
    assert state(org) == before
    assert sign_in(client, ANA, next=path)["Location"] == path
    assert client.get(path).status_code == 200
    assert members(org) == [(admin.user.email, "admin", True)]  # looking is not joining
    assert client.post(path)["Location"] == f"/w/{org.slug}/"
    with org.system():
        assert Membership.objects.get(user=user).role == Role.REP


def test_somebody_else_who_is_signed_in_is_told_so_and_no_more(org, admin):
    make_user("Ana Sá", ANA)
    other = make_org().member("admin", name="Mallory", email="mallory@x.example")
    invite(org, admin, ANA)
    client, path = client_for(other), link_of(last_mail(ANA))
    before = state(org)
    for answer in (client.get(path), client.post(path, JOIN)):
        assert answer.status_code == 403
        text = answer.content.decode()
        assert "mallory@x.example" in text
        assert ANA not in text
        assert "Fjord" not in text
    assert state(org) == before
    client.post("/auth/logout/", {"next": path})
    assert client.get(path).status_code == 200


def test_account_that_never_verified_the_address_is_taken_over(org, admin):
    squatter = visitor()
    sign_up(squatter, name="Squatter", email=ANA, password1="the password of a squatter")
    user = User.objects.get(email=ANA)
    invite(org, admin, ANA)
    visitor().post(link_of(last_mail(ANA)), JOIN)
    user.refresh_from_db()
    assert user.name == "Ana Sá"
    assert sign_in(visitor(), ANA, "the password of a squatter").status_code == 422
    assert sign_in(visitor(), ANA)["Location"] == "/orgs/"


def test_pending_change_to_the_invited_address_does_not_count_as_verified(org, admin):
    user = make_user("Mallory", "mallory@x.example")
    EmailAddress.objects.create(user=user, email=ANA, verified=False)
    invite(org, admin, ANA)
    client = visitor()
    sign_in(client, "mallory@x.example")
    before = state(org)
    assert client.post(link_of(last_mail(ANA))).status_code == 403
    assert state(org) == before


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), ("Ana", "short"), ("Ana", "password123"), ("Ana", ANA)])
def test_joining_with_a_weak_password_or_no_name_is_refused(org, admin, name, password):
    invite(org, admin, ANA)
    before = state(org)
    assert visitor().post(link_of(last_mail(ANA)), {"name": name, "password": password}).status_code == 422
    assert state(org) == before


def test_sending_again_makes_a_new_link_and_ends_the_old_one(org, admin):
    invite(org, admin, ANA)
    old = link_of(last_mail(ANA))
    with org.system():
        pk = Invitation.objects.get().id
        Token.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert client_for(admin).post(f"/w/{org.slug}/settings/invitations/{pk}/sending/").status_code == 302
    run_jobs(org)
    new = link_of(last_mail(ANA))
    assert new != old
    assert visitor().get(old).status_code == 404
    assert visitor().post(new, JOIN).status_code == 302
    assert len(members(org)) == 2


def test_invitation_taken_back_opens_nothing(org, admin):
    invite(org, admin, ANA)
    with org.system():
        pk = Invitation.objects.get().id
    assert client_for(admin).delete(f"/w/{org.slug}/settings/invitations/{pk}/").status_code == 302
    assert visitor().post(link_of(last_mail(ANA)), JOIN).status_code == 404
    assert len(members(org)) == 1
    invite(org, admin, ANA)  # and can be invited anew
    assert visitor().post(link_of(last_mail(ANA)), JOIN).status_code == 302


def test_invitation_taken_back_before_its_mail_was_sent_sends_none(org, admin):
    with org.acting(admin) as actor:
        (made,) = invitations.invite_members([ANA], "rep", acting=actor)
        invitations.revoke_invitation(made.id, acting=actor)
    assert run_jobs(org) == ["crm.mail.send_invitation"]
    assert mail.outbox == []


def test_mail_is_sent_by_relay_and_worker(org, admin, job_worker, jobs_close_their_connection):
    with org.acting(admin) as actor:
        invitations.invite_members([ANA], "rep", acting=actor)
    assert mail.outbox == []
    deliver_due()
    deadline = time.monotonic() + 10
    while not mail.outbox and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [message.to for message in mail.outbox] == [[ANA]]


def test_mail_after_the_server_key_was_replaced_still_has_the_right_link(org, admin, settings):
    with org.acting(admin) as actor:
        invitations.invite_members([ANA], "rep", acting=actor)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-only-for-tests-" + "1" * 40
    run_jobs(org)
    assert visitor().get(link_of(last_mail(ANA))).status_code == 200


def test_several_addresses_are_invited_together(org, admin):
    answer = client_for(admin).post(
        f"/w/{org.slug}/settings/invitations/new/",
        {"emails": "Ana Sá <Ana@Fjord.example>, ben@fjord.example\n\nana@fjord.example; ", "role": "readonly"},
    )
    assert answer.status_code == 302
    run_jobs(org)
    assert [m.to for m in mail.outbox] == [[ANA], ["ben@fjord.example"]]
    with org.system():
        assert set(Invitation.objects.values_list("role", flat=True)) == {"readonly"}


def test_addresses_that_cannot_be_invited_are_named_and_none_is(org, admin):
    there, gone = org.member("rep", email="there@x.example"), org.member("rep", email="gone@x.example")
    with org.system():
        Membership.objects.filter(id=gone.id).update(active=False)
    invite(org, admin, "open@x.example")
    before = state(org)
    client = client_for(admin)
    for emails, words in [
        ("ben@fjord.example, nonsense", "nonsense is no e-mail address"),
        (f"ben@fjord.example, {there.user.email}", "there@x.example is a member already"),
        ("gone@x.example", "gone@x.example was deactivated"),
        ("open@x.example", "open@x.example is invited already"),
        (" , ", "Enter at least one"),
        (",".join(f"{n}@x.example" for n in range(51)), "at most 50"),
    ]:
        answer = client.post(f"/w/{org.slug}/settings/invitations/new/", {"emails": emails, "role": "rep"})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert state(org) == before


def test_form_does_not_tell_who_has_an_account_elsewhere(org, admin):
    make_user("Ana Sá", ANA)
    client = client_for(admin)
    answers = [
        client.post(f"/w/{org.slug}/settings/invitations/new/", {"emails": email, "role": "rep"})
        for email in (ANA, "nobody@x.example")
    ]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, f"/w/{org.slug}/settings/invitations/")] * 2
    page = client.get(f"/w/{org.slug}/settings/invitations/").content.decode()
    assert page.count(ANA) == page.count("nobody@x.example")


def test_team_that_was_removed_meanwhile_is_left_out(org, admin):
    nordics = org.team("Nordics")
    invite(org, admin, ANA, teams=(nordics,))
    with org.system():
        Team.objects.filter(id=nordics.id).update(deleted_at=timezone.now())
    visitor().post(link_of(last_mail(ANA)), JOIN)
    with org.system():
        assert TeamMember.objects.count() == 0
    assert len(members(org)) == 2


def test_deactivated_member_does_not_come_back_by_an_old_invitation(org, admin):
    user = make_user("Ana Sá", ANA)
    invite(org, admin, ANA)
    with org.system():
        Membership.objects.create(user=user, role=Role.REP, active=False)
    client = visitor()
    sign_in(client, ANA)
    before = state(org)
    assert client.post(link_of(last_mail(ANA))).status_code == 403
    assert state(org) == before


def test_invitations_are_limited_by_the_day(org, admin, monkeypatch):
    monkeypatch.setattr(ratelimit, "LIMITS", {**ratelimit.LIMITS, "invite": {"org": ratelimit.Limit(2, 60)}})
    url = f"/w/{org.slug}/settings/invitations/new/"
    client = client_for(admin)
    assert client.post(url, {"emails": "a@x.example, b@x.example", "role": "rep"}).status_code == 302
    answer = client.post(url, {"emails": "c@x.example", "role": "rep"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    with org.system():
        assert Invitation.objects.count() == 2


@pytest.mark.parametrize("role", ["manager", "rep", "readonly"])
def test_only_admins_invite(org, admin, role):
    invite(org, admin, ANA)
    with org.system():
        pk = Invitation.objects.get().id
    client, base = client_for(org.member(role)), f"/w/{org.slug}/settings/invitations/"
    before = state(org)
    answers = [
        client.get(base),
        client.get(base + "new/"),
        client.post(base + "new/", {"emails": "ben@x.example", "role": "admin"}),
        client.post(f"{base}{pk}/sending/"),
        client.delete(f"{base}{pk}/"),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert state(org) == before
    assert len(mail.outbox) == 1


def test_admin_of_another_organisation_reaches_no_invitation(org, admin):
    invite(org, admin, ANA)
    with org.system():
        pk = Invitation.objects.get().id
    other = make_org()
    stranger = client_for(other.member("admin"))
    before = state(org)
    for slug, status in ((org.slug, 404), (other.slug, 404)):
        base = f"/w/{slug}/settings/invitations/{pk}/"
        assert stranger.delete(base).status_code == status
        assert stranger.post(base + "sending/").status_code == status
    assert state(org) == before


def test_joining_signs_out_whoever_used_the_account_before(org, admin):
    invite(org, admin, ANA)
    sign_up(visitor(), email=ANA)
    user = User.objects.get(email=ANA)
    session_for(user)
    visitor().post(link_of(last_mail_of_invitation()), JOIN)
    assert Session.objects.filter(user=user).count() == 1


def last_mail_of_invitation():
    return next(message for message in mail.outbox if "invites you" in message.subject)


def test_mail_shows_names_as_they_are_and_runs_none_of_them(org):
    nasty = org.member("admin", name='<b>Tom & "Jerry"</b>\r\nBcc: all@x.example')
    with org.acting(nasty) as actor:
        invitations.invite_members([ANA], "rep", acting=actor)
    run_jobs(org)
    message = last_mail(ANA)
    assert message.subject.startswith('<b>Tom & "Jerry"</b> Bcc: all@x.example invites you')
    assert '<b>Tom & "Jerry"</b>' in message.body
    page = message.alternatives[0].content
    assert "<b>" not in page
    assert "&lt;b&gt;Tom &amp; &#34;Jerry&#34;&lt;/b&gt;" in page
    assert message.message()["Bcc"] is None
