"""Profile, settings of the organisation, currencies, the organisation switcher, and where mail went."""

from datetime import date
from decimal import Decimal

import pytest

from crm.actions import organizations
from crm.lib.mail import delivery_note
from crm.models import AuditEntry, ExchangeRate, Membership, Organization, User
from tests.factories import make_org, make_user
from tests.people.flows import sign_in, sign_up, visitor
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)
GENERAL = {
    "name": "Fjord Robotics AS", "time_zone": "Europe/Oslo", "base_currency": "NOK", "fiscal_year_start": "4",
    "visibility": "all_read", "readonly_may_export": "on",
}  # fmt: skip


@pytest.fixture
def org():
    return make_org("Fjord Robotics")


@pytest.fixture
def admin(org):
    return org.member("admin", name="Lena Aalto")


def row_of(org):
    with org.system():
        return Organization.objects.filter(id=org.id).values().get()


def test_settings_begin_with_the_profile(org, admin):
    answer = client_for(admin).get(f"/w/{org.slug}/settings/")
    assert answer["Location"] == f"/w/{org.slug}/settings/profile/"


@pytest.mark.parametrize("role", ["admin", "manager", "rep", "readonly"])
def test_profile_is_changed_by_everybody(org, role):
    member = org.member(role)
    client, page = client_for(member), f"/w/{org.slug}/settings/profile/"
    client.cookies["keel_theme"] = "light"
    answer = client.post(page, {"name": " Maya Okafor ", "locale": "en-us", "time_zone": "Asia/Tokyo", "theme": "dark"})
    assert answer["Location"] == page
    user = User.objects.get(id=member.user_id)
    assert (user.name, user.locale, user.time_zone, user.theme, user.shortcuts) == (
        "Maya Okafor", "en-us", "Asia/Tokyo", "dark", False,
    )  # fmt: skip
    # The older choice in the cookie would outvote this one: it ends. (The test client keeps what a browser drops.)
    assert client.cookies.pop("keel_theme")["max-age"] == 0
    html = client.get(page).content.decode()
    assert 'data-theme="dark"' in html
    assert "Your profile is saved." in html


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"locale": "xx"}, {"time_zone": "Mars/Olympus"}, {"theme": "pink"}, {"name": "x" * 121}]
)
def test_profile_refused_changes_nothing(org, admin, wrong):
    before = User.objects.filter(id=admin.user_id).values().get()
    given = {"name": "Maya", "locale": "en", "time_zone": "", "theme": "", **wrong}
    answer = client_for(admin).post(f"/w/{org.slug}/settings/profile/", given)
    assert answer.status_code == 422
    assert User.objects.filter(id=admin.user_id).values().get() == before


def test_navigation_of_settings_shows_what_one_may_open(org, admin):
    for member, pages in ((admin, 4), (org.member("rep"), 1)):
        html = client_for(member).get(f"/w/{org.slug}/settings/profile/").content.decode()
        shown = [name for name in ("profile", "general", "users", "currencies") if f'/settings/{name}/"' in html]
        assert len(shown) == pages


def test_organisation_is_changed_by_an_admin(org, admin):
    client, page = client_for(admin), f"/w/{org.slug}/settings/general/"
    assert client.get(page).status_code == 200
    assert client.post(page, GENERAL)["Location"] == page
    row = row_of(org)
    assert {key: row[key] for key in GENERAL} == {**GENERAL, "fiscal_year_start": 4, "readonly_may_export": True}
    assert row["slug"] == org.slug  # links keep working


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"time_zone": "x"}, {"base_currency": "XXX"}, {"fiscal_year_start": "13"}, {"visibility": "public"}],
)
def test_organisation_refused_changes_nothing(org, admin, wrong):
    before = row_of(org)
    answer = client_for(admin).post(f"/w/{org.slug}/settings/general/", {**GENERAL, **wrong})
    assert answer.status_code == 422
    assert row_of(org) == before


@pytest.mark.parametrize("role", ["manager", "rep", "readonly"])
def test_organisation_is_not_changed_by_others(org, admin, role):
    with org.acting(admin) as actor:
        rate = organizations.set_exchange_rate("USD", Decimal("0.9"), date(2026, 1, 1), acting=actor)
    client, base = client_for(org.member(role)), f"/w/{org.slug}/settings/"
    before = row_of(org)
    answers = [
        client.get(base + "general/"),
        client.post(base + "general/", GENERAL),
        client.get(base + "currencies/"),
        client.post(base + "currencies/", {"currency": "GBP", "rate": "1.1", "valid_from": "2026-02-01"}),
        client.delete(f"{base}currencies/{rate.id}/"),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert row_of(org) == before
    with org.system():
        assert ExchangeRate.objects.count() == 1


def test_rates_are_dated_replaced_and_removed(org, admin):
    client, page = client_for(admin), f"/w/{org.slug}/settings/currencies/"
    for rate, day in (("0.9", "2026-01-01"), ("0.92", "2026-02-01"), ("0.95", "2026-02-01")):
        assert client.post(page, {"currency": "USD", "rate": rate, "valid_from": day})["Location"] == page
    with org.system():
        rates = list(ExchangeRate.objects.order_by("valid_from").values_list("valid_from", "rate"))
        assert rates == [(date(2026, 1, 1), Decimal("0.9")), (date(2026, 2, 1), Decimal("0.95"))]
        pk = ExchangeRate.objects.latest("valid_from").id
        assert AuditEntry.objects.filter(table_name="crm_exchangerate", operation="U").count() == 1
    assert "0.95" in client.get(page).content.decode()
    assert client.delete(f"{page}{pk}/").status_code == 302
    assert client.delete(f"{page}{pk}/").status_code == 404
    with org.system():
        assert ExchangeRate.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"rate": "0"}, {"rate": "-1"}, {"rate": "x"}, {"currency": "EUR"}, {"currency": "ZZZ"}, {"valid_from": "x"}],
)
def test_rate_refused_changes_nothing(org, admin, wrong):
    given = {"currency": "USD", "rate": "0.9", "valid_from": "2026-01-01", **wrong}
    assert client_for(admin).post(f"/w/{org.slug}/settings/currencies/", given).status_code == 422
    with org.system():
        assert ExchangeRate.objects.count() == 0


