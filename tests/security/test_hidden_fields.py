"""A field that is hidden from a role is nowhere for it: every built-in field that may be hidden, on every page."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils.http import urlencode

from activities.actions.tasks import create_task, update_task
from activities.models import Task
from contacts.actions.accounts import update_account
from contacts.actions.contacts import create_contact, update_contact
from contacts.models import Account, Contact
from contacts.values import NewContact
from crm.actions.fields import FieldSettings, create_field, set_field_access
from crm.actions.tags import resolve_tags
from crm.enums import Role
from crm.lib.errors import Forbidden, NotFound
from crm.records import schema
from crm.records.actions import update_record
from crm.records.registry import Field, FieldType, registry
from deals.actions.closure import close_deal
from deals.actions.deals import update_deal
from deals.models import Deal
from tests.security.hidden import Private, import_rows, make_private
from tests.security.matrix import read
from tests.vessels.models import Vessel

pytestmark = pytest.mark.django_db(transaction=True)
TYPES = ("contact", "account", "deal", "task", "vessel")
MODELS: dict[str, Any] = {"contact": Contact, "account": Account, "deal": Deal, "task": Task, "vessel": Vessel}


def limitable(key: str) -> list[Field]:
    kind = registry.get(key)
    return [f for f in kind.fields if schema.may_limit(kind, f)]


CASES = [(key, field.key) for key in TYPES for field in limitable(key)]

# Values that stand nowhere else, as they are stored and as pages may write them.
TEXT = "Quixzel"
DAY = dt.date(2031, 7, 19)
MOMENT = dt.datetime(2031, 7, 19, 10, 41, tzinfo=dt.UTC)
VALUES: dict[str, tuple[Any, tuple[str, ...]]] = {
    FieldType.MONEY: (73_491_100, ("734,911", "73491100", "734911.00")),
    FieldType.NUMBER: (28_417, ("28,417", "28417")),
    FieldType.PERCENT: (37, ("37%", "37 %")),
    FieldType.DATE: (DAY, ("2031-07-19", "19 Jul 2031", "19 July 2031")),
    FieldType.DATETIME: (MOMENT, ("2031-07-19", "19 Jul 2031", "19 July 2031")),
    FieldType.CHECKBOX: (True, ()),
    FieldType.EMAIL: ("quixzel@zyq.example", ("quixzel", "zyq.example")),
    FieldType.PHONE: ("+4741055501", ("41055501", "410 55 501")),
    FieldType.URL: ("https://quixzel.example/", ("https://quixzel",)),  # its domain is a field of its own
    FieldType.MEMBER: (None, ()),  # names of members stand on many pages
}
CHOICES = {
    "lifecycle": ("evangelist", "Evangelist"), "lead_status": ("unqualified", "Unqualified"),
    "forecast_category": ("best_case", "Best case"), "priority": ("urgent", "Urgent"), "flag": ("pa", "Panama"),
}  # fmt: skip


@dataclass
class Case:
    """A field, what a record holds in it, and what would tell of that."""

    field: Field
    value: Any
    traces: tuple[str, ...]


def case_of(field: Field) -> Case:
    if field.type == FieldType.CHOICE:
        value, label = CHOICES[field.key]
        return Case(field, value, (label,))
    if field.type in VALUES:
        return Case(field, *VALUES[field.type])
    return Case(field, "quixzel.example" if field.key == "domain" else TEXT, ("uixzel",))


def put(world: Private, key: str, case: Case) -> Any:
    """A record of the rep with the value in it, and a change of it in its history."""
    with world.org.system() as system:
        value = case.value
        if case.field.type == FieldType.TAGS:
            value = resolve_tags([[TEXT]], acting=system)[0]
        if key in ("contact", "account", "deal"):
            record = getattr(world.own, key)
        elif key == "task":
            record = create_task(
                {"title": "Grease", "owner": world.rep.pk, "contact": world.own.contact.pk}, acting=system
            )
        else:
            record = Vessel.objects.create(name="Aurora", owner=world.rep)
        if case.field.editable:
            _write(key, record, case.field.key, value, system)
        else:
            MODELS[key].objects.filter(pk=record.pk).update(**{case.field.column: value})
        if key == "deal" and case.field.key == "closed_on":
            Deal.objects.filter(pk=record.pk).update(status="won")
    return record


def _write(key: str, record: Any, name: str, value: Any, acting: Any) -> None:
    update = {"contact": update_contact, "account": update_account, "deal": update_deal, "task": update_task}.get(key)
    if key == "deal" and name == "close_reason":
        close_deal(record.pk, "lost", reason=value, acting=acting)
    elif update is not None:
        update(record.pk, {name: value}, acting=acting)
    else:
        update_record(schema.record_type(key, acting), record.pk, {name: value}, acting=acting)


def hide(world: Private, key: str, name: str, **levels: str) -> None:
    with world.org.acting(world.admin) as admin:
        set_field_access(key, name, levels or {"rep": "hidden"}, acting=admin)


def pages(world: Private, key: str, record: Any, case: Case) -> Iterator[str]:
    """Every address that the rep's pages lead to from where the record is shown, and what they would try besides."""
    paths = {
        "contact": f"contacts/{record.pk}/", "account": f"accounts/{record.pk}/", "deal": f"deals/{record.pk}/",
        "task": f"tasks/{record.pk}/", "vessel": f"records/vessel/{record.pk}/",
    }  # fmt: skip
    yield from ("", "contacts/", "accounts/", "deals/", "deals/list/", "tasks/", "activities/", "records/vessel/")
    yield from (paths[key], paths[key] + "edit/", f"records/{key}/{record.pk}/", f"records/{key}/{record.pk}/edit/")
    yield from (f"records/{key}/{record.pk}/history/", f"records/{key}/export/", f"records/{key}/options/?field=x")
    yield from (f"records/{key}/options/?field=x&x={record.pk}", f"records/{key}/", f"records/{key}/filter/")
    own = world.own
    yield from (f"contacts/{own.contact.pk}/", f"accounts/{own.account.pk}/", f"deals/{own.deal.pk}/")
    yield from (f"{kind}s/{pk}/edit/" for kind, pk in (("contact", own.contact.pk), ("account", own.account.pk)))
    yield from (f"timeline/{kind}/{one.pk}/?tab=changes" for kind, one in own)
    yield from (f"tasks/of/{kind}/{one.pk}/" for kind, one in own)
    yield f"deals/board/changes/?pipeline={world.pipeline.pk}&deal={own.deal.pk}&column={own.deal.stage_id}"
    yield from (f"palette/?record={kind}/{one.pk}" for kind, one in own)
    yield from ("notifications/", "recycle-bin/", "deals/?block=filters", f"contacts/new/?account={own.account.pk}")


