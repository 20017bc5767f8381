"""Accounts: the companies that are sold to."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.models import Address, Membership, Share
from crm.tenancy.fields import NormalizedField, TenantForeignKey
from crm.tenancy.indexes import grams_index, owned_index, slot_indexes, words_index
from crm.tenancy.models import OrgModel, SortSlots, TenantModel

LIVE = models.Q(deleted_at__isnull=True)


class Account(OrgModel, SortSlots, Address):
    """A company. Its domains are rows of AccountDomain; the first is mirrored in `domain`."""

    name = models.CharField(max_length=200)
    name_norm = NormalizedField("keel_norm", "name")
    owner = TenantForeignKey(Membership, models.PROTECT)
    domain = models.CharField(max_length=253, blank=True)
    industry = models.CharField(max_length=80, blank=True)
    employee_count = models.PositiveIntegerField(null=True, blank=True)
    annual_revenue = models.BigIntegerField(null=True, blank=True)  # minor units of `currency`
    currency = models.CharField(max_length=3, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.CharField(max_length=300, blank=True)
    parent = TenantForeignKey("contacts.Account", models.SET_NULL, null=True, blank=True)
    customer_since = models.DateField(null=True, blank=True)
    health_score = models.PositiveSmallIntegerField(null=True, blank=True)  # 0 to 100
    is_key = models.BooleanField(default=False)
    description = models.TextField(blank=True)
    tags = ArrayField(models.UUIDField(), default=list, blank=True)

    class Meta(OrgModel.Meta):
        indexes = [
            # With the owner and what lists are sorted by next, to pass by other rows without touching the table.
            models.Index(
                "org",
                models.F("updated_at").desc(),
                models.F("id").desc(),
                include=["owner", "name_norm"],
                name="account_by_change",
                condition=LIVE,
            ),
            models.Index(
                "org", "name_norm", "id", include=["owner", "updated_at"], name="account_by_name", condition=LIVE
            ),
            owned_index("account_by_owner", "name_norm"),
            models.Index("org", "parent", name="account_parent", condition=models.Q(parent__isnull=False)),
            words_index("account_words", "name_norm", "domain", function="keel_with_address", condition=LIVE),
            grams_index("account_phone", "phone", function="keel_digits", condition=LIVE),
            *slot_indexes("account"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountDomain(TenantModel):
    """An internet domain of an account, lower case: contacts with an address there belong to it."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="account_domains")
    domain = models.CharField(max_length=253, db_collation="C")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "account", "domain"], name="contacts_accountdomain_once"),
        ]
        indexes = [
            models.Index(fields=["org", "domain"], name="accountdomain_domain"),
            grams_index("accountdomain_grams", "domain"),
        ]


class AccountShare(Share):
    """An account shared with a member or a team."""

    content_object = TenantForeignKey(Account, models.CASCADE, related_name="shares")