def test_base_currency_stays_while_there_are_rates_to_it(org, admin):
    client, page = client_for(admin), f"/w/{org.slug}/settings/general/"
    with org.acting(admin) as actor:
        organizations.set_exchange_rate("USD", Decimal("0.9"), date(2026, 1, 1), acting=actor)
    before = row_of(org)
    answer = client.post(page, GENERAL)
    assert answer.status_code == 422
    assert "The exchange rates are rates to EUR" in answer.content.decode()
    assert row_of(org) == before


def test_switcher_opens_the_only_organisation_lists_several_and_makes_the_first(org):
    user = make_user("Maya Okafor", "maya@fjord.example")
    client = visitor()
    sign_in(client, user.email)
    assert client.get("/")["Location"] == "/orgs/"
    assert client.get("/orgs/")["Location"] == "/orgs/new/"
    assert client.get("/orgs/new/").status_code == 200
    with org.system():
        Membership.objects.create(user=user, role="rep")
    assert client.get("/orgs/")["Location"] == f"/w/{org.slug}/"

    answer = client.post("/orgs/new/", {"organization": "Halden Logistics"})
    assert answer["Location"] == "/w/halden-logistics/"
    html = client.get("/orgs/").content.decode()
    assert html.index("Fjord Robotics") < html.index("Halden Logistics")
    assert f'href="/w/{org.slug}/"' in html

    menu = client.get("/orgs/menu/", HTTP_HX_CURRENT_URL=f"http://testserver/w/{org.slug}/settings/").content.decode()
    assert menu.count('aria-checked="true"') == 1
    assert menu.index('aria-checked="true"') < menu.index("Fjord Robotics") < menu.index('aria-checked="false"')


def test_switcher_shows_neither_left_nor_foreign_organisations(org):
    make_org("Elsewhere")
    user = make_user("Maya Okafor", "maya@fjord.example")
    for other in (make_org("Left"), org, make_org("Second")):
        with other.system():
            Membership.objects.create(user=user, role="rep", active=other.organization.name != "Left")
    client = visitor()
    sign_in(client, user.email)
    html = client.get("/orgs/").content.decode()
    assert "Second" in html
    assert "Left" not in html
    assert "Elsewhere" not in html


def test_organisation_without_a_name_is_refused(org, admin):
    client = client_for(admin)
    for name in ("", "  ", "x" * 121):
        assert client.post("/orgs/new/", {"organization": name}).status_code == 422


def test_organisations_are_limited_for_a_person(admin):
    client = client_for(admin)
    answers = [client.post("/orgs/new/", {"organization": f"No {n}"}).status_code for n in range(11)]
    assert answers == [302] * 10 + [429]


@pytest.mark.parametrize("path", ["/orgs/", "/orgs/new/", "/orgs/menu/"])
def test_switcher_is_for_people_who_are_signed_in(path):
    answer = visitor().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/auth/login/?next=")


def test_page_says_where_mail_went_when_no_server_sends_it(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    client = visitor()
    sign_up(client)
    assert str(tmp_path / "mail") in client.get("/auth/confirm/").content.decode()
    (file,) = (tmp_path / "mail").iterdir()
    assert "/auth/confirm/" in file.read_text()
    settings.EMAIL_FILE_PATH = str(settings.BASE_DIR / "var" / "mail")
    assert delivery_note().endswith(" var/mail")


def test_page_says_nothing_of_files_when_a_server_sends_mail():
    client = visitor()
    sign_up(client)
    assert delivery_note() == ""
    assert "sends no mail" not in client.get("/auth/confirm/").content.decode()


def test_mail_server_that_is_down_fails_no_request(settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    client = visitor()
    assert sign_up(client)["Location"] == "/auth/confirm/"
    assert User.objects.count() == 1
    failed = [record for record in caplog.records if "could not be sent" in record.message]
    assert len(failed) == 1
    assert "maya" not in failed[0].message
    assert "Nothing there" in client.get("/auth/confirm/").content.decode()
