"""A private organisation in which a rep's records touch records that the rep can't see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from activities.actions.log import NewActivity, log_activity
from contacts.actions.accounts import create_account, update_account
from contacts.actions.contacts import create_contact
from contacts.actions.links import link_contact
from contacts.models import Account, Contact, ImportJob
from contacts.tasks import run_import
from contacts.values import EmailValue, NewAccount, NewContact, PhoneValue
from crm.models import Membership
from deals.actions.contacts import set_deal_contact
from deals.actions.deals import create_deal, update_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Pipeline, Stage
from tests.factories import Org, make_org
from tests.security.matrix import read
from tests.support.web import client_for


@dataclass
class Records:
    """An account, a contact of it and a deal of both."""

    account: Account
    contact: Contact
    deal: Deal

    def __iter__(self) -> Any:
        return iter((("account", self.account), ("contact", self.contact), ("deal", self.deal)))


@dataclass
class Private:
    """`rep` owns `own`; `keeper`, in another team, owns `hidden`. `head` manages the keeper's team."""

    org: Org
    rep: Membership
    keeper: Membership
    head: Membership
    admin: Membership
    reader: Membership
    pipeline: Pipeline
    stages: dict[str, Stage]
    own: Records
    hidden: Records

    @property
    def base(self) -> str:
        """The path of the organisation."""
        return f"/w/{self.org.slug}/"

    def browser(self, member: Membership | None = None) -> Client:
        """A browser of the rep, or of another member."""
        return client_for(member or self.rep)

    def get(self, path: str, member: Membership | None = None, **headers: str) -> Any:
        """A page, read to its end."""
        response: Any = self.browser(member).get(self.base + path, headers=headers)
        response.said = read(response)
        return response

    def post(self, path: str, data: dict[str, Any], member: Membership | None = None) -> Any:
        """The answer to a form."""
        response: Any = self.browser(member).post(self.base + path, data)
        response.said = read(response)
        return response

    def row(self, record: Any) -> Any:
        """A record as it is now."""
        with self.org.system():
            return type(record)._base_manager.get(pk=record.pk)

    def sees(self, member: Membership, record: Any) -> bool:
        """Whether a member's page of a record opens."""
        kind = type(record)._meta.model_name
        return bool(self.get(f"{kind}s/{record.pk}/", member).status_code == 200)


NAMES = ("Skjult Rederi", "Hemmelig", "vigdis@skjult.example", "skjult.example", "99887766", "998 87 766", "Kveldsfart")
MORE = ("87,654", "Nattmøte", "Tidlig telefon", "Havnesjef Øst")


def traces(world: Private) -> list[str]:
    """Whatever would tell of the hidden records: names, addresses, amounts, what was noted, ids."""
    ids = [str(record.pk) for _kind, record in world.hidden]
    return [*NAMES, *MORE, *ids]


def found(world: Private, said: str, *, besides: tuple[str, ...] = ()) -> list[str]:
    """What an answer tells of the hidden records, without what was typed in oneself."""
    return [trace for trace in traces(world) if trace in said and trace not in besides]


def _records(org: Org, member: Membership, stage: UUID, *, hidden: bool) -> Records:
    with org.acting(member) as actor:
        name, domain = ("Skjult Rederi", "skjult.example") if hidden else ("Open Yards", "open.example")
        account = create_account(NewAccount(name=name, domains=(domain,), city="Ålesund"), acting=actor)
        contact = create_contact(
            NewContact(
                first_name="Vigdis" if hidden else "Olav",
                last_name="Hemmelig" if hidden else "Kjent",
                title="Havnesjef Øst" if hidden else "Buyer",
                emails=(EmailValue(f"{'vigdis' if hidden else 'olav'}@{domain}"),),
                phones=(PhoneValue("+47 998 87 766" if hidden else "+47 411 11 111"),),
            ),
            acting=actor,
        )
        deal = create_deal(
            {
                "name": "Kveldsfart" if hidden else "Day tour",
                "amount": 87_654_00 if hidden else 1_000_00,
                "currency": "EUR",
                "stage": stage,
                "account": account.pk,
                "contacts": [contact.pk],
            },
            acting=actor,
        )
        texts = ("Nattmøte om kaia", "Tidlig telefon") if hidden else ("Lunch at noon", "Called back")
        log_activity(NewActivity(type="note", body=texts[0], contact_id=contact.pk), acting=actor)
        log_activity(NewActivity(type="call", outcome="connected", body=texts[1], deal_id=deal.pk), acting=actor)
    return Records(account, contact, deal)


def make_private() -> Private:
    """The rep's records and the hidden ones, without anything between them."""
    org = make_org("Northwind", base_currency="EUR")
    rep, keeper, head = (
        org.member("rep", "Rhea Rep"),
        org.member("rep", "Kira Keeper"),
        org.member("manager", "Hal Head"),
    )
    admin, reader = org.member("admin", "Ada Admin"), org.member("readonly", "Rune Reader")
    org.team("South", rep)
    org.team("North", keeper, managers=(head,))
    with org.system() as system:
        pipeline = create_default_pipeline(acting=system)
        stages = {stage.name: stage for stage in Stage.objects.filter(pipeline=pipeline)}
    own = _records(org, rep, stages["Lead"].pk, hidden=False)
    hidden = _records(org, keeper, stages["Lead"].pk, hidden=True)
    return Private(org, rep, keeper, head, admin, reader, pipeline, stages, own, hidden)


