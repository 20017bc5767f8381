"""Signing up: a person, an organisation, its admin, and an address that is verified."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection, transaction

from crm import queries
from crm.actions import organizations
from crm.enums import Role
from crm.models import Membership, Organization, Session, User
from crm.records import hooks
from crm.tenancy import context
from deals.models import Pipeline, Stage
from tests.factories import PASSWORD, Org, make_org, make_user
from tests.people.flows import comparable, last_mail, link_of, sign_in, sign_up, visitor
from tests.support.hashers import CheapArgon2PasswordHasher

pytestmark = pytest.mark.django_db(transaction=True)


def organizations_of(user: User) -> list[Organization]:
    with transaction.atomic():
        context.enter_user(user.id)
        try:
            return queries.organizations_of(user.id)
        finally:
            context.leave()


def test_sign_up_leads_from_the_form_by_the_mail_into_the_organisation():
    client = visitor()
    assert client.get("/auth/signup/").status_code == 200

    answer = sign_up(client)
    assert (answer.status_code, answer["Location"]) == (302, "/auth/confirm/")
    assert client.get("/auth/confirm/").status_code == 200
    assert client.get("/orgs/").status_code == 302  # not signed in yet

    path = link_of(last_mail("maya@fjord.example"))
    assert client.get(path).status_code == 200
    assert not EmailAddress.objects.get().verified  # looking at the page confirms nothing
    answer = client.post(path)
    assert (answer.status_code, answer["Location"]) == (302, "/orgs/")
    assert EmailAddress.objects.get().verified

    answer = client.get("/orgs/")
    assert (answer.status_code, answer["Location"]) == (302, "/w/fjord-robotics/")
    assert client.get("/w/fjord-robotics/settings/general/").status_code == 200


def test_sign_up_makes_the_admin_and_a_default_pipeline():
    sign_up(visitor())
    user = User.objects.get()
    (organization,) = organizations_of(user)
    with Org(organization).system():
        member = Membership.objects.get()
        assert (member.user, member.role, member.active) == (user, Role.ADMIN, True)
        assert [p.is_default for p in Pipeline.objects.all()] == [True]
        stages = Stage.objects.order_by("position").values_list("name", "probability")
        assert list(stages) == [
            ("Lead", 10), ("Qualified", 25), ("Discovery", 40), ("Proposal", 60), ("Negotiation", 75), ("Commit", 90),
            ("Won", 100), ("Lost", 0),
        ]  # fmt: skip


def test_sign_up_when_a_hook_fails_leaves_nothing(monkeypatch):
    def fail(actor):
        raise ZeroDivisionError

    monkeypatch.setattr(hooks, "organization_created", [*hooks.organization_created, fail])
    assert sign_up(visitor()).status_code == 500
    assert User.objects.count() == 0
    assert list(queries.due_orgs("all")) == []
    assert mail.outbox == []


def test_log_in_before_the_address_is_verified_sends_the_mail_again_and_does_not_sign_in():
    sign_up(visitor())
    client = visitor()
    answer = sign_in(client, "maya@fjord.example")
    assert (answer.status_code, answer["Location"]) == (302, "/auth/confirm/")
    assert client.get("/orgs/").status_code == 302
    assert [message.to for message in mail.outbox] == [["maya@fjord.example"]] * 2


def test_confirmation_in_another_browser_verifies_but_does_not_sign_in():
    sign_up(visitor())
    other = visitor()
    answer = other.post(link_of(last_mail("maya@fjord.example")))
    assert EmailAddress.objects.get().verified
    assert answer["Location"] == "/auth/login/"
    assert "/auth/login/" in other.get("/orgs/")["Location"]


def test_confirmation_link_used_twice_says_so():
    sign_up(visitor())
    path = link_of(last_mail("maya@fjord.example"))
    visitor().post(path)
    again = visitor().get(path)
    assert "no longer works" in again.content.decode()
    assert visitor().post(path).status_code == 404


def test_sign_up_with_a_known_address_looks_the_same_and_changes_nothing():
    make_user("Jonas Lind", "jonas@fjord.example")
    before = list(User.objects.values())

    known, new = visitor(), visitor()
    answers = [
        comparable(sign_up(known, email="jonas@fjord.example")),
        comparable(sign_up(new, email="new@fjord.example")),
    ]
    assert answers[0] == answers[1]
    pages = [comparable(c.get("/auth/confirm/")) for c in (known, new)]
    assert pages[0] == pages[1]

    assert list(User.objects.exclude(email="new@fjord.example").values()) == before
    assert len(queries.due_orgs("all")) == 1
    assert [m.to for m in mail.outbox] == [["jonas@fjord.example"], ["new@fjord.example"]]
    assert "account already" in last_mail("jonas@fjord.example").subject
    assert link_of(last_mail("jonas@fjord.example")) == "/auth/password/"


def test_sign_up_with_a_known_address_does_the_same_work(django_assert_num_queries):
    make_user("Jonas Lind", "jonas@fjord.example")
    counts = {}
    for address in ("jonas@fjord.example", "new@fjord.example"):
        with connection.execute_wrapper(counter := Counter()):
            sign_up(visitor(), email=address)
        counts[address] = counter
    known, new = counts["jonas@fjord.example"], counts["new@fjord.example"]
    assert known.hashes == new.hashes
    assert abs(known.statements - new.statements) <= 4


class Counter:
    """Counts statements, and the rows that hold a password."""

    def __init__(self) -> None:
        self.statements = self.hashes = 0

    def __call__(self, execute, sql, params, many, ctx):
        self.statements += 1
        self.hashes += "argon2" in str(params)
        return execute(sql, params, many, ctx)


def test_sign_up_of_two_at_once_with_one_address_makes_one(monkeypatch):
    # The second one has passed the check when the first one commits.
    monkeypatch.setattr("allauth.account.forms.BaseSignupForm.validate_unique_email", lambda self, value: value)
    first, second = sign_up(visitor()), sign_up(visitor())
    assert comparable(first) == comparable(second)
    assert User.objects.count() == 1
    assert len(queries.due_orgs("all")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("password1", "short"), ("password1", "password123"), ("password1", "maya@fjord.example"), ("email", "nonsense"),
     ("organization", " "), ("name", ""), ("name", "x" * 121)],
)  # fmt: skip
def test_sign_up_refused_makes_nothing(field, value):
    answer = sign_up(visitor(), **{field: value})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert User.objects.count() == 0
    assert mail.outbox == []


def test_slug_is_made_of_the_name_and_unique():
    users = [make_user() for _ in range(3)]
    made = [organizations.create_organization("Größe & Söhne", user=user) for user in users]
    assert made[0].slug == "groe-sohne"
    assert len({o.slug for o in made}) == 3
    assert all(o.slug.startswith("groe-sohne-") for o in made[1:])
    assert organizations.create_organization("北京", user=users[0]).slug == "org"


def test_log_in_rotates_the_session_and_log_out_ends_it():
    user = make_user("Maya Okafor", "maya@fjord.example")
    org = make_org()
    with org.system():
        Membership.objects.create(user=user, role=Role.REP)
    client = visitor()
    client.get("/auth/login/?next=/orgs/")
    session = client.session
    session["fixed"] = "by somebody else"
    session.save()
    planted = session.session_key
    sign_in(client, "Maya@Fjord.example")
    row = Session.objects.get()
    assert row.session_key != planted
    assert row.user == user
    assert row.ip_address == "198.51.100.7"
    assert client.get("/orgs/")["Location"] == f"/w/{org.slug}/"

    client.post("/auth/logout/")
    assert Session.objects.filter(user=user).count() == 0
    assert "/auth/login/" in client.get(f"/w/{org.slug}/settings/profile/")["Location"]


def test_log_in_without_keep_me_signed_in_ends_with_the_browser():
    make_user("Maya Okafor", "maya@fjord.example")
    assert sign_in(visitor(), "maya@fjord.example").cookies["keel_session"]["max-age"] == ""
    assert sign_in(visitor(), "maya@fjord.example", remember="on").cookies["keel_session"]["max-age"] > 0


def test_log_in_leads_back_to_where_somebody_wanted_to_go_but_never_elsewhere():
    make_user("Maya Okafor", "maya@fjord.example")
    assert sign_in(visitor(), "maya@fjord.example", next="/w/x/contacts/")["Location"] == "/w/x/contacts/"
    assert sign_in(visitor(), "maya@fjord.example", next="https://evil.example/")["Location"] == "/orgs/"
    assert sign_in(visitor(), "maya@fjord.example", next="//evil.example/")["Location"] == "/orgs/"


def test_log_in_with_an_unknown_address_looks_like_a_wrong_password():
    make_user("Maya Okafor", "maya@fjord.example")
    answers = []
    for email in ("maya@fjord.example", "nobody@fjord.example"):
        status, location, page = comparable(sign_in(visitor(), email, "not the password"))
        answers.append((status, location, page.replace(email, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 422


def test_log_in_with_an_unknown_address_hashes_a_password_too(monkeypatch):
    make_user("Maya Okafor", "maya@fjord.example")
    hashed = []
    original = CheapArgon2PasswordHasher.encode
    monkeypatch.setattr(CheapArgon2PasswordHasher, "encode", lambda *a: hashed.append("encode") or original(*a))
    verify = CheapArgon2PasswordHasher.verify
    monkeypatch.setattr(CheapArgon2PasswordHasher, "verify", lambda *a: hashed.append("verify") or verify(*a))
    for email in ("maya@fjord.example", "nobody@fjord.example"):
        hashed.clear()
        sign_in(visitor(), email, "not the password")
        assert len(hashed) == 1, email


def test_log_in_with_the_password_of_another_person_is_refused():
    make_user("Maya Okafor", "maya@fjord.example")
    assert sign_in(visitor(), "maya@fjord.example", PASSWORD + "!").status_code == 422
    assert Session.objects.filter(user__isnull=False).count() == 0