def stands(trace: str, said: str) -> bool:
    """Whether a page tells it; a few digits stand in one of its many ids by chance."""
    if trace.isdigit() and len(trace) < 7:
        return re.search(rf"(?<![0-9A-Za-z]){trace}(?![0-9A-Za-z])", said) is not None
    return trace in said


def told(world: Private, member: Any, paths: Iterable[str], traces: tuple[str, ...]) -> dict[str, list[str]]:
    client, found = world.browser(member), {}
    for path in paths:
        # Of all these pages a timeline alone answers HTMX with something that is not a part of the page.
        headers = {"HX-Request": "true", "HX-Target": "timeline"} if path.startswith("timeline/") else {}
        response: Any = client.get(world.base + path, headers=headers)
        assert response.status_code < 500, path
        # A choice's other values stand in forms of those who see the field; the name of a filter's value, too.
        said = read(response)
        if here := [trace for trace in traces if stands(trace, said)]:
            found[path] = here
    return found


@pytest.mark.parametrize(("key", "name"), CASES, ids=[f"{key}-{name}" for key, name in CASES])
def test_hidden_field_is_nowhere(key: str, name: str):
    world = make_private()
    case = case_of(registry.get(key).field(name))
    record = put(world, key, case)
    before = told(world, world.rep, pages(world, key, record, case), case.traces)
    assert bool(before) == bool(case.traces), "it is shown somewhere while nobody hides it"
    hide(world, key, name)
    assert told(world, world.rep, pages(world, key, record, case), case.traces) == {}
    assert bool(told(world, world.admin, before, case.traces)) == bool(case.traces), "an admin sees it as before"
    _is_unknown(world, key, name, record, case)


def _is_unknown(world: Private, key: str, name: str, record: Any, case: Case) -> None:
    """Naming the field answers as naming one that never was."""

    def answers(field: str) -> list[tuple[int, str]]:
        asked = [f"records/{key}/?{field}=x", f"records/{key}/?sort={field}", f"records/{key}/?filter={field}:empty",
                 f"records/{key}/export/?{field}=x", f"records/{key}/{record.pk}/fields/{field}/"]  # fmt: skip
        found = []
        for path in asked:
            response: Any = world.browser().get(world.base + path)
            found.append((response.status_code, read(response).count(field)))
        return found

    hidden, never = answers(name), answers("nosuchfield")
    assert [status for status, _said in hidden] == [status for status, _said in never]
    assert all(status >= 400 for status, _said in hidden)
    with world.org.acting(world.rep) as rep:
        if case.field.editable:
            former = MODELS[key].objects.get(pk=record.pk)
            with pytest.raises((Forbidden, NotFound)):
                _write(key, record, name, case.value, rep) if (key, name) != ("deal", "close_reason") else (
                    update_deal(record.pk, {name: "x"}, acting=rep)
                )
            assert MODELS[key].objects.get(pk=record.pk).version == former.version