def entangle(world: Private) -> None:
    """Ties every record of the rep to hidden ones, as an admin could, or the rep while they were shared."""
    own, hidden = world.own, world.hidden
    with world.org.system() as system:
        # Hidden people and deals at the rep's account, and the other way round.
        link_contact(hidden.contact.pk, own.account.pk, role="champion", primary=True, acting=system)
        link_contact(own.contact.pk, hidden.account.pk, role="blocker", primary=True, acting=system)
        create_deal(
            {"name": "Kveldsfart II", "amount": 87_654_00, "account": own.account.pk, "owner": world.keeper.pk,
             "stage": world.stages["Qualified"].pk, "currency": "EUR"},
            acting=system,
        )  # fmt: skip
        update_deal(own.deal.pk, {"account": hidden.account.pk}, acting=system)
        set_deal_contact(own.deal.pk, hidden.contact.pk, role="champion", is_primary=True, acting=system)
        set_deal_contact(hidden.deal.pk, own.contact.pk, acting=system)
        # A hidden account above the rep's and one below it.
        update_account(own.account.pk, {"parent": hidden.account.pk}, acting=system)
        create_account(
            NewAccount(name="Skjult Rederi Nord", parent_id=own.account.pk, owner_id=world.keeper.pk), acting=system
        )
    with world.org.acting(world.keeper) as keeper:
        log_activity(NewActivity(type="note", body="Nattmøte igjen", contact_id=hidden.contact.pk), acting=keeper)
        log_activity(NewActivity(type="note", body="Nattmøte om pris", deal_id=hidden.deal.pk), acting=keeper)


LINK = re.compile(r'(?:href|hx-get)="([^"]+)"')


def crawl(world: Private, member: Any) -> tuple[int, dict[str, list[str]], dict[str, str]]:
    """Opens whatever a member's pages lead to: how many addresses, what they told of hidden records, what failed."""
    client = client_for(member)
    waiting, seen = [(world.base, "")], {world.base}
    told: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    while waiting:
        path, before = waiting.pop()
        response = client.get(path)
        if response.status_code not in (200, 302):
            failed[path] = f"{response.status_code}, from {before}"
        body = b"".join(response.streaming_content) if response.streaming else response.content
        said = body.decode() + response.headers.get("Location", "")
        if traces := found(world, said):
            told[path] = traces
        links = {_target(path, link) for link in [*LINK.findall(said), response.headers.get("Location", "")]}
        fresh = {link for link in links if link.startswith(world.base)} - seen
        seen |= fresh
        waiting += [(link, path) for link in sorted(fresh)]
    return len(seen), told, failed


# Another order, page or height of rows tells nothing more; groups and boards are looked at without filters, for each
# filter would lead to each of them.
LOOKS = {"sort", "after", "density"}
SHAPES = {"group", "layout", "by", "key", "block"}


def _target(path: str, link: str) -> str:
    """Where a link on a page leads to; "" for a mark on the page."""
    url = urlsplit(unescape(link))
    if not (url.path or url.query):
        return ""
    pairs = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if pair[0] not in LOOKS]
    if any(name not in SHAPES for name, _value in pairs):
        pairs = [pair for pair in pairs if pair[0] not in SHAPES - {"block"}]
    return (url.path or urlsplit(path).path) + (f"?{urlencode(pairs)}" if pairs else "")


def import_rows(world: Private, data: str, kind: str = "contact") -> tuple[ImportJob, str]:
    """Imports a file as the rep, by the pages; the job afterwards, and all that was answered on the way."""
    client = world.browser()
    said = []

    def step(response: Any) -> Any:
        assert response.status_code in (200, 302), response.content.decode()[:500]
        body = b"".join(response.streaming_content) if response.streaming else response.content
        said.append(body.decode() + response.headers.get("Location", ""))
        return response

    upload = {"file": SimpleUploadedFile("rows.csv", data.encode()), "record_type": kind}
    base = step(client.post(f"{world.base}imports/", upload))["Location"].removesuffix("columns/")
    pk = base.rstrip("/").rsplit("/", 1)[-1]
    with world.org.system():
        job = ImportJob.objects.get(pk=pk)
    step(client.get(base + "columns/"))
    step(client.get(base + "check/"))
    step(client.post(base + "start/"))
    ids = {"org_id": str(world.org.id), "job_id": pk, "member_id": str(world.rep.pk)}
    run_import.apply(kwargs=ids, throw=True)
    for page in ("", "rows/skipped.csv", "rows/failed.csv"):
        step(client.get(base + page))
    with world.org.system():
        job.refresh_from_db()
    assert job.status == "done"
    return job, "\n".join(said)
