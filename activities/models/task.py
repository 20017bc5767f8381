"""Something to do, on its own or about a contact, an account or a deal."""

from datetime import UTC, datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce

from activities.enums import Priority, TaskStatus
from contacts.models import Account, Contact
from crm.models import Membership
from crm.tenancy.fields import ComputedField, NormalizedField, TenantForeignKey
from crm.tenancy.indexes import CHANGED, sieved_index, slot_indexes, words_index
from crm.tenancy.models import OrgModel, SortSlots
from deals.models import Deal

LIVE = models.Q(deleted_at__isnull=True)
# Behind every date that somebody means: open tasks without a date come after those with one, done ones last.
SOME_DAY, NO_DAY = datetime(9000, 1, 1, tzinfo=UTC), datetime(9001, 1, 1, tzinfo=UTC)


def _agenda() -> models.Case:
    done = models.When(status=TaskStatus.DONE, then=models.Value(NO_DAY))
    return models.Case(done, default=Coalesce("due_at", models.Value(SOME_DAY)))


class Task(OrgModel, SortSlots):
    """A task of its owner, who is the one it is assigned to.

    `due_at` is the moment until which it wants to be done; where only a day was given (`is_timed` is False), that day's
    last second where whoever gave it is. `account` repeats the deal's or contact's, as an activity's does.
    """

    title = models.CharField(max_length=200)
    title_norm = NormalizedField("keel_norm", "title")
    description = models.TextField(blank=True)
    status = models.CharField(max_length=11, choices=TaskStatus.choices, default=TaskStatus.TODO)
    priority = models.CharField(max_length=6, choices=Priority.choices, default=Priority.NORMAL)
    due_at = models.DateTimeField(null=True, blank=True)
    is_timed = models.BooleanField(default=True)
    agenda_at = ComputedField(expression=_agenda(), output_field=models.DateTimeField(), db_persist=True)
    reminder_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    owner = TenantForeignKey(Membership, models.PROTECT)
    created_by = TenantForeignKey(Membership, models.SET_NULL, null=True, blank=True)
    contact = TenantForeignKey(Contact, models.CASCADE, null=True, blank=True)
    account = TenantForeignKey(Account, models.CASCADE, null=True, blank=True)
    deal = TenantForeignKey(Deal, models.CASCADE, null=True, blank=True)
    tags = ArrayField(models.UUIDField(), default=list, blank=True)

    SEEN_THROUGH = ("deal", "contact", "account")  # see crm.access; the same order as in the policy

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(status=TaskStatus.DONE, completed_at__isnull=False)
                | (~models.Q(status=TaskStatus.DONE) & models.Q(completed_at__isnull=True)),
                name="activities_task_completed",
            ),
        ]
        indexes = [
            *(
                models.Index(
                    "org",
                    parent,
                    "agenda_at",
                    "id",
                    name=f"task_{parent}",
                    condition=LIVE & models.Q(**{f"{parent}__isnull": False}),
                )
                for parent in ("contact", "account", "deal")
            ),
            sieved_index("owner", "agenda_at", "id", sieved=["status"], name="task_by_owner"),
            sieved_index("owner", *CHANGED, sieved=["status"], name="task_by_owner_changed"),
            sieved_index("agenda_at", "id", sieved=["owner", "status"], name="task_by_plan"),
            sieved_index(*CHANGED, sieved=["owner", "status"], name="task_by_change"),
            sieved_index("title_norm", "id", sieved=["owner", "status"], name="task_by_title"),
            words_index("task_words", "title_norm", condition=LIVE),
            *slot_indexes("task"),
        ]

    def __str__(self) -> str:
        return self.title