@pytest.mark.parametrize("text", ["quixzel@zyq", "quixzel", "zyq.example", "41055501"])
def test_search_tells_nothing_of_hidden_addresses_and_numbers(text: str):
    world = make_private()
    with world.org.acting(world.rep) as rep:
        update_contact(world.own.contact.pk, {"email": "quixzel@zyq.example", "phone": "+4741055501"}, acting=rep)
    paths = [f"search/?{urlencode({'q': text})}", f"palette/?{urlencode({'q': text, 'deep': 1})}",
             f"contacts/?{urlencode({'q': text})}", f"records/contact/options/?{urlencode({'field': 'x', 'x-q': text})}"]  # fmt: skip

    def found() -> list[bool]:
        return [str(world.own.contact.pk) in world.get(path).said for path in paths]

    assert any(found())
    hide(world, "contact", "email")
    hide(world, "contact", "phone")
    assert found() == [False] * len(paths)
    assert str(world.own.contact.pk) in world.get("contacts/?q=kjent").said
    assert str(world.own.contact.pk) in world.get("search/?q=olav").said


def test_board_has_no_sums_of_hidden_amounts():
    world = make_private()
    hide(world, "deal", "amount")
    for path in ("deals/", f"deals/board/changes/?pipeline={world.pipeline.pk}&column={world.own.deal.stage_id}", ""):
        said = world.get(path).said
        assert ("1,000" in said, "data-amount=100000" in said, 'data-sum="100000"' in said) == (False,) * 3, path
    assert "amount.min" not in world.get("deals/?block=filters").said
    assert world.get("deals/?amount.min=5").status_code == world.get("deals/?nosuch=5").status_code >= 400
    assert "1,000" in world.get("deals/", world.admin).said


@pytest.mark.parametrize(
    ("formula", "hidden"),
    [("amount * 2", "amount"), ("weighted * 20", "amount"), ("weighted * 20", "probability")],
)
def test_formula_over_a_hidden_built_in_field_is_hidden(formula: str, hidden: str):
    world = make_private()
    with world.org.acting(world.admin) as admin:
        settings = FieldSettings(label="Twice", kind="formula", formula=formula, result="number")
        key = create_field("deal", settings, acting=admin).key
        update_deal(world.own.deal.pk, {"probability": 10}, acting=admin)
    paths = (f"deals/{world.own.deal.pk}/", f"records/deal/{world.own.deal.pk}/", f"deals/list/?cols={key}",
             "records/deal/export/", f"records/deal/?cols={key}")  # fmt: skip

    def shown(member: Any) -> list[str]:
        answers = [world.get(path, member) for path in paths]
        return [path for path, answer in zip(paths, answers, strict=True)
                if any(trace in answer.said for trace in ("2,000", "2000", "Twice"))]  # fmt: skip

    before = shown(world.rep)
    assert before == list(paths)
    hide(world, "deal", hidden)
    assert (shown(world.rep), shown(world.admin)) == ([], before)
    value = f"records/deal/{world.own.deal.pk}/fields/"
    assert world.get(f"{value}{key}/").status_code == world.get(f"{value}nosuch/").status_code == 404


def test_locked_field_is_shown_and_not_written():
    world = make_private()
    contact = world.own.contact
    hide(world, "contact", "title", rep="read")
    assert "Buyer" in world.get(f"contacts/{contact.pk}/").said
    assert 'name="title"' not in world.get(f"contacts/{contact.pk}/edit/").said
    form = {"last_name": "Berg", "lifecycle": "lead", "lead_status": "new", "owner": world.rep.pk, "title": "Boss",
            "version": world.row(contact).version}  # fmt: skip
    assert world.post(f"contacts/{contact.pk}/edit/", form).status_code == 302
    assert (world.row(contact).last_name, world.row(contact).title) == ("Berg", "Buyer")
    with world.org.acting(world.rep) as rep, pytest.raises(Forbidden):
        create_contact(NewContact(last_name="New", title="Boss"), acting=rep)


def test_imports_do_not_fill_hidden_fields():
    world = make_private()
    hide(world, "contact", "title")
    _job, _said = import_rows(world, "First Name,Last Name,Email,Job Title\nIna,Vik,ina@x.example,Boss\n")
    with world.org.system():
        made = Contact.objects.get(last_name="Vik")
    assert (made.title, made.email) == ("", "ina@x.example")


@pytest.mark.parametrize(
    ("key", "name"),
    [("contact", "last_name"), ("contact", "owner"), ("contact", "account"), ("deal", "stage"), ("deal", "currency"),
     ("deal", "weighted"), ("account", "name"), ("task", "status"), ("contact", "nosuch")],
)  # fmt: skip
def test_what_a_page_can_not_be_without_stays(key: str, name: str):
    world = make_private()
    with pytest.raises(NotFound):
        hide(world, key, name)
    response = world.browser(world.admin).get(f"{world.base}settings/fields/{key}/built-in/{name}/access/")
    assert response.status_code == 404


def test_other_roles_keep_what_is_hidden_from_one():
    world = make_private()
    hide(world, "contact", "email")
    assert "olav@open.example" in world.get(f"contacts/{world.own.contact.pk}/", world.reader).said
    with world.org.acting(world.rep) as rep:
        kind = schema.record_type("contact", rep)
        assert "email" not in {f.key for f in kind.fields_for(Role.REP)}
        assert "email" in {f.key for f in kind.fields_for(Role.MANAGER)}
