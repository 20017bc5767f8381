"""Who reaches which records, by their pages: shares, teams, roles, the organisation's default."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.actions.organizations import OrganizationSettings, change_settings
from crm.actions.sharing import share_record, unshare_record
from crm.enums import Visibility
from deals.actions.deals import create_deal
from tests.security.hidden import crawl

pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------- shares widen, and end


@pytest.mark.parametrize("kind", ["contact", "account", "deal"])
def test_share_opens_a_record_until_it_is_taken_back_or_over(world, kind):
    record = getattr(world.hidden, kind)
    path, listed = f"{kind}s/{record.pk}/", {"deal": "deals/list/"}.get(kind, f"{kind}s/")
    options = f"records/{kind}/options/?field=x&x={record.pk}"

    def seen() -> list[bool]:
        return [world.get(path).status_code == 200, *(str(record.pk) in world.get(p).said for p in (listed, options))]

    def editable() -> bool:
        return bool(world.get(path + "edit/").status_code == 200)

    assert (seen(), editable()) == ([False] * 3, False)
    with world.org.acting(world.keeper) as keeper:
        share = share_record(kind, record.pk, member=world.rep.pk, level="read", acting=keeper)
    assert (seen(), editable()) == ([True] * 3, False)
    with world.org.acting(world.keeper) as keeper:
        share_record(kind, record.pk, member=world.rep.pk, level="write", acting=keeper)
    assert (seen(), editable()) == ([True] * 3, True)
    with world.org.system():
        type(share).objects.filter(pk=share.pk).update(until=timezone.now() - timedelta(seconds=1))
    assert (seen(), editable()) == ([False] * 3, False)
    with world.org.system():
        type(share).objects.filter(pk=share.pk).update(until=None)
    assert (seen(), editable()) == ([True] * 3, True)
    with world.org.acting(world.keeper) as keeper:
        unshare_record(kind, record.pk, share.pk, acting=keeper)
    assert (seen(), editable()) == ([False] * 3, False)


def test_share_opens_nothing_beside_the_record(tied):
    """Who may see the deal does not see its account and people by that."""
    with tied.org.acting(tied.keeper) as keeper:
        share_record("deal", tied.hidden.deal.pk, member=tied.rep.pk, level="write", acting=keeper)
    said = tied.get(f"deals/{tied.hidden.deal.pk}/").said
    assert "Kveldsfart" in said
    assert [t for t in ("Skjult Rederi", "Hemmelig", "vigdis@skjult.example", "Havnesjef Øst") if t in said] == []
    assert (tied.sees(tied.rep, tied.hidden.account), tied.sees(tied.rep, tied.hidden.contact)) == (False, False)


# ---------------------------------------------------------------- who sees what


def test_manager_sees_exactly_the_team_tree(world):
    """Parent, child and sibling teams; being in a team without managing it shows nothing of the others."""
    org = world.org
    reps = {name: org.member("rep", f"{name.title()} Rep") for name in ("above", "here", "below", "deep", "beside")}
    boss, mate = org.member("manager", "Bo Boss"), org.member("manager", "Mo Mate")
    above = org.team("Above", reps["above"])
    here = org.team("Here", reps["here"], mate, parent=above, managers=(boss,))
    below = org.team("Below", reps["below"], parent=here)
    org.team("Deep", reps["deep"], parent=below)
    org.team("Beside", reps["beside"], parent=above)
    deals = {}
    for name, member in {**reps, "boss": boss, "mate": mate}.items():
        with org.acting(member) as actor:
            deals[name] = create_deal({"name": f"Deal {name}", "stage": world.stages["Lead"].pk}, acting=actor)

    def reached(member: Any) -> tuple[set[str], set[str]]:
        listed = {name for name, deal in deals.items() if str(deal.pk) in world.get("deals/list/", member).said}
        opened = {name for name, deal in deals.items() if world.sees(member, deal)}
        edited = {
            name
            for name, deal in deals.items()
            if world.get(f"deals/{deal.pk}/edit/", member).status_code == 200
        }  # fmt: skip
        assert listed == opened
        return opened, edited

    tree = {"boss", "here", "mate", "below", "deep"}
    assert reached(boss) == (tree, tree)
    assert reached(mate) == ({"mate"}, {"mate"})
    assert reached(reps["above"]) == ({"above"}, {"above"})
    assert reached(world.admin) == (set(deals), set(deals))
    assert reached(world.reader) == (set(deals), set())


def test_read_only_member_sees_everything_and_writes_nothing(tied):
    """Through pages of every record, and with a share to write as well."""
    for records in (tied.own, tied.hidden):
        for kind, record in records:
            with tied.org.acting(tied.admin) as admin:
                share_record(kind, record.pk, member=tied.reader.pk, level="write", acting=admin)
            before = tied.row(record)
            assert tied.sees(tied.reader, record)
            name = {"contact": "title", "account": "industry", "deal": "next_step"}[kind]
            for path, data in (
                (f"records/{kind}/{record.pk}/fields/{name}/", {name: "x", "version": before.version}),
                (f"records/{kind}/{record.pk}/delete/", {}),
                (f"timeline/{kind}/{record.pk}/", {"type": "note", "body": "x"}),
                (f"{kind}s/{record.pk}/edit/", {"name": "x", "version": before.version}),
            ):
                assert tied.post(path, data, tied.reader).status_code in (403, 404), path
            assert tied.row(record).version == before.version
    _opened, _told, failed = crawl(tied, tied.reader)
    # Nothing that a page offers is refused.
    assert failed == {}


def test_where_all_may_read_reps_read_all_and_write_their_own(tied):
    with tied.org.acting(tied.admin) as admin:
        given = OrganizationSettings("Northwind", "UTC", "EUR", 1, Visibility.ALL_READ, readonly_may_export=False)
        change_settings(given, acting=admin)
    for kind, record in tied.hidden:
        assert tied.sees(tied.rep, record)
        assert str(record.pk) in tied.get({"deal": "deals/list/"}.get(kind, f"{kind}s/")).said
        assert tied.get(f"{kind}s/{record.pk}/edit/").status_code == 404
        assert tied.post(f"records/{kind}/{record.pk}/delete/", {}).status_code == 404
    for kind, record in tied.own:
        assert tied.get(f"{kind}s/{record.pk}/edit/").status_code == 200
    _opened, _told, failed = crawl(tied, tied.rep)
    assert failed == {}
