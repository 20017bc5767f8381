"""Importing deals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Func, QuerySet, TextField, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.imports import parsing
from contacts.imports.accounts import Accounts, accounts_named
from contacts.imports.contact_target import KEY as CONTACT
from contacts.imports.externals import known_records, remember
from contacts.imports.own import own_values
from contacts.imports.planning import ME
from contacts.imports.targets import ImportField, Parsed, Question, Result, Settings, Target, reason_of
from contacts.models import Contact
from crm import access
from crm.lib.errors import Invalid
from crm.tenancy.context import Actor
from deals.actions.deals import create_deals
from deals.enums import StageKind
from deals.models import Stage

KEY = "deal"
STAGES = "stages"
OPEN, WON, LOST = "open", "won", "lost"
# How likely the stages of other systems' standard pipelines are to be won, in percent: it tells which of ours is near.
KNOWN_STAGES = {
    "appointmentscheduled": 20, "appointment scheduled": 20, "qualifiedtobuy": 40, "qualified to buy": 40,
    "presentationscheduled": 60, "presentation scheduled": 60, "decisionmakerboughtin": 80,
    "decision maker bought in": 80, "contractsent": 90, "contract sent": 90, "closedwon": 100, "closed won": 100,
    "closedlost": 0, "closed lost": 0, "prospecting": 10, "qualification": 10, "needs analysis": 20,
    "value proposition": 50, "id decision makers": 60, "perception analysis": 70, "proposal price quote": 75,
    "negotiation review": 90, "lead in": 10, "contact made": 25, "demo scheduled": 40, "proposal made": 60,
    "negotiations started": 75, "won": 100, "lost": 0,
}  # fmt: skip

FIELDS = (
    ImportField("external_id", gettext_lazy("Record ID"), names=("record id", "id", "deal id"), longest=120),
    ImportField(
        "name", gettext_lazy("Deal name"), names=("deal name", "title", "opportunity name", "name"), longest=200
    ),
    ImportField("pipeline", gettext_lazy("Pipeline"), names=("pipeline",)),
    ImportField(
        "stage", gettext_lazy("Stage"), names=("deal stage", "stage", "stage pipeline", "stagename"), ask="stage"
    ),
    ImportField("status", gettext_lazy("Status"), names=("status",)),
    ImportField("amount", gettext_lazy("Amount"), "money", names=("amount", "value", "deal value")),
    ImportField(
        "currency",
        gettext_lazy("Currency"),
        "currency",
        names=("currency of value", "currency", "currencyisocode", "deal currency code"),
        ask="currency",
    ),
    ImportField(
        "close_date", gettext_lazy("Close date"), "date", names=("expected close date", "close date", "closedate")
    ),
    ImportField("closed_on", gettext_lazy("Closed on"), "date", names=("closed on", "won time", "lost time")),
    ImportField(
        "entered_at",
        gettext_lazy("Entered its stage"),
        "datetime",
        names=("date entered current stage", "deal created", "create date", "createddate", "created date"),
    ),
    ImportField(
        "touched_at", gettext_lazy("Last activity"), "datetime", names=("last activity date", "lastactivitydate")
    ),
    ImportField(
        "owner",
        gettext_lazy("Owner"),
        "owner",
        names=("deal owner", "owner", "opportunity owner", "ownerid"),
        ask="owner",
    ),
    ImportField(
        "account",
        gettext_lazy("Account"),
        names=("organization", "associated company primary", "associated company", "account name"),
        longest=200,
    ),
    ImportField(
        "contact", gettext_lazy("Contact, by name"), names=("contact person", "associated contact", "primary contact")
    ),
    ImportField(
        "contact_ids", gettext_lazy("Contact, by record ID"), names=("contact person id", "associated contact ids")
    ),
    ImportField(
        "close_reason", gettext_lazy("Reason for losing"), names=("lost reason", "closed lost reason"), longest=120
    ),
    ImportField("next_step", gettext_lazy("Next step"), names=("next step", "nextstep"), longest=200),
    ImportField("source", gettext_lazy("Source"), names=("lead source", "leadsource", "source channel"), longest=80),
    ImportField("deleted", gettext_lazy("Deleted there"), "bool", names=("isdeleted",)),
)


@dataclass(frozen=True, slots=True)
class KnownStage:
    """A stage that rows may name."""

    id: str
    pipeline: str
    name: str
    kind: str
    probability: int
    is_default: bool


def _prepare(settings: Settings, acting: Actor) -> None:
    rows = Stage.objects.filter(pipeline__deleted_at__isnull=True).select_related("pipeline")
    settings.extra[STAGES] = [
        KnownStage(str(s.id), s.pipeline.name, s.name, s.kind, s.probability, s.pipeline.is_default)
        for s in rows.order_by("pipeline__position", "position", "id")
    ]


def _stage_named(text: str, pipeline: str, settings: Settings) -> KnownStage | None:
    """The stage of that name: of the named pipeline, else of the default one, else of any."""
    wanted, of = parsing.normal(text), parsing.normal(pipeline)
    named = [stage for stage in settings.extra[STAGES] if parsing.normal(stage.name) == wanted]
    for fits in (lambda s: parsing.normal(s.pipeline) == of, lambda s: s.is_default, lambda s: True):
        found = next((stage for stage in named if fits(stage)), None)
        if found:
            return found
    return None


def _questions(distinct: dict[str, list[str]], settings: Settings, acting: Actor) -> list[Question]:
    unknown = tuple(value for value in distinct.get("stage", ()) if _stage_named(value, "", settings) is None)
    if not unknown:
        return []
    options = tuple((stage.id, f"{stage.pipeline} › {stage.name}") for stage in settings.extra[STAGES])
    suggested = {value: _nearest(value, settings) for value in unknown}
    return [Question("stage", _("Stages"), unknown, options, suggested)]


def _nearest(text: str, settings: Settings) -> str:
    """The stage that is about as likely to be won as the one of another system's standard pipeline."""
    stages = [stage for stage in settings.extra[STAGES] if stage.is_default] or settings.extra[STAGES]
    chance = KNOWN_STAGES.get(parsing.normal(text))
    if not stages or chance is None:
        return next((stage.id for stage in stages if stage.kind == StageKind.OPEN), "")
    kind = StageKind.WON if chance == 100 else StageKind.LOST if chance == 0 else StageKind.OPEN
    alike = [stage for stage in stages if stage.kind == kind] or stages
    return min(alike, key=lambda stage: abs(stage.probability - chance)).id


