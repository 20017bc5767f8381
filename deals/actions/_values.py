"""What people, imports and the API may say about a deal, checked and turned into columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import access
from crm.lib import money
from crm.lib.errors import Forbidden, Invalid
from crm.models import Membership, Organization
from crm.tenancy.context import Actor
from deals.enums import ForecastCategory
from deals.models import Deal

# In minor units; a hundred times it still fits a bigint.
LARGEST_AMOUNT = 10**15
# Keys of `values` that are a column of the same name.
PLAIN = (
    "name", "amount", "currency", "close_date", "next_step", "next_step_at", "source", "tags", "close_reason",
    "close_note",
)  # fmt: skip
# Only for deals that come from elsewhere with their history.
HISTORICAL = ("stage_entered_at", "touched_at", "closed_on")
LINKS = ("pipeline", "stage", "owner", "account", "contacts")
ALL = frozenset({*PLAIN, *HISTORICAL, *LINKS, "probability", "forecast_category", "custom"})

NO_MEMBER = gettext_lazy("Choose an active member of the organisation.")

Text = str | Promise


def today_of(acting: Actor) -> date:
    """The organisation's day, which closing dates are of."""
    return timezone.localdate(timezone=ZoneInfo(acting.time_zone))


def key_of(value: Any) -> Any:
    """The id in a value that may be a record, an id, or empty."""
    return getattr(value, "pk", value) or None


def check(values: Mapping[str, Any], *, complete: bool) -> None:
    """Raises Invalid, with a message for each field that breaks a rule, and Forbidden for an unknown field.

    `complete` asks for what a new deal needs.
    """
    unknown = set(values) - ALL
    if unknown:
        raise Forbidden(_("“%(field)s” can't be changed here.") % {"field": min(unknown)})
    wrong: dict[str, Text] = {}
    if complete or "name" in values:
        name = str(values.get("name") or "").strip()
        if not name:
            wrong["name"] = _("Give the deal a name.")
        elif len(name) > 200:
            wrong["name"] = _("The name is too long: 200 characters at most.")
    _check_numbers(values, wrong)
    for key, limit in (("next_step", 200), ("source", 80), ("close_reason", 120)):
        if len(values.get(key) or "") > limit:
            wrong[key] = _("Too long: %(limit)s characters at most.") % {"limit": limit}
    if values.get("forecast_category") and values["forecast_category"] not in ForecastCategory.values:
        wrong["forecast_category"] = _("Choose one of the categories.")
    if wrong:
        raise Invalid(fields=wrong)


def _check_numbers(values: Mapping[str, Any], wrong: dict[str, Text]) -> None:
    amount, probability = values.get("amount"), values.get("probability")
    if amount is not None and not (isinstance(amount, int) and 0 <= amount <= LARGEST_AMOUNT):
        wrong["amount"] = _("Give an amount that is not negative, and not beyond all measure.")
    if probability is not None and not (isinstance(probability, int) and 0 <= probability <= 100):
        wrong["probability"] = _("Give a percentage from 0 to 100.")
    if values.get("currency") and not money.is_currency(values["currency"]):
        wrong["currency"] = _("Give the three letters of a currency, such as EUR.")


def put_plain(deal: Deal, values: Mapping[str, Any]) -> None:
    """Sets the columns that are named in `values`; an empty text column becomes ''."""
    for key in PLAIN:
        if key not in values:
            continue
        value = values[key]
        if key == "currency" and not value:
            continue
        if value is None and key in ("name", "next_step", "source", "close_reason", "close_note"):
            value = ""
        if value is None and key == "tags":
            value = []
        setattr(deal, key, value.strip() if key == "name" else value)


def base_currency(acting: Actor) -> str:
    """The organisation's currency."""
    return Organization.objects.values_list("base_currency", flat=True).get(pk=acting.org_id)


def check_owners(owner_ids: set[Any], acting: Actor) -> None:
    """Raises Invalid unless all are active members. Owning for oneself needs no look."""
    others = {str(owner_id) for owner_id in owner_ids} - {str(acting.member_id)}
    if not others:
        return
    found = Membership.objects.filter(pk__in=[o for o in others if access.is_uuid(o)], active=True).count()
    if found != len(others):
        raise Invalid(fields={"owner": NO_MEMBER})


def check_visible(model: Any, ids: set[Any], field: str, acting: Actor) -> None:
    """Raises Invalid unless the actor sees all these records."""
    wanted = {str(i) for i in ids}
    valid = [i for i in wanted if access.is_uuid(i)]
    found = access.visible(model, acting).filter(pk__in=valid).count() if valid else 0
    if found != len(wanted):
        raise Invalid(fields={field: _("Not found. It may have been deleted, or you may not have access to it.")})


def moment(value: datetime | None, otherwise: datetime) -> datetime:
    """A moment from elsewhere, or another one."""
    return value if value is not None else otherwise
