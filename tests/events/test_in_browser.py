"""The page of failed events, as a person uses it."""

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from crm.enums import Role
from crm.models import OutboxEvent
from tests.factories import make_org
from tests.support.axe import violations
from tests.support.browser import Console
from tests.support.servers import RunningKeel
from tests.support.web import session_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
LONG = "TimeoutError: https://example.org/" + "an/address/that/does/not/break/" * 5


def test_admin_repairs_failed_events(running_keel: RunningKeel, page: Page, console: Console) -> None:
    org = make_org("Northwind")
    admin = org.member(Role.ADMIN, name="Ada Lind")
    with org.system():
        for name in ("deal.stage_changed", "contact.created", "account.updated"):
            OutboxEvent.objects.create(org_id=org.id, name=name, payload={}, attempts=10, error=LONG, dead_at=Now())
    cookie = {"name": "keel_session", "value": session_for(admin.user), "url": running_keel.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{running_keel.url}/w/{org.slug}/settings/events/")
    assert violations(page) == []
    assert page.evaluate("document.querySelector('#content').scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    assert violations(page) == []
    row = page.get_by_role("listitem").filter(has_text="contact.created")
    row.get_by_role("button", name="Drop event").click()
    page.get_by_role("button", name="Drop event", exact=True).click()
    expect(page.get_by_text("The event was dropped.")).to_be_visible()
    expect(page.get_by_text("contact.created")).to_have_count(0)
    page.get_by_role("listitem").filter(has_text="account.updated").get_by_role("button", name="Deliver again").click()
    expect(page.get_by_text("The event is delivered again.")).to_be_visible()
    page.get_by_role("button", name="Deliver all again").click()
    expect(page.get_by_text("No failed events")).to_be_visible()
    assert console.lines == []