def _check(parsed: Parsed, settings: Settings) -> None:
    """Finds the row's stage; refuses rows without a name or with a stage that means nothing."""
    values = parsed.values
    status = parsing.normal(values.get("status", ""))
    if values.get("deleted") or status == "deleted":
        parsed.skip = _("It was deleted in the system it comes from.")
        return
    if not values.get("name"):
        parsed.error = _("The row has no deal name.")
        return
    stage = None
    if text := values.get("stage"):
        stage = _stage_named(text, values.get("pipeline", ""), settings) or _answered(text, settings)
        if stage is None:
            parsed.error = _("Stage: “%(text)s” is no stage here.") % {"text": text}
            return
    if status in (WON, LOST):
        stage = _closing(status, stage, settings) or stage
    values["stage"] = stage


def _answered(text: str, settings: Settings) -> KnownStage | None:
    answer = settings.answers.get("stage", {}).get(text, "")
    return next((stage for stage in settings.extra[STAGES] if stage.id == answer), None)


def _closing(status: str, stage: KnownStage | None, settings: Settings) -> KnownStage | None:
    """The won or lost stage of the pipeline a closed deal is in."""
    alike = [s for s in settings.extra[STAGES] if s.kind == status]
    same = [s for s in alike if stage is not None and s.pipeline == stage.pipeline]
    return next(iter(same or [s for s in alike if s.is_default] or alike), None)


def write(parsed: Sequence[Parsed], settings: Settings, *, acting: Actor) -> list[Result]:
    """Creates deals with their accounts and contacts. A deal that was imported before is left as it is."""
    accounts = accounts_named(
        {row.values["account"] for row in parsed if row.values.get("account")}, settings, acting=acting
    )
    contacts = _contacts(parsed, accounts, settings, acting)
    known = known_records(KEY, [row.values.get("external_id", "") for row in parsed], settings)
    results: dict[int, Result] = {}
    fresh: list[int] = []
    seen: set[str] = set()
    for position, row in enumerate(parsed):
        external = row.values.get("external_id", "")
        if external and (external in known or external in seen):
            results[position] = Result("skipped", _("This deal was imported before."), known.get(external))
            continue
        if external and settings.source != "other":
            seen.add(external)
        fresh.append(position)
    rows = {n: _values(parsed[n], accounts, contacts.get(n), acting) for n in fresh}
    results.update(_create(rows, parsed, accounts, settings, acting))
    return [results[position] for position in range(len(parsed))]


