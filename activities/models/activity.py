"""What happened with a contact, an account or a deal."""

from django.db import models
from django.utils import timezone

from activities.enums import BY_SYSTEM, ActivityType, Direction, Source
from contacts.models import Account, Contact
from crm.models import Membership
from crm.tenancy.fields import TenantForeignKey
from crm.tenancy.indexes import words_index
from crm.tenancy.models import OrgModel
from deals.models import Deal

LIVE = models.Q(deleted_at__isnull=True)
LISTED = LIVE & ~models.Q(type__in=BY_SYSTEM)
NEWEST = (models.F("occurred_at").desc(), models.F("id").desc())


class Activity(OrgModel):
    """Entry of a timeline. `account` repeats the deal's or contact's, so that an account's page is one index scan."""

    type = models.CharField(max_length=12, choices=ActivityType.choices)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    direction = models.CharField(max_length=8, choices=Direction.choices, blank=True)
    occurred_at = models.DateTimeField(default=timezone.now)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.MANUAL)
    owner = TenantForeignKey(Membership, models.SET_NULL, null=True)  # who logged it
    contact = TenantForeignKey(Contact, models.CASCADE, null=True, blank=True)
    account = TenantForeignKey(Account, models.CASCADE, null=True, blank=True)
    deal = TenantForeignKey(Deal, models.CASCADE, null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)  # of entries that the system writes, such as from and to

    SEEN_THROUGH = ("deal", "contact", "account")  # see crm.access; the same order as in the policy

    class Meta(OrgModel.Meta):
        indexes = [
            *(
                models.Index(
                    "org",
                    parent,
                    *NEWEST,
                    name=f"activity_{parent}",
                    condition=LIVE & models.Q(**{f"{parent}__isnull": False}),
                )
                for parent in ("contact", "account", "deal")
            ),
            models.Index("org", "owner", *NEWEST, name="activity_owner", condition=LIVE),
            models.Index("org", *NEWEST, name="activity_newest", condition=LIVE),
            # What people did, for their list: an import writes hundreds of thousands of other entries at one moment.
            models.Index("org", "owner", *NEWEST, include=["type"], name="activity_owned_listed", condition=LISTED),
            models.Index("org", *NEWEST, include=["owner", "type"], name="activity_newest_listed", condition=LISTED),
            # What the system writes has no text.
            words_index(
                "activity_words",
                "subject",
                "body",
                function="keel_text",
                condition=LIVE & (~models.Q(subject="") | ~models.Q(body="")),
            ),
        ]
