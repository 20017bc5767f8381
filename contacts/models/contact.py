"""Contacts: the people who are sold to."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from contacts.enums import AddressKind, ContactRole, LeadStatus, Lifecycle
from contacts.models.account import LIVE, Account
from crm.models import Address, Membership, Share
from crm.tenancy.fields import NormalizedField, TenantForeignKey
from crm.tenancy.indexes import CHANGED, grams_index, owned_index, sieved_index, slot_indexes, words_index
from crm.tenancy.models import OrgModel, SortSlots, TenantModel

SIEVED = ("lifecycle", "lead_status")  # what lists are filtered by most


class Contact(OrgModel, SortSlots, Address):
    """A person. E-mails, phones and accounts are child rows; the primary of each is mirrored here for lists."""

    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    sort_name = NormalizedField("keel_norm_pair", "last_name", "first_name")
    full_name_norm = NormalizedField("keel_norm_pair", "first_name", "last_name")
    owner = TenantForeignKey(Membership, models.PROTECT)
    account = TenantForeignKey(Account, models.SET_NULL, null=True, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_norm = NormalizedField("lower", "email")
    phone = models.CharField(max_length=40, blank=True)
    phone_norm = NormalizedField("keel_digits", "phone")
    title = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=120, blank=True)
    lead_source = models.CharField(max_length=80, blank=True)
    lead_status = models.CharField(max_length=12, choices=LeadStatus.choices, default=LeadStatus.NEW)
    lifecycle = models.CharField(max_length=12, choices=Lifecycle.choices, default=Lifecycle.LEAD)
    score = models.PositiveSmallIntegerField(default=0)  # 0 to 100
    do_not_email = models.BooleanField(default=False)
    do_not_call = models.BooleanField(default=False)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    tags = ArrayField(models.UUIDField(), default=list, blank=True)

    class Meta(OrgModel.Meta):
        indexes = [
            # With what lists are sorted by next, so that they pass by other rows without touching the table, and count
            # without it.
            sieved_index(*CHANGED, sieved=("owner", *SIEVED), include=["sort_name"], name="contact_changed"),
            sieved_index("sort_name", "id", sieved=("owner", *SIEVED), include=["updated_at"], name="contact_named"),
            sieved_index(
                "last_activity_at",
                "id",
                sieved=("owner", *SIEVED),
                name="contact_active",
                condition=models.Q(last_activity_at__isnull=False),
            ),
            models.Index("org", "full_name_norm", name="contact_full_name", condition=LIVE),
            owned_index("contact_owned", "sort_name", "last_activity_at", sieved=SIEVED),
            models.Index("org", "email_norm", name="contact_email", condition=LIVE),
            models.Index("org", "phone_norm", name="contact_phone", condition=LIVE),
            models.Index("org", "account", name="contact_account", condition=LIVE),
            words_index("contact_words", "full_name_norm", "email_norm", function="keel_with_address", condition=LIVE),
            *slot_indexes("contact"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The full name, or the e-mail address of somebody without one."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


class ContactEmail(TenantModel):
    """One e-mail address of a contact."""

    contact = TenantForeignKey(Contact, models.CASCADE, related_name="emails")
    address = models.CharField(max_length=254)
    address_norm = NormalizedField("lower", "address")
    kind = models.CharField(max_length=8, choices=AddressKind.choices, default=AddressKind.WORK)
    is_primary = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "contact", "address_norm"], name="contacts_contactemail_once"),
            models.UniqueConstraint(
                fields=["org", "contact"], condition=models.Q(is_primary=True), name="contacts_contactemail_primary"
            ),
        ]
        indexes = [
            models.Index(fields=["org", "address_norm"], name="contactemail_address"),
            grams_index("contactemail_grams", "address_norm"),
        ]


class ContactPhone(TenantModel):
    """One phone number of a contact: E.164 where it could be understood, else as it was written."""

    contact = TenantForeignKey(Contact, models.CASCADE, related_name="phones")
    number = models.CharField(max_length=40)
    number_norm = NormalizedField("keel_digits", "number")
    kind = models.CharField(max_length=8, choices=AddressKind.choices, default=AddressKind.WORK)
    is_primary = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "contact"], condition=models.Q(is_primary=True), name="contacts_contactphone_primary"
            ),
        ]
        indexes = [
            models.Index(fields=["org", "contact"], name="contactphone_contact"),
            models.Index(fields=["org", "number_norm"], name="contactphone_number"),
            grams_index("contactphone_grams", "number_norm"),
        ]


class AccountContact(TenantModel):
    """What a contact is at an account. One person may be at several companies."""

    account = TenantForeignKey(Account, models.CASCADE)
    contact = TenantForeignKey(Contact, models.CASCADE)
    role = models.CharField(max_length=16, choices=ContactRole.choices, default=ContactRole.UNKNOWN)
    title = models.CharField(max_length=120, blank=True)
    is_primary = models.BooleanField(default=False)
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "contact", "account"], name="contacts_accountcontact_once"),
        ]
        indexes = [models.Index(fields=["org", "account"], name="accountcontact_account")]


class ContactShare(Share):
    """A contact shared with a member or a team."""

    content_object = TenantForeignKey(Contact, models.CASCADE, related_name="shares")