def _create(
    rows: dict[int, dict[str, Any]], parsed: Sequence[Parsed], accounts: Accounts, settings: Settings, acting: Actor
) -> dict[int, Result]:
    """All at once; the rows that the rules refuse are taken out, and the others tried again."""
    results: dict[int, Result] = {}
    while rows:
        positions = list(rows)
        try:
            deals = create_deals(list(rows.values()), acting=acting)
        except Invalid as refused:
            for position, reason in _refused(refused, positions).items():
                results[position] = Result("failed", reason)
                del rows[position]
            continue
        pairs = []
        for position, deal in zip(positions, deals, strict=True):
            note = accounts.note(parsed[position].values.get("account"))
            results[position] = Result("created", note, record=deal.pk)
            if external := parsed[position].values.get("external_id"):
                pairs.append((external, deal.pk))
        remember(KEY, pairs, settings)
        break
    return results


def _refused(error: Invalid, positions: list[int]) -> dict[int, str]:
    """Which rows an Invalid of create_deals is about; all of them where it does not say."""
    found: dict[int, str] = {}
    for name, text in error.fields.items():
        index, dot, _field = name.partition(".")
        if dot and index.isdigit():
            found.setdefault(positions[int(index)], str(text))
    if found:
        return found
    return dict.fromkeys(positions, reason_of(error))


def _values(row: Parsed, accounts: Accounts, contact: UUID | None, acting: Actor) -> dict[str, Any]:
    values = row.values
    stage: KnownStage | None = values.get("stage")
    owner = values.get("owner")
    made: dict[str, Any] = {
        "name": values["name"],
        "currency": values["currency"],
        "owner": acting.member_id if owner in (None, ME) else owner,
    }
    for key in ("amount", "close_date", "next_step", "source", "touched_at"):
        if values.get(key) is not None:
            made[key] = values[key]
    if "entered_at" in values:
        made["stage_entered_at"] = values["entered_at"]
    if stage is not None:
        made["stage"] = UUID(stage.id)
        if stage.kind != StageKind.OPEN:
            made["closed_on"] = values.get("closed_on") or values.get("close_date") or _day(values)
            made["close_reason"] = values.get("close_reason", "") or (
                _("Not known") if stage.kind == StageKind.LOST else ""
            )
    if pk := accounts.of(values.get("account")):
        made["account"] = pk
    if contact:
        made["contacts"] = [contact]
    if own := own_values(row):
        made["custom"] = own
    return {key: value for key, value in made.items() if value is not None}


def _day(values: dict[str, Any]) -> date | None:
    moment: datetime | None = values.get("touched_at") or values.get("entered_at")
    return moment.date() if moment else None


def _contacts(parsed: Sequence[Parsed], accounts: Accounts, settings: Settings, acting: Actor) -> dict[int, UUID]:
    """The contact of each row, by the source's id or by name; of several with one name the one at the row's account.
    Only contacts that the importer sees are found."""
    ids = {n: parsing.split_many(row.values.get("contact_ids", ""))[:1] for n, row in enumerate(parsed)}
    known = known_records(CONTACT, [first for some in ids.values() for first in some], settings)
    seen = access.visible(Contact, acting)
    visible = set(seen.filter(id__in=set(known.values())).values_list("id", flat=True)) if known else set()
    found = {n: known[some[0]] for n, some in ids.items() if some and known.get(some[0]) in visible}
    names = {row.values["contact"] for n, row in enumerate(parsed) if n not in found and row.values.get("contact")}
    by_name = _by_name(seen, names) if names else {}
    for n, row in enumerate(parsed):
        alike = by_name.get(parsing.normal(row.values.get("contact", "")), [])
        if n in found or not alike:
            continue
        account = accounts.of(row.values.get("account"))
        found[n] = next((pk for pk, at in alike if account and at == account), alike[0][0])
    return found


def _by_name(seen: QuerySet[Contact], names: set[str]) -> dict[str, list[tuple[UUID, UUID | None]]]:
    """Contacts of those names, with the account of each, by the name's normal form."""
    norms = [Func(Value(name), function="keel_norm", output_field=TextField()) for name in names]
    found: dict[str, list[tuple[UUID, UUID | None]]] = defaultdict(list)
    rows = seen.filter(full_name_norm__in=norms).order_by("id")
    for first, last, pk, account in rows.values_list("first_name", "last_name", "id", "account_id"):
        found[parsing.normal(f"{first} {last}")].append((pk, account))
    return found


TARGET = Target(KEY, gettext_lazy("Deals"), FIELDS, _prepare, _questions, _check, write, "deal_list")
