"""Deals as a record type: what lists, filters, forms, export and history know of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from contacts.enums import ContactRole
from crm.events import emit_batch
from crm.records.registry import Bin, Bulk, Field, FieldType, RecordType, Relation, Tab
from crm.tenancy.backend.kept import KeptQuery
from deals.actions import deals, edits
from deals.enums import DealStatus, ForecastCategory
from deals.events import DealDeleted, DealRestored
from deals.models import Deal, DealContact, Stage

STATUS_TONES = {"open": "blue", "won": "green", "lost": "red", "abandoned": "gray"}
FORECAST_TONES = {"omitted": "gray", "pipeline": "blue", "best_case": "cyan", "commit": "violet", "closed": "green"}


@cache
def _all_stages() -> KeptQuery[dict[str, Any]]:
    """The stages of every pipeline, in order: what each list of deals asks for, twice."""
    rows = Stage.objects.filter(pipeline__deleted_at__isnull=True).order_by("pipeline__position", "position", "pk")
    return KeptQuery(rows.values("id", "name", "tone", "pipeline__name"))


def stage_choices() -> list[tuple[str, str]]:
    """The stages of every pipeline; with the pipeline's name where there are several."""
    rows = _all_stages().all()
    several = len({row["pipeline__name"] for row in rows}) > 1
    return [(str(row["id"]), f"{row['pipeline__name']}: {row['name']}" if several else row["name"]) for row in rows]


def stage_tones() -> dict[str, str]:
    """The colour of each stage."""
    return {str(row["id"]): row["tone"] for row in _all_stages().all()}


def _deleted(deal: Deal) -> DealDeleted:
    return DealDeleted(record=deal.pk, pipeline=deal.pipeline_id, stage=deal.stage_id, owner=deal.owner_id)


def _restored(deal: Deal) -> DealRestored:
    return DealRestored(record=deal.pk, pipeline=deal.pipeline_id, stage=deal.stage_id, owner=deal.owner_id)


def _tell_many(what: str, gone: Sequence[Deal]) -> None:
    """What DealDeleted or DealRestored says of one deal, of many: a batch for each pipeline."""
    columns = defaultdict(list)
    for deal in gone:
        columns[deal.pipeline_id].append(deal)
    for pipeline, column in columns.items():
        concerned = {"stages": list({d.stage_id for d in column}), "owners": list({d.owner_id for d in column})}
        emit_batch(f"deal.{what}", [deal.pk for deal in column], pipeline=pipeline, **concerned)


# A contact's part in a deal, whichever of the two is filtered.
_PART = (
    Field("role", _("Role"), FieldType.CHOICE, choices=ContactRole),
    Field("is_primary", _("Main contact"), FieldType.CHECKBOX),
)
DEALS_OF_CONTACT = Relation(
    "deals", _("Deals"), "deal", "contact_id", through=DealContact, forth="deal_id", fields=_PART
)
DEALS_OF_ACCOUNT = Relation("deals", _("Deals"), "deal", "account_id")

DEAL = RecordType(
    key="deal",
    model=Deal,
    label=_("Deal"),
    label_plural=_("Deals"),
    icon="square-kanban",
    fields=(
        Field("name", _("Name"), FieldType.TEXT, sort_path="name_norm", sortable=True, required=True, filterable=True),
        Field(
            "account", _("Account"), FieldType.LOOKUP, path="account_id", target="account",
            label_paths=("account__name",), url_name="account_detail", filterable=True,
        ),
        Field(
            "stage", _("Stage"), FieldType.CHOICE, path="stage_id", choices=stage_choices, tones=stage_tones,
            filterable=True, required=True, always=True,
        ),
        Field("amount", _("Amount"), FieldType.MONEY, currency_path="currency", sortable=True, filterable=True),
        Field("weighted", _("Weighted"), FieldType.MONEY, currency_path="currency", editable=False, filterable=True,
              parts=("amount", "probability")),
        Field("close_date", _("Close date"), FieldType.DATE, sortable=True, filterable=True),
        Field("next_step", _("Next step"), FieldType.TEXT, filterable=True),
        Field("next_step_at", _("Next step on"), FieldType.DATETIME, filterable=True),
        Field(
            "owner", _("Owner"), FieldType.MEMBER, path="owner_id", label_paths=("owner__user__name",), filterable=True
        ),
        Field(
            "stage_entered_at", _("In stage since"), FieldType.DATETIME, editable=False, filterable=True, always=True
        ),
        Field(
            "status", _("Status"), FieldType.CHOICE, choices=DealStatus, tones=STATUS_TONES, filterable=True,
            editable=False, always=True,
        ),
        Field("probability", _("Probability"), FieldType.PERCENT, filterable=True),
        Field(
            "forecast_category", _("Forecast"), FieldType.CHOICE, choices=ForecastCategory, tones=FORECAST_TONES,
            filterable=True,
        ),
        Field("currency", _("Currency"), FieldType.TEXT, filterable=True, always=True),
        Field("closed_on", _("Closed on"), FieldType.DATE, filterable=True, editable=False),
        Field("close_reason", _("Reason"), FieldType.TEXT, filterable=True),
        Field("source", _("Source"), FieldType.TEXT, filterable=True),
        Field("tags", _("Tags"), FieldType.TAGS, filterable=True),
        Field("created_at", _("Created"), FieldType.DATETIME, filterable=True, editable=False, always=True),
        Field(
            "updated_at", _("Updated"), FieldType.DATETIME, sortable=True, filterable=True, editable=False, always=True
        ),
    ),
    name_sort_path="name_norm",
    name_label=_("Deal"),
    subtitle=("account", "amount"),
    list_columns=("account", "stage", "amount", "weighted", "close_date", "next_step", "owner", "stage_entered_at"),
    search_paths=("name_norm",),
    search_words=("name_norm",),
    create=deals.create_deal,
    update=deals.update_deal,
    bulk=Bulk(
        apply=edits.apply_deals, written=edits.tell_deals, undo=edits.undo_deals, stage="stage",
        stage_reason="close_reason",
    ),
    bin=Bin(deleted=_deleted, restored=_restored, tell_many=_tell_many, mend=deals.mend_restored),
    url_names={
        "list": "deal_list", "detail": "deal_detail", "new": "deal_new", "edit": "deal_edit", "import": "import_list",
        "more": "deal_stage",
    },
    tabs=(Tab("deal_board", _("Board"), "square-kanban"), Tab("deal_list", _("List"), "list")),
    relations=(
        Relation(
            "contacts", _("Contacts"), "contact", "deal_id", through=DealContact, forth="contact_id", fields=_PART,
        ),
    ),
    history_tables=("deals_dealcontact", "deals_dealshare"),
)  # fmt: skip
