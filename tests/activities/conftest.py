"""A private organisation: a rep with a contact, an account and a deal, and people with other reaches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activities.actions.log import NewActivity, log_activity
from activities.models import Activity
from contacts.models import Account, Contact, ContactShare
from crm.enums import ShareLevel
from crm.models import Membership
from crm.records.permissions import permission_for
from deals.models import Deal, Pipeline, Stage, StageChange
from tests.factories import Org, make_org

LONG_AGO = dt.timedelta(days=90)


@dataclass
class Desk:
    """The rep's desk. `stranger` is a rep of nobody's team, `boss` manages the rep."""

    org: Org
    rep: Membership
    boss: Membership
    stranger: Membership
    admin: Membership
    reader: Membership
    account: Account
    contact: Contact
    deal: Deal
    stages: dict[str, Stage]

    def log(self, *, by: Membership | None = None, **values: Any) -> Activity:
        """A note of the rep on the contact, unless said otherwise."""
        if not {"contact_id", "account_id", "deal_id"} & set(values):
            values["contact_id"] = self.contact.pk
        if values.get("type") == "call":
            values.setdefault("outcome", "connected")
        elif values.get("type") != "meeting":
            values.setdefault("body", "They want the lease option.")
        with self.org.acting(by or self.rep) as acting:
            return log_activity(NewActivity(**{"type": "note", **values}), acting=acting)

    def fresh(self, row: Any) -> Any:
        """A row as it is now."""
        with self.org.system():
            return type(row)._default_manager.get(pk=row.pk)

    def share(self, member: Membership, level: str = ShareLevel.READ) -> None:
        """Shares the contact with a member."""
        with self.org.system():
            ContactShare.objects.create(
                content_object=self.contact, member=member, user_id=member.user_id, level=level,
                permission=permission_for(Contact, level),
            )  # fmt: skip

    def count(self) -> int:
        """How many activities the organisation has."""
        with self.org.system():
            return Activity.everything.count()


def make_desk(**fields: Any) -> Desk:
    """The desk, in the open transaction or committed."""
    org = make_org(**fields)
    rep, stranger = org.member("rep", name="Maya Okafor"), org.member("rep", name="Tom Becker")
    boss, admin = org.member("manager", name="Lena Aalto"), org.member("admin", name="Priya Raman")
    reader = org.member("readonly", name="Aiko Mori")
    org.team("Nordics", rep, managers=(boss,))
    with org.system():
        account = Account.objects.create(name="Halden Logistics", owner=rep)
        contact = Contact.objects.create(
            first_name="Ines", last_name="Marchetti", email="ines@halden.example", owner=rep, account=account
        )
        pipeline = Pipeline.objects.create(name="Sales", is_default=True)
        stages = {
            name: Stage.objects.create(
                pipeline=pipeline, name=name, position=i, probability=10 * i, rot_days=14, kind=kind
            )
            for i, (name, kind) in enumerate(
                [("Lead", "open"), ("Qualified", "open"), ("Proposal", "open"), ("Won", "won"), ("Lost", "lost")]
            )
        }
        then = timezone.now() - LONG_AGO
        deal = Deal.objects.create(
            name="Yard crane retrofit", pipeline=pipeline, stage=stages["Lead"], owner=rep, account=account,
            amount=30_500_000, currency="EUR", stage_entered_at=then, touched_at=then,
        )  # fmt: skip
        StageChange.objects.create(deal=deal, to_stage=stages["Lead"], at=then, currency="EUR", probability=0)
    return Desk(org, rep, boss, stranger, admin, reader, account, contact, deal, stages)


@pytest.fixture
def desk(db: None) -> Desk:
    """The desk, undone after the test."""
    return make_desk()


@pytest.fixture
def real_desk(transactional_db: None) -> Desk:
    """The desk, committed: for what depends on transactions and their times."""
    return make_desk()


def statements(client: Client, url: str) -> int:
    """How many statements a page takes, without those of the request's transaction (here a savepoint)."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return sum(not (q["sql"] or "").startswith(("SAVEPOINT", "RELEASE SAVEPOINT")) for q in captured.captured_queries)
