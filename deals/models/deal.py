"""Deals and their way through the stages."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from contacts.enums import ContactRole
from contacts.models import Account, Contact
from crm.models import Membership, Share
from crm.tenancy.fields import ComputedField, NormalizedField, TenantForeignKey
from crm.tenancy.indexes import CHANGED, owned_index, sieved_index, slot_indexes, words_index
from crm.tenancy.models import OrgModel, SortSlots, TenantModel
from deals.enums import DealStatus, ForecastCategory
from deals.models.pipeline import LIVE, Pipeline, Stage

SIEVED = ("stage", "status")  # what lists are filtered by most


class Deal(OrgModel, SortSlots):
    """A chance to sell. `position` orders the cards of a column: a fractional key, so a move rewrites one row."""

    name = models.CharField(max_length=200)
    name_norm = NormalizedField("keel_norm", "name")
    pipeline = TenantForeignKey(Pipeline, models.PROTECT)
    stage = TenantForeignKey(Stage, models.PROTECT)
    position = models.CharField(max_length=120, db_collation="C", default="")
    owner = TenantForeignKey(Membership, models.PROTECT)
    account = TenantForeignKey(Account, models.SET_NULL, null=True, blank=True)
    amount = models.BigIntegerField(null=True, blank=True)  # minor units of `currency`
    currency = models.CharField(max_length=3)
    probability = models.PositiveSmallIntegerField(default=0)  # percent
    weighted = ComputedField(
        expression=(models.F("amount") * models.F("probability") + 50) / 100,
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    probability_by_hand = models.BooleanField(default=False)  # else it follows the stage
    status = models.CharField(max_length=9, choices=DealStatus.choices, default=DealStatus.OPEN)
    forecast_category = models.CharField(
        max_length=9, choices=ForecastCategory.choices, default=ForecastCategory.PIPELINE
    )
    forecast_by_hand = models.BooleanField(default=False)  # else it follows the probability
    close_date = models.DateField(null=True, blank=True)  # expected
    closed_on = models.DateField(null=True, blank=True)  # actual
    close_reason = models.CharField(max_length=120, blank=True)
    close_note = models.TextField(blank=True)
    next_step = models.CharField(max_length=200, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    stage_entered_at = models.DateTimeField()
    # When the deal last moved forward or had a completed activity; rotting counts from here.
    touched_at = models.DateTimeField()
    source = models.CharField(max_length=80, blank=True)
    tags = ArrayField(models.UUIDField(), default=list, blank=True)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.CheckConstraint(condition=models.Q(probability__lte=100), name="deals_deal_probability"),
        ]
        indexes = [
            # The board: cards in order, and the sums of a column without touching the table.
            models.Index(
                fields=["org", "stage", "position", "id"],
                include=["amount", "currency", "weighted", "owner"],
                condition=models.Q(status="open") & LIVE,
                name="deal_board",
            ),
            # With what lists are sorted by next, so that they pass by other rows without touching the table, and count
            # without it.
            sieved_index(*CHANGED, sieved=("owner", *SIEVED), include=["name_norm"], name="deal_changed"),
            owned_index("deal_owned", "name_norm", "amount", "close_date", sieved=SIEVED),
            models.Index(
                fields=["org", "owner", "stage", "position", "id"],
                include=["amount", "currency", "weighted"],
                condition=models.Q(status="open") & LIVE,
                name="deal_owner_board",
            ),
            sieved_index("name_norm", "id", sieved=("owner", *SIEVED), include=["updated_at"], name="deal_named"),
            models.Index("org", "account", name="deal_account", condition=LIVE),
            words_index("deal_words", "name_norm", condition=LIVE),
            sieved_index("amount", "id", sieved=("owner", *SIEVED), name="deal_by_amount"),
            sieved_index("close_date", "id", sieved=("owner", *SIEVED), name="deal_by_closing"),
            # What was won in a quarter, without touching the table.
            models.Index(
                fields=["org", "closed_on"],
                include=["amount", "currency", "owner"],
                condition=models.Q(status="won") & LIVE,
                name="deal_won",
            ),
            *slot_indexes("deal"),
        ]

    def __str__(self) -> str:
        return self.name


class DealContact(TenantModel):
    """A contact's part in a deal."""

    deal = TenantForeignKey(Deal, models.CASCADE, related_name="deal_contacts")
    contact = TenantForeignKey(Contact, models.CASCADE)
    role = models.CharField(max_length=16, choices=ContactRole.choices, default=ContactRole.UNKNOWN)
    is_primary = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "deal", "contact"], name="deals_dealcontact_once"),
        ]
        indexes = [models.Index(fields=["org", "contact"], name="dealcontact_contact")]


class StageChange(TenantModel):
    """A deal's step from one stage to another, as it was then."""

    deal = TenantForeignKey(Deal, models.CASCADE, related_name="stage_changes")
    from_stage = TenantForeignKey(Stage, models.SET_NULL, null=True)  # None: the deal was made in `to_stage`
    to_stage = TenantForeignKey(Stage, models.SET_NULL, null=True)
    at = models.DateTimeField()
    by = TenantForeignKey(Membership, models.SET_NULL, null=True)
    seconds_in_stage = models.BigIntegerField(default=0)  # spent in the stage that was left
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    probability = models.PositiveSmallIntegerField()
    undoes = TenantForeignKey("deals.StageChange", models.SET_NULL, null=True)  # a step back from that one
    deal_version = models.PositiveIntegerField(default=1)  # the deal's version after the step
    before = models.JSONField(default=dict)  # what undo restores, see deals.rules.RESTORED

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["org", "deal", "at"], name="stagechange_deal"),
            models.Index(fields=["org", "at"], name="stagechange_at"),
        ]


class DealShare(Share):
    """A deal shared with a member or a team."""

    content_object = TenantForeignKey(Deal, models.CASCADE, related_name="shares")
